"""A request as it came, over HTTP or inside a batch, before anybody knows what it means."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from greenroom.simulator.graph.call import GraphError, Preferences

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
_OPTIONS: Final = frozenset(
    {"filter", "select", "expand", "top", "orderby", "skip", "count", "search", "skiptoken", "deltatoken"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """`path` is the address below the service's root, percent-encoded; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str

    def options(self) -> dict[str, str]:
        """The query's options, decoded; Graph takes OData's with and without their dollar sign."""
        found: dict[str, str] = {}
        try:
            pairs = parse_qsl(self.query, keep_blank_values=True, max_num_fields=50, errors="strict")
        except ValueError:
            raise GraphError(400, "BadRequest", "The query string cannot be read.") from None
        for name, value in pairs:
            plain = name.lower().removeprefix("$")
            found[f"${plain}" if plain in _OPTIONS else name] = value
        return found

    def json(self) -> Any:
        """The parsed body, None when there is none. Raises GraphError."""
        if not self.body:
            return None
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind:
            text = "Write requests (excluding DELETE) must contain the Content-Type header declaration."
            raise GraphError(400, "BadRequest", text)
        if kind != "application/json":
            raise GraphError(415, "UnsupportedMediaType", "The body must be application/json.")
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            text = (
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid "
            )
            raise GraphError(400, "BadRequest", f"{text}JSON format.") from None


def preferences(header: str) -> tuple[Preferences, str]:
    """Read a Prefer header (RFC 7240); returns what Graph heeds of it, and what Preference-Applied says."""
    wanted: dict[str, Any] = {}
    applied: list[str] = []
    for part in _parts(header):
        name, _, value = part.partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        match name:
            case "idtype" if value.lower() in ("immutableid", "restid"):
                wanted["immutable_ids"] = value.lower() == "immutableid"
                applied.append(f'IdType="{value}"')
            case "outlook.timezone" if value:
                wanted["time_zone"] = value
                applied.append(f'outlook.timezone="{value}"')
            case "outlook.body-content-type" if value.lower() in ("text", "html"):
                wanted["body_type"] = value.lower()
                applied.append(f'outlook.body-content-type="{value.lower()}"')
            case "outlook.allow-unsafe-html":
                wanted["unsafe_html"] = True
                applied.append("outlook.allow-unsafe-html")
            case "odata.maxpagesize" if value.isdecimal() and int(value[:6]) > 0:
                wanted["page_size"] = int(value[:6])
                applied.append(f"odata.maxpagesize={int(value[:6])}")
            case _:
                pass
    return Preferences(**wanted), ", ".join(applied)


def _parts(header: str) -> list[str]:
    """Split at commas that are not quoted."""
    parts, quoted, part = [], False, ""
    for sign in header[:2000]:
        if sign == '"':
            quoted = not quoted
        if sign == "," and not quoted:
            parts.append(part)
            part = ""
        else:
            part += sign
    return [*parts, part]
