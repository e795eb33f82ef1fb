"""Signing in to the simulated management API, its roles, and its limit of requests."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from greenroom.simulator.clock import SimulatorClock
from greenroom.simulator.pexip import Client, Pexip, User
from support.pexip_calls import CONFERENCES, calling

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TOKEN = "/oauth/token/"
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def assertion(key: ec.EllipticCurvePrivateKey = KEY, head: str = "ES256", **changed: Any) -> dict[str, str]:
    begun = int(NOW.timestamp())
    claims = {"iss": "us", "sub": "us", "aud": f"http://127.0.0.1{TOKEN}", "iat": begun, "exp": begun + 300, "jti": "1"}
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    signed = ".".join(coded(json.dumps(part).encode()) for part in ({"alg": head, "typ": "JWT"}, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": f"{signed}.{coded(r.to_bytes(32) + s.to_bytes(32))}",
        "scope": "is_admin use_api",
    }


def platform() -> Pexip:
    pexip = Pexip(SimulatorClock(NOW, frozen=True))
    pexip.sign_in.clients["us"] = Client(PUBLIC.decode())
    return pexip


async def listed(http: httpx2.AsyncClient, token: str) -> int:
    return (await http.get(CONFERENCES, headers={"Authorization": f"Bearer {token}"})).status_code


async def test_a_wrong_password_or_none_is_refused() -> None:
    pexip = Pexip()
    for auth in (("admin", "wrong"), ("nobody", "pexip-admin"), None):
        async with calling(pexip, auth) as http:
            refused = await http.get(CONFERENCES)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"].startswith("Basic")


async def test_somebody_who_may_only_read_is_forbidden_to_change() -> None:
    pexip = Pexip()
    pexip.sign_in.users["reader"] = User("pw", read_only=True)
    async with calling(pexip, ("reader", "pw")) as http:
        assert (await http.get(CONFERENCES)).status_code == 200
        assert (await http.post(CONFERENCES, json={"name": "x"})).status_code == 403


async def test_a_signed_assertion_gets_a_token_for_an_hour() -> None:
    pexip = platform()
    async with calling(pexip, None) as http:
        given = (await http.post(TOKEN, data=assertion())).json()
        assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
        assert await listed(http, given["access_token"]) == 200
        assert pexip.calls.made(target="token")[0].status == 200
        pexip.clock.advance(timedelta(minutes=61))  # type: ignore[attr-defined]  # the simulator's own clock
        assert await listed(http, given["access_token"]) == 401


async def test_an_assertion_counts_once() -> None:
    async with calling(platform(), None) as http:
        assert (await http.post(TOKEN, data=assertion())).status_code == 200
        assert (await http.post(TOKEN, data=assertion())).status_code == 401
        assert (await http.post(TOKEN, data=assertion(jti="2"))).status_code == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"aud": "https://elsewhere/oauth/token/"}, "invalid_client"),
        ({"iss": "other"}, "invalid_client"),
        ({"sub": "other", "iss": "other"}, "invalid_client"),
        ({"exp": int(NOW.timestamp())}, "invalid_grant"),
        ({"exp": None}, "invalid_grant"),
        ({"iat": int(NOW.timestamp()) + 600}, "invalid_grant"),
        ({"jti": None}, "invalid_client"),
        ({"head": "HS256"}, "invalid_grant"),
        ({"key": ec.generate_private_key(ec.SECP256R1())}, "invalid_grant"),
    ],
    ids=["audience", "issuer", "unknown", "over", "endless", "future", "without id", "algorithm", "key"],
)
async def test_assertions_that_prove_nothing_are_refused(changed: dict[str, Any], error: str) -> None:
    async with calling(platform(), None) as http:
        refused = await http.post(TOKEN, data=assertion(**changed))
        assert refused.status_code in (400, 401)
        assert refused.json()["error"] == error


async def test_the_platform_may_want_its_inner_name_as_audience() -> None:
    pexip = platform()
    pexip.sign_in.audience = "pexmgr.inner.example"
    async with calling(pexip, None) as http:
        assert (await http.post(TOKEN, data=assertion())).json()["error_description"] == "invalid_claim"
        inner = assertion(aud="https://pexmgr.inner.example/oauth/token/")
        assert (await http.post(TOKEN, data=inner)).status_code == 200


async def test_other_forms_of_asking_for_a_token_are_refused() -> None:
    async with calling(platform(), None) as http:
        assert (await http.post(TOKEN, data={**assertion(), "grant_type": "password"})).status_code == 400
        assert (await http.post(TOKEN, data={"grant_type": "client_credentials"})).status_code == 400
        assert (await http.post(TOKEN, data={**assertion(), "scope": "everything"})).json()["error"] == "invalid_scope"
        assert (await http.post(TOKEN, data={**assertion(), "client_assertion": "a.b"})).status_code == 400


async def test_revoked_tokens_are_worthless() -> None:
    pexip = platform()
    async with calling(pexip, None) as http:
        token = (await http.post(TOKEN, data=assertion())).json()["access_token"]
        pexip.sign_in.revoke_all()
        assert await listed(http, token) == 401


async def test_more_than_a_thousand_requests_a_minute_are_refused_until_the_window_moves() -> None:
    pexip = Pexip(SimulatorClock(NOW, frozen=True))
    pexip.options.requests_per_minute = 3
    async with calling(pexip) as http:
        assert [(await http.get(CONFERENCES)).status_code for _ in range(4)] == [200, 200, 200, 429]
        pexip.clock.advance(timedelta(seconds=20))  # type: ignore[attr-defined]  # the simulator's own clock
        assert (await http.get(CONFERENCES)).headers["Retry-After"] == "40"
        pexip.options.retry_after = False
        refused = await http.get(CONFERENCES)
        assert (refused.status_code, refused.headers.get("Retry-After")) == (429, None)
        assert refused.headers["Content-Type"].startswith("text/plain")
        pexip.clock.advance(timedelta(seconds=40))  # type: ignore[attr-defined]  # the simulator's own clock
        assert (await http.get(CONFERENCES)).status_code == 200
