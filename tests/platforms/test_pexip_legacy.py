from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.meetings.meeting import MeetingKey
from greenroom.platforms.errors import PlatformUnavailableError
from greenroom.platforms.pexip import legacy
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.platforms.pexip.takeover import PexipScheduler
from support.empty import empty_storage
from support.pexip_site import AHEAD, Site
from support.records import NOON

UUID = "0b2f6a30-7d2c-4c51-9b55-0c8b6f0f4f10"
UID = "040000008200E00074C5B7101A82E00800000000B04B6C5F2C4FD801000000000000000010000000D1A2B3C4D5E6F708A9B0C1D2E3F40516"
ROOM = "/api/admin/configuration/v1/conference/7/"
MARK = "0123456789abcdef0123456789abcdef"
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=4,
)


def alias(**changes: Any) -> dict[str, Any]:
    return {
        "resource_uri": "/api/admin/configuration/v1/scheduled_alias/3/",
        "uuid": UUID.upper(),
        "alias": "88500123@old.example",
        "numeric_alias": "88500123",
        "alias_number": 500123,
        "exchange_connector": "/api/admin/configuration/v1/ms_exchange_connector/1/",
        "is_used": True,
        "ews_item_uid": UID.lower(),
        "creation_time": "2026-11-01T08:00:00.123456",
        "conference_deletion_time": None,
    } | changes


def room(**changes: Any) -> dict[str, Any]:
    aliases = [{"alias": "88500123@Old.example"}, {"alias": "88500123"}]
    return {"resource_uri": ROOM, "service_type": "conference", "tag": "", "aliases": aliases, "pin": "4711"} | changes


def test_an_alias_is_read() -> None:
    found = legacy.read_alias(alias())
    assert found is not None
    assert (found.uuid, found.name, found.numeric, found.used) == (UUID, "88500123@old.example", "88500123", True)
    assert found.key == MeetingKey.of_uid(UID)
    assert found.created_at == datetime(2026, 11, 1, 8, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"resource_uri": "/api/admin/configuration/v1/scheduled_alias/"},
        {"resource_uri": "https://evil.example/api/admin/configuration/v1/scheduled_alias/3/"},
        {"uuid": "not one"},
        {"alias": ""},
        {"alias": "two words@old.example"},
        {"alias": "a" * 251},
        {"numeric_alias": ""},
        {"numeric_alias": "12٣"},
        {"numeric_alias": 12},
    ],
)
def test_an_alias_that_nobody_could_dial_is_none(changes: dict[str, Any]) -> None:
    assert legacy.read_alias(alias(**changes)) is None


@pytest.mark.parametrize(
    ("tag", "mark", "claimed"),
    [
        ("", None, False),
        (f"greenroom-1-{MARK}", MARK, False),
        (f"greenroom-2-{MARK}", None, True),
        ("billing", None, True),
    ],
)
def test_a_tag_tells_whose_a_room_is(tag: str, mark: str | None, *, claimed: bool) -> None:
    found = legacy.read_room(room(tag=tag), "greenroom-1-")
    assert found is not None
    assert (found.mark, found.claimed) == (mark, claimed)
    assert found.aliases == {"88500123@old.example", "88500123"}


def test_what_is_no_room_to_meet_in_is_told() -> None:
    found = legacy.read_room(room(service_type="media_playback"), "x")
    assert found is not None
    assert not found.dialled


def test_the_secrets_of_a_connector_are_not_looked_at() -> None:
    told = {
        "resource_uri": "/api/admin/configuration/v1/ms_exchange_connector/1/",
        "name": "Exchange",
        "room_mailbox_email_address": " VMR@Sim.test ",
        "password": "hunter2",
        "private_key": "secret-key",
        "oauth_refresh_token": "secret-token",
        "conference_name_template": "{{subject}}",
        "scheduled_alias_suffix_length": "9",
        "ivr_theme": {"name": "Blue"},
    }
    found = legacy.read_connector(told, {})
    assert found is not None
    assert (found.mailbox, found.theme, found.digits) == ("vmr@sim.test", "Blue", 6)
    assert dict(found.templates) == {"conference_name_template": 11}
    assert not {"hunter2", "secret-key", "secret-token"} & set(repr(found).split("'"))


@given(
    st.dictionaries(
        st.sampled_from(
            [*alias(), *room(), "conference", "end_time", "is_depleted", "room_mailbox_email_address", "ivr_theme"]
        ),
        _JSON,
    )
)
def test_no_object_makes_reading_fail(told: dict[str, Any]) -> None:
    for whole in (told, alias() | told, room() | told):
        legacy.read_alias(whole)
        legacy.read_room(whole, "greenroom-1-")
        legacy.read_use(whole)
        legacy.read_series(whole, NOON)
        legacy.read_connector(whole, {})
        legacy.name_of(whole)


