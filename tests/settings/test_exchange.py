"""The sections that speak one of two protocols."""

import base64
from datetime import date
from pathlib import Path

import pytest

from greenroom.settings import (
    EwsExchange,
    GraphExchange,
    GraphOrganizers,
    Problem,
    Settings,
    SettingsError,
    load_settings,
)

KEY = base64.b64encode(bytes(range(32))).decode()
APP = "11111111-2222-3333-4444-555555555555"
HEAD = f"""\
[service]
public_url = "https://meet.example.org"
[[integration]]
number = 1
name = "main"
mailbox = "rooms@example.org"
ticket_keys = [{{ id = 0, key = "{KEY}" }}]
"""
GRAPH = f"""\
[integration.exchange]
tenant = "Example.onmicrosoft.com"
client_id = "{APP}"
client_secret = "planted-secret"
"""
EWS = """\
[integration.exchange]
url = "https://mail.example.org/EWS/Exchange.asmx"
username = "svc"
password = "planted-password"
"""
FIRST = HEAD.count("\n") + 1
"""The line of the section's header."""


def load(tmp_path: Path, section: str, env: dict[str, str] | None = None) -> Settings:
    file = tmp_path / "greenroom.toml"
    file.write_text(HEAD + section)
    return load_settings(file, env or {})


def graph(tmp_path: Path, section: str, env: dict[str, str] | None = None) -> GraphExchange:
    exchange = load(tmp_path, section, env).integration[0].exchange
    assert isinstance(exchange, GraphExchange)
    return exchange


def problems(tmp_path: Path, section: str, env: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, section, env)
    assert "planted" not in str(caught.value)
    return caught.value.problems


def only(found: list[Problem]) -> Problem:
    assert len(found) == 1, found
    return found[0]


def test_the_protocol_follows_from_the_settings_that_are_there(tmp_path: Path) -> None:
    exchange = graph(tmp_path, GRAPH)
    assert (exchange.protocol, exchange.tenant, exchange.client_id) == ("graph", "example.onmicrosoft.com", APP)
    assert exchange.cloud == "global"
    assert isinstance(load(tmp_path, EWS).integration[0].exchange, EwsExchange)
    named = f'{GRAPH}protocol = "graph"\n'
    assert graph(tmp_path, named) == exchange


def test_the_environment_alone_can_say_it(tmp_path: Path) -> None:
    env = {
        "GREENROOM_INTEGRATION__MAIN__EXCHANGE__TENANT": APP.upper(),
        "GREENROOM_INTEGRATION__MAIN__EXCHANGE__MANAGED_IDENTITY": "System",
    }
    exchange = graph(tmp_path, "", env)
    assert (exchange.tenant, exchange.managed_identity, exchange.client_id) == (APP, "system", None)


def test_a_protocol_that_nothing_tells_or_that_two_things_tell_is_asked_for(tmp_path: Path) -> None:
    neither = only(problems(tmp_path, "[integration.exchange]\npoll_seconds = 5\n"))
    assert neither.key == "integration[main].exchange.protocol"
    assert "neither url nor tenant" in neither.message
    assert neither.line == FIRST
    both = only(problems(tmp_path, EWS + 'tenant = "example.org"\n'))
    assert (both.key, both.allowed) == (neither.key, neither.allowed)
    assert "tenant and url belong to different protocols" in both.message


def test_a_protocol_that_does_not_exist_is_told(tmp_path: Path) -> None:
    problem = only(problems(tmp_path, f'{EWS}protocol = "imap"\n'))
    assert (problem.line, problem.key) == (FIRST + 4, "integration[main].exchange.protocol")
    assert problem.message == '"imap" is not known here'
    assert '"graph" for Microsoft 365' in problem.allowed


def test_a_setting_of_the_other_protocol_is_told_with_its_place_and_why(tmp_path: Path) -> None:
    problem = only(problems(tmp_path, f'{GRAPH}protocol = "graph"\nimpersonate = true\n'))
    assert (problem.line, problem.key) == (FIRST + 5, "integration[main].exchange.impersonate")
    assert problem.message == 'is a setting of protocol = "ews", and this table has protocol = "graph"'
    assert "update_organizers" in problem.allowed
    assert "impersonate" not in problem.allowed
    problem = only(problems(tmp_path, f'{EWS}protocol = "ews"\nproxy = "http://proxy:3128"\n'))
    assert 'is a setting of protocol = "graph"' in problem.message


