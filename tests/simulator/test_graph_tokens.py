"""The token endpoint and its neighbours, as Entra ID and a machine's metadata service answer."""

import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from greenroom.simulator import seeding
from support.simulator import (
    CLIENT_ID,
    CLIENT_SECRET,
    EQUIPMENT,
    RunningSimulator,
    simulator_in_loop,
)

SCOPE = "https://graph.microsoft.com/.default"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CERTIFIED, FEDERATED = "certified-app", "federated-app"
ISSUER = "https://issuer.test"


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with simulator_in_loop() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificate_of(key: rsa.RSAPrivateKey, *, days: int = 1) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "greenroom")])
    end = datetime.now(UTC) + timedelta(days=days)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(end - timedelta(days=30)).not_valid_after(end)
    return builder.sign(key, hashes.SHA256())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key: rsa.RSAPrivateKey, head: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}".encode()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    how: padding.AsymmetricPadding = pss if head["alg"] == "PS256" else padding.PKCS1v15()
    return f"{text.decode()}.{b64(key.sign(text, how, hashes.SHA256()))}"


async def ask(
    http: httpx2.AsyncClient, sim: RunningSimulator, tenant: str | None = None, **form: str
) -> httpx2.Response:
    given = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "scope": SCOPE} | form
    return await http.post(f"{sim.login_url}/{tenant or sim.tenant}/oauth2/v2.0/token", data=given)


async def test_a_secret_buys_a_token_that_opens_graph_for_an_hour(
    sim: RunningSimulator, http: httpx2.AsyncClient
) -> None:
    reply = await ask(http, sim, client_secret=CLIENT_SECRET)
    assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-store, no-cache")
    assert (reply.json()["token_type"], reply.json()["expires_in"]) == ("Bearer", 3599)
    headers = {"Authorization": f"Bearer {reply.json()['access_token']}"}
    url = f"{sim.graph_url}/subscriptions"
    assert (await http.get(url, headers=headers)).status_code != 401
    sim.clock.advance(timedelta(seconds=3600))
    refused = await http.get(url, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("form", "tenant", "refusal"),
    [
        ({"client_secret": "wrong"}, None, (401, "invalid_client", 7000215)),
        ({}, None, (401, "invalid_client", 7000218)),
        ({"client_secret": CLIENT_SECRET, "client_id": "nobody"}, None, (400, "unauthorized_client", 700016)),
        ({"client_secret": CLIENT_SECRET}, "00000000-0000-0000-0000-000000000000", (400, "invalid_request", 90002)),
        ({"client_secret": CLIENT_SECRET, "scope": "User.Read"}, None, (400, "invalid_scope", 70011)),
        ({"client_secret": CLIENT_SECRET, "grant_type": "password"}, None, (400, "unsupported_grant_type", 70003)),
        ({"client_assertion": "a.b.c", "client_assertion_type": ASSERTION}, None, (401, "invalid_client", 50027)),
    ],
)
async def test_refusals_carry_the_codes_of_entra(
    sim: RunningSimulator,
    http: httpx2.AsyncClient,
    form: dict[str, str],
    tenant: str | None,
    refusal: tuple[int, str, int],
) -> None:
    status, error, code = refusal
    reply = await ask(http, sim, tenant, **form)
    told = reply.json()
    assert (reply.status_code, told["error"], told["error_codes"]) == (status, error, [code])
    assert told["error_description"].startswith(f"AADSTS{code}: ")
    assert {"trace_id", "correlation_id", "timestamp"} <= set(told)
    assert CLIENT_SECRET not in reply.text


