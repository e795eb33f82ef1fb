"""Whether an Exchange's section says all that signing in needs, and nothing twice."""

from greenroom.settings.exchange import EwsExchange, EwsOrganizers, OverEws, OverGraph
from greenroom.settings.layers import Layers
from greenroom.settings.toml_lines import Path

_WAYS = {
    "certificate_file": "certificate_file",
    "client_secret": "client_secret or client_secret_file",
    "federated_token_file": "federated_token_file",
    "managed_identity": "managed_identity",
}
_ONE_WAY = f"exactly one of {', '.join(_WAYS)}"
_BELONGS = {
    "certificate_key_file": "certificate_file",
    "certificate_password": "certificate_file",
    "client_secret_expires": "client_secret",
}
_ROOTS = ("login_url", "graph_url")


def check_sign_in(layers: Layers, here: Path, exchange: OverEws | OverGraph) -> None:
    """Check one section that is right field by field; `here` is its place in the file."""
    if isinstance(exchange, EwsExchange | EwsOrganizers):
        _check_ews(layers, here, exchange)
    else:
        _check_credential(layers, here, exchange)
        _check_cloud(layers, here, exchange)


def _check_ews(layers: Layers, here: Path, exchange: OverEws) -> None:
    if exchange.auth == "basic":
        if not exchange.username:
            layers.problem(
                (*here, "username"), 'is missing: auth = "basic" needs it', "a user principal name or DOMAIN\\user"
            )
        if exchange.password is None and exchange.password_file is None:
            layers.problem((*here, "password"), 'is missing: auth = "basic" needs it', "password or password_file")
    elif exchange.token is None and exchange.token_file is None:
        layers.problem((*here, "token"), 'is missing: auth = "bearer" needs it', "token or token_file")


def _check_credential(layers: Layers, here: Path, exchange: OverGraph) -> None:
    given = [way for way in _WAYS if _given(exchange, way)]
    if not given:
        layers.problem((*here, "certificate_file"), "is missing: nothing here signs in", _ONE_WAY)
    for way in given[1:]:
        layers.problem(_key(layers, here, way), f"is a second way to sign in besides {given[0]}", _ONE_WAY)
    for key, owner in _BELONGS.items():
        if given and owner not in given and _given(exchange, key):
            layers.problem(_key(layers, here, key), f"has no use without {owner}", f"together with {_WAYS[owner]}")
    if exchange.client_id is None and exchange.managed_identity is None:
        layers.problem(
            (*here, "client_id"),
            "is missing: it says which application signs in",
            "the Application (client) id of the registered application, a GUID",
        )


def _check_cloud(layers: Layers, here: Path, exchange: OverGraph) -> None:
    for key in _ROOTS:
        given = _given(exchange, key)
        if exchange.cloud == "custom" and not given:
            layers.problem((*here, key), 'is missing: cloud = "custom" needs it', "an https address without a path")
        elif exchange.cloud != "custom" and given:
            said = f'has no use with cloud = "{exchange.cloud}", whose addresses are known'
            layers.problem((*here, key), said, f'cloud = "custom", or no {key}')


def _given(exchange: OverGraph, key: str) -> bool:
    return getattr(exchange, key) is not None or getattr(exchange, f"{key}_file", None) is not None


def _key(layers: Layers, here: Path, key: str) -> Path:
    """Name the form in which it was given: itself, or the file that holds it."""
    in_file = layers.value((*here, f"{key}_file")) is not None
    return (*here, f"{key}_file" if in_file else key)
