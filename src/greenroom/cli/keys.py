"""`greenroom keys`: which ticket keys there are, which are needed, and how one follows another."""

import click

from greenroom.cli.keys_list import list_keys
from greenroom.cli.keys_prune import prune
from greenroom.cli.keys_rotate import rotate


@click.group()
def keys() -> None:
    """List, rotate and remove ticket keys.

    Tickets are signed with a key, and PINs and join links come from it: a key stays as long as meetings made with it live.
    """


keys.add_command(list_keys)
keys.add_command(rotate)
keys.add_command(prune)
