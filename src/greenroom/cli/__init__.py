"""The commands, one file each. This is the only room that may import `greenroom.assembly`.

`failures` turns what can go wrong into a sentence and a next step, `words` turns the journal's codes into sentences, `exits`
lists the exit codes. A command is loaded when it is called, so that `--help` of one does not pay for all.
"""

from importlib import import_module

import click

from greenroom import __version__
from greenroom.cli.exits import EXPLAINED
from greenroom.cli.logs import configure_logs

_COMMANDS = {
    "addin": "greenroom.cli.addin:addin",
    "backup": "greenroom.cli.backup:backup",
    "config": "greenroom.cli.config:config",
    "demo": "greenroom.cli.demo:demo",
    "doctor": "greenroom.cli.doctor:doctor",
    "drift": "greenroom.cli.drift:drift",
    "explain": "greenroom.cli.explain:explain",
    "import": "greenroom.cli.importing:importing",
    "keys": "greenroom.cli.keys:keys",
    "meetings": "greenroom.cli.meetings:meetings",
    "recover": "greenroom.cli.recover:recover_command",
    "restore": "greenroom.cli.restore:restore_command",
    "serve": "greenroom.cli.serve:serve",
    "setup": "greenroom.cli.setup:setup",
    "signin": "greenroom.cli.signin:signin",
    "status": "greenroom.cli.status:status",
    "sweep": "greenroom.cli.sweep:sweep",
    "watcher": "greenroom.cli.watcher:watcher",
}

_EPILOG = f"""\
\b
Examples:
  greenroom demo                    see it work on this computer, without an Exchange
  greenroom doctor                  is everything right, from the file to the mailbox?
  greenroom serve                   attend the mailboxes
  greenroom status                  how is every mailbox doing?

\b
Exit codes:
{EXPLAINED}
"""


class _Commands(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        where = _COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="greenroom")
def main() -> None:
    """Virtual meeting rooms for everyone who books in Outlook."""
    configure_logs("error")  # results go to standard output alone; `serve` logs as it is told to
