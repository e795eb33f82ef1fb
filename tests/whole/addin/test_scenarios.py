"""The add-in in every generation of Outlook, with the real Office.js, over whole programs: from the button to the room.

What stands in the form at the end goes through Exchange as the organizer's invitation, and gets the room that its text tells of.
"""

import json
import re
from typing import Any

import pytest
from playwright.async_api import Browser

from greenroom.meetings.ticket import PERSONAL
from support.addin_at_work import Site, soon
from support.addin_forms import ATTENDEES, TEXT, Pane, meeting, said_by
from support.addin_turns import AT_DESKS, PHONE, Open, over
from support.outlooks import ORIGIN, Generation, NestedAuth, generation
from support.whole import ATTENDEE, EQUIPMENT, Spoken

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

ADD, REMOVE = "Add video room", "Remove video room"
ADDED = "The video room is added. Send the invitation as usual."
THERE = "This meeting already has a video room."
VMR = {"name": "Meeting room, virtual", "address": EQUIPMENT}
LINK = f"{ORIGIN}/j/{'0' * 16}"
FOREIGN = 'aud is "https://elsewhere.example/taskpane.html", expected "https://outlook.test/addin/1/taskpane.html"'
CORRELATION = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b")
OURS = ("body", "location", "required", "optional", "rooms", "subject")


def of_person(item: dict[str, Any]) -> dict[str, Any]:
    """What of a meeting is the person's."""
    return {name: item[name] for name in OURS} | {"required": [one["address"] for one in item["required"]]}


@over(*AT_DESKS)
async def test_one_click_adds_a_room_and_another_one_changes_nothing(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting()) as window:
        assert (await window.click_add())["status"] == 0
        assert await window.notifications() == [ADDED]
        item = await window.item()
        assert [one["address"] for one in item["required"]].count(EQUIPMENT) == 1
        assert item["location"].startswith(meeting()["location"] + "; ")
        assert item["subject"] == meeting()["subject"]
        assert (await window.click_add())["status"] == 0
        assert await window.notifications() == [THERE]
        assert of_person(await window.item()) == of_person(item)
        asked = [one.path.rpartition("/")[2] for one in window.requests if one.method == "POST"]
        assert asked == ["reservations", "ahead", "refresh"]
        await (await Pane.of(window)).shows("present")
        sent = site.send(olga, await window.item())
    room = await site.takes_its_room(sent)
    assert f"{ORIGIN}/j/{room.join_id}" in site.own(sent).meeting.location


@over(*AT_DESKS)
async def test_what_the_pane_adds_it_takes_out_again_to_the_byte(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting(optional=ATTENDEES), quirks={"rewrite": None}) as window:
        before = await window.item()
        pane = await Pane.of(window)
        await pane.shows("none")
        await pane.does(ADD, "added")
        with_room = await window.item()
        (ticket,) = site.tickets(with_room["body"]["content"])
        await soon(lambda: site.is_held(ticket))
        await pane.does(REMOVE, "removed")
        after = await window.item()
        assert of_person(after) == of_person(before)
        assert after["body"]["content"] == TEXT
        assert after["customProperties"] == {}
        assert not site.is_held(ticket)

        await window.misbehave(rewrite=kind.quirks["rewrite"])  # as this Outlook really is
        await pane.does("Add another one", "none")
        await pane.does(ADD, "added")
        written = (await window.item())["body"]["content"]
        await pane.does(REMOVE, "removed")
        (last,) = (await window.calls("bodySet"))[-1:]
        assert is_cut_out(written, said_by(last))
        left = await window.item()
        assert site.tickets(left["body"]["content"]) == []
        assert "/j/" not in left["body"]["content"] + left["location"]
        assert of_person(left) == of_person(before) | {"body": left["body"]}


def is_cut_out(whole: str, rest: str) -> bool:
    """Whether the rest is the whole without one piece of it."""
    ahead = next((at for at, (one, other) in enumerate(zip(whole, rest, strict=False)) if one != other), len(rest))
    behind = len(rest) - ahead
    return len(rest) < len(whole) and (behind == 0 or whole.endswith(rest[-behind:]))


