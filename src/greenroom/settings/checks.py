"""What only several settings together can get wrong."""

import string
from collections.abc import Callable, Mapping
from typing import Any

from greenroom.settings.addin_checks import check_addin, check_ids
from greenroom.settings.credentials import check_sign_in
from greenroom.settings.integration import Integration
from greenroom.settings.layers import Layers
from greenroom.settings.pexip_checks import check_callers, check_pexip

_NUMBERS = frozenset("123456789")
_DIGITS = frozenset(string.digits)


def check_together(layers: Layers, integrations: Mapping[int, Integration]) -> None:
    """Check integrations, by their place in the file, each in itself and against the others."""
    for index, integration in integrations.items():
        check_sign_in(layers, ("integration", index, "exchange"), integration.exchange)
        if integration.organizers is not None:
            check_sign_in(layers, ("integration", index, "organizers"), integration.organizers)
        _check_ring(layers, index, integration)
        check_pexip(layers, ("integration", index), integration)
        check_addin(layers, ("integration", index), integration)
    check_callers(layers, integrations)
    check_ids(layers, integrations)
    _check_unique(layers, integrations, "number", lambda entry: entry.number)
    _check_unique(layers, integrations, "name", lambda entry: entry.name)
    _check_unique(layers, integrations, "mailbox", lambda entry: entry.mailbox)
    _check_keys_apart(layers, integrations)
    _check_pools(layers, integrations)


def _check_ring(layers: Layers, index: int, integration: Integration) -> None:
    seen: set[int] = set()
    for position, key in enumerate(integration.ticket_keys):
        if key.id in seen:
            layers.problem(
                ("integration", index, "ticket_keys", position),
                f"key id {key.id} is used twice",
                "each id only once in a ring",
            )
        seen.add(key.id)


def _check_unique(
    layers: Layers, integrations: Mapping[int, Integration], name: str, of: Callable[[Integration], Any]
) -> None:
    first: dict[Any, int] = {}
    for index, integration in integrations.items():
        value = of(integration)
        if value in first:
            other = layers.spell(("integration", first[value]))
            layers.problem(("integration", index, name), f"{value} is taken by {other}", f"a {name} of its own")
        first.setdefault(value, index)


def _check_keys_apart(layers: Layers, integrations: Mapping[int, Integration]) -> None:
    first: dict[bytes, int] = {}
    for index, integration in integrations.items():
        for position, key in enumerate(integration.ticket_keys):
            other = first.setdefault(key.key, index)
            if other != index:
                layers.problem(
                    ("integration", index, "ticket_keys", position),
                    f"is the same secret as one of {layers.spell(('integration', other))}",
                    "secrets of its own; `greenroom config new-key` makes one",
                )


def _check_pools(layers: Layers, integrations: Mapping[int, Integration]) -> None:
    """Report pools that could draw the same alias, or the same numeric alias, on one platform."""
    earlier: list[tuple[int, Integration]] = []
    for index, one in integrations.items():
        for other_index, other in earlier:
            same_domain = one.alias.domain == other.alias.domain
            if same_domain and _meet(_shape(one, numeric=False), _shape(other, numeric=False)):
                what = "could draw the same aliases as"
            elif _meet(_shape(one, numeric=True), _shape(other, numeric=True)):
                what = "could draw the same numeric aliases as"
            else:
                continue
            layers.problem(
                ("integration", index, "alias"),
                f"{what} {layers.spell(('integration', other_index))}",
                "a prefix with a digit of its own, or another count of digits",
            )
            break
        earlier.append((index, one))


def _shape(integration: Integration, *, numeric: bool) -> list[frozenset[str]]:
    prefix = integration.alias.prefix
    letters = [frozenset(c) for c in prefix if not numeric or c in string.digits]
    return [*letters, _NUMBERS, *([_DIGITS] * (integration.alias.digits - 1))]


def _meet(one: list[frozenset[str]], other: list[frozenset[str]]) -> bool:
    return len(one) == len(other) and all(a & b for a, b in zip(one, other, strict=True))
