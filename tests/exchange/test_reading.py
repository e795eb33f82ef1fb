"""From references to observations where servers are difficult: one bad item, messages and their items, names, texts."""

from base64 import b64encode

import httpx2
import pytest

from exchange.scripted import MAILBOX, Asked, Server, answer, bad, fault, ok
from greenroom.exchange.contract import Unreadable
from greenroom.exchange.errors import (
    ExchangeError,
    ItemBrokenError,
    ItemGoneError,
    MisconfiguredError,
    TryLaterError,
)
from greenroom.meetings.meeting import ItemRef, Observation

WHEN = "<t:Start>2031-05-06T09:00:00Z</t:Start><t:End>2031-05-06T10:00:00Z</t:End>"
ORGANIZER = "<t:Organizer><t:Mailbox><t:Name>O</t:Name><t:EmailAddress>{}</t:EmailAddress></t:Mailbox></t:Organizer>"
X500 = "/o=Org/ou=Exchange Administrative Group/cn=Recipients/cn=olga"


def meeting(
    ident: str,
    *,
    name: str = "CalendarItem",
    uid: str | None = None,
    organizer: str = "olga@example.test",
    more: str = "",
    sequence: int = 0,
    when: str = WHEN,
) -> str:
    return (
        f'<t:{name}><t:ItemId Id="{ident}" ChangeKey="v"/>{when}<t:UID>{uid or ident}@x</t:UID>'
        f"{ORGANIZER.format(organizer)}<t:AppointmentSequenceNumber>{sequence}</t:AppointmentSequenceNumber>{more}</t:{name}>"
    )


def associated(ident: str) -> str:
    return f'<t:AssociatedCalendarItemId Id="{ident}"/>'


def serving(**known: str) -> Server:
    """A server that knows these items by id, and says the rest are gone. `master_of_x` answers for the series of x."""

    def script(asked: Asked) -> httpx2.Response:
        masters = [e.get("OccurrenceId") for e in asked.body.iter("{*}RecurringMasterItemId")]
        wanted = [f"master_of_{m}" for m in masters] or asked.ids()
        return answer("GetItem", *(_told(known.get(i)) for i in wanted))

    return Server(script)


def _told(content: str | None) -> str:
    if content is None:
        return bad("ErrorItemNotFound")
    return bad(content) if content.startswith("Error") else ok(f"<m:Items>{content}</m:Items>")


async def read(server: Server, *ids: str, messages: bool = False) -> list[Observation | Unreadable]:
    mailbox = server.mailbox()
    results = await mailbox.read([ItemRef(i, is_message=messages) for i in ids])
    await mailbox.close()
    return results


async def the_one(server: Server, *ids: str, messages: bool = False) -> Observation:
    (result,) = await read(server, *ids, messages=messages)
    assert isinstance(result, Observation)
    return result


class TestBatches:
    async def test_ten_items_are_asked_for_at_once_and_each_only_once(self) -> None:
        server = serving(**{f"i{n}": meeting(f"i{n}") for n in range(25)})
        found = await read(server, *(f"i{n}" for n in range(25)), "i3", "i4")
        assert len(found) == 25
        assert sorted(len(a.ids()) for a in server.asked) == [5, 10, 10]

    async def test_an_item_that_fails_the_whole_request_is_found_by_halves(self) -> None:
        def script(asked: Asked) -> httpx2.Response:
            if "bad" in asked.ids():
                return fault("ErrorInvalidIdMalformed")
            return answer("GetItem", *(ok(f"<m:Items>{meeting(i)}</m:Items>") for i in asked.ids()))

        server = Server(script)
        found = await read(server, *(f"i{n}" for n in range(9)), "bad")
        broken = [r for r in found if isinstance(r, Unreadable)]
        assert [(r.ref.id, type(r.error)) for r in broken] == [("bad", ItemBrokenError)]
        assert len(found) == 10
        assert server.count() <= 9

    async def test_an_item_whose_answer_cannot_be_read_is_found_by_halves(self) -> None:
        def script(asked: Asked) -> httpx2.Response:
            if "bad" in asked.ids():
                return httpx2.Response(200, content=b"<s:Envelope><broken")
            return answer("GetItem", *(ok(f"<m:Items>{meeting(i)}</m:Items>") for i in asked.ids()))

        found = await read(Server(script), "a", "bad", "c")
        assert [type(r.error) for r in found if isinstance(r, Unreadable)] == [ItemBrokenError]

    async def test_if_nothing_can_be_read_it_is_not_the_items_fault(self) -> None:
        for response in (httpx2.Response(200, content=b"<x"), fault("ErrorInternalServerError")):
            with pytest.raises(TryLaterError):
                await read(Server(lambda _, r=response: r), "a", "b")  # type: ignore[misc]  # the default binds r

    async def test_an_answer_with_too_few_entries_is_asked_for_one_by_one(self) -> None:
        server = Server(lambda asked: answer("GetItem", ok(f"<m:Items>{meeting(asked.ids()[0])}</m:Items>")))
        assert len(await read(server, "a", "b", "c")) == 3

    async def test_items_that_are_busy_are_told_one_by_one_or_all(self) -> None:
        server = serving(a=meeting("a"), b="ErrorMailboxStoreUnavailable")
        _, second = await read(server, "a", "b")
        assert isinstance(second, Unreadable)
        assert isinstance(second.error, TryLaterError)
        with pytest.raises(TryLaterError):
            await read(server, "b")

    async def test_what_concerns_the_mailbox_concerns_the_call(self) -> None:
        with pytest.raises(MisconfiguredError):
            await read(Server(lambda _: fault("ErrorNonExistentMailbox")), "a", "b")

    async def test_what_is_no_meeting_says_so_without_an_error(self) -> None:
        server = serving(a=meeting("a", more="<t:IsMeeting>false</t:IsMeeting>"), b=meeting("b", name="Message"))
        assert [getattr(r, "error", 1) for r in await read(server, "a", "b")] == [None, None]


