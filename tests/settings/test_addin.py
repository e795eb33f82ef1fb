"""`[integration.addin]`: who may ask, and what cannot work is told before anybody presses a button."""

import base64
from pathlib import Path

import pytest

from greenroom.settings import Settings, SettingsError, load_settings

KEY = base64.b64encode(bytes(32)).decode()
TENANT = "11111111-2222-3333-4444-555555555555"
EXCHANGE = (
    '[integration.addin.exchange_tokens]\nmetadata_urls = ["https://mail.example.org/autodiscover/metadata/json/1"]\n'
)
ENTRA = f'[integration.addin.entra]\ntenants = ["{TENANT}"]\nclient_id = "{TENANT}"\n'
OIDC = (
    '[integration.addin.oidc]\nissuer = "http://fs.example.org/adfs/services/trust"\nclient_id = "greenroom"\naudience = "api"\n'
    'metadata_url = "https://fs.example.org/adfs/.well-known/openid-configuration"\n'
)


def load(
    folder: Path, tables: str, *, public: str = "https://meet.example.org", mailbox: str = "vmr@example.org"
) -> Settings:
    file = folder / "greenroom.toml"
    file.write_text(
        f'[service]\npublic_url = "{public}"\n[[integration]]\nnumber = 1\nname = "main"\nmailbox = "{mailbox}"\n'
        f'ticket_keys = [{{ id = 0, key = "{KEY}" }}]\n'
        '[integration.exchange]\nurl = "https://mail.example.org/EWS/Exchange.asmx"\nusername = "g"\npassword = "p"\n'
        + tables
    )
    return load_settings(file, {})


def problems(folder: Path, tables: str, **others: str) -> list[tuple[str, str]]:
    with pytest.raises(SettingsError) as caught:
        load(folder, tables, **others)
    return [(problem.key, problem.message) for problem in caught.value.problems]


def test_without_its_table_there_is_no_addin(tmp_path: Path) -> None:
    assert load(tmp_path, "").integration[0].addin is None


@pytest.mark.parametrize("tables", [EXCHANGE, ENTRA, OIDC], ids=["exchange", "entra", "oidc"])
def test_one_way_to_sign_in_is_enough(tmp_path: Path, tables: str) -> None:
    addin = load(tmp_path, tables).integration[0].addin
    assert addin is not None
    assert addin.office_js_url.startswith("https://appsforoffice.microsoft.com/")
    assert (addin.permission, addin.send_check, addin.ahead) == ("ReadWriteItem", "off", 2)


def test_an_addin_into_which_nobody_can_sign_in_is_a_mistake(tmp_path: Path) -> None:
    [(key, message)] = problems(tmp_path, "[integration.addin]\n")
    assert key == "integration[main].addin"
    assert "nobody could ask for a room" in message


def test_a_mailbox_with_an_apostrophe_cannot_be_invited_by_an_addin(tmp_path: Path) -> None:
    [(key, message)] = problems(tmp_path, EXCHANGE, mailbox="o'brien-room@example.org")
    assert key == "integration[main].mailbox"
    assert "apostrophe" in message


def test_personal_rooms_need_addresses_that_somebody_vouches_for(tmp_path: Path) -> None:
    [(key, _)] = problems(tmp_path, EXCHANGE + "[integration.addin.personal_rooms]\n")
    assert key == "integration[main].addin.personal_rooms"
    assert load(tmp_path, ENTRA + "[integration.addin.personal_rooms]\n").integration[0].addin is not None


def test_offices_older_sign_on_needs_an_id_with_our_host_in_it(tmp_path: Path) -> None:
    [(key, _)] = problems(tmp_path, ENTRA + "legacy_sso = true\n")
    assert key == "integration[main].addin.entra.application_id_uri"
    uri = f'application_id_uri = "api://meet.example.org/{TENANT}"\n'
    assert load(tmp_path, ENTRA + "legacy_sso = true\n" + uri).integration[0].addin is not None


def test_two_addins_of_one_id_would_replace_each_other(tmp_path: Path) -> None:
    mine = f'[integration.addin]\nid = "{TENANT}"\n'
    other = base64.b64encode(bytes([1] * 32)).decode()
    second = (
        '[[integration]]\nnumber = 2\nname = "other"\nmailbox = "other@example.org"\n'
        f'ticket_keys = [{{ id = 0, key = "{other}" }}]\nalias = {{ digits = 8 }}\n'
        '[integration.exchange]\nurl = "https://mail.example.org/EWS/Exchange.asmx"\nusername = "g"\npassword = "p"\n'
    )
    [(key, message)] = problems(tmp_path, mine + EXCHANGE + second + mine + EXCHANGE)
    assert key == "integration[other].addin.id"
    assert "replace each other" in message


def test_the_addin_needs_the_root_of_its_host(tmp_path: Path) -> None:
    [(key, message)] = problems(tmp_path, EXCHANGE, public="https://www.example.org/meet")
    assert key == "service.public_url"
    assert "root" in message


def test_outlook_may_be_on_any_host_of_a_domain(tmp_path: Path) -> None:
    known = ("https://*.example.org", "https://mail:8443", "https://192.0.2.7")
    addin = load(tmp_path, f"[integration.addin]\nframe_ancestors = {list(known)}\n{EXCHANGE}").integration[0].addin
    assert addin is not None
    assert addin.frame_ancestors == known


@pytest.mark.parametrize(
    "line",
    [
        'frame_ancestors = ["https://mail.example.org/owa"]',
        'frame_ancestors = ["https://mail.example.org; script-src *"]',
        'frame_ancestors = ["https://*"]',
        'frame_ancestors = ["https://*.org"]',
        'frame_ancestors = ["https://owa*.example.org"]',
        'office_js_url = "http://cdn.example.org/office.js"',
        'id = "not-a-guid"',
        'send_check = "always"',
        "ahead = 9",
    ],
    ids=["path", "injection", "any-host", "any-domain", "part-of-a-name", "http", "id", "choice", "too-many"],
)
def test_what_is_not_right_is_told_with_its_key(tmp_path: Path, line: str) -> None:
    [(key, _)] = problems(tmp_path, f"[integration.addin]\n{line}\n{EXCHANGE}")
    assert key.startswith(f"integration[main].addin.{line.split(' ', maxsplit=1)[0]}")
