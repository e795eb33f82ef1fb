"""Signing in as a user, for real against the simulator's login host."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from exchange.graph.papers import NOW
from exchange.tokens.login_host import USER, WORLD, flow_of, granted, told_in, type_code, use_browser, user
from greenroom.exchange.errors import MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.graph.sign_in import Secret
from greenroom.exchange.tokens import SignInLostError
from greenroom.simulator.clock import SimulatorClock
from support.simulator import CLIENT_ID, CLIENT_SECRET, RunningSimulator, simulator_in_loop

pytestmark = pytest.mark.slow


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop(WORLD, clock=SimulatorClock(NOW)) as running:
        yield running


class TestByCode:
    async def test_who_types_the_code_is_signed_in(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        code = await signs_in.device_code()
        assert code.page == f"{sim.url}/device"
        assert await signs_in.typed(code) == (None, 1)
        assert await type_code(code) == 200
        grant, _ = await signs_in.typed(code)
        assert grant is not None
        assert (grant.account, grant.lasts) == (USER, 3599)
        assert grant.access_token != grant.refresh_token
        await signs_in.close()

    async def test_who_is_told_to_slow_down_does(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        sim.graph.sessions.hurry = 1
        code = await signs_in.device_code()
        assert await signs_in.typed(code) == (None, 6)
        assert await signs_in.typed(code) == (None, 6)

    async def test_a_person_who_declines_is_told(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        code = await signs_in.device_code()
        await type_code(code, answer="deny")
        with pytest.raises(SignInError, match="declined"):
            await signs_in.typed(code)

    async def test_a_code_that_ran_out_is_told(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        code = await signs_in.device_code()
        sim.clock.advance(timedelta(minutes=16))
        with pytest.raises(SignInError, match="ran out") as caught:
            await signs_in.typed(code)
        assert caught.value.code == "AADSTS70020"
        assert await type_code(code) == 400

    async def test_an_application_that_is_not_public_is_told(self, sim: RunningSimulator) -> None:
        with pytest.raises(MisconfiguredError, match="confidential"):
            await user(sim, client_id=CLIENT_ID).device_code()
        asked = sim.calls()
        with pytest.raises(MisconfiguredError) as caught:
            await user(sim, client_id=CLIENT_ID, proof=Secret(CLIENT_SECRET)).device_code()
        assert "--browser" in caught.value.hint
        assert sim.calls() == asked

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"tenant": "00000000-0000-4000-8000-000000000009"}, "AADSTS90002"),
            ({"client_id": "00000000-0000-4000-8000-000000000009"}, "AADSTS700016"),
            ({"resource": "https://mail.elsewhere.test"}, "AADSTS500011"),
        ],
        ids=["tenant", "application", "resource"],
    )
    async def test_what_the_directory_does_not_know_is_told(
        self, sim: RunningSimulator, wrong: dict[str, str], code: str
    ) -> None:
        with pytest.raises(MisconfiguredError) as caught:
            await user(sim, **wrong).device_code()  # type: ignore[arg-type]  # texts all
        assert caught.value.code == code
        assert caught.value.hint

    async def test_a_sign_in_at_ad_fs(self, sim: RunningSimulator) -> None:
        grant = await granted(user(sim, tenant="adfs"))
        assert grant.account == USER


class TestInABrowser:
    async def test_who_allows_it_is_signed_in(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        flow = await signs_in.browser("http://localhost:5", USER)
        asked = flow_of(flow)
        assert flow.page.startswith(sim.url)
        assert (asked["code_challenge_method"], asked["login_hint"]) == ("S256", USER)
        assert "offline_access" in asked["scope"]
        back, _ = await use_browser(flow.page, follow=False)
        grant = await signs_in.came_back(flow, told_in(back))
        assert grant.account == USER
        with pytest.raises(SignInError, match="used already"):
            await signs_in.came_back(flow, told_in(back))

    async def test_with_a_secret_where_the_application_has_one(self, sim: RunningSimulator) -> None:
        signs_in = user(sim, client_id=CLIENT_ID, proof=Secret(CLIENT_SECRET))
        flow = await signs_in.browser("http://localhost:5", None)
        back, _ = await use_browser(flow.page, follow=False)
        grant = await signs_in.came_back(flow, told_in(back))
        assert (await signs_in.renew(grant.refresh_token)).access_token

    async def test_a_wrong_secret_is_told(self, sim: RunningSimulator) -> None:
        signs_in = user(sim, client_id=CLIENT_ID, proof=Secret("wrong"))
        flow = await signs_in.browser("http://localhost:5", None)
        back, _ = await use_browser(flow.page, follow=False)
        with pytest.raises(SignInError, match="secret is wrong"):
            await signs_in.came_back(flow, told_in(back))

    async def test_who_declines_is_told(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        flow = await signs_in.browser("http://localhost:5", None)
        back, _ = await use_browser(flow.page, answer="deny", follow=False)
        with pytest.raises(SignInError, match="declined"):
            await signs_in.came_back(flow, told_in(back))

    @pytest.mark.parametrize("changed", [{"state": "other"}, {"code": "0.forged"}], ids=["state", "code"])
    async def test_a_forged_return_signs_nobody_in(self, sim: RunningSimulator, changed: dict[str, str]) -> None:
        signs_in = user(sim)
        flow = await signs_in.browser("http://localhost:5", None)
        back, _ = await use_browser(flow.page, follow=False)
        with pytest.raises((SignInError, TryLaterError)):
            await signs_in.came_back(flow, told_in(back) | changed)

    async def test_anothers_code_is_of_no_use_without_what_was_kept(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        mine, theirs = [await signs_in.browser("http://localhost:5", None) for _ in "12"]
        back, _ = await use_browser(theirs.page, follow=False)
        with pytest.raises(SignInError):
            await signs_in.came_back(mine, {"code": told_in(back)["code"], "state": mine.state})


class TestRenewal:
    async def test_a_refresh_token_gives_tokens_and_the_next_one(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        grant = await granted(signs_in)
        other = await signs_in.renew(grant.refresh_token)
        assert other.access_token != grant.access_token
        assert other.refresh_token != grant.refresh_token

    @pytest.mark.parametrize("number", [50173, 700082, 50076, 53003, 50057])
    async def test_what_the_directory_has_against_it_is_told_in_a_sentence(
        self, sim: RunningSimulator, number: int
    ) -> None:
        signs_in = user(sim)
        grant = await granted(signs_in)
        sim.graph.sessions.blocked[USER] = number
        with pytest.raises(SignInLostError) as caught:
            await signs_in.renew(grant.refresh_token)
        assert caught.value.code == f"AADSTS{number}"
        assert str(caught.value).startswith("the sign-in of the service account does not hold: ")
        assert "does not take it any more" not in str(caught.value)

    async def test_a_token_of_another_application_is_refused(self, sim: RunningSimulator) -> None:
        grant = await granted(user(sim))
        with pytest.raises(SignInLostError):
            await user(sim, client_id=CLIENT_ID, proof=Secret(CLIENT_SECRET)).renew(grant.refresh_token)

    async def test_a_spent_token_ends_the_session_where_they_rotate_strictly(self, sim: RunningSimulator) -> None:
        sim.graph.sessions.once = True
        signs_in = user(sim)
        first = await granted(signs_in)
        second = await signs_in.renew(first.refresh_token)
        for token in (first.refresh_token, second.refresh_token):
            with pytest.raises(SignInLostError):
                await signs_in.renew(token)

    async def test_a_busy_host_is_told_to_come_later(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        grant = await granted(signs_in)
        sim.fail(kind="http_503", operation="Token", times=1)
        with pytest.raises(TryLaterError):
            await signs_in.renew(grant.refresh_token)

    async def test_nothing_is_sent_twice_when_an_answer_is_lost(self, sim: RunningSimulator) -> None:
        signs_in = user(sim)
        grant = await granted(signs_in)
        asked = sim.calls("Token")
        sim.fail(kind="timeout_after_commit", operation="Token", times=1, seconds=0.01)
        with pytest.raises(TryLaterError):
            await signs_in.renew(grant.refresh_token)
        assert sim.calls("Token") == asked + 1


async def test_nothing_shows_a_token(sim: RunningSimulator) -> None:
    signs_in = user(sim)
    code = await signs_in.device_code()
    await type_code(code)
    grant, _ = await signs_in.typed(code)
    assert grant is not None
    flow = await signs_in.browser("http://localhost:5", None)
    for secret in (grant.access_token, grant.refresh_token, code.flow["device_code"], flow.state):
        assert secret not in repr((grant, code, flow, signs_in, vars(signs_in)))


async def test_after_closing_nothing_is_asked(sim: RunningSimulator) -> None:
    signs_in = user(sim)
    await signs_in.close()
    await signs_in.close()
    with pytest.raises(TryLaterError, match="closed"):
        await signs_in.device_code()


@pytest.mark.parametrize("wrong", [{"tenant": "common"}, {"client_id": "a/b"}], ids=["tenant", "client"])
async def test_values_that_cannot_be_right_are_told(sim: RunningSimulator, wrong: dict[str, str]) -> None:
    with pytest.raises(MisconfiguredError):
        user(sim, **wrong)  # type: ignore[arg-type]  # texts all
