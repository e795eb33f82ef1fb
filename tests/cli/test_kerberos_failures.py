"""What to do when Kerberos fails: each code of ours has its step, in the service's log and in `greenroom status`."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from greenroom.cli.codes import failure_sentence
from greenroom.cli.sign_in_failures import sign_in_ews, way_to_center
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, SignInError, TryLaterError
from greenroom.exchange.ews import kerberos_errors
from greenroom.exchange.ews.kerberos_errors import Asked
from greenroom.settings import EwsExchange

HERE = "integration[main].exchange"
ASKED = Asked("svc@EXAMPLE.ORG", "EXAMPLE.ORG", "HTTP/mail.example.org")
WITH_KEYTAB = Asked("svc@EXAMPLE.ORG", "EXAMPLE.ORG", "HTTP/mail.example.org", "/etc/svc.keytab", 3)
FIRST = -1765328384
CODES = sorted(
    set(re.findall(r'"(kerberos-[a-z-]+)"', Path(kerberos_errors.__file__).read_text(encoding="utf-8"))),
)


def step(error: SignInError, service: str | None = None) -> str:
    kerberos = {"realm": "EXAMPLE.ORG", **({"service": service} if service else {})}
    exchange = EwsExchange.model_validate(
        {
            "url": "https://mail.example.org/EWS/Exchange.asmx",
            "auth": "kerberos",
            "username": "EXAMPLE\\o'neil",
            "password": "made up",
            "kerberos": kerberos,
        }
    )
    return sign_in_ews(error, exchange, HERE)


@pytest.mark.parametrize("code", CODES)
def test_the_state_of_a_mailbox_has_a_sentence_for_it(code: str) -> None:
    assert "log tells more" not in failure_sentence(code)


@pytest.mark.parametrize(
    ("number", "command"),
    [
        (1, "Clear-ADAccountExpiration 'o''neil'"),
        (6, "Correct username"),
        (12, "LogonWorkstations"),
        (18, "Unlock-ADAccount 'o''neil'"),
        (23, "-PasswordNeverExpires"),
        (24, "Correct password"),
        (99, "events 4768 and 4771"),
    ],
)
def test_what_the_domain_controller_says_of_an_account_has_its_step(number: int, command: str) -> None:
    error = kerberos_errors.of_center(FIRST + number, ASKED)
    assert isinstance(error, SignInError)
    assert command in step(error)


def test_a_key_that_is_too_old_is_not_called_a_wrong_password() -> None:
    error = kerberos_errors.of_center(FIRST + 24, WITH_KEYTAB)
    assert isinstance(error, SignInError)
    assert "the key (version 3) of svc@EXAMPLE.ORG in the keytab /etc/svc.keytab" in str(error)
    assert "ktpass" in step(error)


@pytest.mark.parametrize(("service", "name"), [(None, "HTTP/mail.example.org"), ("HTTP/lb.example.org",) * 2])
def test_a_ticket_that_exchange_does_not_take_leads_to_its_name_and_to_who_ends_tls(
    service: str | None, name: str
) -> None:
    said = step(SignInError("refused", code="http-401"), service)
    for each in (f"setspn -Q {name}", "ExtendedProtectionTokenChecking", "Get-ExchangeCertificate"):
        assert each in said


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (7, MisconfiguredError, "kerberos-service"),
        (8, MisconfiguredError, "kerberos-service"),
        (14, MisconfiguredError, "kerberos-encryption"),
        (29, TryLaterError, "kerberos-failed"),
        (32, TryLaterError, "kerberos-ticket"),
        (37, MisconfiguredError, "kerberos-skew"),
        (41, MisconfiguredError, "kerberos-service-key"),
        (44, MisconfiguredError, "kerberos-service-key"),
        (68, MisconfiguredError, "kerberos-realm"),
        (156, TryLaterError, "kerberos-unreachable"),
        (99, SignInError, "kerberos-refused"),
    ],
)
def test_what_becomes_of_a_ticket_for_exchange(number: int, kind: type[ExchangeError], code: str) -> None:
    signed = FIRST + number
    for given in (signed, signed + 2**32):  # GSSAPI's codes have no sign
        error = kerberos_errors.of_context(given, ASKED, "mail.example.org")
        assert type(error) is kind
        assert error.code == code
        assert not isinstance(error, MisconfiguredError) or error.hint


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (7, "kerberos-realm"),
        (37, "kerberos-skew"),
        (68, "kerberos-realm"),
        (148, "kerberos-skew"),
        (154, "kerberos-realm"),
        (156, "kerberos-unreachable"),
        (181, "kerberos-keytab"),
        (210, "kerberos-encryption"),
    ],
)
def test_what_keeps_from_being_asked_at_all_is_no_refusal(number: int, code: str) -> None:
    error = kerberos_errors.of_center(FIRST + number, WITH_KEYTAB)
    assert not isinstance(error, SignInError)
    assert error.code == code


def test_clocks_within_five_minutes_are_fine() -> None:
    assert kerberos_errors.own_skew("EXAMPLE.ORG", timedelta(minutes=5)) is None
    assert kerberos_errors.own_skew("EXAMPLE.ORG", timedelta(minutes=-5, seconds=-1)) is not None


def test_a_center_that_does_not_answer_is_not_looked_for_at_exchange() -> None:
    assert f"{HERE}.kerberos.kdc" in way_to_center(HERE)
