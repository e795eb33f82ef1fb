"""The configuration of Kerberos that this process uses, and nothing of the machine's: no file, no cache, no keytab, no plugin.

libkrb5 reads its configuration from the file that `KRB5_CONFIG` in the environment names whenever a context is made, so one
file for the process holds the realms of all integrations. Each change is a new file: a context that is being made keeps its own.
"""

import os
import re
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_VARIABLE: Final = "KRB5_CONFIG"
_REALM = re.compile(r"[A-Z0-9][A-Z0-9.-]*")
_KDC = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")


class Realms:
    """The realms this process may ask, and the file that tells libkrb5 so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._realms: dict[str, tuple[str, ...]] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._file = ""
        self._written = 0

    def use(self, realm: str, kdcs: Iterable[str]) -> None:
        """Let libkrb5 know a realm from now on. Whoever names the same realm elsewhere adds to its centers."""
        with self._lock:
            known = self._realms.get(realm)
            wanted = tuple(dict.fromkeys((*(known or ()), *kdcs)))
            if known != wanted:
                self._realms[realm] = wanted
                self._write()
            os.environ[_VARIABLE] = self._file

    def _write(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="greenroom-krb5-")
        folder = Path(self._folder.name)
        self._written += 1
        file = folder / f"{self._written}.conf"
        file.write_text(written(self._realms, folder / "none"), encoding="ascii")
        self._file = str(file)


REALMS: Final = Realms()


def written(realms: dict[str, tuple[str, ...]], nowhere: Path) -> str:
    """Return the file's text; `nowhere` is a path at which there is nothing. Raises ValueError for what is no realm or center.

    The clock of a center is taken for right while asking it (`kdc_timesync`), which tells how far ours is off: whoever asks judges
    that. TCP comes first: a ticket that names many groups fits into no datagram.
    """
    for realm, kdcs in realms.items():
        if not _REALM.fullmatch(realm) or not all(_KDC.fullmatch(kdc) for kdc in kdcs):
            raise ValueError("not a realm or not a key distribution center")
    lines = [
        "[libdefaults]",
        *(f"  default_realm = {realm}" for realm in list(realms)[:1]),
        f"  dns_lookup_kdc = {'false' if all(realms.values()) else 'true'}",
        "  dns_lookup_realm = false",
        "  dns_canonicalize_hostname = false",
        "  rdns = false",
        "  udp_preference_limit = 1",
        "  kdc_timesync = 1",
        "  clockskew = 300",
        "  forwardable = false",
        "  proxiable = false",
        "  default_ccache_name = MEMORY:",
        f"  default_keytab_name = FILE:{nowhere}",
        f"  default_client_keytab_name = FILE:{nowhere}",
        f"  plugin_base_dir = {nowhere}",
        "[realms]",
    ]
    for realm, kdcs in realms.items():
        lines += [f"  {realm} = {{", *(f"    kdc = {kdc}" for kdc in kdcs), "  }"]
    return "\n".join([*lines, ""])
