"""Signing in by Kerberos: tickets from a real MIT KDC, a real acceptor behind TLS, a channel binding that is checked."""

import asyncio
import contextlib
import dataclasses
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from exchange.scripted import Clock
from exchange.simulated import settings, world
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.ews import EwsMailbox, SignInGuard, kerberos, kerberos_tickets, krb5_conf
from greenroom.exchange.ews.kerberos import KerberosAuth
from greenroom.exchange.ews.kerberos_errors import Asked
from greenroom.exchange.ews.kerberos_tickets import Account, TicketOffice
from support.certificates import Identity, of_this_machine
from support.kdc import REALM, Kdc, needs_faketime, needs_kerberos, running_kdc
from support.kerberos_door import elsewhen_acceptor, kerberos_acceptor
from support.negotiating import Acceptor, Door
from support.simulator import PASSWORD, RunningSimulator, simulator_in_loop

pytestmark = needs_kerberos
slow = pytest.mark.slow  # a handful of quick ones is enough for every run

HTTP = "HTTP/exchange.sim.test"


@dataclass(frozen=True)
class Realm:
    """A KDC that knows accounts in every state, the keytab of Exchange, and that of the service account."""

    kdc: Kdc
    exchange: Path
    account: Path


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    folder = tmp_path_factory.mktemp("kdc")
    with running_kdc(folder) as kdc:
        kdc.add("svc", PASSWORD)
        kdc.add("expired", PASSWORD, "-pwexpire", "yesterday")
        kdc.add("ended", PASSWORD, "-expire", "yesterday")
        kdc.add("disabled", PASSWORD, "-allow_tix")
        kdc.add("camellia", PASSWORD, "-e", "camellia256-cts:normal")
        kdc.add("svc\\@mail.sim.test", PASSWORD)
        kdc.add(HTTP)
        keytab = kdc.keytab(folder / "exchange.keytab", HTTP)
        yield Realm(kdc, keytab, kdc.keytab(folder / "svc.keytab", "svc"))


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return of_this_machine(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _own_realms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "")
    monkeypatch.setattr(krb5_conf, "REALMS", krb5_conf.Realms())


@dataclass
class Exchange:
    """An Exchange behind a door, and who signs in there."""

    door: Door
    simulator: RunningSimulator
    kdc: Kdc
    clock: Clock = field(default_factory=Clock)
    guard: SignInGuard = field(default_factory=SignInGuard)

    def auth(self, user: str = "svc@sim.test", password: str = PASSWORD, **more: Any) -> KerberosAuth:
        given = {"realm": REALM, "host": "127.0.0.1", "kdc": (self.kdc.address,), "service": HTTP, "guard": self.guard}
        return KerberosAuth(user, password, **{**given, **more})

    def mailbox(self, user: str = "svc@sim.test", password: str = PASSWORD, **more: Any) -> EwsMailbox:
        ca_file = None if self.door.tls is None else self.door.tls.certificate
        timeout = timedelta(seconds=20)
        auth = self.auth(user, password, **more)
        return EwsMailbox(settings(self.simulator, auth=auth, ca_file=ca_file, timeout=timeout), clock=self.clock)

    async def refusal(self, user: str = "svc@sim.test", password: str = PASSWORD, **more: Any) -> ExchangeError:
        mailbox = self.mailbox(user, password, **more)
        try:
            with pytest.raises(ExchangeError) as error:
                await mailbox.check()
        finally:
            await mailbox.close()
        assert PASSWORD not in str(error.value)
        return error.value


@pytest.fixture
async def house(realm: Realm, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Exchange]:
    acceptor = kerberos_acceptor(monkeypatch, realm.exchange, required=True)
    async with exchange(realm, acceptor, tls=identity, protection="required") as made:
        yield made


@asynccontextmanager
async def exchange(realm: Realm, acceptor: Acceptor, **door: Any) -> AsyncIterator[Exchange]:
    made = Door(acceptor, **door)
    async with simulator_in_loop(world("auto_update"), door=made) as simulator:
        yield Exchange(made, simulator, realm.kdc)


