"""Mail addresses as Exchange writes them over either protocol."""

import re

_PREFIX = re.compile(r"(?:mailto|smtp|ex):", re.IGNORECASE)
_LONGEST = 1000


def address(text: str) -> str:
    """Bring an address to the form the house uses: lower case, no `mailto:`, `SMTP:` or `EX:` before it, bounded."""
    text = "".join(c for c in text[:_LONGEST] if c.isprintable()).strip()
    if match := _PREFIX.match(text):
        text = text[match.end() :].strip()
    return text.lower()


def is_x500(text: str) -> bool:
    """Whether an address is a legacyExchangeDN instead of an SMTP address."""
    return text.startswith("/") and "=" in text
