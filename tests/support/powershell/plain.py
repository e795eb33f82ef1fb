"""PowerShell's own cmdlets, as far as our scripts use them, and what a run of a script leaves behind."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from support.powershell import values
from support.powershell.values import Record, Secret, Stopped, collected, unrolled

_LOOKING = frozenset({"Get", "Test", "Connect", "Disconnect", "Import"})


@dataclass(slots=True)
class Outcome:
    """What a run did. `calls` are the cmdlets that Exchange got, `asked` what ShouldProcess was asked."""

    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    shown: list[Any] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""

    @property
    def changes(self) -> list[tuple[str, dict[str, Any]]]:
        """The calls that change something, by their verbs."""
        return [
            (name, given)
            for name, given in self.calls
            if name.partition("-")[0] not in {"Get", "Test", "Connect", "Disconnect"}
        ]


class Plain:
    """Each method is a cmdlet in small letters: what it is given by name, what comes from the pipeline (None at its head)."""

    def __init__(self, outcome: Outcome, answers: Mapping[str, str], files: Mapping[str, bytes]) -> None:
        self.outcome = outcome
        self._answers = answers
        self._files = files

    def set_strictmode(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        return []  # as strict as it gets from the first line on

    def write_host(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        self.outcome.said.append(values.spoken(arguments.get("Object", arguments.get(""))))
        return []

    def write_warning(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        self.outcome.warned.append(values.spoken(arguments.get("Message", arguments.get(""))))
        return []

    def read_host(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        answer = self._answer(values.spoken(arguments["Prompt"]))
        return [Secret(answer) if arguments.get("AsSecureString") else answer]

    def get_credential(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        return [
            Record(
                {
                    "UserName": arguments["UserName"],
                    "Password": Secret(self._answer(values.spoken(arguments["Message"]))),
                }
            )
        ]

    def _answer(self, prompt: str) -> str:
        fitting = [answer for part, answer in self._answers.items() if part.lower() in prompt.lower()]
        if len(fitting) != 1:
            raise AssertionError(f"{len(fitting)} answers to the question {prompt!r}")
        return fitting[0]

    def _file(self, path: str) -> bytes:
        if path not in self._files:
            raise Stopped(f"Cannot find path '{path}' because it does not exist.", "ObjectNotFound")
        return self._files[path]

    def get_content(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        if arguments["Encoding"] != "Byte" or arguments["Raw"] is not True:
            raise NotImplementedError("a file as text")
        return [self._file(values.spoken(arguments["LiteralPath"]))]

    def get_pfxcertificate(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        text = self._file(values.spoken(arguments["FilePath"]))
        body = text.partition(b"-----BEGIN CERTIFICATE-----")[2].partition(b"-----END")[0]
        raw = base64.b64decode(body)
        thumbprint = hashlib.sha1(raw, usedforsecurity=False).hexdigest().upper()
        return [Record({"RawData": raw, "Thumbprint": thumbprint, "HasPrivateKey": b"PRIVATE KEY" in text})]

    def out_null(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        return []

    def format_list(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        self.outcome.shown += self._input(arguments, given)
        return []

    def select_object(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        found = self._input(arguments, given)
        if "First" in arguments:
            found = found[: arguments["First"]]
        wanted = arguments.get("Property")
        if wanted is None:
            return found
        return [
            Record({name: one[one.spelled(name)] if one.spelled(name) else None for name in unrolled(wanted)})
            for one in found
        ]

    def convertto_json(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        value = arguments["InputObject"] if "InputObject" in arguments else collected(given or [])
        return [values.as_json(value, arguments.get("Depth", 2))]

    def set_content(self, arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        if str(arguments["Encoding"]).upper() != "UTF8":
            raise NotImplementedError("another encoding")
        path = values.spoken(arguments["LiteralPath"])
        self.outcome.files[path] = "\r\n".join(values.spoken(one) for one in self._input(arguments, given)) + "\r\n"
        return []

    @staticmethod
    def _input(arguments: dict[str, Any], given: list[Any] | None) -> list[Any]:
        return unrolled(arguments["InputObject"]) if "InputObject" in arguments else list(given or [])