def office(kdc: Kdc, account: Account) -> TicketOffice:
    asked = Asked(account.principal, account.realm, HTTP, str(account.keytab or ""))
    return TicketOffice(account, (kdc.address,), asked)


def tried(kdc: Kdc, account: str) -> int:
    """How often an account was asked about with a proof, or refused before one was wanted."""
    return sum(f" {account}@" in line and "NEEDED_PREAUTH" not in line for line in kdc.asked())


class TestWhoComesIn:
    async def test_the_right_password_bound_to_this_channel(self, house: Exchange) -> None:
        mailbox = house.mailbox()
        await mailbox.check()
        await mailbox.check()
        await mailbox.close()
        assert [one.outcome for one in house.door.tries] == ["in"]
        assert house.door.requests == 3  # asked, proven; then the connection is known

    @slow
    async def test_a_user_principal_name_that_is_not_the_realms(self, house: Exchange) -> None:
        mailbox = house.mailbox("svc@mail.sim.test")
        await mailbox.check()
        await mailbox.close()
        assert house.door.outcomes() == {"in": 1}

    @pytest.mark.parametrize(
        ("user", "principal"),
        [
            ("svc@sim.test", "svc@SIM.TEST"),
            ("SIM\\svc", "svc@SIM.TEST"),
            ("svc", "svc@SIM.TEST"),
            ("svc@mail.sim.test", "svc@mail.sim.test"),
        ],
    )
    def test_each_way_to_write_a_user(self, user: str, principal: str) -> None:
        assert Account(user, REALM).principal == principal

    @pytest.mark.parametrize("user", ["svc@sim.test", "SIM\\SVC", "svc@mail.sim.test"], ids=str.casefold)
    async def test_a_keytab_has_the_account_in_whatever_way_it_is_written(self, realm: Realm, user: str) -> None:
        account = Account(user, REALM, keytab=realm.account)
        assert (await asyncio.to_thread(office(realm.kdc, account).tickets)).cache.startswith("MEMORY:")

    async def test_a_keytab(self, house: Exchange, realm: Realm) -> None:
        mailbox = house.mailbox("svc", "", keytab=realm.account)
        await mailbox.check()
        await mailbox.close()
        assert house.door.outcomes() == {"in": 1}

    @slow
    async def test_many_connections_have_one_ticket(self, house: Exchange) -> None:
        before = tried(house.kdc, "svc")
        mailbox = house.mailbox()
        await asyncio.gather(*(mailbox.check() for _ in range(12)))
        await mailbox.close()
        assert house.door.outcomes()["in"] == house.door.connections > 1
        assert tried(house.kdc, "svc") == before + 1

    @slow
    async def test_tickets_are_had_anew_before_they_run_out(self, house: Exchange) -> None:
        desk = house.auth()._office
        first = await asyncio.to_thread(desk.tickets)
        assert 7.9 * 3600 < first.fresh_until - time.time() < 8 * 3600  # of ten hours
        assert await asyncio.to_thread(desk.tickets) is first
        for _ in range(3):
            assert desk.held is not None
            desk._held = dataclasses.replace(desk.held, fresh_until=time.time())
            assert (await asyncio.to_thread(desk.tickets)).cache != first.cache

    @slow
    async def test_on_this_computer_without_tls_there_is_nothing_to_bind_to(
        self, realm: Realm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with exchange(realm, kerberos_acceptor(monkeypatch, realm.exchange)) as house:
            mailbox = house.mailbox()
            await mailbox.check()
            await mailbox.close()
        assert house.door.outcomes() == {"in": 1}

    @slow
    async def test_a_key_that_exchange_has_changed_takes_new_tickets_and_no_pause(
        self, realm: Realm, identity: Identity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        realm.kdc.add("HTTP/rolled")
        acceptor = kerberos_acceptor(monkeypatch, realm.kdc.keytab(tmp_path / "old.keytab", "HTTP/rolled"))
        async with exchange(realm, acceptor, tls=identity) as house:
            mailbox = house.mailbox(service="HTTP/rolled")
            await mailbox.check()
            realm.kdc.admin("cpw", "-randkey", "HTTP/rolled")
            keytab = realm.kdc.keytab(tmp_path / "new.keytab", "HTTP/rolled")
            monkeypatch.setenv("KRB5_KTNAME", f"FILE:{keytab}")
            house.door.forget_connections()
            await mailbox.check()
            await mailbox.close()
        assert [one.outcome for one in house.door.tries] == ["in", "wrong", "in"]


class TestWhomTheRealmRefuses:
    @pytest.mark.parametrize(
        ("user", "code", "words"),
        [
            ("expired", "kerberos-password-expired", "the password of expired@SIM.TEST has expired"),
            ("ended", "kerberos-account-expired", "the account ended@SIM.TEST has expired"),
            ("disabled", "kerberos-locked", "the account disabled@SIM.TEST is locked or disabled"),
            ("nobody", "kerberos-account", "the realm SIM.TEST does not know the account nobody@SIM.TEST"),
        ],
    )
    def test_each_state_of_an_account_has_its_sentence(self, realm: Realm, user: str, code: str, words: str) -> None:
        with pytest.raises(SignInError, match=words) as error:
            office(realm.kdc, Account(user, REALM, PASSWORD)).tickets()
        assert error.value.code == code

    async def test_who_was_refused_is_not_asked_for_again(self, house: Exchange) -> None:
        before = tried(house.kdc, "disabled")
        assert (await house.refusal("disabled")).code == "kerberos-locked"
        assert (await house.refusal("disabled")).code == "refused-before"
        assert tried(house.kdc, "disabled") == before + 1
        assert not house.door.tries

    @slow
    async def test_a_wrong_password_is_tried_a_few_times_a_day(
        self, house: Exchange, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kerberos_tickets, "_ECHO", 0.0)  # this hour takes no time
        before = tried(house.kdc, "svc")
        mailbox = house.mailbox(password="wrong")
        codes = []
        for _ in range(60):
            with pytest.raises(SignInError) as error:
                await mailbox.check()
            codes.append(error.value.code)
            house.clock.advance(minutes=1)
        await mailbox.close()
        assert codes.count("kerberos-password") == tried(house.kdc, "svc") - before == 2

    @slow
    async def test_many_at_once_send_a_wrong_password_once(self, house: Exchange) -> None:
        before = tried(house.kdc, "svc")
        auth = house.auth(password="wrong")
        asked = (asyncio.to_thread(auth._office.tickets) for _ in range(8))
        assert {type(found) for found in await asyncio.gather(*asked, return_exceptions=True)} == {SignInError}
        assert tried(house.kdc, "svc") == before + 1

    @slow
    async def test_a_locked_account(self, house: Exchange) -> None:
        house.kdc.admin("addpol", "-maxfailure", "1", "strict")
        house.kdc.add("lockable", PASSWORD, "-policy", "strict")
        assert (await house.refusal("lockable", "wrong")).code == "kerberos-password"
        assert (await house.refusal("lockable")).code == "kerberos-locked"

    @slow
    async def test_an_account_without_a_common_encryption_type(
        self, house: Exchange, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = krb5_conf.written
        only = "[libdefaults]\n  permitted_enctypes = aes256-cts"
        monkeypatch.setattr(krb5_conf, "written", lambda *a: write(*a).replace("[libdefaults]", only))
        error = await house.refusal("camellia")
        assert isinstance(error, MisconfiguredError)
        assert error.code == "kerberos-encryption"


class TestWhatIsSetWrong:
    @slow
    async def test_a_realm_that_its_center_does_not_serve(self, house: Exchange) -> None:
        error = await house.refusal("svc", realm="OTHER.TEST")
        assert error.code in ("kerberos-account", "kerberos-realm")
        assert "OTHER.TEST" in str(error)

    @slow
    async def test_a_realm_whose_centers_nobody_names(self, house: Exchange) -> None:
        error = await house.refusal("svc", realm="NOWHERE.INVALID", kdc=())
        assert isinstance(error, MisconfiguredError)
        assert error.code == "kerberos-realm"
        assert "kerberos.kdc" in error.hint

    async def test_a_service_that_nobody_is(self, house: Exchange) -> None:
        error = await house.refusal(service="HTTP/unknown.sim.test")
        assert isinstance(error, MisconfiguredError)
        assert error.code == "kerberos-service"
        assert "setspn -Q HTTP/unknown.sim.test" in error.hint

    @slow
    async def test_a_service_whose_key_exchange_does_not_have(self, house: Exchange) -> None:
        house.kdc.add("HTTP/another.sim.test")
        error = await house.refusal(service="HTTP/another.sim.test")
        assert error.code == "http-401"
        assert house.door.outcomes() == {"wrong": 1}

    @slow
    @needs_faketime
    async def test_an_exchange_that_says_that_it_has_another_key(
        self, realm: Realm, identity: Identity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        realm.kdc.add("HTTP/moved.sim.test")
        keytab = realm.kdc.keytab(tmp_path / "moved.keytab", "HTTP/moved.sim.test")
        realm.kdc.admin("cpw", "-randkey", "HTTP/moved.sim.test")
        with elsewhen_acceptor(monkeypatch, keytab, "+0s") as acceptor:
            async with exchange(realm, acceptor, tls=identity) as house:
                mailbox = house.mailbox(service="HTTP/moved.sim.test")
                for _ in range(2):
                    with pytest.raises(MisconfiguredError) as error:
                        await mailbox.check()
                    assert error.value.code == "kerberos-service-key"
                await mailbox.close()
        assert "setspn -Q HTTP/moved.sim.test" in error.value.hint
        assert sum("HTTP/moved.sim.test" in line for line in realm.kdc.asked("TGS_REQ")) == 2

    @slow
    async def test_a_center_that_is_down_refuses_nobody(self, house: Exchange) -> None:
        for _ in range(2):
            error = await house.refusal(kdc=("127.0.0.1:1",), realm="DOWN.TEST")
            assert isinstance(error, TryLaterError)
            assert error.code == "kerberos-unreachable"

    @slow
    async def test_a_center_that_says_nothing_is_not_waited_for(
        self, house: Exchange, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kerberos_tickets, "PATIENCE", 0.2)
        with contextlib.closing(socket.socket()) as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            error = await house.refusal(kdc=(f"127.0.0.1:{silent.getsockname()[1]}",), realm="SILENT.TEST")
        assert isinstance(error, TryLaterError)

    @slow
    async def test_the_next_center_is_asked_if_one_is_down(self, house: Exchange) -> None:
        mailbox = house.mailbox(kdc=("127.0.0.1:1", house.kdc.address))
        await mailbox.check()
        await mailbox.close()

    @slow
    async def test_modules_that_are_missing(self, house: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(name: str) -> None:
            raise ModuleNotFoundError(name)

        monkeypatch.setattr("greenroom.exchange.ews.kerberos_tickets.importlib.import_module", missing)
        with pytest.raises(MisconfiguredError) as error:
            house.auth()
        assert error.value.code == "kerberos-missing"
        assert "pip install 'greenroom[kerberos]'" in error.value.hint


class TestKeytabs:
    @slow
    @pytest.mark.parametrize("content", [None, b"", b"no keytab"], ids=["missing", "empty", "another-file"])
    async def test_one_that_is_none(self, house: Exchange, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "svc.keytab"
        if content is not None:
            path.write_bytes(content)
        error = await house.refusal(password="", keytab=path)
        assert isinstance(error, MisconfiguredError)
        assert error.code == "kerberos-keytab"
        assert str(path) in str(error)

    @slow
    async def test_one_of_somebody_else_says_whose(self, house: Exchange, realm: Realm) -> None:
        error = await house.refusal(password="", keytab=realm.exchange)
        assert isinstance(error, MisconfiguredError)
        assert f"it holds {HTTP}" in str(error)

    @slow
    async def test_one_that_is_older_than_the_password_and_then_is_written_anew(
        self, house: Exchange, tmp_path: Path
    ) -> None:
        house.kdc.add("renewed", PASSWORD)
        house.simulator.exchange.site.directory.logins["renewed"] = house.simulator.exchange.site.directory.logins[
            "svc"
        ]
        path = house.kdc.keytab(tmp_path / "renewed.keytab", "renewed")
        house.kdc.admin("cpw", "-pw", f"{PASSWORD}2", "renewed")
        mailbox = house.mailbox("renewed", "", keytab=path)
        with pytest.raises(SignInError) as error:
            await mailbox.check()
        assert error.value.code == "kerberos-keytab-old"
        assert "the key (version 1) of renewed@SIM.TEST" in str(error.value)
        house.kdc.keytab(path, "renewed")
        await mailbox.check()  # at once: other credentials than those that were refused
        await mailbox.close()


class TestChannels:
    async def test_somebody_in_between_who_ends_tls(
        self, realm: Realm, identity: Identity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        own = of_this_machine(tmp_path, "exchange")
        acceptor = kerberos_acceptor(monkeypatch, realm.exchange, required=True)
        async with exchange(realm, acceptor, tls=identity, behind=own, protection="required") as house:
            error = await house.refusal()
            assert (await house.refusal()).code == "refused-before"
        assert error.code == "http-401"
        assert "thumbprint" in str(error)
        assert house.door.outcomes() == {"bound elsewhere": 1}

    @slow
    async def test_a_sign_in_without_a_binding_where_one_is_required(
        self, house: Exchange, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ssl.SSLObject, "getpeercert", lambda *_, **__: None)
        error = await house.refusal()
        assert error.code == "http-401"
        assert set(house.door.outcomes()) == {"bound elsewhere"}


class TestClocks:
    @needs_faketime
    @slow
    @pytest.mark.parametrize(("shift", "way"), [("+20m", "20 min behind"), ("-2h", "2 h 0 min ahead of")])
    async def test_ours_differs_from_the_domain_controllers(
        self, house: Exchange, tmp_path: Path, shift: str, way: str
    ) -> None:
        with running_kdc(tmp_path, realm="LATER.TEST", shift=shift) as kdc:
            kdc.add("svc", PASSWORD)
            error = await house.refusal("svc", realm="LATER.TEST", kdc=(kdc.address,))
        assert isinstance(error, MisconfiguredError)
        assert error.code == "kerberos-skew"
        assert f"this computer's clock is {way} that of the domain controller" in str(error)

    @needs_faketime
    @slow
    async def test_exchanges_differs_and_it_says_so(
        self, realm: Realm, identity: Identity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with elsewhen_acceptor(monkeypatch, realm.exchange, "+20m") as acceptor:
            async with exchange(realm, acceptor, tls=identity) as house:
                error = await house.refusal()
        assert isinstance(error, MisconfiguredError)
        assert error.code == "kerberos-skew"
        assert "the clock of 127.0.0.1" in str(error)

    @pytest.mark.parametrize(("minutes", "way"), [(12, "by 12 min (ahead)"), (-75, "by 1 h 15 min (behind)")])
    def test_exchanges_differs_and_its_refusal_shows_it(self, minutes: int, way: str) -> None:
        now = datetime(2031, 5, 6, 9, 0, tzinfo=UTC)
        told = format_datetime(now + timedelta(minutes=minutes), usegmt=True)
        request = httpx2.Request("POST", "https://mail.sim.test/")
        refused = SignInError("refused", code="http-401")
        error = kerberos._seen(refused, request, httpx2.Response(401, headers={"Date": told}), now)
        assert error.code == "kerberos-skew"
        assert f"the clock of mail.sim.test differs from that of the domain controller {way}" in str(error)

    @pytest.mark.parametrize("date", ["", "yesterday", "Tue, 06 May 2031 09:04:59 GMT"])
    def test_a_date_that_tells_nothing_leaves_the_refusal(self, date: str) -> None:
        request = httpx2.Request("POST", "https://mail.sim.test/")
        refused = SignInError("refused", code="http-401")
        response = httpx2.Response(401, headers={"Date": date} if date else {})
        assert kerberos._seen(refused, request, response, datetime(2031, 5, 6, 9, 0, tzinfo=UTC)) is refused
