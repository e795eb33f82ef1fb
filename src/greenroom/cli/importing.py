"""`greenroom import`: the commands that take meetings over from what scheduled them before."""

import click

from greenroom.cli.import_pexip import pexip


@click.group(name="import")
def importing() -> None:
    """Take meetings over from what scheduled them before."""


importing.add_command(pexip)
