"""Whether there is room on the disks that matter, and whether one of them is on another computer."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from greenroom.doctor.blocking import in_thread
from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.findings import About, size

_NOTE, _WRONG = 10**9, 10**8
_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "fuse.sshfs",
        "fuse.glusterfs",
        "lustre",
        "ncpfs",
        "virtiofs",
    }
)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is written to; `what` says in words what is in it."""

    path: Path
    what: str


def disk_check(folder: Folder, *, free: Callable[[Path], int] | None = None) -> Check:
    """Make the check of one folder's free space. `free` tells it in tests."""
    about = About("disk", str(folder.path))
    asked = free or _free

    async def look() -> list[Finding]:
        try:
            left = await in_thread(lambda: asked(folder.path))
        except OSError as error:
            why = f"{folder.what} cannot be written."
            mend = f"Make the folder, or have this user see it: ls -ld {folder.path}"
            return [about.wrong(f"The folder cannot be seen ({error.strerror or type(error).__name__}).", why, mend)]
        mend = f"Make room, or move it to a larger disk: df -h {folder.path}"
        why = f"{folder.what} cannot be written on a full disk; meetings then wait."
        if left < _WRONG:
            return [about.wrong(f"Only {size(left)} are free.", why, mend)]
        if left < _NOTE:
            return [about.note(f"Only {size(left)} are free.", why, mend)]
        return [about.well(f"{size(left)} are free.")]

    return Check(
        "disk", about.subject, look, silence=f"{folder.what} cannot be written while the disk does not answer."
    )


def _free(path: Path) -> int:
    return shutil.disk_usage(path).free


def network_system(path: Path, mounts: str) -> str:
    """Return the kind of network file system that a path is on, from the text of /proc/self/mountinfo; empty for a local disk.

    Source: proc_pid_mountinfo(5).
    """
    best, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) < 5 or not kinds[0]:  # noqa: PLR2004 (the mount point is the fifth)
            continue
        point = fields[4].replace("\\040", " ")
        if _is_within(path, point) and len(point) >= len(best):  # the last of several at one place is on top
            best, kind = point, kinds[0]
    return kind if kind in _NETWORK else ""


def mounts() -> str:
    """Return what is mounted where; empty on systems that do not tell."""
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _is_within(path: Path, point: str) -> bool:
    return point == "/" or str(path) == point or str(path).startswith(f"{point.rstrip('/')}{os.sep}")


def folders(database: Path | None) -> Sequence[Folder]:
    """Return what is written to: the database's folder, where it is a file, and the working folder."""
    here = Folder(Path.cwd(), "What is written beside the configuration")
    if database is None:
        return (here,)
    there = Folder(database.absolute().parent, "The database")
    return (there,) if there.path == here.path else (there, here)
