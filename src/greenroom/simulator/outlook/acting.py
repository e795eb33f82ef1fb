"""The pages that do: compose, edit, cancel, answer, remove, delete, choose a time zone, bring in an invitation file."""

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from greenroom.simulator.errors import BadInvitation, InvalidOperation, NoSuchItem, StoreError
from greenroom.simulator.model import Answer, Body, CalendarItem
from greenroom.simulator.outlook.addin import Ribbon
from greenroom.simulator.outlook.bodies import as_html, edited_html
from greenroom.simulator.outlook.desk import Desk, go
from greenroom.simulator.outlook.form import (
    MAX_BODY,
    MeetingForm,
    blank_form,
    changes_only,
    filled_form,
    read_form,
    typed_form,
    without_controls,
)
from greenroom.simulator.outlook.localtime import COOKIE, known_zone, zone_names
from greenroom.simulator.outlook.repeats import CHOICES, KEEP, in_words
from greenroom.simulator.outlook.visit import Visit

_ANSWERS: dict[str, Answer] = {"accept": "Accept", "tentative": "Tentative", "decline": "Decline"}
_REFUSALS = {
    "ErrorCalendarMeetingRequestIsOutOfDate": "A newer version of this invitation has come: answer that one.",
    "ErrorCalendarIsCancelledForAccept": "The meeting was cancelled meanwhile.",
    "ErrorCalendarIsCancelledForDecline": "The meeting was cancelled meanwhile.",
    "ErrorCalendarIsCancelledForTentative": "The meeting was cancelled meanwhile.",
    "ErrorCalendarIsNotOrganizer": "Only the organizer can do this.",
}


