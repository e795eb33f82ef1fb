"""`greenroom config new-key`: a secret for tickets, PINs and join links."""

import base64
import secrets

import click

_EXAMPLES = """\
\b
Examples:
  greenroom config new-key                              a line for greenroom.toml
  greenroom config new-key --format file > secrets/ticket-keys
  greenroom config new-key --id 1                       the next key, put before the old one
"""
_BYTES = 32


@click.command("new-key", epilog=_EXAMPLES)
@click.option("--id", "key_id", type=click.IntRange(0, 15), default=0, show_default=True, help="Number of the key.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["toml", "file"]),
    default="toml",
    show_default=True,
    help="A line for greenroom.toml, or one for ticket_keys_file.",
)
def new_key(key_id: int, form: str) -> None:
    """Print a new ticket key: 32 bytes from the system's random source.

    To rotate, put the new key first and keep the old ones as long as meetings made with them shall keep their rooms.
    """
    key = base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    if form == "file":
        click.echo(f"{key_id}:{key}")
    else:
        click.echo(f'ticket_keys = [{{ id = {key_id}, key = "{key}" }}]')