@over(*AT_DESKS)
async def test_a_plain_text_gets_plain_instructions(site: Site, browser: Browser, kind: Generation) -> None:
    olga = site.person()
    words = "Agenda:\r\n\r\n - it's <b>ours</b> & theirs\r\n"
    body = {"type": "text", "content": words}
    async with site.outlook(browser, kind, olga, item=meeting(body=body)) as window:
        pane = await Pane.of(window)
        await pane.shows("none")
        await pane.does(ADD, "added")
        item = await window.item()
        assert item["body"]["type"] == "text"
        assert item["body"]["content"].startswith(words)
        assert "<p" not in item["body"]["content"]
        sent = site.send(olga, item)
        await pane.does(REMOVE, "removed")
        assert (await window.item())["body"] == body
    await site.takes_its_room(sent)


@over(*AT_DESKS)
async def test_a_long_location_stays_as_it_is_and_one_that_fits_to_the_letter_gets_the_room(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting(location="x" * 250)) as window:
        pane = await Pane.of(window)
        await pane.shows("none")
        told = await pane.does(ADD, "added")
        assert "The location has no space left for the room." in told
        assert (await window.item())["location"] == "x" * 250
        (ticket,) = site.tickets((await window.item())["body"]["content"])
        sent = site.send(olga, await window.item())
        await site.takes_its_room(sent)

        await pane.does(REMOVE, "removed")
        await pane.does("Add another one", "none")
        theirs = "y" * (255 - len("; ") - len(LINK))
        await window.change(location=theirs)
        told = await pane.does(ADD, "added")
        assert "location" not in told
        location = (await window.item())["location"]
        assert len(location) == 255
        assert location.startswith(f"{theirs}; {ORIGIN}/j/")
        assert site.tickets((await window.item())["body"]["content"]) != [ticket]
        fitting = site.send(olga, await window.item())
    await site.takes_its_room(fitting)


WAYS = {
    "objects-ignored": {"addIgnored": "objects"},
    "all-ignored": {"addIgnored": "all"},
    "late": {"resolveAfter": 600},
    "nothing-works": {"addIgnored": "all", "setIgnored": True},
    "undefined": {"noAttendees": True},
}
"""How Outlook may fail to invite somebody, and say that it did."""


@over(*AT_DESKS, way=tuple(WAYS))
async def test_the_mailbox_is_invited_once_or_the_person_is_asked_to(
    site: Site, browser: Browser, kind: Generation, way: str
) -> None:
    olga = site.person()
    is_ours = way not in ("nothing-works", "undefined")
    async with site.outlook(browser, kind, olga, item=meeting(), quirks=WAYS[way]) as window:
        await window.click_add()
        said = await window.notifications()
        item = await window.item()
        if is_ours:
            assert said == [ADDED]
        else:
            assert said[0].startswith("Please invite vmr@sim.test yourself")
            assert [one["address"] for one in item["required"]] == [ATTENDEE]
            await window.change(required=[*item["required"], VMR])
        item = await window.item()
        assert [one["address"] for one in item["required"]] == [ATTENDEE, EQUIPMENT]
        assert (LINK[:-16] in item["location"]) == (way != "undefined" or kind.has("1.8"))
        sent = site.send(olga, item)
    await site.takes_its_room(sent)


