"""Where a key stands in a TOML text.

`tomllib` gives values without their places. This scanner reads a text that `tomllib` has already accepted, so it checks
nothing; it only follows keys, brackets and quotes, and notes the line at which each key begins.
"""

import re
import tomllib

Path = tuple[str | int, ...]
"""Names of tables and keys, and positions in arrays: `("integration", 0, "exchange", "url")`."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)+")
_BLANK = re.compile(r"[ \t]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' r"'''.*?'{3,5}|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\s#][^,\]}\n#]*")


def find_lines(text: str) -> dict[Path, int]:
    """Map every key's path, and every array entry's, to the line (from 1) where it begins."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    """Walks over the text once; `lines` fills up on the way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.arrays: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while not self._done():
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_SPACE)
        return self.lines

    def _done(self) -> bool:
        self._skip(_SPACE)
        return self.at >= len(self.text)

    def _header(self) -> Path:
        start, many = self.at, self._peek("[[")
        self.at += 2 if many else 1
        path: Path = ()
        *parents, last = self._key()
        for name in parents:
            path = self._inside((*path, name))
        path = (*path, last)
        self.at += 2 if many else 1
        self._note(path, start)
        if many:
            self.arrays[path] = self.arrays.get(path, -1) + 1
            path = self._inside(path)
            self._note(path, start)
        return path

    def _inside(self, path: Path) -> Path:
        return (*path, self.arrays[path]) if path in self.arrays else path

    def _pair(self, table: Path) -> None:
        start = self.at
        path = table
        for name in self._key():
            path = (*path, name)
            self._note(path, start)
        self._skip(_BLANK)
        self.at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip(_BLANK)
            if self._peek('"') or self._peek("'"):
                names.append(str(tomllib.loads(f"k = {self._take(_STRING)}")["k"]))
            else:
                names.append(self._take(_BARE))
            self._skip(_BLANK)
            if not self._peek("."):
                return names
            self.at += 1

    def _value(self, path: Path) -> None:
        if self._peek("["):
            self._array(path)
        elif self._peek("{"):
            self.at += 1
            self._skip(_SPACE)
            while not self._ends("}"):
                self._pair(path)
                self._comma()
            self.at += 1
        else:
            self._take(_STRING if self._peek('"') or self._peek("'") else _SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        self._skip(_SPACE)
        index = 0
        while not self._ends("]"):
            self._note((*path, index), self.at)
            self._value((*path, index))
            self._comma()
            index += 1
        self.at += 1

    def _comma(self) -> None:
        self._skip(_SPACE)
        if self._peek(","):
            self.at += 1
            self._skip(_SPACE)

    def _ends(self, bracket: str) -> bool:
        return self.at >= len(self.text) or self._peek(bracket)

    def _peek(self, what: str) -> bool:
        return self.text.startswith(what, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:  # tomllib knows a form that this scanner does not: better no line than a wrong one
            self.at = len(self.text)
            return ""
        self.at = match.end()
        return match.group()

    def _note(self, path: Path, start: int) -> None:
        self.lines.setdefault(path, self.text.count("\n", 0, start) + 1)
