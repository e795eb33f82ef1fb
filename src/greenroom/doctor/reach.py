"""Findings about the way to one web address: name, connection, proxy, certificate, TLS and clock."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from greenroom.doctor.certificates import AHEAD, Sent, name_of
from greenroom.doctor.contract import Check, Finding, State
from greenroom.doctor.obstacles import End, it, obstacle
from greenroom.doctor.way import Place, Seen, walk

NAMES = ("dns", "proxy", "tls", "tls-chain", "tls-expiry", "clock")
"""What a way tells besides `reach`."""
_SKEW_NOTE = timedelta(seconds=30)


def reach_check(end: End, clock: Callable[[], datetime], *, go: Callable[[Place], Awaitable[Seen]] = walk) -> Check:
    """Make the check of one address."""

    async def look() -> list[Finding]:
        return judge(end, await go(end.place), clock())

    return Check("reach", end.subject, look, tells=NAMES)


def judge(end: End, seen: Seen, now: datetime) -> list[Finding]:
    """Say in findings what was met on the way."""
    found: list[Finding] = []
    if seen.stopped is not None:
        found.append(obstacle(end, seen.stopped, seen.refused, now))
        if seen.stopped.step != "answer":
            return found
    else:
        through = f" through {end.place.proxy}" if end.place.proxy else ""
        found.append(Finding("reach", end.subject, State.WELL, f"{it(end)} answers{through}."))
    if end.place.encrypted:
        found += _tls(end, seen, now)
    if seen.ahead is not None:
        found.append(_clock(end, seen.ahead))
    return found


def _tls(end: End, seen: Seen, now: datetime) -> list[Finding]:
    sent = Sent.of(seen.chain)
    own, soonest = sent.own, sent.first_end
    issuer = f", issued by {name_of(own.issuer)}" if own is not None else ""
    found = [Finding("tls", end.subject, State.WELL, f"{seen.tls or 'TLS'}{issuer}.")]
    if soonest is None:
        return found
    until, whose = soonest
    left = (until - now).days
    if until - now > AHEAD:
        return [
            *found,
            Finding("tls-expiry", end.subject, State.WELL, f"Certificates are valid until {until:%Y-%m-%d}."),
        ]
    what = f"The certificate of {whose} runs out on {until:%Y-%m-%d}, {_days(left)}."
    why = (
        f"From then on {end.matters[:1].lower()}{end.matters[1:]}" if end.matters else "Nobody trusts it any more then."
    )
    return [
        *found,
        Finding("tls-expiry", end.subject, State.NOTE, what, why, "Renew it on the server before that day."),
    ]


def _clock(end: End, ahead: timedelta) -> Finding:
    off = abs(ahead)
    if off < _SKEW_NOTE:
        return Finding("clock", end.subject, State.WELL, "Its clock and ours agree.")
    what = f"This computer's clock is {_span(off)} {'behind' if ahead > timedelta() else 'ahead of'} that of {end.place.name}."
    state = State.WRONG if off >= end.skew else State.NOTE
    mend = "Have both take their time from a time server; here: timedatectl set-ntp true; timedatectl timesync-status"
    return Finding("clock", end.subject, state, what, end.skew_why, mend)


def _days(left: int) -> str:
    return "today" if left <= 0 else f"in {left} day{'' if left == 1 else 's'}"


def _span(off: timedelta) -> str:
    seconds = round(off.total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}s"
    return f"{seconds} seconds"
