"""The database came back from a backup that knows nothing of the last 200 changes."""

from collections import Counter
from pathlib import Path

import pytest

from support.disasters import NOBODY, struck
from support.whole import Spoken

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("by_command", [False, True], ids=["served", "recovered"])
@pytest.mark.parametrize("protocol", ["ews", "graph"])
def test_what_happened_since_a_backup_is_found_again_without_a_mail(
    tmp_path: Path, protocol: Spoken, by_command: bool
) -> None:
    with struck(tmp_path, protocol) as place:
        place.clock.set(speed=20)
        place.start()
        old = place.invite(100)
        place.rests()
        assert place.mails() == Counter(Accept=100, request=200)
        kept = str(tmp_path / "kept.zip")
        assert place.command("backup", kept).returncode == 0
        place.invite(100)
        place.move(old[:60])
        place.cancel(old[60:])
        place.rests()
        assert place.mails() == Counter(Accept=260, request=460, cancellation=40)
        place.agrees(160)
        before, rooms = place.mails(), place.rooms()
        place.kill()
        restored = place.command("restore", kept, "--replace", "--yes")
        assert restored.returncode == 0, restored.stderr
        if by_command:
            done = place.recover()
            assert done["counts"]["keep-alias"] == 160  # the hundred that came, and the sixty that were moved
            assert done["counts"]["answer"] == 40  # cancelled: their rooms are closed
            assert (done["updates"], done["mails"], done["waiting"]) == (0, 0, 0)
        place.start()
        place.rests()
        assert place.mails() - before == NOBODY
        assert place.rooms() == rooms
        place.agrees(160)
