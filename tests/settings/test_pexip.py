"""[integration.pexip] and its tables."""

import base64
from pathlib import Path

import pytest

from greenroom.meetings.dialling import Phone as DialledPhone
from greenroom.meetings.dialling import WaysToJoin
from greenroom.settings import Problem, Settings, SettingsError, load_settings
from greenroom.settings.pexip import Pexip
from greenroom.settings.ways import ways_of

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()
SERVICE = '[service]\npublic_url = "https://meet.example.org"\n'
MANAGEMENT = """\
[integration.pexip.management]
url = "https://manager.example.org"
username = "svc"
password = "planted-password"
"""
POLICY = """\
[integration.pexip.policy]
username = "policy"
password = "planted-password"
"""


def integration(number: int = 1, key: str = KEY, kind: str = "pexip") -> str:
    return f"""\
[[integration]]
number = {number}
name = "i{number}"
mailbox = "rooms{number}@example.org"
ticket_keys = [{{ id = 0, key = "{key}" }}]
[integration.alias]
prefix = "{number}"
[integration.exchange]
url = "https://mail.example.org/EWS/Exchange.asmx"
username = "svc"
password = "planted-password"
[integration.platform]
kind = "{kind}"
"""


def load(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Settings:
    file = tmp_path / "greenroom.toml"
    file.write_text(SERVICE + text)
    return load_settings(file, env or {})


def pexip(tmp_path: Path, tables: str, env: dict[str, str] | None = None) -> Pexip:
    found = load(tmp_path, integration() + tables, env).integration[0].pexip
    assert found is not None
    return found


def problems(tmp_path: Path, text: str) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert "planted" not in str(caught.value)
    return caught.value.problems


def keys(tmp_path: Path, text: str) -> list[str]:
    return [problem.key for problem in problems(tmp_path, text)]


def test_rooms_are_made_ahead_with_the_management_api_and_never_without(tmp_path: Path) -> None:
    assert pexip(tmp_path, MANAGEMENT).makes_rooms == "ahead"
    assert pexip(tmp_path, MANAGEMENT + POLICY).makes_rooms == "ahead"
    assert pexip(tmp_path, POLICY).makes_rooms == "none"
    assert (
        pexip(tmp_path, '[integration.pexip]\nprovisioning = "just-in-time"\n' + MANAGEMENT).makes_rooms
        == "just-in-time"
    )


def test_secrets_come_from_files_and_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "client.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    table = '[integration.pexip.management]\nurl = "https://m.example.org"\nclient_id = "c"\nprivate_key_file = "client.pem"\n'
    env = {"GREENROOM_INTEGRATION__I1__PEXIP__POLICY__PASSWORD": "from-outside"}
    found = pexip(tmp_path, table + '[integration.pexip.policy]\nusername = "policy"\n', env)
    assert found.management is not None
    assert found.management.private_key is not None
    assert found.management.private_key.get_secret_value() == "-----BEGIN PRIVATE KEY-----"
    assert found.policy is not None
    assert found.policy.password is not None
    assert found.policy.password.get_secret_value() == "from-outside"


def test_the_kind_and_the_table_go_together(tmp_path: Path) -> None:
    assert keys(tmp_path, integration()) == ["integration[i1].platform.kind"]
    assert keys(tmp_path, integration(kind="embedded") + POLICY) == ["integration[i1].pexip"]


def test_one_of_the_two_ways_is_needed(tmp_path: Path) -> None:
    assert keys(tmp_path, integration() + "[integration.pexip]\nlead = 5\n") == ["integration[i1].pexip"]
    none = '[integration.pexip]\nprovisioning = "none"\n'
    assert keys(tmp_path, integration() + none + MANAGEMENT) == ["integration[i1].pexip.provisioning"]
    ahead = '[integration.pexip]\nprovisioning = "ahead"\n'
    assert keys(tmp_path, integration() + ahead + POLICY) == ["integration[i1].pexip.provisioning"]


def test_signing_in_to_the_management_node_is_said_once_and_wholly(tmp_path: Path) -> None:
    here = "integration[i1].pexip.management"
    url = '[integration.pexip.management]\nurl = "https://m.example.org"\n'
    assert keys(tmp_path, integration() + url) == [f"{here}.username"]
    assert keys(tmp_path, integration() + url + 'username = "a"\n') == [f"{here}.password"]
    assert keys(tmp_path, integration() + url + 'client_id = "a"\n') == [f"{here}.private_key"]
    assert keys(tmp_path, integration() + MANAGEMENT + 'client_id = "a"\n') == [f"{here}.client_id"]


def test_a_room_just_in_time_is_made_before_the_nodes_need_it(tmp_path: Path) -> None:
    late = '[integration.pexip]\nprovisioning = "just-in-time"\nlead = 2\nreplication_seconds = 300\n'
    [problem] = problems(tmp_path, integration() + late + MANAGEMENT)
    assert problem.key == "integration[i1].pexip.lead"
    assert problem.allowed == "at least 5 minutes"


def test_integrations_that_share_a_policy_user_share_its_password(tmp_path: Path) -> None:
    both = integration() + POLICY + integration(2, OTHER) + POLICY
    assert len(load(tmp_path, both).integration) == 2
    apart = both.removesuffix('password = "planted-password"\n') + 'password = "planted-other"\n'
    assert keys(tmp_path, apart) == ["integration[i2].pexip.policy.password"]


def test_networks_are_addresses_or_networks(tmp_path: Path) -> None:
    found = pexip(tmp_path, POLICY + 'networks = ["10.1.2.3/16", "2001:db8::1"]\n')
    assert found.policy is not None
    assert found.policy.networks == ("10.1.0.0/16", "2001:db8::1/128")
    [problem] = problems(tmp_path, integration() + POLICY + 'networks = ["node.example.org"]\n')
    assert problem.message.endswith("is neither an IP address nor a network")


WAYS = """\
[integration.pexip.web_app]
node = "https://vc.example.org"
[[integration.pexip.phone]]
country = "DE"
label = "Germany"
number = "+49 30 1234567"
"""


def ways(tmp_path: Path, tables: str) -> WaysToJoin:
    return ways_of(load(tmp_path, tables).integration[0])


def test_rooms_on_pexip_are_entered_by_its_web_app_by_dialling_and_by_telephone(tmp_path: Path) -> None:
    found = ways(tmp_path, integration() + MANAGEMENT + WAYS)
    assert found.web_app == "https://vc.example.org/webapp3/m/{alias}"
    assert [label for label, _ in found.dial] == ["SIP", "H.323", "Pexip app"]
    assert found.phones == (DialledPhone("DE", "+49 30 1234567", "Germany"),)
    assert (found.domain, found.qr) == ("", True)


def test_what_the_platform_section_says_comes_besides_and_its_address_goes_first(tmp_path: Path) -> None:
    own = 'meeting_url = "https://vc.example.org/sales/m/{alias}"\nphone = "ask"\nqr = false\n'
    own += 'dial = [{ label = "Lobby", pattern = "{numeric_alias}" }]\n'
    found = ways(tmp_path, integration() + own + MANAGEMENT + WAYS)
    assert found.web_app == "https://vc.example.org/sales/m/{alias}"
    assert [label for label, _ in found.dial] == ["SIP", "H.323", "Pexip app", "Lobby"]
    assert (found.phone, found.qr) == ("ask", False)


def test_an_alias_without_a_domain_is_dialled_at_the_first_domain_of_the_platform(tmp_path: Path) -> None:
    domains = '[integration.pexip]\ndomains = ["video.example.org", "vc.example.org"]\n'
    assert ways(tmp_path, integration() + domains + MANAGEMENT).domain == "video.example.org"


def test_the_embedded_platform_is_entered_as_its_section_says_and_nothing_else(tmp_path: Path) -> None:
    own = 'meeting_url = "https://jitsi.example.org/{numeric_alias}"\nphone = "ask"\n'
    assert ways(tmp_path, integration(kind="embedded") + own) == WaysToJoin(
        web_app="https://jitsi.example.org/{numeric_alias}", phone="ask", qr=True
    )
