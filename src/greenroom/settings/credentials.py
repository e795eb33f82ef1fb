"""Whether an Exchange's section says all that signing in needs, and nothing twice."""

from greenroom.settings.exchange import EwsExchange, EwsOrganizers, OverEws, OverGraph
from greenroom.settings.layers import Layers
from greenroom.settings.signing_in import OAuth
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
_BY_NAME = frozenset({"basic", "ntlm", "kerberos"})
_TABLES = ("kerberos", "oauth")


def check_sign_in(layers: Layers, here: Path, exchange: OverEws | OverGraph) -> None:
    """Check one section that is right field by field; `here` is its place in the file."""
    if isinstance(exchange, EwsExchange | EwsOrganizers):
        _check_ews(layers, here, exchange)
    else:
        _check_credential(layers, here, exchange)
        _check_cloud(layers, here, exchange)


def _check_ews(layers: Layers, here: Path, exchange: OverEws) -> None:
    needs_it = f'is missing: auth = "{exchange.auth}" needs it'
    if exchange.auth in _BY_NAME and not exchange.username:
        layers.problem((*here, "username"), needs_it, "a user principal name or DOMAIN\\user")
    for table in _TABLES:
        given = getattr(exchange, table) is not None
        if exchange.auth == table and not given:
            layers.problem((*here, table), needs_it, f"a table [{'.'.join(('integration', str(here[-1]), table))}]")
        elif exchange.auth != table and given:
            layers.problem(
                (*here, table), f'has no use with auth = "{exchange.auth}"', f'auth = "{table}", or no {table}'
            )
    keytab = exchange.auth == "kerberos" and exchange.kerberos is not None and exchange.kerberos.keytab_file is not None
    secret = exchange.password is not None or exchange.password_file is not None
    if exchange.auth in _BY_NAME and not keytab and not secret:
        ways = (
            "password, password_file or kerberos.keytab_file"
            if exchange.auth == "kerberos"
            else "password or password_file"
        )
        layers.problem((*here, "password"), needs_it, ways)
    if exchange.auth == "bearer" and exchange.token is None and exchange.token_file is None:
        layers.problem((*here, "token"), needs_it, "token or token_file")
    if exchange.auth == "oauth" and exchange.oauth is not None:
        _check_oauth(layers, (*here, "oauth"), exchange.oauth)


def _check_oauth(layers: Layers, here: Path, oauth: OAuth) -> None:
    ways = [way for way in ("certificate_file", "client_secret") if _given(oauth, way)]
    if oauth.account == "application" and not ways:
        layers.problem(
            (*here, "certificate_file"), "is missing: nothing here signs in", "certificate_file or client_secret"
        )
    for way in ways[1:]:
        layers.problem(_key(layers, here, way), f"is a second way to sign in besides {ways[0]}", "one of the two")
    for key, owner in _BELONGS.items():
        if owner not in ways and _given(oauth, key):
            layers.problem(_key(layers, here, key), f"has no use without {owner}", f"together with {_WAYS[owner]}")
    if oauth.tenant == "adfs" and oauth.cloud != "custom":
        layers.problem(
            (*here, "cloud"), 'is not "custom": AD FS is at no Microsoft cloud', 'cloud = "custom" with login_url'
        )
    if oauth.cloud == "custom" and oauth.login_url is None:
        layers.problem((*here, "login_url"), 'is missing: cloud = "custom" needs it', "an https address without a path")
    elif oauth.cloud != "custom" and oauth.login_url is not None:
        said = f'has no use with cloud = "{oauth.cloud}", whose address is known'
        layers.problem((*here, "login_url"), said, 'cloud = "custom", or no login_url')


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


def _given(exchange: OverGraph | OAuth, key: str) -> bool:
    return getattr(exchange, key) is not None or getattr(exchange, f"{key}_file", None) is not None


def _key(layers: Layers, here: Path, key: str) -> Path:
    """Name the form in which it was given: itself, or the file that holds it."""
    in_file = layers.value((*here, f"{key}_file")) is not None
    return (*here, f"{key}_file" if in_file else key)
