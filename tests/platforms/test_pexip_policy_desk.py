"""From a question to an answer."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from greenroom.meetings.alias import Alias, AliasPlan
from greenroom.platforms.pexip.policy import PolicySettings, problems
from greenroom.platforms.pexip.policy.room import KEPT
from greenroom.platforms.pexip.style import PexipSettings
from greenroom.platforms.policy import PolicyAnswer, PolicyDesk, PolicyVerdict
from support.policy_questions import PLAYING, SETTINGS, Counter, FeedInMemory, counter, question, told
from support.records import HOUR, NOON, once, room, weekly

OURS = "sip:vc-900000001@example.com"
WEEK = timedelta(days=7)


async def loaded(*rooms: Any, settings: tuple[PolicySettings, ...] = (SETTINGS,)) -> Counter:
    found = counter(FeedInMemory(*rooms), *settings)
    await found.follower.follow()
    return found


def said(answer: PolicyAnswer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)
    assert problems(found) == []
    return found


async def test_an_open_window_gives_the_room() -> None:
    desk: PolicyDesk = (await loaded(told(1))).desk
    answer = await desk.answer(question(OURS), NOON)
    assert (answer.verdict, answer.status, answer.integration, answer.mark) == (
        PolicyVerdict.ROOM,
        200,
        1,
        room(1).mark,
    )
    assert said(answer)["result"]["name"] == "Planning 1 (900000001)"
    assert (answer.caller, answer.caller_address) == ("alice@example.com", "10.44.151.5")


async def test_a_closed_window_rejects_to_the_second() -> None:
    desk = (await loaded(told(1, admission=once(NOON, NOON + HOUR)))).desk
    for now in (NOON - HOUR - timedelta(microseconds=1), NOON + 2 * HOUR):
        answer = await desk.answer(question(OURS), now)
        assert answer.verdict is PolicyVerdict.CLOSED
        assert said(answer) == {"status": "success", "action": "reject", "result": {}}
        assert answer.mark == room(1).mark
    for now in (NOON - HOUR, NOON + 2 * HOUR - timedelta(microseconds=1)):
        assert (await desk.answer(question(OURS), now)).verdict is PolicyVerdict.ROOM


async def test_a_closed_window_may_tell_why_with_a_playlist() -> None:
    room_of_three = told(1, admission=replace(once(NOON, None), times=(weekly(count=3),)))
    desk = (await loaded(room_of_three, settings=(PLAYING,))).desk
    heard = {}
    for when in (-WEEK, timedelta(), WEEK / 2, WEEK, 4 * WEEK):
        answer = await desk.answer(question(OURS), NOON + when)
        heard[when] = said(answer)["result"].get("media_playlist_name")
        assert (answer.verdict is PolicyVerdict.CLOSED) == (heard[when] is not None)
        assert "Planning" not in answer.body.decode() or answer.verdict is PolicyVerdict.ROOM
    assert list(heard.values()) == ["Too early", None, "It is over", None, "It is over"]


async def test_a_retired_room_is_closed_until_it_is_forgotten() -> None:
    at = await loaded(told(1, retired_at=NOON))
    assert (await at.desk.answer(question(OURS), NOON)).verdict is PolicyVerdict.CLOSED
    list(at.directory.sweep(NOON + KEPT - HOUR))
    assert (await at.desk.answer(question(OURS), NOON)).verdict is PolicyVerdict.CLOSED
    list(at.directory.sweep(NOON + KEPT + HOUR))
    assert (await at.desk.answer(question(OURS), NOON)).verdict is PolicyVerdict.UNKNOWN
    assert len(at.directory) == 0


async def test_what_is_over_for_long_is_dropped_and_what_has_no_end_stays() -> None:
    at = await loaded(told(1), told(2, admission=once(NOON, None)), told(3, admission=once(NOON, NOON + 30 * HOUR)))
    assert list(at.directory.sweep(NOON + KEPT + 3 * HOUR))[-1] == 1
    assert len(at.directory) == 2
    again = told(1, version=9)
    at.directory.apply(again)
    assert (await at.desk.answer(question(OURS), NOON)).verdict is PolicyVerdict.ROOM


async def test_an_alias_that_looks_like_ours_and_is_none_is_unknown_and_passed_on() -> None:
    desk = (await loaded(told(1))).desk
    for alias in ("vc-912345678", "912345678", "sip:vc-912345678@example.com", "h323:912345678@10.0.0.1"):
        answer = await desk.answer(question(alias), NOON)
        assert (answer.verdict, answer.integration, answer.mark) == (PolicyVerdict.UNKNOWN, 1, "")
        assert said(answer) == {"status": "success", "action": "continue", "result": {}}
        assert answer.caller == "alice@example.com"


@pytest.mark.parametrize(
    "alias",
    [
        "",
        "sales@example.com",
        "vc-12",
        "vc-012345678",
        "+49912345678",
        "vc-912345678@foreign.example",
        "\x00",
        "meet.bob",
    ],
)
async def test_a_foreign_alias_is_passed_on_untouched(alias: str) -> None:
    answer = await (await loaded(told(1))).desk.answer(question(alias), NOON)
    assert (answer.verdict, answer.status, answer.integration) == (PolicyVerdict.FOREIGN, 200, None)
    assert said(answer) == {"status": "success", "action": "continue", "result": {}}


async def test_a_question_without_any_parameter_is_answered() -> None:
    desk = (await loaded(told(1))).desk
    empty = replace(question(""), parameters={})
    assert (await desk.answer(empty, NOON)).verdict is PolicyVerdict.FOREIGN
    assert desk.refusal(empty).verdict is PolicyVerdict.FOREIGN


@pytest.mark.parametrize(
    "more", [{"call_direction": "non_dial", "trigger": "options"}, {"trigger": "web_avatar_fetch"}]
)
async def test_who_does_not_dial_does_not_guess(more: dict[str, str]) -> None:
    desk = (await loaded(told(1))).desk
    assert (await desk.answer(question("912345678", **more), NOON)).verdict is PolicyVerdict.FOREIGN
    assert (await desk.answer(question("900000001", **more), NOON)).verdict is PolicyVerdict.ROOM
    assert (await desk.answer(question("900000001", **more), NOON - WEEK)).verdict is PolicyVerdict.CLOSED


async def test_a_call_out_of_a_conference_is_told_the_same_service() -> None:
    desk = (await loaded(told(1))).desk
    inside = await desk.answer(question(OURS), NOON)
    tag = SETTINGS.pexip.tag(room(1).mark)
    out = question("sip:bob@foreign.example", call_direction="dial_out", service_tag=tag, service_name="Planning 1")
    assert (await desk.answer(out, NOON)).body == inside.body
    assert (await desk.answer(out, NOON + 3 * HOUR)).verdict is PolicyVerdict.CLOSED
    other = question("sip:912345678@example.com", call_direction="dial_out", service_tag="theirs")
    assert (await desk.answer(other, NOON)).verdict is PolicyVerdict.FOREIGN
    elsewhere = question("sip:bob@foreign.example", 2, call_direction="dial_out", service_tag=tag)
    assert (await desk.answer(elsewhere, NOON)).verdict is PolicyVerdict.FOREIGN


async def test_a_credential_opens_the_rooms_of_its_integrations_only() -> None:
    second = PolicySettings(PexipSettings(2, tag_prefix="other", policy=True), AliasPlan("", 6, "two.example"))
    at = await loaded(
        told(1),
        told(2, integration=2, alias=Alias(123456, "123456@two.example", "123456")),
        settings=(SETTINGS, second),
    )
    mine, theirs = question(OURS, 1), question(OURS, 2)
    assert (await at.desk.answer(mine, NOON)).verdict is PolicyVerdict.ROOM
    assert (await at.desk.answer(theirs, NOON)).verdict is PolicyVerdict.FOREIGN
    assert (await at.desk.answer(question(OURS, 1, 2), NOON)).integration == 1
    assert said(await at.desk.answer(question("123456", 1, 2), NOON))["result"]["service_tag"].startswith("other-2-")
    assert (await at.desk.answer(question("123456", 1), NOON)).verdict is PolicyVerdict.FOREIGN
    assert (await at.desk.answer(question("123457", 1, 2), NOON)).integration == 2
    assert (await at.desk.answer(question("123456", 3), NOON)).verdict is PolicyVerdict.FOREIGN


async def test_rooms_of_integrations_that_do_not_ask_are_not_kept() -> None:
    at = await loaded(told(1, integration=7))
    assert len(at.directory) == 0


async def test_a_living_room_comes_before_the_tombstone_that_had_its_alias() -> None:
    alias = room(1).alias
    for order in (
        (told(1, retired_at=NOON, version=5), told(2, alias=alias, version=6)),
        (told(2, alias=alias, version=6), told(1, retired_at=NOON, version=5)),
    ):
        answer = await (await loaded(*order)).desk.answer(question(OURS), NOON)
        assert (answer.verdict, answer.mark) == (PolicyVerdict.ROOM, room(2).mark)


async def test_a_changed_room_is_answered_as_it_is_now() -> None:
    at = await loaded(told(1))
    await at.desk.answer(question(OURS), NOON)
    at.directory.apply(told(1, version=7, name="Other", alias=room(9).alias, admission=once(NOON + 8 * HOUR, None)))
    assert (await at.desk.answer(question(OURS), NOON)).verdict is PolicyVerdict.UNKNOWN
    assert (await at.desk.answer(question("900000009"), NOON)).verdict is PolicyVerdict.CLOSED
    assert said(await at.desk.answer(question("900000009"), NOON + 8 * HOUR))["result"]["name"] == "Other (900000009)"
    at.directory.apply(told(1, version=3))  # read before that
    assert (await at.desk.answer(question("900000009"), NOON + 8 * HOUR)).verdict is PolicyVerdict.ROOM


async def test_an_admission_that_cannot_be_read_lets_nobody_in() -> None:
    desk = (await loaded(told(1, admission_text="{"))).desk
    assert (await desk.answer(question(OURS), NOON)).verdict is PolicyVerdict.CLOSED


async def test_answers_are_kept_for_few_rooms_only() -> None:
    at = await loaded(*(told(number) for number in range(1, 30)))
    at.directory._most_answers = 5
    for _ in range(2):
        for number in range(1, 30):
            answer = await at.desk.answer(question(f"9000000{number:02d}"), NOON)
            assert answer.mark == room(number).mark
            assert len(at.directory._answers) <= 5


async def test_the_clock_may_go_back_and_far_ahead() -> None:
    desk = (await loaded(told(1, admission=replace(once(NOON, None), times=(weekly(),))))).desk
    for when in (timedelta(), 500 * WEEK, WEEK / 2, -WEEK, WEEK, -WEEK, timedelta()):
        answer = await desk.answer(question(OURS), NOON + when)
        assert (answer.verdict is PolicyVerdict.ROOM) == (when not in {-WEEK, WEEK / 2})
    assert (await desk.answer(question(OURS), datetime(9999, 12, 31, tzinfo=UTC))).verdict is PolicyVerdict.CLOSED


async def test_who_has_guessed_too_often_is_kept_from_our_rooms_and_from_nothing_else() -> None:
    desk = (await loaded(told(1))).desk
    for alias in (OURS, "900000001", "vc-912345678", "912345678"):
        answer = desk.refusal(question(alias))
        assert answer.verdict not in {PolicyVerdict.FOREIGN, PolicyVerdict.ELSE}
        assert said(answer)["action"] == "reject"
        assert (answer.caller, answer.caller_address, answer.integration) == ("alice@example.com", "10.44.151.5", 1)
    for alias in ("sales@example.com", "", "912345678@foreign.example"):
        assert desk.refusal(question(alias)).verdict is PolicyVerdict.FOREIGN
    for service in ("participant/properties", "registrations", "participant/avatar/alice"):
        refused = desk.refusal(question(OURS, service=service))
        assert refused.verdict is PolicyVerdict.FOREIGN
        assert refused.body == (await desk.answer(question(OURS, service=service), NOON)).body


async def test_other_questions_are_answered_politely() -> None:
    desk = (await loaded(told(1))).desk
    answer = await desk.answer(question(OURS, service="participant/properties"), NOON)
    assert (answer.verdict, answer.status) == (PolicyVerdict.ELSE, 200)
    assert said(answer) == {"status": "success", "action": "continue", "result": {}}
    assert (await desk.answer(question("alice", service="participant/avatar/alice"), NOON)).status == 404


async def test_nothing_secret_shows_in_what_is_printed() -> None:
    at = await loaded(told(1))
    answer = await at.desk.answer(question(OURS), NOON)
    assert "012345" not in repr(answer)
    assert "Planning" not in repr(answer) + repr(told(1))
