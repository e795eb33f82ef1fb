"""Rendering: the templates, and what every page is told."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from zlib import crc32

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

HERE = Path(__file__).parent
_HUES = 8


def initials(name: str) -> str:
    """Up to two letters for a person's badge."""
    words = [word for word in name.replace("@", " ").split() if word[:1].isalnum()]
    return "".join(word[0].upper() for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])) or "?"


def hue(text: str) -> int:
    """A steady choice of colour for a person."""
    return crc32(text.lower().encode()) % _HUES


@cache
def _environment() -> Environment:
    """The templates, compiled once for all clients of a process."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(initials=initials, hue=hue)
    environment.globals["icon"] = environment.get_template("icons.html").module
    static = b"".join(path.read_bytes() for path in sorted(HERE.glob("static/*")))
    environment.globals["static_version"] = f"{crc32(static):08x}"  # changed files get past the browser's cache
    return environment


class Pages:
    """The packaged templates. `links` are shown in the header of every page as (label, address)."""

    def __init__(self, links: Sequence[tuple[str, str]]) -> None:
        self._links = links

    def text(self, template: str, values: Mapping[str, object]) -> str:
        """One template as text."""
        return _environment().get_template(template).render({"links": list(self._links)} | dict(values))

    def page(self, template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
        """One template as an answer."""
        return HTMLResponse(self.text(template, values), status_code=status)