class TestMessages:
    async def test_the_calendar_item_speaks_for_a_message_exchange_has_applied(self) -> None:
        server = serving(
            m=meeting(
                "m",
                name="MeetingRequest",
                uid="k",
                sequence=9,
                more=f"{associated('c')}<t:HasBeenProcessed>true</t:HasBeenProcessed>",
            ),
            c=meeting("c", uid="k"),
        )
        seen = await the_one(server, "m", messages=True)
        assert (seen.ref.id, seen.ref.is_message) == ("c", False)

    async def test_a_newer_request_speaks_for_itself(self) -> None:
        server = serving(
            m=meeting("m", name="MeetingRequest", uid="k", sequence=1, more=associated("c")), c=meeting("c", uid="k")
        )
        seen = await the_one(server, "m", messages=True)
        assert (seen.ref.id, seen.ref.is_message) == ("m", True)

    async def test_a_newer_cancellation_cancels_the_calendar_item(self) -> None:
        server = serving(
            m=meeting("m", name="MeetingCancellation", uid="k", sequence=1, more=associated("c"), when=""),
            c=meeting("c", uid="k", more="<t:Subject>S</t:Subject>"),
        )
        seen = await the_one(server, "m", messages=True)
        assert (seen.ref.id, seen.cancelled, seen.subject, seen.span is None) == ("c", True, "S", False)

    async def test_an_old_request_for_an_item_removed_on_purpose_revives_nothing(self) -> None:
        more = f"{associated('gone')}<t:HasBeenProcessed>true</t:HasBeenProcessed>"
        (result,) = await read(serving(m=meeting("m", name="MeetingRequest", more=more)), "m", messages=True)
        assert isinstance(result, Unreadable)
        assert isinstance(result.error, ItemGoneError)

    async def test_a_request_whose_item_is_gone_but_was_never_applied_speaks_for_itself(self) -> None:
        server = serving(m=meeting("m", name="MeetingRequest", more=associated("gone")))
        assert (await the_one(server, "m", messages=True)).ref.is_message

    async def test_an_outdated_request_without_an_item_is_nothing(self) -> None:
        server = serving(m=meeting("m", name="MeetingRequest", more="<t:IsOutOfDate>true</t:IsOutOfDate>"))
        assert await read(server, "m", messages=True) == [Unreadable(ItemRef("m", is_message=True))]

    async def test_a_copy_for_information_is_marked_and_leads_nowhere(self) -> None:
        server = serving(
            m=meeting("m", name="MeetingRequest", more=f"{associated('c')}<t:IsDelegated>true</t:IsDelegated>"),
            c=meeting("c"),
        )
        assert (await the_one(server, "m", messages=True)).informational_copy
        assert server.count() == 1

    async def test_of_several_requests_the_newest_is_the_meeting(self) -> None:
        for order in (("old", "new"), ("new", "old")):
            server = serving(
                old=meeting("old", name="MeetingRequest", uid="k", sequence=1),
                new=meeting("new", name="MeetingRequest", uid="k", sequence=2),
            )
            assert (await the_one(server, *order, messages=True)).ref.id == "new"

    async def test_a_cancellation_without_times_takes_those_of_its_request(self) -> None:
        for order in (("r", "x"), ("x", "r")):
            server = serving(
                r=meeting("r", name="MeetingRequest", uid="k", sequence=1),
                x=meeting("x", name="MeetingCancellation", uid="k", sequence=2, when=""),
            )
            seen = await the_one(server, *order, messages=True)
            assert (seen.cancelled, seen.span is None) == (True, False)

    async def test_a_message_and_its_item_in_one_reading_are_one_meeting(self) -> None:
        server = serving(m=meeting("m", name="MeetingRequest", uid="k", more=associated("c")), c=meeting("c", uid="k"))
        assert (await the_one(server, "m", "c")).ref.id == "c"
        assert server.count() == 1


