"""Manifests for tests: settings that a test changes, and changing what was written."""

from collections.abc import Mapping
from typing import Any

from greenroom.addin.manifest import ManifestSettings, Profile, SendMode, SingleSignOn, addin_id, write_manifest

HOST = "https://meet.example.org"
APPLICATION = "00000000-0000-0000-0000-00000000000a"
SINGLE_SIGN_ON = SingleSignOn(APPLICATION, f"api://meet.example.org/{APPLICATION}")
VERSION = "1.2026.1123.5"
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "manifest.name": "Video room",
        "manifest.description": "Adds a room to a meeting.",
        "manifest.group": "Video",
        "manifest.button": "Add video room",
        "manifest.buttonTip": "Gives this meeting a room.",
        "manifest.pane": "Room settings",
        "manifest.paneTip": "Shows the room.",
        "manifest.mobile": "Video room",
    },
    "de": {"manifest.name": "Videoraum", "manifest.button": "Videoraum hinzufügen"},
    "sv": {"manifest.paneTip": "Visar rummet."},
}


def described(profile: Profile = Profile.EXCHANGE_ONLINE, **changed: Any) -> ManifestSettings:
    """Settings of an add-in, with what the test changes."""
    usual: dict[str, Any] = {
        "profile": profile,
        "id": addin_id(HOST, "rooms@example.org"),
        "public_url": HOST,
        "integration": 1,
        "provider": "Greenroom",
        "support_url": f"{HOST}/",
        "words": WORDS,
    }
    return ManifestSettings(**(usual | changed))


def full(**changed: Any) -> bytes:
    """A manifest with everything that there is."""
    usual: dict[str, Any] = {
        "send_mode": SendMode.ASK,
        "single_sign_on": SINGLE_SIGN_ON,
        "app_domains": ("https://login.example.org",),
    }
    return write_manifest(described(**(usual | changed)), VERSION)


def edited(content: bytes, *changes: tuple[str, str], count: int = 1) -> bytes:
    """The same with pieces replaced, each of which must be there."""
    text = content.decode()
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, count)
    return text.encode()
