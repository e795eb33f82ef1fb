"""What to do when EWS refuses a sign-in, by the way of signing in."""

import pytest

from greenroom.cli.codes import failure_sentence
from greenroom.cli.sign_in_failures import sign_in_ews
from greenroom.exchange.errors import SignInError
from greenroom.settings import EwsExchange

HERE = "integration[main].exchange"


def step(auth: str, code: str = "http-401", username: str = "EXAMPLE\\svc") -> str:
    exchange = EwsExchange.model_validate(
        {"url": "https://mail.example.org/EWS/Exchange.asmx", "auth": auth, "username": username, "password": "made up"}
    )
    return sign_in_ews(SignInError("refused", code=code), exchange, HERE)


def test_a_refusal_by_basic_names_what_can_be_and_where_to_look() -> None:
    said = step("basic")
    for each in ("Get-ADUser 'svc' ", "Get-User 'svc' ", "Get-WebServicesVirtualDirectory"):
        assert each in said


def test_a_refusal_by_ntlm_names_a_proxy_that_ends_tls_as_well() -> None:
    said = step("ntlm")
    for each in ("Get-ADUser 'svc' ", "ExtendedProtectionTokenChecking", "Get-ExchangeCertificate"):
        assert each in said


@pytest.mark.parametrize(
    ("auth", "code", "command"),
    [
        ("basic", "other-ways", "-BasicAuthentication $true"),
        ("ntlm", "not-offered", "-WindowsAuthentication $true"),
        ("ntlm", "no-challenge", "gpresult"),
        ("ntlm", "bad-challenge", "url leads to Exchange"),
        ("bearer", "http-401", "token"),
    ],
)
def test_what_the_protocol_tells_apart_has_its_own_step(auth: str, code: str, command: str) -> None:
    assert command in step(auth, code)
    assert "Get-ADUser" not in step(auth, code)


@pytest.mark.parametrize(
    ("username", "shown"),
    [
        ("svc@example.org", "'svc'"),
        ("EXAMPLE\\o'neil", "'o''neil'"),
        ("EXAMPLE\\$(calc)", "'$(calc)'"),
        ("a\u2019; calc", "'a\u2019\u2019; calc'"),
    ],
    ids=["upn", "quote", "dollar", "typographic"],
)
def test_a_user_name_cannot_become_code_in_a_command(username: str, shown: str) -> None:
    assert f"Get-ADUser {shown} -Properties" in step("ntlm", username=username)


@pytest.mark.parametrize("code", ["not-offered", "other-ways", "no-challenge", "not-kept", "bad-challenge"])
def test_the_state_of_a_mailbox_has_a_sentence_for_it(code: str) -> None:
    assert "log tells more" not in failure_sentence(code)
