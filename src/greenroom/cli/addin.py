"""`greenroom addin`: the commands that deal with the Outlook add-in."""

import click

from greenroom.cli.addin_check import check
from greenroom.cli.addin_manifest import manifest


@click.group()
def addin() -> None:
    """Write and check what is installed in Exchange for the button in Outlook."""


addin.add_command(check)
addin.add_command(manifest)
