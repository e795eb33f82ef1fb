"""Which process this is, as others are told it, and whether a process that names itself has died on this machine."""

import hashlib
import os
import re
import socket
from functools import lru_cache
from pathlib import Path

_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_HOST = 64
NO_MACHINE = "-"


def host() -> str:
    """Name this host, with nothing in it but letters, digits, dots, hyphens and underscores."""
    return _ODD.sub("-", socket.gethostname())[:_LONGEST_HOST] or "unknown"


def process() -> int:
    """Return this process's number."""
    return os.getpid()


def owner() -> str:
    """Name this process, as a claim in the database does: "host/process"."""
    return f"{socket.gethostname()}/{os.getpid()}"


@lru_cache(maxsize=1)
def machine() -> str:
    """Return a short digest of where process numbers mean the same as here: this boot of this machine, this container.

    Two containers may share a host's name and count their processes apart. `NO_MACHINE` where the system does not tell.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except (OSError, UnicodeError):
        return NO_MACHINE
    return hashlib.sha256(f"{boot} {space}".encode()).hexdigest()[:16]


def is_dead(process: int) -> bool:
    """Whether no process has this number here; that of another machine must not be asked for."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def is_dead_here(named: str) -> bool:
    """Whether "host/process" names a process of this host that is dead."""
    there, _, process = named.rpartition("/")
    return there == socket.gethostname() and process.isdecimal() and int(process) > 0 and is_dead(int(process))
