"""Pure edits of the organizer's own text (signatures; body follows)."""


def with_instructions(body_html: str, block_html: str, ticket: str) -> str | None:
    """Return the body with the block at its end, None where this ticket already stands in it."""
    raise NotImplementedError


def replace_block(body_html: str, old_ticket: str, block_html: str, ticket: str) -> str | None:
    """Exchange the block of `old_ticket` (a copied meeting) for the new one, else append; None as above."""
    raise NotImplementedError


def with_location(location: str, text: str) -> str:
    """Append a text to a location with "; " unless it is there; at most 255 characters."""
    raise NotImplementedError
