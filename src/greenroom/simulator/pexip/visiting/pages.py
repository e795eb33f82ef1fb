"""Rendering, and reading of forms."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from starlette.requests import Request

HERE: Final = Path(__file__).parent
LONGEST: Final = 250
"""Characters of an alias; what is longer is cut before it is dialled."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: object) -> Markup:
    """One template as text that is safe in a page."""
    return Markup(_environment().get_template(template).render(values))  # noqa: S704 - templates escape


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form, trimmed and cut; files are left out."""
    async with request.form(max_files=0, max_fields=20) as form:
        return {name: value.strip()[:LONGEST] for name, value in form.items() if isinstance(value, str)}
