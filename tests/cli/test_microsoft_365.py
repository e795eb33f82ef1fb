"""`greenroom config check` against Microsoft 365: what it says ahead, and what it says when something is wrong."""

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from greenroom.cli import main
from support.house import KEY, fill
from support.simulator import (
    CLIENT_ID,
    CLIENT_SECRET,
    EQUIPMENT,
    ORGANIZER,
    PASSWORD,
    SERVICE,
    SMALL_WORLD,
    RunningSimulator,
    running_simulator,
)

APP = "11111111-2222-3333-4444-555555555555"


def config(folder: Path, section: str, *, public: str = "https://meet.example.org", mailbox: str = EQUIPMENT) -> Path:
    file = folder / "greenroom.toml"
    file.write_text(f"""\
[service]
listen = "127.0.0.1:0"
public_url = "{public}"
[storage]
url = "sqlite:///{folder}/greenroom.db"
[[integration]]
number = 1
name = "main"
mailbox = "{mailbox}"
ticket_keys = [{{ id = 0, key = "{KEY}" }}]
{section}
""")
    return file


def exchange(sign_in: str, *, tenant: str = "example.org", client_id: str = APP, more: str = "") -> str:
    return f'[integration.exchange]\ntenant = "{tenant}"\nclient_id = "{client_id}"\n{sign_in}\n{more}\n'


def to(simulator: RunningSimulator, sign_in: str = "", **more: str) -> str:
    """The section for the simulator, in which single values may be others."""
    graph, login = more.pop("graph_url", simulator.url), more.pop("login_url", simulator.url)
    roots = (
        f'cloud = "custom"\nlogin_url = "{login}"\ngraph_url = "{graph}"\ntimeout_seconds = 5\n{more.pop("more", "")}'
    )
    given = {"tenant": simulator.tenant, "client_id": CLIENT_ID} | more
    return exchange(sign_in or f'client_secret = "{CLIENT_SECRET}"', more=roots, **given)


def check(file: Path, *more: str) -> Result:
    result = CliRunner().invoke(main, ["config", "check", "--json", "--config", str(file), *more])
    assert "planted" not in result.output
    assert CLIENT_SECRET not in result.output
    return result


def failure(file: Path, *, code: int = 3) -> dict[str, Any]:
    """What is wrong with the one thing that cannot be reached."""
    fill(file.parent)
    result = check(file, "--connect")
    assert result.exit_code == code, result.output
    told = json.loads(result.stdout)
    [wrong] = [one["failure"] for one in (*told["calendars"], *told["connect"]) if not one["ok"]]
    return dict(wrong)


def certificate(folder: Path, *, days: float, password: bytes | None = None) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "greenroom")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    file = folder / "greenroom.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    )
    return file


def calendar(file: Path, *, code: int = 0) -> dict[str, Any]:
    result = check(file)
    assert result.exit_code == code, result.output
    [one] = json.loads(result.stdout)["calendars"]
    return dict(one)


# --- without connecting -----------------------------------------------------------------------------------------------


def test_the_end_of_a_certificate_is_told_and_told_ahead(tmp_path: Path) -> None:
    file = config(tmp_path, exchange('certificate_file = "greenroom.pem"'))
    certificate(tmp_path, days=90)
    fine = calendar(file)
    assert "what signs in runs out on 20" in fine["note"]
    assert "soon" not in fine
    certificate(tmp_path, days=10.5)
    assert "runs out in 10 days" in calendar(file)["soon"]
    certificate(tmp_path, days=-1)
    assert "ran out on" in calendar(file)["soon"]


def test_the_end_of_a_secret_is_told_as_it_was_noted(tmp_path: Path) -> None:
    file = config(tmp_path, exchange('client_secret = "planted"\nclient_secret_expires = 2020-06-30'))
    assert "ran out on 2020-06-30" in calendar(file)["soon"]
    text = CliRunner().invoke(main, ["config", "check", "--config", str(file)]).output
    assert "! calendar of main: what signs in ran out on 2020-06-30" in text


@pytest.mark.parametrize(
    ("public", "more", "words"),
    [
        (
            "https://meet.example.org",
            "",
            "notified at https://meet.example.org/hooks/graph/main, and polling every 15 s",
        ),
        ("http://127.0.0.1:8080", "", "public_url is on this computer only, so polling every 15 s must do"),
        ("https://localhost", "", "public_url is on this computer only"),
        ("https://meet.example.org", "notifications = false", "notifications are off and polling every 15 s must do"),
    ],
)
def test_whether_notifications_can_be_had_is_said(tmp_path: Path, public: str, more: str, words: str) -> None:
    assert words in calendar(config(tmp_path, exchange('client_secret = "x"', more=more), public=public))["note"]


