"""The configuration of Kerberos that the process uses in place of the machine's."""

import os
from pathlib import Path

import pytest

from greenroom.exchange.ews import kerberos_tickets, krb5_conf


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "")


def test_nothing_of_the_machine_is_used(tmp_path: Path) -> None:
    text = krb5_conf.written({"A.TEST": ("dc1.a.test", "[2001:db8::1]:88"), "B.TEST": ("dc.b.test",)}, tmp_path)
    assert "dns_lookup_kdc = false" in text
    assert "kdc = [2001:db8::1]:88" in text
    assert "include" not in text
    assert "dns_lookup_kdc = true" in krb5_conf.written({"A.TEST": (), "B.TEST": ("dc",)}, tmp_path)


@pytest.mark.parametrize(
    ("realm_name", "kdc"),
    [("A\n[x]", "dc"), ("A }", "dc"), ("", "dc"), ("A", "dc\nkdc = evil"), ("A", "dc }"), ("A", "")],
)
def test_nothing_can_be_written_between_the_lines(tmp_path: Path, realm_name: str, kdc: str) -> None:
    with pytest.raises(ValueError, match="not a realm"):
        krb5_conf.written({realm_name: (kdc,)}, tmp_path)


def test_only_we_can_read_it_and_a_realm_named_twice_has_all_its_centers() -> None:
    realms = krb5_conf.Realms()
    realms.use("A.TEST", ("dc1",))
    realms.use("A.TEST", ("dc2", "dc1"))
    path = Path(os.environ["KRB5_CONFIG"])
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.read_text().count("kdc = dc") == 2


def test_secrets_are_in_no_repr() -> None:
    account = kerberos_tickets.Account("svc", "A.TEST", "topsecret")
    assert "topsecret" not in repr(account)
