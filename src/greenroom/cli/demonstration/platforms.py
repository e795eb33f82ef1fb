"""The demo's platforms: Greenroom's own rooms, or a simulated Pexip Infinity with both ways, management API and external policy."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from greenroom.cli.demonstration.errors import FolderError
from greenroom.simulator.pexip import Pexip
from greenroom.simulator.pexip.demo import (
    PASSWORD,
    POLICY_PASSWORD,
    POLICY_USER,
    THEME,
    USER,
    demo_pexip,
    demo_seed,
)
from greenroom.simulator.pexip.snapshot import load, save

PlatformKind = Literal["embedded", "pexip"]
PEXIP_FILE = "pexip.json"


def check_platform(folder: Path, platform: PlatformKind, begun: Path) -> None:
    """Raise FolderError if a demo that left the file `begun` had the other platform: its rooms would be nowhere."""
    before: PlatformKind = "pexip" if (folder / PEXIP_FILE).exists() else "embedded"
    if before != platform and (begun.exists() or before == "pexip"):
        step = f"Start it with --platform {before}, or name another folder with --data."
        raise FolderError(folder, f"it has its rooms on the platform “{before}”", step)


def open_pexip(folder: Path, clock: Callable[[], datetime], address: str) -> Pexip:
    """Make the simulated Pexip of the demo, as it was before if there was one. Raises FolderError, OSError."""
    pexip, file = demo_pexip(clock, address), folder / PEXIP_FILE
    if not file.exists():
        pexip.seed(demo_seed())
        save(pexip, file)
        return pexip
    try:
        load(pexip, file)
    except OSError as error:
        raise FolderError(file, error.strerror or "it cannot be read") from error
    except ValueError as error:
        raise FolderError(file, "it is damaged, or another version wrote it") from error
    return pexip


class PexipFile:
    """Keeps the simulated Pexip on disk: it is written when something was changed."""

    def __init__(self, pexip: Pexip, folder: Path) -> None:
        self._pexip = pexip
        self._file = folder / PEXIP_FILE
        self._kept = pexip.store.revision

    def keep(self) -> None:
        """Write what was changed since. Raises OSError."""
        revision = self._pexip.store.revision
        if revision != self._kept:
            save(self._pexip, self._file)
            self._kept = revision


def platform_tables(platform: PlatformKind, address: str) -> str:
    """Write the part of greenroom.toml that says where rooms are; `address` is where the demo is reached."""
    values = {
        "address": json.dumps(address),
        "meeting": json.dumps(address + "/demo/room/{numeric_alias}"),
        "user": json.dumps(USER),
        "password": json.dumps(PASSWORD),
        "policy_user": json.dumps(POLICY_USER),
        "policy_password": json.dumps(POLICY_PASSWORD),
        "theme": json.dumps(THEME),
    }
    return _TABLES[platform].format_map(values)


_TABLES: Mapping[PlatformKind, str] = {
    "embedded": """\
[integration.platform]
meeting_url = {meeting}

[[integration.platform.dial]]
label = "Video system (SIP)"
pattern = "sip:{{alias}}@video.example"

[integration.alias]
prefix = "meet"
""",
    "pexip": """\
[integration.platform]
kind = "pexip"
qr = true

[integration.alias]
prefix = "77"
domain = "video.example"

[integration.meetings]
pin = "host-and-guest"

[integration.pexip]
replication_seconds = 60

[integration.pexip.management]
url = {address}
username = {user}
password = {password}

[integration.pexip.policy]
username = {policy_user}
password = {policy_password}
networks = ["127.0.0.1"]

[integration.pexip.web_app]
node = {address}

[[integration.pexip.phone]]
country = "DE"
label = "Germany"
number = "+49 30 23125 000"

[[integration.pexip.phone]]
country = "GB"
label = "United Kingdom"
number = "+44 20 7946 0000"

[integration.pexip.rooms]
theme = {theme}
""",
}
