"""What the management API refuses, in the shapes of Tastypie."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """A request that is answered with an error; `body` is an object for JSON, a string for plain text, or None for nothing."""

    def __init__(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body
        self.headers = headers or {}


class InvalidError(RefusedError):
    """Fields that cannot be taken, under the resource they belong to: ``{"conference": {"name": ["…"]}}``."""

    def __init__(self, resource: str, errors: dict[str, list[str]], status: int = 400) -> None:
        super().__init__(status, {resource: errors})
        self.resource = resource
        self.errors = errors


def bad_request(text: str) -> RefusedError:
    """A request that makes no sense: ``{"error": "…"}``."""
    return RefusedError(400, {"error": text})


def not_found() -> RefusedError:
    """Nothing is there; Tastypie says no more."""
    return RefusedError(404)