def test_a_certificate_that_cannot_be_used_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "greenroom.pem").write_text("nothing")
    file = config(tmp_path, exchange('certificate_file = "greenroom.pem"'))
    told = calendar(file, code=2)["failure"]
    assert told["what"].startswith("integration[main].exchange: ")
    assert "greenroom.pem" in told["what"]
    certificate(tmp_path, days=90, password=b"planted-passphrase")
    assert calendar(file, code=2)["failure"]["code"] == "certificate-passphrase"
    served = CliRunner().invoke(main, ["serve", "--config", str(file)])
    assert served.exit_code == 2
    assert "integration[main].exchange: the key in" in " ".join(served.output.split())


# --- with a tenant ----------------------------------------------------------------------------------------------------


def test_signing_in_opens_the_calendar(tmp_path: Path) -> None:
    with running_simulator() as simulator:
        file = config(tmp_path, to(simulator))
        fill(tmp_path)
        result = check(file, "--connect")
    assert result.exit_code == 0, result.output
    assert f"mailbox {EQUIPMENT}" in [one["what"] for one in json.loads(result.stdout)["connect"]]


def test_a_wrong_secret_is_told_with_the_way_to_a_new_one(tmp_path: Path) -> None:
    with running_simulator() as simulator:
        told = failure(config(tmp_path, to(simulator, 'client_secret = "planted-wrong"')))
    assert told["code"] == "sign-in-refused"
    assert "client secret is wrong" in told["what"]
    assert "integration[main].exchange.client_secret" in told["next"]


def test_a_wrong_tenant_and_a_wrong_application_are_told_apart(tmp_path: Path) -> None:
    with running_simulator() as simulator:
        tenant = failure(config(tmp_path, to(simulator, tenant="nowhere.example")))
        application = failure(config(tmp_path, to(simulator, client_id=APP)))
    assert "no such directory" in tenant["what"]
    assert "application is not known" in application["what"]
    assert "client_id" in application["next"]


def test_a_certificate_that_ran_out_is_not_sent_at_all(tmp_path: Path) -> None:
    certificate(tmp_path, days=-1)
    with running_simulator() as simulator:
        told = failure(config(tmp_path, to(simulator, 'certificate_file = "greenroom.pem"')))
        assert simulator.calls("Token") == 0
    assert told["code"] == "certificate-expired"
    assert "make a new certificate" in told["next"].lower()


def test_a_mailbox_outside_the_scope_is_told_with_the_cmdlet_that_shows_it(tmp_path: Path) -> None:
    world = {**SMALL_WORLD, "applications": [{"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "scope": [ORGANIZER]}]}
    with running_simulator(world) as simulator:
        told = failure(config(tmp_path, to(simulator)))
    assert told["code"] == "no-right"
    assert f"Test-ServicePrincipalAuthorization -Identity {CLIENT_ID} -Resource {EQUIPMENT}" in told["next"]
    assert "two hours" in told["what"]
    assert "greenroom setup microsoft-365" in told["next"]


def test_a_mailbox_that_is_not_in_the_tenant_is_told(tmp_path: Path) -> None:
    with running_simulator() as simulator:
        told = failure(config(tmp_path, to(simulator), mailbox="nobody@sim.test"))
    assert "nobody@sim.test" in told["what"] + told["next"]


@pytest.mark.parametrize("root", ["login_url", "graph_url"])
def test_a_port_where_nothing_listens_is_told(tmp_path: Path, root: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with running_simulator() as simulator:
        told = failure(config(tmp_path, to(simulator, **{root: nobody})))
    assert told["code"] == "unreachable"
    assert "refuses connections" in told["what"]
    assert "firewall" in told["next"]


def test_a_proxy_that_is_not_there_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxy = f'proxy = "http://127.0.0.1:{taken.getsockname()[1]}"'
    with running_simulator() as simulator:
        told = failure(config(tmp_path, to(simulator, more=proxy, graph_url="https://127.0.0.1:9")))
    assert "The way there leads through http://127.0.0.1:" in told["next"]
    assert "integration[main].exchange.proxy" in told["next"]


def test_the_second_exchange_of_a_hybrid_organisation_is_tried_too(tmp_path: Path) -> None:
    with running_simulator() as simulator:
        organizers = f"""
            [integration.organizers]
            url = "{simulator.ews_url}"
            username = "{SERVICE}"
            password = "{PASSWORD}"
            mailbox = "{ORGANIZER}"
        """
        fill(tmp_path)
        result = check(config(tmp_path, to(simulator) + organizers), "--connect")
        assert result.exit_code == 0, result.output
        there = f"organizers' Exchange, with mailbox {ORGANIZER}"
        assert there in [one["what"] for one in json.loads(result.stdout)["connect"]]
        told = failure(config(tmp_path, to(simulator) + organizers.replace(PASSWORD, "planted-wrong")))
    assert "Correct username and password of integration[main].organizers" in told["next"]