@over(*AT_DESKS)
async def test_apostrophes_survive_wherever_they_stand(site: Site, browser: Browser, kind: Generation) -> None:
    olga = site.person("Olga O'Hara")
    neil = f"neil.o'brien-{olga.address}"
    site.exchange.exchange.add_mailbox(neil, "Neil O'Brien")
    people = [{"name": "Neil O'Brien", "address": neil}, *ATTENDEES]
    text = "<html><body><p title='it's'>It's Olga&#39;s \u2019plan\u2019, isn't it?</p></body></html>".replace(
        "\\'", "&apos;"
    )
    fields = {"subject": "Olga's 'plan'", "location": "Neil's office", "body": {"type": "html", "content": text}}
    async with site.outlook(
        browser, kind, olga, item=meeting(required=people, **fields), quirks={"rewrite": None}
    ) as window:
        await window.click_add()
        item = await window.item()
        assert item["subject"] == "Olga's 'plan'"
        assert item["location"].startswith("Neil's office; ")
        assert text.removesuffix("</body></html>") in item["body"]["content"]
        assert [one["address"] for one in item["required"]] == [neil, ATTENDEE, EQUIPMENT]
        sent = site.send(olga, item)
        pane = await Pane.of(window)
        await pane.shows("present")
        told = await pane.does(REMOVE, "removed")
        after = await window.item()
        assert after["body"]["content"] == text
        assert neil in [one["address"] for one in after["required"]], "whom Outlook would lose is not written back"
        assert "Please remove" in told
        assert EQUIPMENT in told
    await site.takes_its_room(sent)
    assert site.told(sent, neil) == 1


