"""Signing in by NTLM to a real acceptor, over TLS, with a channel binding that is checked."""

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exchange.scripted import Clock
from exchange.simulated import settings, world
from greenroom.exchange.errors import MisconfiguredError, SignInError
from greenroom.exchange.ews import EwsMailbox, SignInGuard
from greenroom.exchange.ews.ntlm import ntlm
from greenroom.exchange.failures import BrokenConnectionError
from support.certificates import Identity, of_this_machine
from support.negotiating import Door, ntlm_acceptor, ntlm_users
from support.simulator import PASSWORD, RunningSimulator, running_simulator

USER = "SIM\\svc"
UPN = "svc@sim.test"


OURS, EXCHANGES_OWN = "ours", "exchange"


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Identity]:
    return {name: of_this_machine(tmp_path_factory.mktemp(name), name) for name in (OURS, EXCHANGES_OWN)}


@dataclass
class House:
    """An Exchange behind a door, and who signs in there."""

    door: Door
    simulator: RunningSimulator
    clock: Clock = field(default_factory=Clock)
    guard: SignInGuard = field(default_factory=SignInGuard)

    def mailbox(self, user: str = USER, password: str = PASSWORD, **more: Any) -> EwsMailbox:
        ca_file = None if self.door.tls is None else self.door.tls.certificate
        auth = ntlm(user, password, guard=self.guard)
        return EwsMailbox(settings(self.simulator, auth=auth, ca_file=ca_file, **more), clock=self.clock)


def _houses(folder: Path, tls: Identity | None) -> Iterator[House]:
    """One server for all tests here, since starting one takes longer than a test does."""
    door = Door(ntlm_acceptor(), tls=tls)
    with pytest.MonkeyPatch.context() as patch, running_simulator(world("auto_update"), door=door) as simulator:
        ntlm_users(folder, patch, {USER: PASSWORD, UPN: PASSWORD})
        yield House(door, simulator)


@pytest.fixture(scope="module")
def _over_tls(tmp_path_factory: pytest.TempPathFactory, identities: dict[str, Identity]) -> Iterator[House]:
    yield from _houses(tmp_path_factory.mktemp("users"), identities[OURS])


@pytest.fixture(scope="module")
def _in_the_clear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from _houses(tmp_path_factory.mktemp("users"), None)


@pytest.fixture
def house(_over_tls: House) -> House:
    """An Exchange whose connections are encrypted."""
    _over_tls.door.reset(acceptor=ntlm_acceptor())
    return House(_over_tls.door, _over_tls.simulator)


@pytest.fixture
def plain_house(_in_the_clear: House) -> House:
    """An Exchange on this computer, without TLS."""
    _in_the_clear.door.reset()
    return House(_in_the_clear.door, _in_the_clear.simulator)


async def refusal(house: House, user: str = USER, password: str = PASSWORD) -> SignInError:
    mailbox = house.mailbox(user, password)
    try:
        with pytest.raises(SignInError) as error:
            await mailbox.check()
    finally:
        await mailbox.close()
    assert PASSWORD not in str(error.value)
    return error.value


class TestWhoComesIn:
    @pytest.mark.parametrize("user", [USER, UPN])
    async def test_the_right_password_bound_to_this_channel(self, house: House, user: str) -> None:
        house.door.reset(protection="required")
        mailbox = house.mailbox(user)
        await mailbox.check()
        await mailbox.check()
        await mailbox.close()
        assert [one.outcome for one in house.door.tries] == ["in"]
        assert house.door.requests == 4  # asked, negotiated, proven; then the connection is known
        assert house.door.connections == 1

    @pytest.mark.slow
    async def test_a_sign_in_that_is_cut_off_at_any_moment_is_begun_anew(self, house: House) -> None:
        house.door.reset(protection="required")
        mailbox = house.mailbox()
        for moment in range(20):
            house.door.forget_connections()
            asking = asyncio.ensure_future(mailbox.check())
            await asyncio.sleep(moment / 1000)
            asking.cancel()
            await asyncio.wait([asking])
            await mailbox.check()
        await mailbox.close()
        assert set(house.door.outcomes()) == {"in"}

    async def test_on_this_computer_without_tls_there_is_nothing_to_bind_to(self, plain_house: House) -> None:
        mailbox = plain_house.mailbox()
        await mailbox.check()
        await mailbox.close()
        assert plain_house.door.outcomes() == {"in": 1}

    async def test_many_requests_and_a_stream_each_on_a_connection_of_its_own(self, house: House) -> None:
        house.door.reset(protection="required")
        mailbox = house.mailbox()
        async with aclosing(mailbox.wakeups()) as hints:
            listening = asyncio.ensure_future(anext(hints))
            await asyncio.gather(*(mailbox.check() for _ in range(8)))
            while not house.simulator.calls("GetStreamingEvents"):  # noqa: ASYNC110  a counter of the server's
                await asyncio.sleep(0.01)
            listening.cancel()
            await asyncio.wait([listening])
        await mailbox.close()
        assert set(house.door.outcomes()) == {"in"}
        assert house.door.outcomes()["in"] == house.door.connections <= 5

    async def test_a_connection_that_was_forgotten_signs_in_again(self, house: House) -> None:
        house.door.reset(protection="required")
        mailbox = house.mailbox()
        await mailbox.check()
        house.door.forget_connections()
        await mailbox.check()
        await mailbox.close()
        assert house.door.outcomes() == {"in": 2}
        assert house.door.connections == 1

    @pytest.mark.slow
    async def test_ntlm_among_other_ways_and_in_one_header(self, house: House) -> None:
        house.door.reset(offers=('Negotiate, ntlm, Basic realm="mail"',))
        mailbox = house.mailbox()
        await mailbox.check()
        await mailbox.close()
        assert house.door.outcomes() == {"in": 1}


