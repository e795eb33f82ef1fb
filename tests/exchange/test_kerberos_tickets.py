"""Tickets of one account among many requests, without a realm: what is refused, replaced, or merely late."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from greenroom.exchange.errors import ExchangeError, SignInError, TryLaterError
from greenroom.exchange.ews import kerberos, kerberos_errors, kerberos_tickets
from greenroom.exchange.ews.kerberos_errors import Asked
from greenroom.exchange.ews.kerberos_tickets import Account, TicketOffice, Tickets

REALM = "SIM.TEST"
GONE = -1765328189  # KRB5_FCC_NOFILE: the cache is not there any more


class Office(TicketOffice):
    """Hands out numbered tickets as `script` says, and notes which caches it destroys."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, script: Callable[[], None] = lambda: None) -> None:
        self.destroyed: list[object] = []
        krb5 = SimpleNamespace(init_context=lambda: None, cc_destroy=lambda _, handle: self.destroyed.append(handle))
        monkeypatch.setattr(kerberos_tickets, "modules", lambda: (krb5, None))
        super().__init__(Account("svc", REALM, "made up"), (), Asked(f"svc@{REALM}", REALM, "HTTP/mail.sim.test"))
        self.script = script
        self.asked = 0

    def _sign_in(self) -> Tickets:
        self.asked += 1
        self.script()
        now = time.time()
        return Tickets(f"MEMORY:{self.asked}", now + 1000, now + 2000, self.asked)


class Legs(httpx2.Auth):
    """Goes with whatever tickets the office has, and is refused where these are too old."""

    def __init__(self, office: Office, use: kerberos.Use, gate: asyncio.Event | None, oldest: int) -> None:
        self.office, self.use, self.gate, self.oldest = office, use, gate, oldest

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        self.use.tickets = await asyncio.to_thread(self.office.tickets)
        if self.gate is not None:
            await self.gate.wait()
        yield request
        if int(self.use.tickets.cache.partition(":")[2]) < self.oldest:
            raise SignInError("refused", code="http-401")


async def run(office: Office, oldest: int, gate: asyncio.Event | None = None) -> None:
    async def legs(use: kerberos.Use) -> httpx2.Auth:
        return Legs(office, use, gate, oldest)

    client = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(200)))
    async with client:
        await client.get("https://mail.sim.test/", auth=kerberos.Renewing(legs, office))


class TestNewTickets:
    async def test_those_who_are_refused_together_all_come_in_with_the_same_new_ones(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office = Office(monkeypatch)
        await asyncio.to_thread(office.tickets)
        gates = [asyncio.Event() for _ in range(3)]
        tasks = [asyncio.create_task(run(office, 2, gate)) for gate in gates]
        for gate, task in zip(gates, tasks, strict=True):  # each is refused after the one before has come in
            gate.set()
            await task
        assert office.asked == 2

    async def test_new_ones_that_are_refused_are_a_refusal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        office = Office(monkeypatch)
        with pytest.raises(SignInError):
            await run(office, 9)
        assert office.asked == 1
        await asyncio.to_thread(office.tickets)
        with pytest.raises(SignInError):
            await run(office, 9)
        assert office.asked == 3

    def test_those_before_stay_until_the_next_but_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        office = Office(monkeypatch)
        for number in (1, 2, 3):
            office.forget(office.tickets())
            assert office.destroyed == list(range(1, number - 1))

    def test_a_keytab_that_changes_meanwhile_owes_nothing_to_the_old_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked, changed = threading.Event(), threading.Event()

        def refuse() -> None:
            if office.asked == 1:
                asked.set()
                changed.wait(5)
                raise SignInError("the old key", code="kerberos-keytab-old")

        office = Office(monkeypatch, refuse)
        first: list[Any] = []

        def ask() -> None:
            try:
                office.tickets()
            except SignInError as error:
                first.append(error.code)

        thread = threading.Thread(target=ask)
        thread.start()
        asked.wait(5)
        office.start_anew()
        changed.set()
        thread.join(5)
        assert first == ["kerberos-keytab-old"]
        assert office.tickets().cache == "MEMORY:2"


class TestWhatIsLate:
    def test_tickets_that_are_still_good_outlive_a_center_that_is_down(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def down() -> None:
            if office.asked > 1:
                raise kerberos_errors.unreachable(REALM)

        office = Office(monkeypatch, down)
        first = office.tickets()
        office._held = first = replace(first, fresh_until=time.time())
        assert office.tickets() is first
        assert office.tickets() is first  # and the center is left alone for a while
        assert office.asked == 2
        office._held = replace(first, ends=time.time())
        with pytest.raises(TryLaterError) as error:
            office.tickets()
        assert error.value.code == "kerberos-unreachable"

    def test_an_account_that_is_refused_meanwhile_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def locked() -> None:
            if office.asked > 1:
                raise SignInError("locked", code="kerberos-locked")

        office = Office(monkeypatch, locked)
        office._held = replace(office.tickets(), fresh_until=time.time())
        with pytest.raises(SignInError):
            office.tickets()

    @pytest.mark.parametrize("fault", [OSError(28, "full"), RuntimeError("whatever")], ids=["disk", "other"])
    def test_a_fault_of_this_computer_is_no_refusal(self, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
        def broken() -> None:
            raise fault

        with pytest.raises(TryLaterError, match=type(fault).__name__) as error:
            Office(monkeypatch, broken).tickets()
        assert error.value.code == "kerberos-failed"


@pytest.mark.parametrize("code", [GONE, -1765328384 + 190, 22, 0], ids=["cache", "library", "system", "none"])
@pytest.mark.parametrize("context", [False, True], ids=["center", "context"])
def test_a_code_that_no_center_sends_is_no_refusal(code: int, *, context: bool) -> None:
    asked = Asked(f"svc@{REALM}", REALM, "HTTP/mail.sim.test")
    error: ExchangeError
    if context:
        error = kerberos_errors.of_context(code % 2**32, asked, "mail.sim.test")
    else:
        error = kerberos_errors.of_center(code, asked)
    assert isinstance(error, TryLaterError)
    assert error.code == "kerberos-failed"


def test_a_wrong_password_where_no_proof_is_wanted_ahead() -> None:
    error = kerberos_errors.of_center(-1765328384 + 31, Asked(f"svc@{REALM}", REALM, "HTTP/mail.sim.test"))
    assert isinstance(error, SignInError)
    assert error.code == "kerberos-password"
