"""Manifests as they are written."""

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from greenroom.addin.manifest import (
    ManifestSettings,
    Profile,
    Schema,
    SendMode,
    WordingError,
    addin_id,
    check_manifest,
    digest_of,
    misfits,
    write_manifest,
)
from greenroom.addin.manifest.wording import LIMITS
from greenroom.addin.texts import AddinTexts
from support.manifests import HOST, SINGLE_SIGN_ON, VERSION, WORDS, described
from support.shared import shared_path

NAMES = {
    "b": "http://schemas.microsoft.com/office/appforoffice/1.1",
    "o": "http://schemas.microsoft.com/office/mailappversionoverrides",
    "n": "http://schemas.microsoft.com/office/mailappversionoverrides/1.1",
    "bt": "http://schemas.microsoft.com/office/officeappbasictypes/1.0",
    "x": "http://www.w3.org/2001/XMLSchema-instance",
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema(shared_path("schemas/manifest"))


def found(content: bytes, way: str) -> Any:
    return etree.fromstring(content).xpath(way, namespaces=NAMES)


OPTIONS = list(
    product(
        Profile,
        (None, SendMode.ASK, SendMode.HOLD),
        (True, False),
        (None, SINGLE_SIGN_ON),
        (
            ((), "ReadWriteItem"),
            (("https://login.microsoftonline.com", "https://fs.example.org:444"), "ReadWriteMailbox"),
        ),
    )
)


def each_option() -> list[ManifestSettings]:
    return [
        described(profile, send_mode=mode, mobile=phone, single_sign_on=sso, app_domains=domains, permission=permission)
        for profile, mode, phone, sso, (domains, permission) in OPTIONS
    ]


def test_whatever_is_set_the_schema_takes_it(schema: Schema) -> None:
    for settings_ in each_option():
        assert schema.check(write_manifest(settings_, VERSION)) == [], settings_


def test_whatever_is_set_our_rules_find_nothing() -> None:
    for settings_ in each_option():
        assert check_manifest(write_manifest(settings_, VERSION)) == []


def test_it_is_utf_8_without_a_byte_order_mark_and_the_same_each_time() -> None:
    content = write_manifest(described(), VERSION)
    assert content.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<OfficeApp ")
    assert "Videoraum hinzufügen" in content.decode()
    assert content == write_manifest(described(), VERSION)


def test_one_click_is_the_first_button_and_the_pane_the_second() -> None:
    content = write_manifest(described(), VERSION)
    for overrides in ("o:VersionOverrides", "n:VersionOverrides"):
        prefix = overrides[0]
        surface = f"//{overrides}/{prefix}:Hosts//{prefix}:DesktopFormFactor/{prefix}:ExtensionPoint[1]"
        kinds = found(content, f"{surface}//{prefix}:Action/@x:type")
        assert kinds == ["ExecuteFunction", "ShowTaskpane"]
        assert found(content, f"{surface}//{prefix}:FunctionName/text()") == ["addRoom"]


def test_the_panes_address_never_has_a_query_and_the_overrides_name_the_version() -> None:
    content = write_manifest(described(), VERSION)
    assert found(content, "//b:FormSettings//b:SourceLocation/@DefaultValue") == [f"{HOST}/addin/1/taskpane.html"]
    pages = found(content, "//n:Resources/bt:Urls/bt:Url/@DefaultValue")
    assert pages == [f"{HOST}/addin/1/commands.html?v={VERSION}", f"{HOST}/addin/1/taskpane.html?v={VERSION}"]


def test_exchange_server_gets_no_phones_and_no_single_sign_on() -> None:
    content = write_manifest(described(Profile.EXCHANGE_ONPREM, single_sign_on=SINGLE_SIGN_ON), VERSION)
    assert not found(content, "//n:MobileFormFactor | //n:WebApplicationInfo")
    assert found(content, "//n:DesktopFormFactor/*[1]")[0].tag.endswith("SupportsSharedFolders")


def test_phones_get_one_button_where_they_are_wanted() -> None:
    assert not found(write_manifest(described(mobile=False), VERSION), "//n:MobileFormFactor")
    content = write_manifest(described(), VERSION)
    button = "//n:MobileFormFactor/n:ExtensionPoint[@x:type='MobileOnlineMeetingCommandSurface']/n:Control"
    assert found(content, f"{button}/@x:type") == ["MobileButton"]
    assert found(content, f"{button}//n:FunctionName/text()") == ["addRoomMobile"]
    assert len(found(content, f"{button}//bt:Image")) == 9


@pytest.mark.parametrize("mode", list(SendMode), ids=lambda mode: mode.value)
def test_the_check_before_sending_is_there_only_when_it_is_wanted(mode: SendMode) -> None:
    assert not found(write_manifest(described(), VERSION), "//n:Runtimes | //n:LaunchEvent")
    content = write_manifest(described(send_mode=mode), VERSION)
    (event,) = found(content, "//n:LaunchEvent")
    assert dict(event.attrib) == {"Type": "OnAppointmentSend", "FunctionName": "onSend", "SendMode": mode.value}
    script = "//bt:Url[@id=//n:Runtime/n:Override[@type='javascript']/@resid]/@DefaultValue"
    assert found(content, script) == [f"{HOST}/addin/1/launchevent.js"]


def test_single_sign_on_is_the_last_of_the_newest_overrides() -> None:
    content = write_manifest(described(single_sign_on=SINGLE_SIGN_ON), VERSION)
    (last,) = found(content, "//n:VersionOverrides/*[last()]")
    assert [child.text for child in last[:2]] == [SINGLE_SIGN_ON.client_id, SINGLE_SIGN_ON.resource]
    assert not found(content, "//o:WebApplicationInfo")


def test_its_own_host_is_no_app_domain_and_none_comes_twice() -> None:
    domains = (HOST, "https://login.example.org", "https://login.example.org")
    content = write_manifest(described(app_domains=domains), VERSION)
    assert found(content, "//b:AppDomain/text()") == ["https://login.example.org"]


def test_each_language_has_its_names_and_english_is_what_others_see() -> None:
    content = write_manifest(described(words=dict(AddinTexts().everything())), VERSION)
    locales = found(content, "//b:DisplayName/b:Override/@Locale")
    assert locales == ["de-DE", "fr-FR", "nb-NO", "sv-SE"]
    assert check_manifest(content) == []


def test_the_packaged_texts_are_all_there_and_fit() -> None:
    words = AddinTexts().everything()
    assert list(misfits(words)) == []
    for language, texts in words.items():
        assert [key for key in LIMITS if not texts.get(key)] == [], language


def test_a_language_that_outlook_does_not_know_is_left_out() -> None:
    words = dict(WORDS) | {
        "tlh": {"manifest.name": "x"},
        "pt-BR": {"manifest.name": "Sala"},
        "nl": {"manifest.name": "Zaal"},
    }
    content = write_manifest(described(words=words), VERSION)
    assert found(content, "//b:DisplayName/b:Override/@Locale") == ["de-DE", "nl-NL", "pt-BR"]


def test_without_a_text_in_english_there_is_no_manifest() -> None:
    words = {"en": dict(WORDS["en"]) | {"manifest.pane": " "}}
    with pytest.raises(WordingError, match=re.escape("manifest.pane")):
        write_manifest(described(words=words), VERSION)


HOSTILE = (
    """ "'><!-- ]]> &amp; <script>alert(1)</script>""",
    "x" * 5000,
    "\U0001f6aa" * 300,
    "one\ntwo\tthree\r\nfour",
    "null\x00 bell\x07 lone \ud800 end\ufffe",
    "&#0; &bomb; %s {0}",
    "\u202egnp.exe",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_an_administrator_writes_the_manifest_stays_one(text: str, schema: Schema) -> None:
    words = {language: dict.fromkeys(LIMITS, text) for language in ("en", "de")}
    content = write_manifest(described(words=words, provider=text), VERSION)
    assert (check_manifest(content), schema.check(content)) == ([], [])


@settings(max_examples=25)
@given(text=st.text(max_size=300), other=st.text(max_size=300))
def test_any_text_at_all_makes_a_manifest_that_our_rules_take(text: str, other: str) -> None:
    words = {
        "en": dict.fromkeys(LIMITS, f"a{text}"),
        "fr": dict.fromkeys(LIMITS, other),
    }
    assert check_manifest(write_manifest(described(words=words, provider=other), VERSION)) == []


def test_a_text_that_was_cut_is_told() -> None:
    words = {"en": dict(WORDS["en"]) | {"manifest.button": "b" * 126}}
    (misfit,) = misfits(words)
    assert (misfit.language, misfit.key, misfit.length, misfit.limit) == ("en", "manifest.button", 126, 125)
    (label,) = found(write_manifest(described(words=words), VERSION), "//o:Resources//bt:String[@id='manifest.button']")
    assert label.get("DefaultValue") == "b" * 124 + "…"


def test_the_digest_changes_with_all_that_is_said_and_not_with_the_version() -> None:
    digest = digest_of(described())
    assert digest == digest_of(described())
    others = [
        described(Profile.EXCHANGE_ONPREM, integration=2),
        described(permission="ReadWriteMailbox"),
        described(mobile=False),
        described(send_mode=SendMode.HOLD),
        described(provider="Somebody"),
        described(words=dict(WORDS) | {"fr": {"manifest.name": "Salle"}}),
        described(app_domains=("https://login.example.org",)),
    ]
    assert len({digest, *map(digest_of, others)}) == len(others) + 1


def test_the_id_stays_with_the_deployment_and_is_another_one_elsewhere() -> None:
    assert addin_id(HOST, "rooms@example.org") == addin_id("HTTPS://MEET.example.org", "Rooms@example.org")
    ids = {
        addin_id(host, box) for host in (HOST, "https://test.example.org") for box in ("a@example.org", "b@example.org")
    }
    assert len(ids) == 4