async def test_the_tenant_may_be_named_by_a_domain(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    assert (await ask(http, sim, "sim.test", client_secret=CLIENT_SECRET)).status_code == 200
    assert (await ask(http, sim, "other.test", client_secret=CLIENT_SECRET)).json()["error_codes"] == [90002]


async def test_an_expired_secret_is_told_from_a_wrong_one(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    expires = (sim.clock() + timedelta(days=1)).isoformat()
    seeding.add_application(sim.exchange, {"client_id": "aging", "secret": "s", "secret_expires": expires})
    assert (await ask(http, sim, client_id="aging", client_secret="s")).status_code == 200
    sim.clock.advance(timedelta(days=2))
    assert (await ask(http, sim, client_id="aging", client_secret="s")).json()["error_codes"] == [7000222]


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
async def test_an_assertion_signed_with_the_certificate_is_taken(
    sim: RunningSimulator, http: httpx2.AsyncClient, key: rsa.RSAPrivateKey, algorithm: str
) -> None:
    certificate = certificate_of(key)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    seeding.add_application(sim.exchange, {"client_id": CERTIFIED, "certificate": pem})
    url = f"{sim.login_url}/{sim.tenant}/oauth2/v2.0/token"
    head = {"alg": algorithm, "x5t#S256": b64(certificate.fingerprint(hashes.SHA256()))}
    claims = {"aud": url, "iss": CERTIFIED, "sub": CERTIFIED, "exp": time.time() + 600, "nbf": time.time()}

    async def codes(
        head: Mapping[str, Any], claims: Mapping[str, Any], by: rsa.RSAPrivateKey = key
    ) -> list[int] | None:
        form = {"client_assertion": signed(by, head, claims), "client_assertion_type": ASSERTION}
        told = (await ask(http, sim, client_id=CERTIFIED, **form)).json()
        return None if "access_token" in told else list(told["error_codes"])

    assert await codes(head, claims) is None
    assert await codes({"alg": algorithm, "x5t": b64(certificate.fingerprint(hashes.SHA1()))}, claims) is None
    assert await codes({"alg": algorithm}, claims) == [700027]
    assert await codes(head | {"x5t": "AAAA"}, claims) == [700027]
    assert await codes(head, claims, rsa.generate_private_key(65537, 2048)) == [700027]
    assert await codes(head, claims | {"aud": "https://elsewhere.test"}) == [700023]
    assert await codes(head, claims | {"exp": time.time() - 1}) == [700024]
    assert await codes(head, claims | {"iss": "somebody"}) == [700021]


async def test_a_certificate_that_has_run_out_buys_nothing(
    sim: RunningSimulator, http: httpx2.AsyncClient, key: rsa.RSAPrivateKey
) -> None:
    certificate = certificate_of(key, days=-1)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    seeding.add_application(sim.exchange, {"client_id": CERTIFIED, "certificate": pem})
    url = f"{sim.login_url}/{sim.tenant}/oauth2/v2.0/token"
    head = {"alg": "RS256", "x5t#S256": b64(certificate.fingerprint(hashes.SHA256()))}
    claims = {"aud": url, "iss": CERTIFIED, "sub": CERTIFIED, "exp": time.time() + 600}
    form = {"client_assertion": signed(key, head, claims), "client_assertion_type": ASSERTION}
    assert (await ask(http, sim, client_id=CERTIFIED, **form)).json()["error_codes"] == [700027]


async def test_a_federated_assertion_counts_by_issuer_subject_and_key(
    sim: RunningSimulator, http: httpx2.AsyncClient, key: rsa.RSAPrivateKey
) -> None:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
    federated = {"issuer": ISSUER, "subject": "system:greenroom", "key": public}
    seeding.add_application(sim.exchange, {"client_id": FEDERATED, "federated": federated})
    claims = {
        "iss": ISSUER,
        "sub": "system:greenroom",
        "aud": "api://AzureADTokenExchange",
        "exp": time.time() + 600,
    }

    async def told(claims: Mapping[str, Any]) -> dict[str, Any]:
        form = {"client_assertion": signed(key, {"alg": "RS256"}, claims), "client_assertion_type": ASSERTION}
        return dict((await ask(http, sim, client_id=FEDERATED, **form)).json())

    assert "access_token" in await told(claims)
    assert (await told(claims | {"sub": "another"}))["error_codes"] == [700213]
    assert (await told(claims | {"iss": "https://another.test"}))["error_codes"] == [700211]


async def test_discovery_names_the_endpoints(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    found = (await http.get(f"{sim.login_url}/{sim.tenant}/v2.0/.well-known/openid-configuration")).json()
    assert found["token_endpoint"] == f"{sim.login_url}/{sim.tenant}/oauth2/v2.0/token"
    assert found["issuer"] == f"{sim.login_url}/{sim.tenant}/v2.0"
    assert (await http.get(found["jwks_uri"])).json() == {"keys": []}
    instance = await http.get(
        f"{sim.login_url}/common/discovery/instance",
        params={"authorization_endpoint": f"{sim.login_url}/{sim.tenant}/oauth2/v2.0/authorize"},
    )
    assert (await http.get(instance.json()["tenant_discovery_endpoint"])).json() == found
    unknown = await http.get(f"{sim.login_url}/nowhere/v2.0/.well-known/openid-configuration")
    assert (unknown.status_code, unknown.json()["error_codes"]) == (400, [90002])


async def test_a_managed_identity_asks_the_metadata_service(sim: RunningSimulator, http: httpx2.AsyncClient) -> None:
    url = f"{sim.login_url}/metadata/identity/oauth2/token"
    query = {"api-version": "2018-02-01", "resource": "https://graph.microsoft.com"}
    reply = await http.get(url, params=query, headers={"Metadata": "true"})
    assert (reply.status_code, reply.json()["client_id"], reply.json()["expires_in"]) == (200, CLIENT_ID, "3599")
    assert (await http.get(url, params=query)).status_code == 400
    assert (await http.get(url, headers={"Metadata": "true"})).status_code == 400
    other = await http.get(url, params=query | {"client_id": "nobody"}, headers={"Metadata": "true"})
    assert other.status_code == 400


async def test_token_requests_are_counted_and_struck_only_by_name(
    sim: RunningSimulator, http: httpx2.AsyncClient
) -> None:
    everywhere = sim.fail(kind="http_503")
    assert (await ask(http, sim, client_secret=CLIENT_SECRET)).status_code == 200
    sim.faults.remove(everywhere)
    sim.fail(kind="http_503", operation="Token", retry_after=7, times=1)
    struck = await ask(http, sim, client_secret=CLIENT_SECRET)
    assert (struck.status_code, struck.headers["Retry-After"]) == (503, "7")
    assert struck.json()["error"] == "temporarily_unavailable"
    sim.fail(kind="garbage_reply", operation="Discovery", times=1)
    garbage = await http.get(f"{sim.login_url}/{sim.tenant}/v2.0/.well-known/openid-configuration")
    assert garbage.text.startswith("<html>")
    sim.fail(kind="timeout_before", operation="Token", times=1)
    with pytest.raises(httpx2.TransportError):
        await ask(http, sim, client_secret=CLIENT_SECRET)
    assert sim.calls("Token") == 3
    await ask(http, sim, client_secret="wrong")
    assert sim.counters.snapshot()["auth_failures"] == {CLIENT_ID: 1}


async def test_an_application_that_was_taken_away_has_no_token_any_more(
    sim: RunningSimulator, http: httpx2.AsyncClient
) -> None:
    headers = sim.bearer()
    url = f"{sim.graph_url}/users/{EQUIPMENT}/nothing"
    assert (await http.get(url, headers=headers)).status_code == 400
    sim.exchange.site.directory.applications.clear()
    assert (await http.get(url, headers=headers)).status_code == 401
