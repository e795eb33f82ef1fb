"""Tokens of a service account that signed in once: kept, renewed, refused, and never asked for in a storm."""

import asyncio
from datetime import timedelta

import pytest

from exchange.graph.papers import NOW
from exchange.scripted import Clock
from exchange.tokens.login_host import Kept
from greenroom.exchange.errors import MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.tokens import Grant, KeptSignIn, ServiceAccountTokens, SignInLostError

LOST = SignInLostError("it does not hold (AADSTS50173)", code="AADSTS50173")


class Host:
    """In the place of `UserSignIn`: gives numbered tokens, or what the script says."""

    def __init__(self, *script: Exception | None, lasts: int = 3600) -> None:
        self.script = list(script)
        self.lasts = lasts
        self.asked: list[str] = []

    async def renew(self, refresh_token: str) -> Grant:
        self.asked.append(refresh_token)
        await asyncio.sleep(0)
        error = self.script.pop(0) if self.script else None
        if error is not None:
            raise error
        number = len(self.asked)
        return Grant("", f"access-{number}", f"refresh-{number}", self.lasts)

    async def close(self) -> None:
        self.asked.append("closed")


class House:
    def __init__(self, *script: Exception | None, lasts: int = 3600) -> None:
        self.clock = Clock(NOW)
        self.host = Host(*script, lasts=lasts)
        self.keeper = Kept(KeptSignIn("svc@sim.test", "0", "first", "refresh-0"), clock=self.clock)
        self.tokens = self.opened()

    def opened(self) -> ServiceAccountTokens:
        return ServiceAccountTokens(self.host, self.keeper, self.clock)  # type: ignore[arg-type]  # plays it


async def test_many_who_ask_at_once_share_one_renewal() -> None:
    house = House()
    assert set(await asyncio.gather(*(house.tokens.token() for _ in range(20)))) == {"access-1"}
    assert house.host.asked == ["refresh-0"]
    assert house.keeper.kept.refresh_token == "refresh-1"


async def test_a_token_is_renewed_before_it_ends_and_with_what_came_last() -> None:
    house = House()
    await house.tokens.token()
    house.clock.advance(minutes=54)
    assert await house.tokens.token() == "access-1"
    house.clock.advance(minutes=2)
    assert await house.tokens.token() == "access-2"
    assert house.host.asked == ["refresh-0", "refresh-1"]


async def test_a_fresh_one_is_fetched_where_exchange_refused_the_last() -> None:
    house = House()
    await house.tokens.token()
    assert await house.tokens.token(fresh=True) == "access-2"


async def test_a_restarted_service_goes_on_with_what_is_kept() -> None:
    house = House()
    await house.tokens.token()
    assert await house.opened().token() == "access-2"
    assert house.host.asked == ["refresh-0", "refresh-1"]


class TestRefused:
    async def test_a_refusal_is_kept_and_tried_again_after_an_hour_not_before(self) -> None:
        house = House(*[LOST] * 100)
        for _ in range(3 * 60):
            with pytest.raises(SignInLostError):
                await house.tokens.token()
            house.clock.advance(minutes=1)
        assert len(house.host.asked) == 3
        assert house.keeper.refusals == ["AADSTS50173"] * 3

    async def test_a_service_that_starts_again_and_again_asks_no_more_often(self) -> None:
        house = House(*[LOST] * 100)
        for _ in range(30):
            with pytest.raises(SignInLostError):
                await house.opened().token()
            house.clock.advance(minutes=1)
        assert len(house.host.asked) == 1

    async def test_an_account_that_is_enabled_again_is_found_by_itself(self) -> None:
        house = House(LOST)
        with pytest.raises(SignInLostError):
            await house.tokens.token()
        house.clock.advance(minutes=61)
        assert await house.tokens.token() == "access-2"
        assert house.keeper.kept.refused_at is None

    async def test_who_signs_in_anew_is_taken_at_once(self) -> None:
        house = House(LOST)
        with pytest.raises(SignInLostError):
            await house.tokens.token()
        before = house.tokens.identity
        house.keeper.kept = KeptSignIn("svc@sim.test", "9", "second", "refresh-new")
        assert await house.tokens.token() == "access-2"
        assert house.host.asked[-1] == "refresh-new"
        assert house.tokens.identity != before

    async def test_a_token_that_was_revoked_with_its_session_is_given_to_nobody(self) -> None:
        house = House(None, LOST)
        await house.tokens.token()
        with pytest.raises(SignInLostError):
            await house.tokens.token(fresh=True)
        with pytest.raises(SignInLostError):
            await house.tokens.token()
        house.keeper.kept = KeptSignIn("svc@sim.test", "9", "second", "refresh-new")
        assert await house.tokens.token() == "access-3"

    async def test_a_wrong_secret_of_the_application_is_not_the_accounts_fault(self) -> None:
        house = House(*[SignInError("the client secret is wrong", code="AADSTS7000215")] * 9)
        for _ in range(20):
            with pytest.raises(SignInError, match="secret is wrong"):
                await house.tokens.token()
            house.clock.advance(seconds=30)
        assert house.keeper.refusals == []
        assert len(house.host.asked) == 3

    async def test_where_nobody_signed_in_nothing_is_asked(self) -> None:
        house = House()

        async def nobody() -> KeptSignIn:
            raise MisconfiguredError("nobody has signed in", code="not-signed-in")

        house.keeper.read = nobody  # type: ignore[method-assign]  # for this test
        with pytest.raises(MisconfiguredError):
            await house.tokens.token()
        assert house.host.asked == []