def _seed() -> dict[str, Any]:
    later = (NOON + timedelta(days=1)).isoformat()
    end = (NOON + timedelta(days=1, hours=1)).isoformat()
    meeting = {"connector": "@old", "number": 88500123, "alias": "88500123@old.example", "uuid": UUID, "uid": UID}
    return {
        "ivr_theme": [{"key": "blue", "name": "Blue"}],
        "identity_provider_group": [{"key": "staff", "name": "Staff"}],
        "ms_exchange_connector": [
            {
                "key": "old",
                "name": "Exchange",
                "addin_server_domain": "join.old.example",
                "room_mailbox_email_address": "vmr@sim.test",
                "scheduled_alias_prefix": "88",
                "scheduled_alias_domain": "old.example",
                "ivr_theme": "@blue",
                "host_identity_provider_group": "@staff",
            }
        ],
        "conference": [{"name": "Ada's room", "aliases": [{"alias": "ada@old.example"}], "tag": "billing"}],
        "meetings": [
            {**meeting, "times": [[later, end]], "name": "One"},
            {
                **meeting,
                "number": 88500124,
                "alias": "88500124@old.example",
                "uuid": UUID[:-1] + "1",
                "uid": "series",
                "series": True,
            },
            {
                **meeting,
                "number": 88500125,
                "alias": "88500125@old.example",
                "uuid": UUID[:-1] + "2",
                "uid": "",
                "used": False,
            },
        ],
    }


class _Site(Site):
    @property
    def scheduler(self) -> PexipScheduler:
        return PexipScheduler(self.client(), self.settings, self.clock, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
async def site() -> AsyncIterator[_Site]:
    async with empty_storage() as storage:
        made = _Site(storage, PexipSettings(1, provisioning=AHEAD))
        made.pexip.seed(_seed())
        yield made


async def test_everything_is_read_over_the_management_api(site: _Site) -> None:
    found = await site.scheduler.survey()
    (connector,) = found.connectors
    assert (connector.prefix, connector.theme, connector.identity_provider_group) == ("88", "Blue", "Staff")
    one, series, unused = found.aliases
    assert found.rooms_at(one.name, one.numeric) == found.rooms_at(one.numeric)
    assert found.of_meeting(MeetingKey.of_uid(UID)) == (one,)
    assert found.of_uuid(UUID) == one
    assert (unused.used, unused.key, found.rooms_at(unused.name)) == (False, None, ())
    assert found.odd == 0
    assert not site.writes()
    (permanent,) = found.rooms_at("ada@old.example")
    assert not found.is_scheduled(permanent)
    (endless,) = found.uses_of(series, ())
    assert endless.end is None


async def test_rooms_are_marked_where_nobodys_mark_is_and_nothing_else_is_changed(site: _Site) -> None:
    before = {one["resource_uri"]: one for one in site.pexip.conferences()}
    by_name = {one["name"]: one["resource_uri"] for one in before.values()}
    gone = "/api/admin/configuration/v1/conference/999/"
    wanted = {by_name["One"]: MARK, by_name["Ada's room"]: MARK, gone: MARK}
    assert await site.scheduler.mark(wanted) == {by_name["One"]: MARK, by_name["Ada's room"]: "", gone: None}
    after = {one["resource_uri"]: one for one in site.pexip.conferences()}
    assert after.pop(by_name["One"]) == before.pop(by_name["One"]) | {"tag": f"greenroom-1-{MARK}"}
    assert after == before
    assert site.writes() == ["PATCH conference"]
    assert (await site.scheduler.mark(wanted))[by_name["One"]] == MARK
    assert site.writes() == ["PATCH conference"]


class _Shaky:
    """The client, whose answers get lost as often as a test wants."""

    def __init__(self, inner: Any, lost: int, *, before: bool) -> None:
        self.inner, self.lost, self.before = inner, lost, before
        self.sent = 0

    def listing(self, resource: str) -> AsyncIterator[Mapping[str, Any]]:
        found: AsyncIterator[Mapping[str, Any]] = self.inner.listing(resource)
        return found

    async def get(self, uri: str) -> Any:
        return await self.inner.get(uri)

    async def change_many(self, objects: Sequence[Mapping[str, Any]], deleted: Sequence[str] = ()) -> None:
        self.sent += 1
        if self.sent <= self.lost and self.before:
            raise PlatformUnavailableError("timeout")
        await self.inner.change_many(objects, deleted)
        if self.sent <= self.lost:
            raise PlatformUnavailableError("timeout")

    async def close(self) -> None:
        await self.inner.close()


@pytest.mark.parametrize(("before", "sent"), [(True, 3), (False, 1)])
async def test_a_lost_answer_is_looked_after(site: _Site, *, before: bool, sent: int) -> None:
    shaky = _Shaky(site.client(), 2, before=before)
    scheduler = PexipScheduler(shaky, site.settings, site.clock, sleep=site.sleep)
    one = next(one["resource_uri"] for one in site.pexip.conferences() if one["name"] == "One")
    assert await scheduler.mark({one: MARK}) == {one: MARK}
    assert shaky.sent == sent


async def test_what_stays_out_of_reach_is_told(site: _Site) -> None:
    scheduler = PexipScheduler(_Shaky(site.client(), 99, before=True), site.settings, site.clock, sleep=site.sleep)
    one = next(one["resource_uri"] for one in site.pexip.conferences() if one["name"] == "One")
    with pytest.raises(PlatformUnavailableError):
        await scheduler.mark({one: MARK})
