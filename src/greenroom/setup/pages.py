"""The page beside the scripts: the same steps in the same order, with what to run and what to look at. Markdown."""

import re
from typing import Final

from greenroom.setup.contract import Preparation, Script
from greenroom.setup.mailbox import FACTS

PAGE: Final = "README.md"
_WEIGHTY: Final = re.compile(r"([\\`*_{}\[\]<>#|!~])")
_CODE: Final = re.compile(r"(`[^`\n]+`)")
_UNDO: Final = "undo"


def page(preparation: Preparation, environment: str) -> str:
    """Write the page of a preparation."""
    parts = [f"# {plain(preparation.title)}: {environment}"]
    if preparation.warning:
        parts.append(f"> **{prose(preparation.warning)}**")
    parts += [prose(preparation.intro), _how(preparation)]
    if preparation.before:
        parts.append("## First, by hand")
        parts += preparation.before
    parts += [_step(script) for script in preparation.scripts if not _undoes(script)]
    if preparation.by_hand:
        parts.append("## Then, by hand")
        parts += preparation.by_hand
    parts += [_settings(preparation), _checks(preparation, environment)]
    parts += [_undo(script) for script in preparation.scripts if _undoes(script)]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Write a text so that nothing in it is markup."""
    return _WEIGHTY.sub(r"\\\1", text)


def prose(text: str) -> str:
    """Write a text so that nothing in it is markup but commands between backticks."""
    return "".join(part if _CODE.fullmatch(part) else plain(part) for part in _CODE.split(text))


def fenced(text: str, language: str = "") -> str:
    """Write a text as a block of code that nothing in it can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _how(preparation: Preparation) -> str:
    files = "\n".join(
        f"| `{script.name}` | {plain(script.title)} | {plain(script.where)} | {'yes' if script.changes else 'no'} |"
        for script in preparation.scripts
    )
    return f"""\
Copy this folder to a computer with the shell that each file names, and run the files in their order. Every file begins with why it
is there, and has the reason beside every value that it sets. None of them holds a secret.

| file | what | where | changes something |
| --- | --- | --- | --- |
{files}

Windows runs no scripts that came from elsewhere unless it is told to, for this window alone:

```powershell
Set-ExecutionPolicy -Scope Process -ExecutionPolicy Bypass
```

Each file tells with `-WhatIf` what it would do. Without it, it asks before every change; `-Confirm:$false` asks nothing. A file
that was run before changes nothing when it is run again, and says so. Exchange remembers rights and settings for a while: a change
may take minutes to count, in Microsoft 365 up to two hours."""


def _step(script: Script) -> str:
    return f"""\
## {plain(script.name.removesuffix(".ps1"))}: {plain(script.title)}

{prose(script.why)}

{plain(script.where)}:

{fenced(_run(script), "powershell")}"""


def _run(script: Script) -> str:
    tried = [f".\\{script.name} -WhatIf"] if script.changes else []
    return "\n".join([*tried, f".\\{script.name}"])


def _settings(preparation: Preparation) -> str:
    return f"""\
## greenroom.toml

What Greenroom has to know. If there is a configuration already, take over what differs. Files named here lie in the folder
`secrets` beside it, readable for Greenroom alone.

{fenced(preparation.settings, "toml")}

```sh
mkdir -p -m 700 secrets
greenroom config new-key --format file > secrets/ticket-keys
```{_ENTER if "secrets/exchange-password" in preparation.settings else ""}

Greenroom listens at `service.listen`, which is 127.0.0.1:8080 unless it is named. A web server of yours that has the certificate
passes on to it what comes in at `public_url`."""


_ENTER: Final = """

Write the account's password into `secrets/exchange-password`, and nothing else."""
_SIGN_IN: Final = """

`greenroom signin` shows an address and a code: open it in any browser, and sign in there as the account, not as yourself. It has to
be done again when the password changes, when an administrator revokes sessions, and when Conditional Access asks for it."""


def _checks(preparation: Preparation, environment: str) -> str:
    signed = _SIGN_IN if preparation.signs_in else ""
    return f"""\
## Is it right?

```sh
{_commands(preparation, environment)}
```

`config check` looks at the file alone, with `--connect` it signs in and opens the calendar. The doctor looks at everything and says
what to do, while the service runs; the file that the check wrote tells it what Exchange shows to nobody from outside.{signed}

Then invite the mailbox to a meeting of your own. The answer comes within seconds."""


def _commands(preparation: Preparation, environment: str) -> str:
    doctor = f"greenroom doctor --facts {FACTS} --environment {environment}"
    sign_in = ["greenroom signin"] if preparation.signs_in else []
    first, then = "greenroom config check", "greenroom config check --connect"
    return "\n".join([first, *sign_in, then, f"{'greenroom serve':<{len(doctor)}}    # and in another window", doctor])


def _undoes(script: Script) -> bool:
    return _UNDO in script.name


_STAYS: Final = " The equipment mailbox with its meetings stays unless `-RemoveMailbox` is given."


def _undo(script: Script) -> str:
    return f"""\
## {plain(script.title)}

{prose(script.why)}{_STAYS if "RemoveMailbox" in script.body else ""}

{plain(script.where)}:

{fenced(_run(script), "powershell")}"""