class TestNamesAndTexts:
    def directory(self, resolution: httpx2.Response) -> Server:
        items = serving(a=meeting("a", organizer=X500), b=meeting("b", organizer=f"EX:{X500.upper()}"))

        def script(asked: Asked) -> httpx2.Response:
            found = resolution if asked.operation == "ResolveNames" else items.script(asked)
            assert isinstance(found, httpx2.Response)
            return found

        return Server(script)

    def resolved(self, *addresses: str) -> httpx2.Response:
        found = "".join(
            f"<t:Resolution><t:Mailbox><t:EmailAddress>{a}</t:EmailAddress></t:Mailbox></t:Resolution>"
            for a in addresses
        )
        return answer("ResolveNames", ok(f"<m:ResolutionSet>{found}</m:ResolutionSet>"))

    async def test_an_x500_organizer_is_looked_up_once(self) -> None:
        server = self.directory(self.resolved("SMTP:Olga@Example.test"))
        mailbox = server.mailbox()
        for _ in range(2):
            seen = await mailbox.read([ItemRef("a"), ItemRef("b")])
            assert [o.organizer.address for o in seen if isinstance(o, Observation)] == ["olga@example.test"] * 2
        assert server.count("ResolveNames") == 1
        server.clock.advance(hours=25)
        await mailbox.read([ItemRef("a")])
        assert server.count("ResolveNames") == 2

    async def test_the_mailbox_itself_is_recognised_behind_an_x500_name(self) -> None:
        assert (await the_one(self.directory(self.resolved(MAILBOX)), "a")).is_organizer

    @pytest.mark.parametrize("addresses", [(), ("a@x.test", "b@x.test"), (X500,)])
    async def test_a_name_nobody_knows_stays_as_it_is(self, addresses: tuple[str, ...]) -> None:
        assert (await the_one(self.directory(self.resolved(*addresses)), "a")).organizer.address == X500.lower()
        unknown = self.directory(answer("ResolveNames", bad("ErrorNameResolutionNoResults")))
        assert (await the_one(unknown, "a")).organizer.address == X500.lower()

    async def test_a_directory_out_of_reach_makes_the_meeting_wait(self) -> None:
        (result,) = await read(self.directory(answer("ResolveNames", bad("ErrorADUnavailable"))), "a")
        assert isinstance(result, Unreadable)
        assert isinstance(result.error, TryLaterError)

    async def test_bodies_that_come_empty_are_asked_for_as_text_together(self) -> None:
        empty = '<t:Body BodyType="Text"/>'
        plain = '<t:Body BodyType="HTML">html</t:Body>'
        items = serving(a=meeting("a", more=empty), b=meeting("b", more=plain), c=meeting("c", more=empty))

        def script(asked: Asked) -> httpx2.Response:
            if asked.body.findtext(".//{*}BodyType") == "Text":
                texts = (
                    ok(f'<m:Items><t:CalendarItem><t:Body BodyType="Text">{i}&lt;</t:Body></t:CalendarItem></m:Items>')
                    for i in asked.ids()
                )
                return answer("GetItem", *texts)
            found = items.script(asked)
            assert isinstance(found, httpx2.Response)
            return found

        server = Server(script)
        seen = await read(server, "a", "b", "c")
        assert [o.body_html for o in seen if isinstance(o, Observation)] == ["a&lt;", "html", "c&lt;"]
        assert server.count() == 2


