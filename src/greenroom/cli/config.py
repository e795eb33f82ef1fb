"""`greenroom config`: the commands that deal with the configuration."""

import click

from greenroom.cli.config_check import check
from greenroom.cli.config_moved import moved
from greenroom.cli.config_new_key import new_key
from greenroom.cli.config_reference import reference


@click.group()
def config() -> None:
    """Check, explain and begin a configuration."""


config.add_command(check)
config.add_command(reference)
config.add_command(new_key)
config.add_command(moved)