class TestSeveralProcesses:
    async def test_what_another_one_renewed_meanwhile_is_used_instead(self) -> None:
        house = House(LOST)
        other = KeptSignIn("svc@sim.test", "7", "first", "refresh-other")
        reads = iter([house.keeper.kept, other, other])

        async def read() -> KeptSignIn:
            house.keeper.kept = next(reads, house.keeper.kept)
            return house.keeper.kept

        house.keeper.read = read  # type: ignore[method-assign]  # for this test
        assert await house.tokens.token() == "access-2"
        assert house.host.asked == ["refresh-0", "refresh-other"]
        assert house.keeper.refusals == []

    async def test_what_cannot_be_kept_is_used_until_it_can(self) -> None:
        house = House()
        house.keeper.fails = True
        assert await house.tokens.token() == "access-1"
        house.keeper.fails = False
        assert await house.tokens.token(fresh=True) == "access-2"
        assert house.host.asked == ["refresh-0", "refresh-1"]
        assert house.keeper.kept.refresh_token == "refresh-2"


class TestLater:
    async def test_a_token_that_is_merely_ageing_stays_in_use(self) -> None:
        house = House(None, *[TryLaterError("busy", code="http-503")] * 9)
        await house.tokens.token()
        house.clock.advance(minutes=57)
        assert await house.tokens.token() == "access-1"
        house.clock.advance(minutes=4)
        with pytest.raises(TryLaterError):
            await house.tokens.token()

    async def test_a_host_that_asks_for_a_pause_gets_it(self) -> None:
        house = House(TryLaterError("busy", code="http-429", after=timedelta(seconds=60)))
        for _ in range(5):
            with pytest.raises(TryLaterError):
                await house.tokens.token()
        assert len(house.host.asked) == 1
        house.clock.advance(seconds=90)
        assert await house.tokens.token()


async def test_it_closes_the_way_to_sign_in() -> None:
    house = House()
    await house.tokens.close()
    assert house.host.asked == ["closed"]


class TestCutOff:
    """A renewal whose answer nobody waits for any more must not be lost: hosts may give each refresh token once."""

    class Slow(Host):
        def __init__(self) -> None:
            super().__init__()
            self.begun, self.answers = asyncio.Event(), asyncio.Event()

        async def renew(self, refresh_token: str) -> Grant:
            self.asked.append(refresh_token)
            self.begun.set()
            number = len(self.asked)
            await self.answers.wait()
            return Grant("", f"access-{number}", f"refresh-{number}", 3600)

    async def begun(self) -> tuple[House, "TestCutOff.Slow", asyncio.Task[str]]:
        house = House()
        house.host = host = self.Slow()
        house.tokens = house.opened()
        asked = asyncio.create_task(house.tokens.token())
        await host.begun.wait()
        return house, host, asked

    async def test_whoever_asks_next_gets_what_was_under_way(self) -> None:
        house, host, asked = await self.begun()
        asked.cancel()
        again = asyncio.create_task(house.tokens.token())
        await asyncio.sleep(0)
        host.answers.set()
        assert await again == "access-1"
        assert host.asked == ["refresh-0"]
        assert house.keeper.kept.refresh_token == "refresh-1"

    async def test_closing_waits_until_it_is_kept(self) -> None:
        house, host, asked = await self.begun()
        asked.cancel()
        closing = asyncio.create_task(house.tokens.close())
        await asyncio.sleep(0)
        host.answers.set()
        await closing
        assert house.keeper.kept.refresh_token == "refresh-1"


class TestSignedInAnewWhileATokenHolds:
    async def test_the_new_account_is_taken_within_a_minute_not_when_the_old_token_ends(self) -> None:
        house = House()
        assert await house.tokens.token() == "access-1"
        house.keeper.kept = KeptSignIn("right@sim.test", "9", "second", "refresh-new")
        house.clock.advance(seconds=61)
        assert await house.tokens.token() == "access-2"
        assert house.host.asked[-1] == "refresh-new"

    async def test_what_cannot_be_read_for_a_moment_takes_no_good_token_away(self) -> None:
        house = House()
        await house.tokens.token()

        async def unread() -> KeptSignIn:
            raise TryLaterError("no database", code="database")

        house.keeper.read = unread  # type: ignore[method-assign]  # for this test
        house.clock.advance(seconds=61)
        assert await house.tokens.token() == "access-1"


class TestClocksThatWereSet:
    """A pause that began in the future, because the clock was wrong then, is none."""

    async def test_a_refusal_from_the_future_is_tried_again(self) -> None:
        house = House(LOST)
        house.clock.advance(days=400)
        with pytest.raises(SignInLostError):
            await house.tokens.token()
        house.clock.advance(days=-400)
        assert await house.opened().token() == "access-2"

    async def test_a_running_service_tries_it_again_as_well(self) -> None:
        house = House(SignInError("the client secret is wrong", code="AADSTS7000215"))
        house.clock.advance(days=400)
        with pytest.raises(SignInError):
            await house.tokens.token()
        house.clock.advance(days=-400)
        assert await house.tokens.token() == "access-2"