def test_a_misspelled_setting_suggests_one_of_its_own_protocol(tmp_path: Path) -> None:
    problem = only(problems(tmp_path, f"{GRAPH}notification = true\n"))
    assert "did you mean notifications?" in problem.message
    assert problem.line == FIRST + 4


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("Example.onmicrosoft.com", "common", "tenant", "no tenant of its own"),
        ("Example.onmicrosoft.com", "Example", "tenant", "neither a GUID nor a domain"),
        (APP, "Greenroom", "client_id", '"Greenroom" is not a GUID'),
        (f'client_id = "{APP}"', "", "client_id", "which application signs in"),
        ('client_secret = "planted-secret"', "", "certificate_file", "nothing here signs in"),
        ("client_secret =", 'client_secret_expires = "soon"\nclient_secret =', "client_secret_expires", "not a date"),
        ("client_secret =", 'managed_identity = "me"\nclient_secret =', "managed_identity", "is not a GUID"),
        ("client_secret =", 'certificate_password = "x"\nclient_secret =', "certificate_password", "has no use"),
        ("client_secret =", 'cloud = "gcc"\nclient_secret =', "cloud", "is not known here"),
        ("client_secret =", 'graph_url = "https://x"\nclient_secret =', "graph_url", 'no use with cloud = "global"'),
        ("client_secret =", 'proxy = "http://proxy"\nclient_secret =', "proxy", "not the address of a proxy"),
        ("client_secret =", 'proxy = "http://planted@p:1"\nclient_secret =', "proxy", "user name or password"),
        ("client_secret =", 'certificate_file = "gone"\nclient_secret =', "certificate_file", "No such file"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    section = GRAPH.replace(old, new)
    assert section != GRAPH
    found = [one for one in problems(tmp_path, section) if one.key == f"integration[main].exchange.{key}"]
    assert words in only(found).message
    assert found[0].allowed


def test_signing_in_in_two_ways_is_a_mistake_wherever_the_second_is_given(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("x")
    problem = only(problems(tmp_path, f'{GRAPH}certificate_file = "cert.pem"\n'))
    assert problem.key == "integration[main].exchange.client_secret"
    assert problem.message == "is a second way to sign in besides certificate_file"
    variable = "GREENROOM_INTEGRATION__MAIN__EXCHANGE__MANAGED_IDENTITY"
    assert only(problems(tmp_path, GRAPH, {variable: "system"})).key == variable


def test_secrets_come_from_files_and_certificates_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    (tmp_path / "cert.pfx").write_bytes(b"\xff\x00binary")
    expires = "client_secret_expires = 2027-06-30\n"
    section = GRAPH.replace('client_secret = "planted-secret"', 'client_secret_file = "secret"')
    exchange = graph(tmp_path, section + expires)
    assert exchange.client_secret is not None
    assert exchange.client_secret.get_secret_value() == "from-file"
    assert exchange.client_secret_expires == date(2027, 6, 30)
    section = GRAPH.replace('client_secret = "planted-secret"', 'certificate_file = "cert.pfx"')
    exchange = graph(tmp_path, f'{section}certificate_password_file = "secret"\n')
    assert exchange.certificate_file == tmp_path / "cert.pfx"
    assert exchange.certificate_password is not None
    assert exchange.certificate_password.get_secret_value() == "from-file"


def test_a_cloud_of_ones_own_takes_both_addresses_over_https_or_on_this_computer(tmp_path: Path) -> None:
    custom = f'{GRAPH}cloud = "custom"\n'
    assert [one.key.rpartition(".")[2] for one in problems(tmp_path, custom)] == ["login_url", "graph_url"]
    here = 'login_url = "http://127.0.0.1:8025"\ngraph_url = "http://127.0.0.1:8025/"\n'
    assert graph(tmp_path, custom + here).graph_url == "http://127.0.0.1:8025"
    assert "http to another computer" in str(problems(tmp_path, custom + here.replace("127.0.0.1", "evil.example")))
    assert "must not have a path" in str(problems(tmp_path, custom + here.replace('8025/"', '8025/v1.0"')))


def test_organizers_may_have_an_exchange_of_their_own_of_either_protocol(tmp_path: Path) -> None:
    there = GRAPH.replace("integration.exchange", "integration.organizers")
    [main] = load(tmp_path, f'{EWS}{there}mailbox = "You@example.org"\n').integration
    assert isinstance(main.organizers, GraphOrganizers)
    assert main.organizers.mailbox == "you@example.org"
    problem = only(problems(tmp_path, EWS + there))
    assert (problem.line, problem.key) == (FIRST + 4, "integration[main].organizers.mailbox")
    found = problems(tmp_path, f'{EWS}{there}mailbox = "you@example.org"\npoll_seconds = 5\n')
    assert "it belongs to [integration.exchange]" in only(found).message
    wrong = there.replace('client_secret = "planted-secret"', 'mailbox = "you@example.org"')
    assert only(problems(tmp_path, EWS + wrong)).key == "integration[main].organizers.certificate_file"


def test_secrets_are_in_no_representation(tmp_path: Path) -> None:
    settings = load(tmp_path, GRAPH)
    assert "planted" not in repr(settings) + str(settings) + repr(settings.integration[0].exchange)


def test_ad_fs_is_at_no_microsoft_cloud(tmp_path: Path) -> None:
    oauth = f'auth = "oauth"\n[integration.exchange.oauth]\ntenant = "adfs"\nclient_id = "{APP}"\nclient_secret = "planted"\n'
    section = EWS.replace('password = "planted-password"', oauth)
    assert only(problems(tmp_path, section)).key == "integration[main].exchange.oauth.cloud"
    graph_free = f'{section}cloud = "custom"\nlogin_url = "https://adfs.example.org"\n'
    file = tmp_path / "greenroom.toml"
    file.write_text(HEAD + graph_free)
    assert load_settings(file, {}).integration[0].exchange.protocol == "ews"
