"""A login host that answers users' sign-ins with what it should not, and an Exchange that does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from exchange.graph.papers import NOW, certificate, key, pem, written
from exchange.scripted import Clock, unread
from greenroom.exchange.errors import ExchangeError, MisconfiguredError, NotPermittedError, SignInError, TryLaterError
from greenroom.exchange.ews.diagnostics import token_refused
from greenroom.exchange.graph.sign_in import Certificate
from greenroom.exchange.tokens import Registration, SignInLostError, UserSignIn
from greenroom.exchange.tokens.refusals import of_browser, of_user

LOGIN = "https://login.example.test"
TENANT = "0a1b2c3d-0000-4000-8000-000000000001"
PLANTED = "planted-Wendelin"
ENDPOINTS = {
    "token_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/token",
    "authorization_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/authorize",
    "device_authorization_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/devicecode",
    "issuer": f"{LOGIN}/{TENANT}/v2.0",
}
CODE = {"device_code": "d", "user_code": "ABC", "verification_uri": f"{LOGIN}/device", "expires_in": 900, "interval": 5}
TOKENS = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600}


class Host:
    def __init__(self, answer: Any, status: int = 200, metadata: dict[str, str] | None = None) -> None:
        self.answer = answer
        self.status = status
        self.metadata = metadata or ENDPOINTS
        self.posted: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return unread(httpx2.Response(200, content=json.dumps(self.metadata).encode()))
        self.posted.append(str(request.url))
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return unread(httpx2.Response(self.status, content=body))

    def user(self, tenant: str = TENANT, proof: Certificate | None = None) -> UserSignIn:
        at = Registration(LOGIN, tenant, "11111111-2222-3333-4444-555555555555", "https://mail.example.test", proof)
        return UserSignIn(at, Clock(NOW), http=httpx2.MockTransport(self))


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_code": "ABC\x1b[31m"},
        {"user_code": ""},
        {"user_code": ["ABC"]},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "file:///etc/passwd"},
        {"verification_uri": "https://x.test/ and more"},
        {"verification_uri": "https://" + "x" * 500},
        {"device_code": "d d"},
        {"device_code": None},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_a_device_code_that_cannot_be_shown_is_not(wrong: dict[str, Any]) -> None:
    with pytest.raises(SignInError) as caught:
        await Host(CODE | wrong).user().device_code()
    assert caught.value.code == "odd-device-code"


async def test_waiting_is_bounded_whatever_the_host_says() -> None:
    for said, pause, lasts in ((0, 1, 1), (-5, 1, 1), (10**9, 60, 3600), ("x", 5, 900)):
        code = await Host(CODE | {"interval": said, "expires_in": said}).user().device_code()
        assert (code.pause, code.lasts) == (pause, lasts)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (TOKENS | {"refresh_token": "r\nr"}, SignInError),
        (TOKENS | {"refresh_token": 5}, SignInError),
        (TOKENS | {"refresh_token": "r" * 100_000}, SignInError),
        (TOKENS | {"access_token": None}, SignInError),
        (TOKENS | {"id_token": "not.a"}, TryLaterError),
        (TOKENS | {"id_token": "a.b.c"}, TryLaterError),
        (b"<html>", TryLaterError),
        ([], TryLaterError),
    ],
    ids=["broken", "number", "long", "none", "half", "no-json", "page", "list"],
)
async def test_tokens_that_cannot_be_ones_are_not_kept(answer: Any, error: type[ExchangeError]) -> None:
    with pytest.raises(error):
        await Host(answer).user().renew("r")


async def test_an_answer_without_a_refresh_token_keeps_the_one_before() -> None:
    host = Host({name: value for name, value in TOKENS.items() if name != "refresh_token"})
    assert (await host.user().renew("before")).refresh_token == "before"


@pytest.mark.parametrize("name", ["token_endpoint", "device_authorization_endpoint", "authorization_endpoint"])
async def test_metadata_that_leads_elsewhere_gets_no_token(name: str) -> None:
    host = Host(TOKENS, metadata=ENDPOINTS | {name: "https://elsewhere.test/token"})
    with pytest.raises(MisconfiguredError, match="another host"):
        await host.user().renew("r")
    assert host.posted == []


@pytest.mark.parametrize("number", [50173, 70008, 50055, 0])
async def test_a_refusal_repeats_nothing_of_what_the_host_says(number: int) -> None:
    told = {"error": "invalid_grant", "error_description": f"AADSTS{number}: {PLANTED}", "error_codes": [number]}
    with pytest.raises(SignInLostError) as caught:
        await Host(told, 400).user().renew("r")
    assert PLANTED not in str(caught.value)
    assert caught.value.code == (f"AADSTS{number}" if number else "invalid_grant")


@pytest.mark.parametrize("word", ["invalid_grant", "temporarily_unavailable"])
@pytest.mark.parametrize("number", [90033, 90024, 90006])
async def test_a_fault_that_passes_is_no_lost_sign_in(number: int, word: str) -> None:
    with pytest.raises(TryLaterError):
        await Host({"error": word, "error_codes": [number]}, 400).user().renew("r")


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_status_that_passes_is_no_lost_sign_in_whatever_is_said_with_it(status: int) -> None:
    with pytest.raises(TryLaterError):
        await Host({"error": "invalid_grant", "error_codes": [50173]}, status).user().renew("r")


async def test_a_replaced_certificate_is_taken_up_by_itself(tmp_path: Path) -> None:
    file = written(tmp_path, "app.pem", pem(key("old")), pem(certificate("old", days=(-90, -1))))
    user = Host(TOKENS).user(proof=Certificate(file))
    with pytest.raises(MisconfiguredError, match="ran out"):
        await user.renew("r")
    file.write_bytes(pem(key("app")) + pem(certificate("app")))
    assert (await user.renew("r")).access_token == "a"
    assert user.expires_at == certificate("app").not_valid_after_utc


class TestWords:
    def test_every_refusal_of_users_is_one_sentence_with_its_code(self) -> None:
        for number in (50173, 50076, 53003, 65001, 65004, 70020, 7000218, 50011, 54005, 700082):
            error = of_user(number, "invalid_grant")
            assert error is not None
            assert error.code == f"AADSTS{number}"
            assert str(error).endswith(f"(AADSTS{number})")

    def test_a_code_that_was_spent_is_no_lost_sign_in(self) -> None:
        error = of_user(54005, "invalid_grant")
        assert isinstance(error, SignInError)
        assert not isinstance(error, SignInLostError)
        assert "begin again" in str(error)

    def test_what_applications_get_as_well_is_left_to_their_words(self) -> None:
        assert of_user(7000215, "invalid_client") is None

    def test_a_browser_that_comes_back_with_an_error_is_told(self) -> None:
        assert "declined" in str(of_browser("access_denied"))
        assert "(server_error)" in str(of_browser("server_error"))


Refused = Callable[[str], ExchangeError | None]


class TestWhatExchangeSays:
    @pytest.mark.parametrize(
        ("diagnostics", "said"),
        [
            (f'2000003;reason="The audience {PLANTED} is invalid";error_category="invalid_resource"', "set resource"),
            (f'2000001;reason="{PLANTED}";error_category="invalid_lifetime"', "compare the clocks"),
            (f'2000008;reason="no permissions, {PLANTED}";error_category="invalid_grant"', "full_access_as_app"),
            (f'2000005;reason="{PLANTED}";error_category="invalid_user"', "knows no such account"),
            (f'2000000;reason="{PLANTED}";error_category="invalid_signature"', "does not trust"),
            (f'9999999;reason="{PLANTED}";error_category="something_new"', "(9999999, something_new)"),
            ("", "without a word why"),
            ("\x00" * 10_000, "without a word why"),
        ],
        ids=["audience", "clock", "rights", "user", "trust", "unknown", "nothing", "rubbish"],
    )
    def test_a_refused_token_is_told_in_our_words(self, diagnostics: str, said: str) -> None:
        error = token_refused(401, "mail.example.test", diagnostics, ['Bearer client_id="x", error="invalid_token"'])
        assert isinstance(error, SignInError)
        assert (error.code, said in str(error), PLANTED in str(error)) == ("http-401", True, False)

    def test_an_exchange_that_offers_no_tokens_is_told(self) -> None:
        error = token_refused(401, "mail.example.test", "", ["Negotiate", 'Basic realm="x"'])
        assert "takes no tokens here" in str(error)

    def test_a_right_that_is_missing_is_no_refused_sign_in(self) -> None:
        said = '2000008;reason="not enough scope";error_category="invalid_grant"'
        assert isinstance(token_refused(403, "h", said, []), NotPermittedError)
        assert token_refused(403, "h", "", []) is None
