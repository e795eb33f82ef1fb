"""Patterns of an administrator's, such as "sip:{alias}" or "+49 30 1234567, then {numeric_alias}#", and what is put into them."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from greenroom.meetings.alias import Alias

VARIABLES = ("alias", "numeric_alias", "join_id")
"""What a pattern may contain in braces."""

BRACES = re.compile(r"\{([^{}]*)\}")


def values_of(alias: Alias, join_id: str) -> dict[str, str]:
    """Return the values of a room's variables."""
    return {"alias": alias.name, "numeric_alias": alias.numeric, "join_id": join_id}


def expand(pattern: str, values: Mapping[str, str]) -> str:
    """Put values into a checked pattern's braces; a name without a value stays as it is."""
    return BRACES.sub(lambda match: values.get(match[1], match[0]), pattern)


def expand_address(pattern: str, values: Mapping[str, str], *, safe: str = "@") -> str:
    """The same for an address: values are quoted, but for what is `safe` there, so that none can lead elsewhere."""
    return expand(pattern, {name: quote(value, safe=safe, errors="replace") for name, value in values.items()})