class TestWhoIsRefused:
    @pytest.mark.slow
    async def test_a_wrong_password_is_tried_a_few_times_a_day(self, house: House) -> None:
        house.door.reset(protection="required")
        mailbox = house.mailbox(password="wrong")
        for _ in range(60):
            with pytest.raises(SignInError):
                await mailbox.check()
            house.clock.advance(minutes=1)
        await mailbox.close()
        assert house.door.outcomes() == {"wrong": 2}  # at once, a quarter of an hour later, and then in an hour

    async def test_an_unknown_user(self, house: House) -> None:
        error = await refusal(house, "SIM\\nobody")
        assert error.code == "http-401"
        assert house.door.outcomes() == {"wrong": 1}

    @pytest.mark.parametrize("state", [pytest.param("expired", marks=pytest.mark.slow), "locked"])
    async def test_an_account_that_may_not_sign_in(self, house: House, state: str) -> None:
        house.door.reset(**{state: {"svc"}})
        error = await refusal(house)
        assert error.code == "http-401"
        assert (await refusal(house)).code == "refused-before"
        assert house.door.outcomes() == {state: 1}

    async def test_many_at_once_lock_nobody(self, house: House) -> None:
        house.door.reset(lock_after=3)
        mailbox = house.mailbox(password="wrong")
        await asyncio.gather(*(mailbox.check() for _ in range(20)), return_exceptions=True)
        await mailbox.close()
        right = house.mailbox()
        await right.check()
        await right.close()
        assert house.door.outcomes() == {"wrong": 1, "in": 1}

    async def test_over_a_channel_that_somebody_else_ends(self, house: House, identities: dict[str, Identity]) -> None:
        house.door.reset(protection="required", behind=identities[EXCHANGES_OWN])
        error = await refusal(house)
        assert house.door.outcomes() == {"bound elsewhere": 1}
        assert "over the certificate with thumbprint" in str(error)

    async def test_without_a_binding_where_one_is_required(
        self, plain_house: House, identities: dict[str, Identity]
    ) -> None:
        plain_house.door.reset(protection="required", behind=identities[EXCHANGES_OWN])
        assert (await refusal(plain_house)).code == "http-401"
        assert plain_house.door.outcomes() == {"unbound": 1}


class TestWhatKeepsItFromBeingTried:
    async def test_ntlm_that_is_not_offered(self, house: House) -> None:
        house.door.reset(offers=("Negotiate", 'Basic realm="mail"'))
        error = await refusal(house)
        assert error.code == "not-offered"
        assert "NTLM (it offers Negotiate, Basic)" in str(error)
        house.door.offers = None
        mailbox = house.mailbox()
        await mailbox.check()  # at once: nothing was refused
        await mailbox.close()

    async def test_a_server_that_breaks_off_before_the_password(self, house: House) -> None:
        house.door.reset(acceptor=dataclasses.replace(ntlm_acceptor(), scheme="Negotiate"), offers=("NTLM",))
        assert (await refusal(house)).code == "no-challenge"
        assert not house.door.tries

    async def test_somebody_in_front_who_keeps_no_connection(self, house: House) -> None:
        house.door.reset(keeps=False)
        mailbox = house.mailbox()
        with pytest.raises(BrokenConnectionError, match="did not keep the connection"):
            await mailbox.check()
        await mailbox.close()
        assert not house.door.tries

    async def test_version_1_is_never_used(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        mailbox = house.mailbox()
        with monkeypatch.context() as patch:
            patch.setenv("LM_COMPAT_LEVEL", "1")
            with pytest.raises(MisconfiguredError) as error:
                await mailbox.check()
        assert "LM_COMPAT_LEVEL" in error.value.hint
        await mailbox.close()
        assert not house.door.tries
