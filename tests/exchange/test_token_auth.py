"""Tokens that are fetched, towards an Exchange that refuses some: when another is asked for, and when nobody asks again."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from exchange.scripted import Clock, Server, folder_found
from greenroom.calendars import Calendars
from greenroom.exchange.errors import SignInError
from greenroom.exchange.ews.oauth import TokenAuth
from greenroom.settings import Settings, load_settings

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TENANT = """
[[integration]]
number = {number}
name = "{name}"
mailbox = "rooms@{name}.test"
ticket_keys = [{{ id = 0, key = "{key}" }}]
alias = {{ prefix = "{number}" }}
[integration.exchange]
url = "https://outlook.office365.com/EWS/Exchange.asmx"
auth = "oauth"
[integration.exchange.oauth]
account = "{account}"
tenant = "{name}.test"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret = "made up"
"""


def opened(folder: Path, account: str) -> tuple[Settings, Calendars]:
    """An application that two tenants know, each with a mailbox of ours."""
    file = folder / "greenroom.toml"
    tenants = [
        TENANT.format(number=number, name=name, key=KEY.replace("AAE", f"AA{letter}"), account=account)
        for number, name, letter in ((1, "one", "E"), (2, "two", "I"))
    ]
    file.write_text('[service]\npublic_url = "https://meet.example.org"\n' + "".join(tenants))
    settings = load_settings(file, {})
    return settings, Calendars(settings, Clock())


class Tokens:
    """Keeps a token until a fresh one is asked for, as a `TokenSource` does."""

    def __init__(self) -> None:
        self.number = 1

    async def token(self, *, fresh: bool = False) -> str:
        self.number += fresh
        return f"token-{self.number}"


async def test_after_the_pause_a_token_that_was_refused_is_not_sent_again() -> None:
    """A right that was given meanwhile is in new tokens only, and the old one may live for an hour and more."""

    def script(asked: Any) -> httpx2.Response:
        return folder_found() if asked.headers["authorization"] == "Bearer token-2" else httpx2.Response(401)

    server, tokens = Server(script), Tokens()
    mailbox = server.mailbox(auth=TokenAuth(tokens, lambda: "app"))
    for _ in range(3):
        with pytest.raises(SignInError):
            await mailbox.check()
    assert (server.count(), tokens.number) == (1, 1)
    server.clock.advance(minutes=16)
    await mailbox.check()
    assert tokens.number == 2


async def test_of_one_application_in_two_tenants_a_refusal_stops_one(tmp_path: Path) -> None:
    settings, calendars = opened(tmp_path, "application")
    marks = set()
    for entry in settings.integration:
        auth: Any = calendars.open(entry)._transport.settings.auth  # type: ignore[attr-defined]  # what it signs in with
        auth._tokens = Tokens()
        marks.add((await auth.credentials()).mark)
    assert len(marks) == 2
    await calendars.close()


async def test_calendars_of_one_service_account_share_its_tokens(tmp_path: Path) -> None:
    settings, calendars = opened(tmp_path, "service-account")
    one, two = settings.integration
    sources = [calendars.open(entry)._transport.settings.auth._tokens for entry in (one, one, two)]  # type: ignore[attr-defined]
    assert sources[0] is sources[1] is not sources[2]
    await calendars.close()


async def test_a_refusal_from_the_future_ends_when_the_clock_is_set_right() -> None:
    server = Server(lambda _: httpx2.Response(401))
    mailbox = server.mailbox()
    server.clock.advance(days=400)
    with pytest.raises(SignInError):
        await mailbox.check()
    server.clock.advance(days=-400)
    server.script = lambda _: folder_found()
    await mailbox.check()
