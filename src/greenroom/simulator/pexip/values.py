"""Single values on their way in: whether one fits its field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greenroom.simulator.pexip.kinds import Field


def value_problem(field: Field, value: Any) -> str | None:
    """Why a value cannot be written to a field that is no reference; None when it can."""
    if value is None:
        return None if field.nullable else "This field cannot be null."
    if field.kind == "boolean":
        return None if isinstance(value, bool) else "Enter a boolean."
    if field.kind == "integer":
        return _number_problem(field, value)
    if not isinstance(value, str):
        return "Enter a string."
    if field.kind == "datetime":
        return None if moment_of(value) else "Enter a valid date/time."
    return _text_problem(field, value)


def _number_problem(field: Field, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return "Enter a whole number."
    if field.least is not None and value < field.least:
        return f"Ensure this value is greater than or equal to {field.least}."
    if field.most is not None and value > field.most:
        return f"Ensure this value is less than or equal to {field.most}."
    return None


def _text_problem(field: Field, value: str) -> str | None:
    if not value:
        return None if field.blank else "This field is required."
    if field.max_length is not None and len(value) > field.max_length:
        return f"Ensure this value has at most {field.max_length} characters (it has {len(value)})."
    if field.min_length is not None and len(value) < field.min_length:
        return f"Ensure this value has at least {field.min_length} characters (it has {len(value)})."
    if field.choices and value not in field.choices:
        return f"Select a valid choice. {value} is not one of the available choices."
    return None


def moment_of(value: str) -> datetime | None:
    """Read a time; one without an offset is in UTC. None when it is none."""
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def moment_text(value: datetime) -> str:
    """A time as the API says it: UTC, without an offset."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat()
