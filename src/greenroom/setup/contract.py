"""What a preparation consists of: scripts in order, each with what it is for and what it leaves behind."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Script:
    """One PowerShell file. `name` is its file name with its place in the order (`02-equipment-mailbox.ps1`).

    `title` and `why` go into the page as well as above the commands; `where` says in which shell it is run; `body` is PowerShell
    written by `powershell.Writer` alone. `changes` is False for what only looks (the check).
    """

    name: str
    title: str
    why: str
    where: str
    body: str
    changes: bool = True


@dataclass(frozen=True, slots=True)
class Preparation:
    """Everything for one kind of installation: `warning` is printed before all else (empty for none)."""

    kind: str
    title: str
    intro: str
    scripts: tuple[Script, ...]
    settings: str = field(repr=False)  # what goes into greenroom.toml, as TOML
    warning: str = ""
    before: tuple[str, ...] = ()  # steps that no command does, before the first script, as Markdown
    by_hand: tuple[str, ...] = ()  # and those after the last one
    signs_in: bool = False  # whether a person has to sign in once, by `greenroom signin`
