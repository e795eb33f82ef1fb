"""One installation of Greenroom: what every kind of preparation needs to know, and the names of what is made for it."""

import json
import re
from dataclasses import dataclass
from typing import Final, Literal

from greenroom.setup.powershell import UnsafeValueError, checked

Environment = Literal["production", "test"]
_ADDRESS: Final = re.compile(
    r"[^@\s*\"(),:;<>\[\]\\\u2018\u2019\u201a\u201b]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
)
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Installation:
    """Which Greenroom this is for. One equipment mailbox belongs to one installation and one integration of it.

    `name` and `number` are those of the integration. Raises `UnsafeValueError` for an address that cannot stand in a filter of
    Exchange, and for what no script can hold.
    """

    environment: Environment
    mailbox: str
    public_url: str
    name: str = "main"
    number: int = 1

    def __post_init__(self) -> None:
        """Refuse what could not be written."""
        if self.environment not in {"production", "test"}:
            raise UnsafeValueError("environment", "is neither production nor test")
        if not _NAME.fullmatch(self.name):
            raise UnsafeValueError("name", "is not lower-case letters, digits and hyphens")
        address(self.mailbox, "mailbox")
        checked(self.public_url, "public_url")

    @property
    def mark(self) -> str:
        """What the mailbox carries in CustomAttribute1, so that no other installation takes it."""
        return f"Greenroom {self.environment}"

    @property
    def label(self) -> str:
        """How the names of everything begin that is made for this installation alone."""
        return self.mark if self.name == "main" else f"{self.mark} {self.name}"


def address(value: str, parameter: str) -> str:
    """Return a mail address as it is, or raise `UnsafeValueError`.

    It has no spaces, no quotes but the plain apostrophe, and no asterisk, which filters of Exchange take for any text.
    """
    checked(value, parameter)
    if not _ADDRESS.fullmatch(value):
        raise UnsafeValueError(parameter, "is not a mail address")
    return value


def toml(value: str) -> str:
    """Write a text as TOML."""
    return json.dumps(value, ensure_ascii=False)


def toml_file(installation: Installation, exchange: str) -> str:
    """Write a greenroom.toml to begin with; `exchange` is its section [integration.exchange], ready."""
    return f"""\
# `greenroom config reference --format toml` shows all other settings.
[service]
public_url = {toml(installation.public_url)}

[[integration]]
number = {installation.number}
name = {toml(installation.name)}
mailbox = {toml(installation.mailbox)}
# greenroom config new-key --format file > secrets/ticket-keys
ticket_keys_file = "secrets/ticket-keys"

[integration.alias]
prefix = "meet"

{exchange.strip()}
"""