@over(*AT_DESKS)
async def test_whom_outlook_would_lose_is_not_written_back_to_invite_the_mailbox(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    people = [{"name": "Neil O'Brien", "address": "neil.o'brien@sim.test"}, *ATTENDEES]
    async with site.outlook(browser, kind, olga, item=meeting(required=people), quirks={"addIgnored": "all"}) as window:
        await window.click_add()
        assert (await window.item())["required"] == people
        assert (await window.notifications())[0].startswith("Please invite vmr@sim.test yourself")


def api(path: str) -> bool:
    return path.startswith("/addin/api/")


@over(*AT_DESKS)
async def test_while_the_service_is_down_what_was_kept_helps_and_then_a_promise(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting()) as window:
        await window.click_add()
        kept = await window.roaming()
    sent = []
    for says in (ADDED, ADDED, "The joining details follow later. Send the invitation as usual."):
        async with site.outlook(browser, kind, olga, item=meeting(), settings=kept, fetches=True) as window:
            window.down = api
            await window.click_add()
            assert await window.notifications() == [says]
            item = await window.item()
            assert EQUIPMENT in [one["address"] for one in item["required"]]
            sent.append(site.send(olga, item))
            kept = await window.roaming()
    first, second, promised = sent
    assert (await site.takes_its_room(first)) != (await site.takes_its_room(second))
    await site.keeps_its_promise(promised)


@over(*AT_DESKS)
async def test_while_the_service_is_down_and_nothing_is_kept_nothing_is_changed(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting(), fetches=True) as window:
        window.down = api
        before = await window.item()
        await window.click_add()
        assert await window.notifications() == ["The video room was not added. Open “Room settings” to see why."]
        pane = await Pane.of(window)
        await pane.shows("none")
        told = await pane.does(ADD, "failed")
        assert "The service cannot be reached." in told
        assert of_person(await window.item()) == of_person(before)
        window.down = lambda _: False
        await pane.does("Try again", "added")
        sent = site.send(olga, await window.item())
    await site.takes_its_room(sent)


@over(*AT_DESKS)
async def test_a_token_that_is_refused_is_told_and_explained_and_logged_nowhere(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    if kind.flavour == "onprem":
        token, reason = site.exchange_token(olga, aud="https://elsewhere.example/taskpane.html"), FOREIGN
    else:
        token, reason = site.entra_token(olga, scp="Mail.Read"), "scope"
    nested = NestedAuth(token) if "NestedAppAuth" in kind.sets else None
    async with site.outlook(
        browser, kind, olga, item=meeting(), fetches=True, identity_token=token, access_token=token, nested=nested
    ) as window:
        before = await window.item()
        await window.click_add()
        assert await window.notifications() == ["The video room was not added. Open “Room settings” to see why."]
        pane = await Pane.of(window)
        await pane.shows("none")
        told = await pane.does(ADD, "failed")
        assert "The service did not accept your sign-in." in told
        assert of_person(await window.item()) == of_person(before)
    (correlation,) = CORRELATION.findall(told)
    explained = " ".join((await site.command("explain", correlation)).split())
    assert reason in explained
    log = site.greenroom.output()
    assert correlation in log
    for part in token.split("."):
        assert part not in log
        assert part not in explained


@over(*AT_DESKS)
async def test_a_copied_meeting_gets_a_room_of_its_own(site: Site, browser: Browser, kind: Generation) -> None:
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting()) as window:
        await window.click_add()
        original = await window.item()
        kept = await window.roaming()
    first = site.send(olga, original)
    room = await site.takes_its_room(first)
    copy = {name: original[name] for name in OURS}
    async with site.outlook(browser, kind, olga, item=meeting(**copy), settings=kept) as window:
        pane = await Pane.of(window)
        if kind.has("1.8"):  # only then does Outlook tell that the meeting is new
            await pane.shows("copied")
            await pane.does("Give this meeting its own room", "replaced")
        else:
            await pane.shows("present")
            await pane.does("Update joining details", "replaced")
        item = await window.item()
        assert room.join_id not in item["location"] + item["body"]["content"]
        assert [one["address"] for one in item["required"]] == [ATTENDEE, EQUIPMENT]
        second = site.send(olga, item)
    assert (await site.takes_its_room(second)).number != room.number
    assert site.room(first) == room


@over(*AT_DESKS)
async def test_a_delegate_adds_a_room_to_the_meeting_of_somebody_else(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga, anna = site.person(), site.person()
    organizer = {"name": olga.name, "address": olga.address}
    shared = {"owner": olga.address, "delegatePermissions": 15} if kind.has("1.8") else None
    item = meeting(organizer=organizer, shared=shared)
    async with site.outlook(browser, kind, anna, item=item, quirks={"addIgnored": "objects"}) as window:
        await window.click_add()
        assert await window.notifications() == [ADDED]
        said = json.loads(next(one for one in window.requests if one.path.endswith("/reservations")).body)
        assert said["delegate"] is (shared is not None)
        assert [one["address"] for one in (await window.item())["required"]] == [ATTENDEE, EQUIPMENT]
        sent = site.send(olga, await window.item(), sender=anna)
    assert (await site.takes_its_room(sent)).owner == olga.address


@over(*AT_DESKS)
async def test_one_meeting_of_a_series_gets_a_room_only_where_the_person_says_so(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    series = site.series(olga, meeting())
    async with site.outlook(
        browser, kind, olga, item=meeting(seriesId="series-1", itemId="occurrence-1"), quirks={"rewrite": None}
    ) as window:
        before = await window.item()
        await window.click_add()
        if kind.has("1.8"):
            assert (await window.notifications())[0].startswith("This is one meeting of a series.")
            assert of_person(await window.item()) == of_person(before)
            pane = await Pane.of(window)
            await pane.shows("occurrence")
            await pane.does("Only for this meeting", "added")
        else:  # Outlook does not tell
            assert await window.notifications() == [ADDED]
        item = await window.item()
    (ticket,) = site.tickets(item["body"]["content"])
    sent = site.change_occurrence(olga, series, item)
    await soon(lambda: site.answers(sent))
    assert site.answers(sent) == ["Accept"]
    await soon(lambda: site.rows("SELECT 1 FROM rooms WHERE alias_number = ? AND retired_at IS NULL", ticket.number))
    assert len(site.rows("SELECT 1 FROM rooms WHERE owner = ?", olga.address)) == 1


@over(*(kind for kind in AT_DESKS if kind.has("1.8")))
async def test_a_series_gets_one_room(site: Site, browser: Browser, kind: Generation) -> None:
    olga = site.person()
    pattern = {"recurrenceType": "weekly", "recurrenceProperties": {"interval": 1, "days": ["mon"]}}
    async with site.outlook(browser, kind, olga, item=meeting(recurrence=pattern)) as window:
        pane = await Pane.of(window)
        assert "All meetings of this series share one room." in await pane.shows("none")
        await pane.does(ADD, "added")
        said = json.loads(next(one for one in window.requests if one.path.endswith("/reservations")).body)
        assert said["series"] is True
        sent = site.series(olga, await window.item())
    await site.takes_its_room(sent)


@over(*AT_DESKS)
async def test_what_failed_in_the_middle_goes_on_with_the_same_room(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    broken: dict[str, Any] = {"fail": {"bodySet": 5001}}
    async with site.outlook(browser, kind, olga, item=meeting(), quirks=broken) as window:
        await window.click_add()
        assert await window.notifications() == ["The video room was not added. Open “Room settings” to see why."]
        pane = await Pane.of(window)  # another page: what was begun is known from the meeting alone
        await pane.shows("incomplete")
        assert "Outlook did not do what was asked of it." in await pane.does("Complete the invitation", "failed")
        await window.misbehave(fail=None)
        await pane.does("Try again", "added")
        asked = [json.loads(one.body)["request_id"] for one in window.requests if one.path.endswith("/reservations")]
        assert len(asked) == 2
        assert len(set(asked)) == 1
        item = await window.item()
        assert [one["address"] for one in item["required"]] == [ATTENDEE, EQUIPMENT]
        sent = site.send(olga, item)
    room = await site.takes_its_room(sent)
    assert site.rows("SELECT number FROM reservations WHERE request_id = ?", asked[0]) == [(room.number,)]


@over(PHONE)
async def test_the_button_of_a_phone_adds_a_room_and_lets_outlook_go_on(
    site: Site, browser: Browser, kind: Generation
) -> None:
    olga = site.person()
    async with site.outlook(browser, kind, olga, item=meeting()) as window:
        clicked = await window.click_add(function="addRoomMobile")
        assert clicked["status"] == 0
        assert json.loads(clicked["data"])["completedContext"] == {"allowEvent": True}
        item = await window.item()
        assert item["notifications"] == []
        assert [one["address"] for one in item["required"]] == [ATTENDEE, EQUIPMENT]
        clicked = await window.click_add(function="addRoomMobile")
        assert of_person(await window.item()) == of_person(item)
        sent = site.send(olga, item)
    await site.takes_its_room(sent)


@over(generation("new-outlook-online-1.14"))
async def test_a_meeting_moves_into_the_persons_own_room_and_back(
    open_site: Open, browser: Browser, kind: Generation, protocol: Spoken
) -> None:
    site = open_site(protocol, True)
    olga = site.person()
    site.own_room(olga, "Olga's den", alias="olga.den@video.test", pin="918273", guest_pin="117755")
    async with site.outlook(browser, kind, olga, item=meeting()) as window:
        pane = await Pane.of(window)
        await pane.shows("none")
        await pane.does(ADD, "added")
        (ticket,) = site.tickets((await window.item())["body"]["content"])
        await pane.does("Choose another room", "change")
        await pane.frame.get_by_label("One of my own rooms").check()
        await pane.frame.get_by_label("Olga's den").check()
        await pane.does("Use this room", "personal")
        item = await window.item()
        (own,) = site.tickets(item["body"]["content"])
        assert own.options == PERSONAL
        assert "olga.den@video.test" in item["body"]["content"]
        assert "117755" in item["body"]["content"]
        assert "918273" not in item["body"]["content"]
        assert [one["address"] for one in item["required"]] == [ATTENDEE]
        assert not site.is_held(ticket)
        sent = site.send(olga, item)

        await pane.does("Choose another room", "change")
        await pane.does("Use this room", "replaced")
        item = await window.item()
        assert "olga.den" not in item["body"]["content"] + item["location"]
        assert site.answers(sent) == []
        assert site.told(sent) == 1
        sent = site.update(olga, sent, item)
    room = await site.takes_its_room(sent)
    assert site.pexip is not None
    assert room.alias in [alias["alias"] for one in site.pexip.conferences() for alias in one["aliases"]]