class Acting:
    """Handlers of forms. A form with errors comes back with everything that was typed."""

    def __init__(self, desk: Desk, ribbon: Ribbon) -> None:
        self._desk = desk
        self._ribbon = ribbon

    async def compose(self, request: Request) -> Response:
        visit = self._desk.visit(request, "calendar", write=True)
        if request.method != "POST":
            return self._composer(request, visit, blank_form(visit.clock))
        form = await self._typed(request)
        draft = read_form(self._desk.exchange, form)
        if form.errors:
            return self._composer(request, visit, form, status=422)
        if remembered := self._ribbon.remembered(form.remembered):
            draft["extended"] = dict(remembered)
        item = self._desk.exchange.create_meeting(visit.mailbox.address, draft, "SendToAllAndSaveCopy")
        return go(visit.item_url(item, done="sent"))

    async def edit(self, request: Request) -> Response:
        visit = self._desk.visit(request, "calendar", write=True)
        typed = await self._typed(request) if request.method == "POST" else None
        item = self._own_meeting(visit)
        if typed is None:
            form = filled_form(item, visit.clock, [room.address for room in self._desk.rooms()])
            return self._composer(request, visit, form, item)
        form = typed
        draft = read_form(self._desk.exchange, form, item.meeting)
        if form.errors:
            return self._composer(request, visit, form, item, status=422)
        changes = changes_only(form, draft, item.meeting)
        if remembered := self._ribbon.remembered(form.remembered):
            self._desk.exchange.update_item(visit.mailbox.address, item.id, {"extended": dict(remembered)})
        if not changes:
            return go(visit.item_url(item, done="unchanged"))
        only_people = set(changes) == {"attendees"}
        self._desk.exchange.update_item(
            visit.mailbox.address,
            item.id,
            changes,
            send="SendToChangedAndSaveCopy" if only_people else "SendToAllAndSaveCopy",
        )
        return go(visit.item_url(item, done="updated"))

    async def cancel(self, request: Request) -> Response:
        """Ask for a last word to everybody, then cancel."""
        visit = self._desk.visit(request, "calendar", write=True)
        message = _words(await request.form(), "message") if request.method == "POST" else None
        item = self._own_meeting(visit)
        if request.method != "POST":
            when = visit.clock.span(item.meeting.start, item.meeting.end)
            values = {"item": item, "when": when, "back": visit.item_url(item)}
            return self._desk.show(request, "cancel.html", visit, values)
        self._desk.exchange.cancel_meeting(visit.mailbox.address, item.id, body=message)
        return go(visit.url("calendar", done="cancelled"))

    async def answer(self, request: Request) -> Response:
        """Accept, accept tentatively or decline an invitation."""
        visit = self._desk.visit(request, write=True)
        form = await request.form()
        item = self._desk.item(visit)
        answer = _ANSWERS.get(str(form.get("answer", "")))
        if answer is None:
            raise HTTPException(400, "Choose to accept, accept tentatively or decline.")
        try:
            done = self._desk.exchange.respond(visit.mailbox.address, item.id, answer, body=_words(form, "message"))
        except (InvalidOperation, NoSuchItem) as error:
            raise HTTPException(409, _REFUSALS.get(error.code, "This item cannot be answered.")) from error
        code = "answered" if done.sent_copy is not None else "quietly"
        if answer == "Decline" or done.calendar_item is None:
            return go(visit.url("inbox", done=code))
        return go(visit.item_url(done.calendar_item, done=code))

    async def remove(self, request: Request) -> Response:
        """Take a cancelled meeting out of the calendar."""
        visit = self._desk.visit(request, write=True)
        item = self._desk.item(visit)
        try:
            self._desk.exchange.remove_cancelled(visit.mailbox.address, item.id)
        except (InvalidOperation, NoSuchItem) as error:
            raise HTTPException(409, "Only a cancelled meeting can be removed.") from error
        return go(visit.url("calendar" if isinstance(item, CalendarItem) else "inbox", done="removed"))

    async def delete(self, request: Request) -> Response:
        """Move a mail to Deleted Items."""
        visit = self._desk.visit(request, write=True)
        item = self._desk.item(visit)
        if isinstance(item, CalendarItem):
            raise HTTPException(409, "Cancel or decline a meeting instead of deleting it.")
        place = visit.place_of(item)
        self._desk.exchange.delete_item(visit.mailbox.address, item.id)
        return go(visit.url(place, done="deleted"))

    async def zone(self, request: Request) -> Response:
        """Choose the zone in which times are shown."""
        form = await request.form()
        zone = known_zone(str(form.get("zone", "")))
        if zone is None:
            raise HTTPException(400, "Choose a time zone from the list.")
        back, base = str(form.get("back", "")), self._desk.base(request)
        inside = back.startswith(f"{base}/") and not back.startswith("//") and "\\" not in back
        response = go(back if inside else f"{base}/")
        path = f"{base}/"
        response.set_cookie(COOKIE, zone.key, max_age=365 * 86_400, path=path, samesite="lax")
        return response

    async def bring(self, request: Request) -> Response:
        """Deliver an invitation file to a mailbox, as mail from outside would come."""
        known = self._desk.mailboxes([*self._desk.people, *self._desk.equipment])
        wanted = request.query_params.get("to", "")
        values: dict[str, object] = {"known": known, "to": wanted, "error": None, "delivered": None, "shown": []}
        if request.method != "POST":
            return self._desk.show(request, "import.html", None, values)
        form = await request.form(max_files=1)
        values["to"] = wanted = str(form.get("to", ""))
        upload = form.get("file")
        data = await upload.read() if isinstance(upload, UploadFile) else b""
        mailbox = next((one for one in known if one.address == wanted), None)
        if mailbox is None or not data:
            values["error"] = "Choose a mailbox." if mailbox is None else "Choose an invitation file (.ics) first."
            return self._desk.show(request, "import.html", None, values, 422)
        try:
            delivered = self._desk.exchange.deliver_ics(mailbox.address, data)
        except BadInvitation as error:
            line = "" if error.line is None else f" (line {error.line} of the file)"
            reason = error.reason.rstrip(".")
            values["error"] = f"This file is no invitation that can be delivered: {reason}{line}."
            return self._desk.show(request, "import.html", None, values, 422)
        visit = Visit(self._desk.exchange, mailbox, self._desk.clock(request), self._desk.base(request), "inbox")
        shown = []
        for item_id in (*delivered.message_ids, *delivered.calendar_item_ids):
            try:
                item = self._desk.exchange.get(mailbox.address, item_id)
            except StoreError:
                continue  # moved on by the mailbox's own processing
            shown.append((item, visit.item_url(item)))
        values |= {"delivered": delivered, "shown": shown, "mailbox": mailbox}
        return self._desk.show(request, "import.html", None, values)

    async def _typed(self, request: Request) -> MeetingForm:
        form = await request.form(max_files=0, max_part_size=4 * MAX_BODY)
        values = {key: str(value) for key, value in form.items()}
        rooms = [str(value) for value in form.getlist("room")]
        return typed_form(values, rooms, [room.address for room in self._desk.rooms()])

    def _own_meeting(self, visit: Visit) -> CalendarItem:
        item = self._desk.item(visit)
        if not isinstance(item, CalendarItem) or not item.is_organizer or item.meeting.is_cancelled:
            raise HTTPException(409, "Only the organizer can change a meeting, and only until it is cancelled.")
        return item

    def _composer(
        self, request: Request, visit: Visit, form: MeetingForm, item: CalendarItem | None = None, status: int = 200
    ) -> Response:
        choices = list(CHOICES)
        if item is not None and (form["repeat"] == KEEP or in_words(item.meeting)):
            choices.append((KEEP, f"As now: {in_words(item.meeting) or 'does not repeat'}"))
        values = {
            "form": form,
            "item": item,
            "choices": choices,
            "zones": zone_names(visit.clock.zone.key, form["zone"]),
            "directory": [one for one in self._desk.exchange.mailboxes() if one.kind == "user"],
            "seen": form.marks(),
            "back": visit.url("inbox") if item is None else visit.item_url(item),
            "addin": self._ribbon.link,
            "told": self._ribbon.told(visit, item),
            "markup": form.html or (as_html(form["body"]).content if item is None else edited_html(item.body)),
        }
        return self._desk.show(request, "compose.html", visit, values, status)


def _words(form: FormData, name: str) -> Body | None:
    text = without_controls(str(form.get(name, "")))[:MAX_BODY]
    return as_html(text) if text.strip() else None
