"""Errors in words, for checks of the doctor: their class, and that it should be mended."""

from typing import Any

from greenroom.doctor.contract import Told
from greenroom.storage import StorageError


class Explained:
    """Errors told by their class."""

    def exchange(self, error: Any, _entry: Any, _side: Any) -> Told:
        return Told(type(error).__name__, "mend it")

    def platform(self, error: Any) -> Told:
        return Told(type(error).__name__, "mend it")

    def storage(self, error: StorageError) -> Told:
        return Told(type(error).__name__, "mend it")
