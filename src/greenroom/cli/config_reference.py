"""`greenroom config reference`: every setting, from the model."""

import click

from greenroom.settings.reference import example, markdown

_EXAMPLES = """\
\b
Examples:
  greenroom config reference --format toml > greenroom.toml   a file to begin with
  greenroom config reference | less                           all settings, explained
"""


@click.command(epilog=_EXAMPLES)
@click.option("--format", "form", type=click.Choice(["markdown", "toml"]), default="markdown", show_default=True)
def reference(form: str) -> None:
    """Print all settings with their defaults and what is allowed."""
    click.echo(markdown() if form == "markdown" else example(), nl=False)