class TestFinding:
    def finding(self, *ids: str, **known: str) -> Server:
        items = serving(**known)

        def script(asked: Asked) -> httpx2.Response:
            if asked.operation == "FindItem":
                found = "".join(f'<t:CalendarItem><t:ItemId Id="{i}"/></t:CalendarItem>' for i in ids)
                root = f'<m:RootFolder IncludesLastItemInRange="true"><t:Items>{found}</t:Items></m:RootFolder>'
                return answer("FindItem", ok(root))
            response = items.script(asked)
            assert isinstance(response, httpx2.Response)
            return response

        return Server(script)

    async def test_of_several_items_the_running_and_newest_is_found(self) -> None:
        server = self.finding(
            "a", "b", "c",
            a=meeting("a", uid="k", sequence=9, more="<t:IsCancelled>true</t:IsCancelled>"),
            b=meeting("b", uid="k", sequence=1),
            c=meeting("c", uid="k", sequence=3),
        )  # fmt: skip
        mailbox = server.mailbox()
        (b,) = await mailbox.read([ItemRef("b")])
        assert isinstance(b, Observation)
        found = await mailbox.find(b.key)
        assert found is not None
        assert found.ref.id == "c"

    async def test_a_server_that_cannot_search_is_listed_in_bounded_pages(self) -> None:
        items = serving(**{f"i{n}": meeting(f"i{n}") for n in range(100)})
        key = (await the_one(items, "i7")).key

        def page(offset: int, last: str) -> httpx2.Response:
            rows = "".join(
                f'<t:CalendarItem><t:ItemId Id="i{n}"/><t:ExtendedProperty><t:ExtendedFieldURI PropertyId="35" '
                'PropertySetId="6ed8da90-450b-101b-98da-00aa003f1305" PropertyType="Binary"/>'
                f"<t:Value>{b64encode(key.to_bytes() if n == 7 else bytes(20)).decode()}</t:Value></t:ExtendedProperty>"
                "</t:CalendarItem>"
                for n in range(offset, offset + 5)
            )
            root = f'<m:RootFolder IncludesLastItemInRange="{last}" IndexedPagingOffset="{offset + 5}">'
            return answer("FindItem", ok(f"{root}<t:Items>{rows}</t:Items></m:RootFolder>"))

        def script(asked: Asked) -> httpx2.Response:
            if asked.operation != "FindItem":
                found = items.script(asked)
                assert isinstance(found, httpx2.Response)
                return found
            if asked.body.find(".//{*}Restriction") is not None:
                return answer("FindItem", bad("ErrorInvalidRestriction"))
            view = asked.body.find(".//{*}IndexedPageItemView")
            assert view is not None
            return page(int(view.get("Offset") or ""), "false")

        server = Server(script)
        mailbox = server.mailbox()
        found = await mailbox.find(key)
        assert found is not None
        assert found.ref.id == "i7"
        assert server.count("FindItem") == 3
        assert await mailbox.find(type(key)("00" * 40)) is None
        assert server.count("FindItem") == 3 + 5


async def test_errors_say_nothing_of_content() -> None:
    secret = meeting("a", more="<t:Subject>planted</t:Subject>", when="")
    (result,) = await read(serving(a=secret), "a")
    assert isinstance(result, Unreadable)
    assert isinstance(result.error, ExchangeError)
    assert "planted" not in f"{result.error!r}{result!r}"


def _choosy(kind: str, more: Server, whole: bool) -> Server:
    """A server that refuses named properties, for the whole request or for each item of one kind."""

    def script(asked: Asked) -> httpx2.Response:
        named = asked.body.find(".//{*}AdditionalProperties/{*}FieldURI") is not None
        if named and whole:
            return fault("ErrorInvalidPropertyRequest")
        if named:
            refused = (bad("ErrorInvalidPropertyRequest") if i.startswith(kind) else None for i in asked.ids())
            found = [told or _told(meeting(i)) for i, told in zip(asked.ids(), refused, strict=True)]
            return answer("GetItem", *found)
        return more.script(asked)  # type: ignore[return-value]  # it scripts answers alone

    return Server(script)


@pytest.mark.parametrize("whole", [True, False])
async def test_a_server_that_refuses_a_property_is_asked_for_what_it_has(whole: bool) -> None:
    known = {f"c{n}": meeting(f"c{n}") for n in range(4)}
    server = _choosy("c", serving(**known), whole)
    mailbox = server.mailbox()
    for _ in range(2):
        found = await mailbox.read([ItemRef(i) for i in known])
        assert [o.key is not None for o in found if isinstance(o, Observation)] == [True] * 4
    assert server.count() == 3, "what the server refuses is learnt once"
    assert server.asked[-1].body.findtext(".//{*}BaseShape") == "AllProperties"


async def test_one_odd_item_does_not_spoil_the_shape_for_the_others() -> None:
    server = _choosy("odd", serving(odd=meeting("odd")), whole=False)
    mailbox = server.mailbox()
    found = await mailbox.read([ItemRef("a"), ItemRef("odd"), ItemRef("b")])
    assert all(isinstance(o, Observation) for o in found)
    assert server.count() == 2
    await mailbox.read([ItemRef("a")])
    assert server.asked[-1].body.findtext(".//{*}BaseShape") == "IdOnly"
