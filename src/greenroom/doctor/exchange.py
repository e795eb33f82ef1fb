"""Exchange from outside the mailbox: signing in, which Exchange it is, how long we may, and who else watches."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from greenroom.doctor.contract import Check, Explain, Finding, Side
from greenroom.doctor.database import is_prepared
from greenroom.doctor.findings import About, age, expiry
from greenroom.exchange.contract import Mailbox, OrganizerCalendars
from greenroom.exchange.errors import ExchangeError, NotPermittedError, TryLaterError
from greenroom.scheduler.watch_desk import Shown, look_at_marks
from greenroom.settings import Integration
from greenroom.storage import Storage, StorageError

Clock = Callable[[], datetime]

SIGN_IN = "exchange-sign-in"
RIGHTS = "exchange-rights"
EWS_ENDS = datetime(2027, 4, 1, tzinfo=UTC)
"""EWS is switched off in Exchange Online for good: docs/microsoft-365-service-account.md."""
_PATIENCE, _TICKETS = timedelta(seconds=9), timedelta(seconds=16)
"""Domain controllers that say nothing are told after 15 seconds, by a sentence that names them."""
_UNAVAILABLE = "http-503"
_BUSY = frozenset({"http-429", _UNAVAILABLE, "ErrorServerBusy", "backing-off", "request-limit", "TooManyRequests"})
ONLINE = (
    "outlook.office365.com",
    "outlook.office.com",
    "outlook.office365.us",
    "outlook-dod.office365.us",
    "partner.outlook.cn",
)
_SERVERS = {(15, 2): ("Exchange Server 2019", 1544), (15, 1): ("Exchange Server 2016", 2507)}
"""By version: the name, and the build of the oldest cumulative update that still got updates last (2019 CU14, 2016 CU23)."""
_SUBSCRIPTION_EDITION = 2562
_WHY_IN = "No invitation is seen and none is answered without it."
_WHY_OUT = "Joining instructions cannot be written into meetings of organizers there; they travel in the reply."


def subject_of(entry: Integration, side: Side) -> str:
    """Name an Exchange of an integration in findings."""
    return entry.name if side == "exchange" else f"{entry.name} (organizers)"


def sign_in_check(
    entry: Integration,
    side: Side,
    there: OrganizerCalendars,
    explain: Explain,
    *,
    version: Callable[[], str | None],
    needs: tuple[str, ...],
) -> Check:
    """Make the check that signs in once, and no second time. `version` tells afterwards which Exchange Server answered."""
    subject = subject_of(entry, side)
    about, rights = About(SIGN_IN, subject), About(RIGHTS, subject)
    mailbox = entry.mailbox if side == "exchange" or entry.organizers is None else entry.organizers.mailbox
    why = _WHY_IN if side == "exchange" else _WHY_OUT

    async def look() -> list[Finding]:
        try:
            await there.check()
        except NotPermittedError as error:
            told = explain.exchange(error, entry, side)
            return [about.well("Exchange takes the credentials."), rights.wrong(told.what, why, told.mend)]
        except ExchangeError as error:
            told = explain.exchange(error, entry, side)
            if isinstance(error, TryLaterError) and _is_busy(error):
                return [about.unknown(told.what, told.mend)]
            return [about.wrong(told.what, why, told.mend)]
        found = [
            about.well("Exchange takes the credentials."),
            rights.well(f"The calendar of {mailbox} can be opened."),
        ]
        if (told_version := version()) is not None:
            found.append(judge_version(told_version, subject))
        return found

    tells = (RIGHTS, "exchange-version")
    there_set = entry.exchange if side == "exchange" or entry.organizers is None else entry.organizers
    patience = _TICKETS if getattr(there_set, "auth", "") == "kerberos" else _PATIENCE
    return Check(SIGN_IN, subject, look, patience, needs=needs, tells=tells, silence=why)


def _is_busy(error: TryLaterError) -> bool:
    """Whether it is a matter of minutes. A 503 that names no end is how IIS tells that nothing runs behind it."""
    return error.code in _BUSY and (error.code != _UNAVAILABLE or error.after is not None)


def judge_version(version: str, subject: str) -> Finding:
    """Say which Exchange Server a build number is (15.2.1748.10), and whether it is still supported.

    Source: Exchange Server build numbers and release dates.
    """
    about = About("exchange-version", subject)
    parts = [int(part) if part.isdigit() else 0 for part in version.split(".")]
    major, minor, build = (*parts, 0, 0, 0)[:3]
    mend = "Move to Exchange Server Subscription Edition."
    if (major, minor) == (15, 20):
        return about.well(f"Exchange Online ({version}).")
    name, least = _SERVERS.get((major, minor), ("", 0))
    if not name:
        why = "Greenroom is made for Exchange Server 2016 CU23 and later."
        return about.wrong(f"Exchange {version} is not known.", why, mend)
    if (major, minor) == (15, 2) and build >= _SUBSCRIPTION_EDITION:
        return about.well(f"Exchange Server Subscription Edition ({version}).")
    if build < least:
        why = "Greenroom is tried with 2019 CU14 and CU15, and works as far as possible with 2016 CU23."
        return about.wrong(f"{name} ({version}) lacks cumulative updates.", why, f"Install the last one. {mend}")
    why = "It gets no more security updates from Microsoft; Greenroom works with it."
    return about.note(f"{name} ({version}), whose support has ended.", why, mend)


def ends_check(entry: Integration, side: Side, url: str, clock: Clock) -> Check | None:
    """Make the check that tells when EWS ends; None where this is no Exchange Online."""
    host = urlsplit(url).hostname or ""
    if host not in ONLINE:
        return None
    about = About("exchange-ews-ends", subject_of(entry, side))

    async def look() -> list[Finding]:
        now = clock()
        mend = "Change to Graph: greenroom setup microsoft-365, and docs/microsoft-365.md."
        why = "Microsoft switches EWS off in Exchange Online, without exception."
        if now >= EWS_ENDS:
            return [about.wrong(f"EWS in Exchange Online has ended on {EWS_ENDS:%Y-%m-%d}.", why, mend)]
        left = (EWS_ENDS - now).days
        return [about.note(f"EWS in Exchange Online ends on {EWS_ENDS:%Y-%m-%d}, in {left} days.", why, mend)]

    return Check("exchange-ews-ends", about.subject, look)


def credential_check(entry: Integration, side: Side, until: datetime | None, clock: Clock) -> Check | None:
    """Make the check of what signs in, by its own date; None where that is not known."""
    if until is None:
        return None
    about = About("exchange-credential", subject_of(entry, side))

    async def look() -> list[Finding]:
        why = "Nobody renews it by itself; from then on no meeting gets a room."
        mend = "Put a new certificate or secret beside the old one in Entra, then name it in the configuration."
        return [expiry(about, "What signs in", until, clock(), why=why, mend=mend)]

    return Check("exchange-credential", about.subject, look)


def watcher_check(entry: Integration, mailbox: Mailbox, storage: Storage | None, clock: Clock) -> Check:
    """Make the check that looks by the marks on the mailbox whether a second Greenroom is there."""
    about = About("watcher", entry.name)

    async def look() -> list[Finding]:
        now = clock()
        try:
            known = storage if storage is not None and await is_prepared(storage) else None
            marks = await look_at_marks(mailbox, known, now)
        except (ExchangeError, StorageError) as error:
            return [
                about.unknown(f"The marks on the mailbox cannot be read ({type(error).__name__}).", "greenroom watcher")
            ]
        why = "Two on one mailbox would answer against each other."
        mend = f"Stop one of them; see which: greenroom watcher --integration {entry.name}"
        if marks.is_disputed:
            other = marks.watcher if marks.is_anothers else marks.contender
            return [about.wrong(f"A second Greenroom is on this mailbox: {_who(other, now)}.", why, mend)]
        if marks.is_anothers:
            take = f"If it is gone for good: greenroom watcher --integration {entry.name} --take"
            return [
                about.note(f"The mailbox carries the mark of another Greenroom: {_who(marks.watcher, now)}.", why, take)
            ]
        if marks.odd:
            return [about.note("The mailbox carries a mark that is none of Greenroom's.", why, mend)]
        return [about.well("No other Greenroom is on this mailbox.")]

    return Check("watcher", entry.name, look, needs=(SIGN_IN, RIGHTS))


def _who(shown: Shown | None, now: datetime) -> str:
    if shown is None:
        return "unknown"
    who = (
        f"a copy of this database on {shown.mark.host}"
        if shown.copy
        else f"installation {shown.mark.installation[:8]} on {shown.mark.host}"
    )
    plain = "".join(c if c.isprintable() else " " for c in who)
    return f"{plain}, last sign of life {age(now - shown.mark.at)} ago"
