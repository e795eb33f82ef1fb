"""Signing in, which Exchange it is, how long, and who else watches."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greenroom.doctor.contract import Finding, State
from greenroom.doctor.exchange import credential_check, ends_check, judge_version, sign_in_check, watcher_check
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, NotPermittedError, SignInError, TryLaterError
from greenroom.exchange.ews.kerberos_tickets import PATIENCE
from greenroom.settings import Integration, load_settings
from support.empty import empty_storage
from support.explained import Explained
from support.fake_mailbox import FakeMailbox
from support.house import write_config
from support.watched import mark_of

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def signed_in(entry: Integration, error: ExchangeError | None, version: str | None = None) -> dict[str, State]:
    mailbox = FakeMailbox(entry.mailbox, lambda: NOW)
    if error is not None:
        mailbox.fail("check", error)
    check = sign_in_check(entry, "exchange", mailbox, Explained(), version=lambda: version, needs=())
    return {one.check: one.state for one in await check.look()}


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (None, {"exchange-sign-in": State.WELL, "exchange-rights": State.WELL}),
        (SignInError("refused"), {"exchange-sign-in": State.WRONG}),
        (MisconfiguredError("no such address"), {"exchange-sign-in": State.WRONG}),
        (NotPermittedError("no right"), {"exchange-sign-in": State.WELL, "exchange-rights": State.WRONG}),
        (TryLaterError("no answer", code="timeout"), {"exchange-sign-in": State.WRONG}),
        (TryLaterError("busy", code="http-503", after=timedelta(seconds=30)), {"exchange-sign-in": State.UNKNOWN}),
        (TryLaterError("busy", code="ErrorServerBusy"), {"exchange-sign-in": State.UNKNOWN}),
        (TryLaterError("stopped", code="http-503"), {"exchange-sign-in": State.WRONG}),
    ],
    ids=["well", "refused", "address", "no-right", "no-answer", "busy", "server-busy", "stopped"],
)
async def test_signing_in_is_judged_by_what_it_raises(
    entry: Integration, error: ExchangeError | None, found: dict[str, State]
) -> None:
    assert await signed_in(entry, error) == found


def test_silent_domain_controllers_are_waited_for_until_they_are_named(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    text = file.read_text().replace('username = "svc"', 'auth = "kerberos"\nusername = "svc"')
    file.write_text(f'{text}\n[integration.exchange.kerberos]\nrealm = "AD.EXAMPLE.ORG"\n')
    entry = load_settings(file, {}).integration[0]
    mailbox = FakeMailbox(entry.mailbox, lambda: NOW)
    check = sign_in_check(entry, "exchange", mailbox, Explained(), version=lambda: None, needs=())
    assert check.patience.total_seconds() > PATIENCE


async def test_the_server_that_answered_is_told(entry: Integration) -> None:
    assert (await signed_in(entry, None, "15.2.2562.17"))["exchange-version"] is State.WELL


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ("15.2.2562.17", State.WELL, "Subscription Edition"),
        ("15.2.1748.10", State.NOTE, "Exchange Server 2019"),
        ("15.2.1258.12", State.WRONG, "lacks cumulative updates"),
        ("15.1.2507.6", State.NOTE, "Exchange Server 2016"),
        ("15.1.225.42", State.WRONG, "lacks cumulative updates"),
        ("15.0.1497.2", State.WRONG, "not known"),
        ("14.3.123.4", State.WRONG, "not known"),
        ("15.20.9000.1", State.WELL, "Exchange Online"),
        ("", State.WRONG, "not known"),
        ("x.y", State.WRONG, "not known"),
    ],
    ids=["se", "2019", "2019-old", "2016", "2016-old", "2013", "2010", "online", "empty", "odd"],
)
def test_builds_are_known(version: str, state: State, words: str) -> None:
    found = judge_version(version, "main")
    assert found.state is state
    assert words in found.what


async def test_ews_of_exchange_online_ends(entry: Integration) -> None:
    url = "https://outlook.office365.com/EWS/Exchange.asmx"
    check = ends_check(entry, "exchange", url, lambda: NOW)
    assert check is not None
    (found,) = await check.look()
    assert (found.state, "2027-04-01, in 129 days" in found.what) == (State.NOTE, True)
    check = ends_check(entry, "exchange", url, lambda: NOW + timedelta(days=130))
    assert check is not None
    assert (await check.look())[0].state is State.WRONG
    assert ends_check(entry, "exchange", "https://mail.example.org/EWS/Exchange.asmx", lambda: NOW) is None


@pytest.mark.parametrize(
    ("left", "state"),
    [(timedelta(days=31), State.WELL), (timedelta(days=29), State.NOTE), (timedelta(days=-1), State.WRONG)],
    ids=["long", "soon", "over"],
)
async def test_what_signs_in_is_judged_by_its_date(entry: Integration, left: timedelta, state: State) -> None:
    check = credential_check(entry, "exchange", NOW + left, lambda: NOW)
    assert check is not None
    assert (await check.look())[0].state is state
    assert credential_check(entry, "exchange", None, lambda: NOW) is None


async def watched(entry: Integration, **marks: str) -> Finding:
    mailbox = FakeMailbox(entry.mailbox, lambda: NOW)
    mailbox.folder_marks |= marks
    async with empty_storage() as storage:
        (found,) = await watcher_check(entry, mailbox, storage, lambda: NOW).look()
    return found


async def test_a_second_watcher_is_told_by_its_mark(entry: Integration) -> None:
    assert (await watched(entry)).state is State.WELL
    other = mark_of("b", "1", NOW - timedelta(seconds=20), host="far-away").write()
    found = await watched(entry, Watcher=other)
    assert found.state is State.WRONG
    assert "on far-away, last sign of life 20 seconds ago" in found.what
    assert "greenroom watcher --integration main" in found.mend
    gone = mark_of("b", "1", NOW - timedelta(hours=5), host="far-away").write()
    assert (await watched(entry, Watcher=gone)).state is State.NOTE
    assert (await watched(entry, Watcher="rubbish")).state is State.NOTE


async def test_marks_that_cannot_be_read_are_unknown(entry: Integration) -> None:
    mailbox = FakeMailbox(entry.mailbox, lambda: NOW)
    mailbox.fail("marks", TryLaterError("busy"))
    (found,) = await watcher_check(entry, mailbox, None, lambda: NOW).look()
    assert found.state is State.UNKNOWN
