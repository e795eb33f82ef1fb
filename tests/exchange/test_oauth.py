"""EWS by OAuth against the simulator: as an application and as a user, and each refusal in one sentence."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange.graph.papers import NOW, certificate, key, pem, written
from exchange.scripted import Clock
from exchange.tokens.login_host import PUBLIC, USER, WORLD, Kept, granted, user
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, NotPermittedError, SignInError
from greenroom.exchange.ews import EwsMailbox, EwsSettings
from greenroom.exchange.ews.auth import SignInGuard
from greenroom.exchange.ews.oauth import TokenAuth
from greenroom.exchange.graph.settings import Cloud, TokenSource
from greenroom.exchange.graph.sign_in import Certificate, Credential, Secret, open_tokens
from greenroom.exchange.tokens import ServiceAccountTokens, SignInLostError
from greenroom.simulator.applications import Application
from greenroom.simulator.clock import SimulatorClock
from support.simulator import ATTENDEE, CLIENT_ID, CLIENT_SECRET, EQUIPMENT, RunningSimulator, simulator_in_loop

pytestmark = pytest.mark.slow
_TOKEN = re.compile(r"sim\.[A-Za-z0-9_-]{20}|sim-refresh")


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop(WORLD, clock=SimulatorClock(NOW)) as running:
        yield running


class Site:
    """Exchange, where tokens come from, and the clock of this computer."""

    def __init__(self, sim: RunningSimulator) -> None:
        self.sim = sim
        self.clock = Clock(NOW)
        self.guard = SignInGuard()
        self.kept: Kept | None = None

    def application(self, credential: Credential | None = None, **more: Any) -> TokenSource:
        given: dict[str, Any] = {
            "tenant": self.sim.tenant,
            "client_id": CLIENT_ID,
            "cloud": Cloud(self.sim.login_url, ""),
            "resource": "https://127.0.0.1",
            "clock": self.clock,
        }
        return open_tokens(credential or Secret(CLIENT_SECRET), **(given | more))

    async def account(self, **person: str) -> ServiceAccountTokens:
        signs_in = user(self.sim, clock=self.clock)
        self.kept = Kept.of(await granted(signs_in, **person), self.clock)
        return ServiceAccountTokens(signs_in, self.kept, self.clock)

    def mailbox(self, tokens: TokenSource, address: str = EQUIPMENT) -> EwsMailbox:
        identity = (lambda: tokens.identity) if isinstance(tokens, ServiceAccountTokens) else (lambda: "app")
        auth = TokenAuth(tokens, identity, guard=self.guard)
        return EwsMailbox(EwsSettings(self.sim.ews_url, address, auth), clock=self.clock)

    def advance(self, **span: float) -> None:
        self.clock.advance(**span)
        self.sim.clock.advance(timedelta(**span))


@pytest.fixture
def site(sim: RunningSimulator) -> Site:
    return Site(sim)


async def refused(mailbox: EwsMailbox, error: type[ExchangeError], times: int = 1) -> Any:
    """What checking says at first, when it is done so many times."""
    said = []
    for _ in range(times):
        with pytest.raises(error) as caught:
            await mailbox.check()
        said.append(caught.value)
    assert not any(_TOKEN.search(str(one)) for one in said)
    return said[0]


class TestAsAnApplication:
    async def test_with_a_secret_it_acts_for_the_mailbox(self, site: Site) -> None:
        mailbox = site.mailbox(site.application())
        await mailbox.check()
        await mailbox.check()
        assert site.sim.calls("Token") == 1

    async def test_with_a_certificate(self, site: Site, tmp_path: Path) -> None:
        own = certificate("app")
        file = written(tmp_path, "app.pem", pem(key("app")), pem(own))
        site.sim.exchange.add_application(Application(CLIENT_ID, certificate=pem(own).decode(), ews=True))
        await site.mailbox(site.application(Certificate(file))).check()

    async def test_at_ad_fs(self, site: Site) -> None:
        await site.mailbox(site.application(tenant="adfs")).check()

    async def test_a_wrong_secret_is_told_and_not_tried_in_a_storm(self, site: Site) -> None:
        error = await refused(site.mailbox(site.application(Secret("wrong"))), SignInError, 20)
        assert "the client secret is wrong" in str(error)
        assert (site.sim.calls("Token"), site.sim.calls("GetFolder")) == (1, 0)

    async def test_a_secret_that_ran_out_is_told(self, site: Site) -> None:
        site.sim.exchange.add_application(
            Application(CLIENT_ID, secret=CLIENT_SECRET, secret_expires=NOW - timedelta(days=1), ews=True)
        )
        error = await refused(site.mailbox(site.application()), SignInError, 5)
        assert "has run out" in str(error)
        assert site.sim.calls("Token") == 1

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"tenant": "0a1b2c3d-0000-4000-8000-000000000009"}, "no such directory"),
            ({"client_id": "0a1b2c3d-0000-4000-8000-000000000009"}, "application is not known"),
            ({"resource": "https://mail.elsewhere.test"}, "does not know https://mail.elsewhere.test"),
        ],
        ids=["tenant", "application", "resource"],
    )
    async def test_what_the_directory_does_not_know_is_told(self, site: Site, wrong: dict[str, Any], said: str) -> None:
        error = await refused(site.mailbox(site.application(**wrong)), MisconfiguredError, 5)
        assert said in str(error)
        assert error.hint
        assert site.sim.calls("GetFolder") == 0

    async def test_an_application_without_a_right_to_ews_is_told(self, site: Site) -> None:
        site.sim.exchange.add_application(Application(CLIENT_ID, secret=CLIENT_SECRET))
        error = await refused(site.mailbox(site.application()), SignInError, 20)
        assert "full_access_as_app" in str(error)
        assert site.sim.calls("Token") == 1
        assert site.sim.counters.snapshot()["auth_failures"] == {"bearer": 1}

    async def test_a_mailbox_outside_its_scope_is_told(self, site: Site) -> None:
        site.sim.exchange.site.directory.grant(CLIENT_ID, [ATTENDEE])
        await refused(site.mailbox(site.application()), NotPermittedError)


class TestTokensThatExchangeRefuses:
    async def test_a_token_for_another_audience_is_told_once(self, site: Site) -> None:
        error = await refused(site.mailbox(site.application(resource="https://outlook.office365.com")), SignInError, 20)
        assert "not for this Exchange: set resource" in str(error)
        assert "2000003" in str(error)
        assert (site.sim.calls("Token"), site.sim.counters.snapshot()["auth_failures"]) == (1, {"bearer": 1})

    async def test_clocks_that_differ_are_told_once(self, site: Site) -> None:
        site.sim.graph.tokens.ahead = timedelta(hours=1)
        error = await refused(site.mailbox(site.application()), SignInError)
        assert "compare the clocks" in str(error)
        await refused(site.mailbox(site.application()), SignInError, 20)
        assert site.sim.counters.snapshot()["auth_failures"] == {"bearer": 1}

    async def test_a_token_that_worked_and_is_revoked_is_renewed_once(self, site: Site) -> None:
        mailbox = site.mailbox(site.application())
        await mailbox.check()
        site.sim.graph.tokens.revoke_all()
        await mailbox.check()
        assert site.sim.calls("Token") == 2
        assert site.sim.counters.snapshot()["auth_failures"] == {"bearer": 1}

    async def test_an_exchange_that_takes_no_tokens_is_told(self, site: Site) -> None:
        site.sim.exchange.site.organisation.directory.oauth = False
        error = await refused(site.mailbox(site.application()), SignInError)
        assert "takes no tokens here" in str(error)


class TestAsAServiceAccount:
    async def test_it_impersonates_and_renews_by_itself(self, site: Site) -> None:
        mailbox = site.mailbox(await site.account())
        await mailbox.check()
        asked = site.sim.calls("Token")
        site.advance(minutes=58)
        await mailbox.check()
        assert site.sim.calls("Token") == asked + 1

    async def test_an_account_without_the_role_is_told(self, site: Site) -> None:
        await refused(site.mailbox(await site.account(login="other@sim.test")), NotPermittedError)

    async def test_a_revoked_sign_in_is_told_and_nobody_is_asked_in_a_storm(self, site: Site) -> None:
        mailbox = site.mailbox(await site.account())
        await mailbox.check()
        asked = site.sim.calls("Token")
        assert site.sim.graph.sessions.revoke(USER) == 1
        site.sim.graph.tokens.revoke_all()
        error = await refused(mailbox, SignInLostError)
        assert "its password was changed" in str(error)
        await refused(mailbox, SignInError, 20)
        assert site.sim.calls("Token") == asked + 1
        assert site.kept is not None
        assert site.kept.refusals == ["AADSTS50173"]

    async def test_a_password_that_was_changed_is_noticed_with_the_next_token(self, site: Site) -> None:
        mailbox = site.mailbox(await site.account())
        await mailbox.check()
        site.sim.graph.sessions.revoke(USER)
        await mailbox.check()
        site.advance(hours=1)
        await refused(mailbox, SignInLostError, 5)

    async def test_another_factor_that_is_wanted_now_is_told(self, site: Site) -> None:
        tokens = await site.account()
        site.sim.graph.sessions.blocked[USER] = 50076
        error = await refused(site.mailbox(tokens), SignInLostError)
        assert "further factor" in str(error)

    async def test_who_signs_in_anew_is_let_in_at_once(self, site: Site) -> None:
        tokens = await site.account()
        mailbox = site.mailbox(tokens)
        site.sim.graph.sessions.revoke(USER)
        await refused(mailbox, SignInLostError)
        assert site.kept is not None
        grant = await granted(user(site.sim, client_id=PUBLIC))
        site.kept.kept = Kept.of(grant).kept.__class__(USER, "new", "second", grant.refresh_token)
        await mailbox.check()


async def test_nothing_shows_a_token(site: Site) -> None:
    tokens = await site.account()
    token = await tokens.token()
    auth = TokenAuth(tokens, lambda: tokens.identity)
    found = await auth.credentials()
    assert site.kept is not None
    for secret in (token, site.kept.kept.refresh_token):
        assert secret not in repr((tokens, auth, found, site.kept.kept))
