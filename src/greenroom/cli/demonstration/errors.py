"""What can stand in the demo's way."""

from pathlib import Path


class UnlikelyError(Exception):
    """Something that should have happened in the demo did not; the text says what."""


class FolderError(Exception):
    """What an earlier demo left cannot be taken up again; the text says why, `step` what to do."""

    def __init__(self, file: Path, reason: str, step: str | None = None) -> None:
        super().__init__(f"The data of an earlier demo cannot be taken up again: {file}: {reason}.")
        self.step = step or f"Name another folder with --data, or remove {file} to begin anew."
