"""Writes docs/messages.md: every sentence that can be told when something is wrong, read from the source.

    python tools/messages.py > docs/messages.md
    python tools/messages.py --unresolved      places whose text is put together elsewhere

A text is what stands in the call that makes an error, a failure of a command or a finding of the doctor; names in angle brackets
stand for what is filled in. What to do comes from the same call where it says so, else from the kind of the error.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = PROJECT / "src/greenroom"

KINDS: Final = {
    "TryLaterError": "Nothing: it is tried again. If it stays, look at the way to Exchange: `greenroom doctor`.",
    "OutcomeUnknownError": "Nothing: Greenroom looks whether it was done before it repeats it.",
    "GarbledReplyError": "Something between Greenroom and Exchange answers in its place: `greenroom doctor`.",
    "GarbledAnswerError": "Something in between answers in its place, or the other side has a fault: `greenroom doctor`.",
    "TooLongError": "Something in between answers in its place: `greenroom doctor`.",
    "TooMuchError": "The item is left out and told; ask its organizer to book anew if it is a meeting.",
    "SignInError": "Correct what signs in: `greenroom doctor` names it. It is tried again ever more seldom: accounts lock.",
    "SignInLostError": "Run `greenroom signin`; a running service takes it up by itself.",
    "NotPermittedError": "Grant the right: the script of `greenroom setup` that does it is named by `greenroom doctor`.",
    "ItemGoneError": "Nothing: it was moved or deleted meanwhile, and is looked for again.",
    "ItemBrokenError": "The item is left out and told; ask its organizer to book anew if it is a meeting.",
    "CursorExpiredError": "Nothing: the whole calendar is read again by itself.",
    "MisconfiguredError": "Correct the setting that is named; `greenroom config check --connect` tells whether it is right.",
    "CannotRefuseError": "Nothing.",
    "PlatformUnavailableError": "Nothing: it is tried again. If it stays, check address, network and proxy of the platform.",
    "CodedUnavailableError": "Nothing: it is tried again. If it stays, check address, network and proxy of the platform.",
    "PlatformSignInError": "Correct the platform's credential in the configuration.",
    "PlatformMisconfiguredError": "Correct what is named, here or on the platform: `greenroom config check --connect`.",
    "RoomRefusedError": "Correct the settings of rooms; the meeting waits and is tried again.",
    "ShiftedListError": "Nothing: the list is read again.",
    "StorageBusyError": "Try again; see which other program uses the database.",
    "StorageUnreachableError": "Start the database, or correct `storage.url`.",
    "StorageSignInError": "Correct user, password and database name in `storage.url`.",
    "StorageVersionError": "Run `greenroom serve` once to prepare it; if a newer Greenroom was here, use that version.",
    "StorageNotPreparedError": "Run `greenroom serve` once to prepare it.",
    "StorageFaultError": "Look at the disk's free space and the database's own log.",
    "BadUrlError": "Correct `storage.url`: `sqlite:///path` or `postgresql://...`.",
    "BackupError": "Take another backup file, or the version of Greenroom that it names.",
    "NewerBackupError": "Restore it with the version of Greenroom that wrote it.",
    "NotEmptyError": "Restore into an empty database, or say `--replace` if that is what you want.",
    "SealError": "Enter the passphrase that the backup was made with.",
    "KeyFileError": "Correct the key file; `greenroom keys list` shows how it is read.",
    "KeysError": "Correct the key file; `greenroom keys list` shows how it is read.",
    "MixedUpError": "Correct number and mailbox in the configuration; if it is meant so, `greenroom config moved`.",
    "AttendedElsewhereError": "Stop the other Greenroom, or wait; `greenroom watcher` shows who attends the mailbox.",
    "NotLentError": "Look whether the service hangs: `greenroom status`; then try again.",
    "AnotherCommandError": "Wait until the other command has ended.",
    "PolicyCertificateError": "Correct `[service.policy_listener]`.",
    "TokenRefusedError": "`greenroom explain <id>` with the id that the person was told shows more.",
    "IdentityUnavailableError": "Check the address of the metadata and the way there: `greenroom doctor`.",
    "CodeRefusedError": "Sign in again in the add-in.",
    "NotPossibleError": "The add-in says the same to the person.",
    "TicketGoneError": "Press the add-in's button again: the meeting gets a new room.",
    "AliasTakenError": "Nothing: another alias is drawn.",
    "AliasHeldError": "Nothing: another alias is drawn.",
    "RoomsUnavailableError": "Look at the database: `greenroom doctor`.",
    "UsageError": "Write the command as its `--help` shows.",
    "BadParameter": "Write the command as its `--help` shows.",
    "ClickException": "Write the command as its `--help` shows.",
    "SchemaFolderError": "Name the folder with Microsoft's schema files.",
    "WordingError": "Correct the text that is named.",
    "ProblemError": "The add-in says the same to the person.",
    "WrongValueError": "Take another backup file: this one was damaged or changed.",
    "NoAddinError": "Add a section `[integration.addin]`.",
    "VersionNotRisenError": "Generate the manifest again.",
    "ManifestsUnavailableError": "Look at the database: `greenroom doctor`.",
    "UnsafeValueError": "Give another value: this one cannot be written into a script.",
}
SETTINGS: Final = "Correct the value; `greenroom config check` shows the line."
_AREAS: Final = {
    "settings": "Configuration", "exchange": "Exchange", "platforms": "Video platform", "storage": "Database and backups",
    "scheduler": "Meetings and recovery", "web": "Add-in, join page and policy server", "addin": "Add-in",
    "meetings": "Texts and templates",
    "setup": "Setting up", "doctor": "Doctor", "cli": "Commands",
}  # fmt: skip
_LEFT_OUT: Final = frozenset({"simulator", "demonstration", "migrations"})
_MOST: Final = 12
_FOUND: Final = {"wrong": 2, "note": 2, "unknown": 1}
"""How the doctor says what it found, and where in the call what mends it stands."""
_LISTED: Final = {
    "exchange/graph/entra_errors.py": "SignInError",
    "exchange/ews/diagnostics.py": "SignInError",
    "cli/codes.py": "",
}
"""Modules with tables of sentences by code, and the kind of error that they become."""


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """One sentence: where it comes from, its text with placeholders (empty: it is told by its code alone), its code, what to do."""

    area: str
    text: str
    code: str
    remedy: str


def messages() -> tuple[list[Message], list[str]]:
    """Return all messages, and the places whose text could not be found there."""
    found: set[Message] = set()
    unresolved: list[str] = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).parts
        if _LEFT_OUT.isdisjoint(parts):
            area = _AREAS.get(parts[0].removesuffix(".py"), "Commands")
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found.update(_tables(tree, area, "/".join(parts)))
            for scope, call in _calls(tree):
                told = list(_told(call, scope, area))
                found.update(one for one in told if one.text or _code(one.code))
                if not told and _is_message(call):
                    unresolved.append(f"{path.relative_to(PROJECT)}:{call.lineno} {_name(call)}")
    return sorted(found), unresolved


def _tables(tree: ast.Module, area: str, place: str) -> Iterator[Message]:
    """Yield the sentences of a module's tables: by code, or with all their codes."""
    if place not in _LISTED:
        return
    remedy = KINDS.get(_LISTED[place], "`greenroom status` and `greenroom doctor` tell where it comes from.")
    scope = Scope(tree, tree)
    for table in (node for node in ast.walk(tree) if isinstance(node, ast.Dict)):
        for key, value in zip(table.keys, table.values, strict=True):
            sentence = next(
                (text for text in (*_texts(value, scope), *(_texts(key, scope) if key else ())) if " " in text), ""
            )
            code = str(key.value) if isinstance(key, ast.Constant) and " " not in str(key.value) else ""
            if sentence:
                yield Message(area, sentence, code, remedy)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is around a call: its module, the innermost function, and the statements beside its own, inner blocks first."""

    module: ast.Module
    function: ast.AST
    blocks: tuple[tuple[ast.stmt, ...], ...] = ()

    def values(self, name: str) -> list[ast.expr]:
        """Return what a name can stand for: its assignment beside the call, else all in the function, else those of the module."""
        for block in self.blocks:
            beside = [value for statement in block for value in _assigned(name, statement, deep=False)]
            if beside:
                return beside[-1:]
        inside = [] if self.function is self.module else list(_assigned(name, self.function))
        return inside or [value for statement in self.module.body for value in _assigned(name, statement, deep=False)]


def _calls(tree: ast.Module) -> Iterator[tuple[Scope, ast.Call]]:
    """Yield each call once, with what is around it."""

    def walk(node: ast.AST, scope: Scope) -> Iterator[tuple[Scope, ast.Call]]:
        function = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else scope.function
        before = () if function is node else scope.blocks
        for _, value in ast.iter_fields(node):
            for index, child in enumerate(value) if isinstance(value, list) else [(0, value)]:
                if not isinstance(child, ast.AST):
                    continue
                blocks = (
                    (tuple(value[:index]), *before)
                    if isinstance(child, ast.stmt) and isinstance(value, list)
                    else before
                )
                inner = Scope(tree, function, blocks)
                if isinstance(child, ast.Call):
                    yield inner, child
                yield from walk(child, inner)

    yield from walk(tree, Scope(tree, tree))


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_message(call: ast.Call) -> bool:
    return (_name(call) in KINDS or _name(call) in {"Failure", "Finding", "problem"}) and bool(call.args)


def _told(call: ast.Call, scope: Scope, area: str) -> Iterator[Message]:  # noqa: C901, PLR0912 (one branch for each form)
    name, given = _name(call), [one for one in call.args if not isinstance(one, ast.Starred)]
    by_name = {word.arg: word.value for word in call.keywords}
    if name in {"Failure", "_refuse"} and len(given) > 2:  # noqa: PLR2004 (code, what, next step)
        for text in _texts(given[1], scope) or [""]:
            yield Message(area, text, _one(given[0], scope), _one(given[2], scope) or "It is told with the message.")
    elif name == "Finding":
        values = dict(zip(("check", "subject", "state", "what", "why", "mend"), given, strict=False)) | by_name
        if "what" in values:
            mend = values.get("mend")
            remedy = _one(mend, scope) if mend is not None else ""
            for text in _texts(values["what"], scope):
                yield Message(area, text, _one(values["check"], scope) if "check" in values else "", remedy)
    elif name in _FOUND and area == "Doctor" and given and isinstance(call.func, ast.Attribute):
        place = _FOUND[name]
        remedy = _one(given[place], scope) if len(given) > place else ""
        for text in _texts(given[0], scope):
            yield Message(area, text, "", remedy or "It is told with the message.")
    elif name == "problem" and area == "Configuration" and len(given) > 1:
        allowed = _one(given[2], scope) if len(given) > 2 else ""  # noqa: PLR2004 (place, message, what is allowed)
        for text in _texts(given[1], scope):
            yield Message(area, text, "", f"Allowed: {allowed}." if allowed else SETTINGS)
    elif name == "ValueError" and area == "Configuration" and given:
        for text in _texts(given[0], scope):
            yield Message(area, text, "", SETTINGS)
    elif name in KINDS and given:
        hint = _one(by_name["hint"], scope) if "hint" in by_name else ""
        code = _one(by_name["code"], scope) if "code" in by_name else ""
        for position in given[:2]:
            texts = _texts(position, scope)
            for text in texts:
                by_code = " " not in text  # told by a short word alone
                yield Message(area, "" if by_code else text, text if by_code else code, hint or KINDS[name])
            if texts:
                break


def _one(node: ast.expr, scope: Scope) -> str:
    return " / ".join(_texts(node, scope)[:_MOST])


def _texts(node: ast.expr, scope: Scope, depth: int = 0) -> list[str]:  # noqa: PLR0911 (one return for each form: it is a table)
    """Return the texts an expression can be; nothing where that is decided elsewhere."""
    match node:
        case ast.Constant(value=str() as text):
            return [text] if text else []
        case ast.JoinedStr(values=parts):
            return ["".join(p.value if isinstance(p, ast.Constant) else _blank(p) for p in parts)]  # type: ignore[misc]  # str
        case ast.IfExp(body=one, orelse=other):
            return [*_texts(one, scope, depth), *_texts(other, scope, depth)]
        case ast.BoolOp(values=values):
            return [text for value in values for text in _texts(value, scope, depth)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [a + b for a in _texts(left, scope, depth) for b in _texts(right, scope, depth)]
        case ast.Call(args=[first, *_]) if _name(node) in {"sentence_of", "str"}:
            return _texts(first, scope, depth)
        case ast.Name(id=name) if depth < 3:  # noqa: PLR2004 (a name for a name for a text is enough)
            return [text for value in scope.values(name) for text in _texts(value, scope, depth + 1)]
        case ast.Subscript(value=table) | ast.Call(func=ast.Attribute(value=table, attr="get")) if depth < 3:  # noqa: PLR2004
            found = scope.values(table.id) if isinstance(table, ast.Name) else [table]
            rows = [value for one in found if isinstance(one, ast.Dict) for value in one.values]
            return [text for row in rows for text in _texts(row, scope, depth + 1)]
        case ast.Tuple(elts=parts) if depth:
            return [text for part in parts for text in _texts(part, scope, depth) if " " in text][:1]
    return []


def _assigned(name: str, scope: ast.AST, *, deep: bool = True) -> Iterator[ast.expr]:
    for node in ast.walk(scope) if deep else [scope]:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            yield node.value
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            for target in node.targets:
                if isinstance(target, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=False)
                    yield from (value for one, value in pairs if isinstance(one, ast.Name) and one.id == name)
        elif (
            isinstance(node, ast.AnnAssign | ast.NamedExpr)
            and isinstance(node.target, ast.Name)
            and node.target.id == name
            and node.value
        ):
            yield node.value


def _blank(part: ast.expr) -> str:
    """Name what is filled in."""
    node = part.value if isinstance(part, ast.FormattedValue) else part
    names = [
        n.attr if isinstance(n, ast.Attribute) else n.id
        for n in ast.walk(node)
        if isinstance(n, ast.Attribute | ast.Name)
    ]
    word = next((name for name in names if name not in {"self", "str", "len", "type", "error"}), "...")
    return f"<{word.strip('_').replace('_', ' ')}>"


def page() -> str:
    """Return the page."""
    found, _ = messages()
    lines = [
        "# Every message",
        "",
        "What Greenroom can say when something is wrong, and what to do. `<...>` stands for what is filled in; a message may be",
        "part of a longer sentence. Search this page for a few words of what you read. [Troubleshooting](troubleshooting.md)",
        "begins with what one sees.",
        "",
        "This page is generated from the source: `python tools/messages.py`.",
    ]
    for area in sorted({one.area for one in found}):
        lines += ["", f"## {area}", "", "| message | code | what to do |", "| --- | --- | --- |"]
        lines += [f"| {_cell(m.text)} | {_code(m.code)} | {_cell(m.remedy)} |" for m in found if m.area == area]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    plain = re.sub(r"\s+", " ", text).strip().replace("|", "\\|").replace("<", "\\<")
    return plain or "(told by its code)"


def _code(text: str) -> str:
    return f"`{text}`" if re.fullmatch(r"[\w.-]+", text) else ""


if __name__ == "__main__":
    if sys.argv[1:] == ["--unresolved"]:
        sys.stdout.write("\n".join(messages()[1]) + "\n")
    else:
        sys.stdout.write(page())
