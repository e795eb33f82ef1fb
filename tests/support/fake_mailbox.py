"""A mailbox in memory that keeps the `Mailbox` contract, with faults that can be asked for by name."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from greenroom.exchange.contract import (
    Access,
    Changes,
    Hint,
    Invitation,
    InvitationEdit,
    Permitted,
    Reply,
    ReplyResult,
    Trial,
    TrialMeeting,
    Unreadable,
    UpdateResult,
    Verdict,
)
from greenroom.exchange.errors import (
    ExchangeError,
    ItemGoneError,
    MisconfiguredError,
    NotPermittedError,
    OutcomeUnknownError,
    TryLaterError,
)
from greenroom.meetings.meeting import (
    Glance,
    ItemRef,
    Kind,
    MeetingKey,
    Observation,
    Person,
    Response,
    Sensitivity,
    Span,
)


@dataclass
class Sent:
    """A reply the organizer got."""

    key: MeetingKey
    verdict: Verdict
    body_html: str


@dataclass
class FakeMailbox:
    """Calendar, organizers and the mail between them. `clock` is the server's.

    With `sends_per_minute` one message more within any 60 seconds is refused and kept in `violations`.
    """

    address: str
    clock: Callable[[], datetime]
    items: dict[str, Observation] = field(default_factory=dict)
    log: list[tuple[str, bool]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    organizer_bodies: dict[MeetingKey, Invitation] = field(default_factory=dict)
    updated: list[MeetingKey] = field(default_factory=list)  # organizers' meetings that were written to, each time
    refused_organizers: set[str] = field(default_factory=set)
    faults: list[tuple[str, ExchangeError, bool]] = field(default_factory=list)
    unreadable: dict[str, ExchangeError] = field(default_factory=dict)
    unanswerable: dict[str, ExchangeError] = field(default_factory=dict)
    hides_exceptions: bool = False  # as over Graph, where no list shows what differs from a series
    mails_nothing: bool = False  # as Exchange does for meetings whose organizer wants no answers
    sends_per_minute: int | None = None
    credential_expires_at: datetime | None = None
    answered: list[str] = field(default_factory=list)  # occurrences that were answered by themselves
    reads: int = 0
    mailed_at: list[datetime] = field(default_factory=list)
    violations: list[datetime] = field(default_factory=list)
    folder_marks: dict[str, str] = field(default_factory=dict)
    page: int = 100  # so many at a time when the whole calendar is read
    people: dict[str, Permitted] = field(default_factory=dict)  # whose calendar is not simply open
    booked: dict[str, dict[str, MeetingKey]] = field(
        default_factory=dict
    )  # trials of each organizer, by the id of their item
    arriving: Callable[[Observation], Observation | None] = lambda seen: (
        seen
    )  # what the server makes of a trial's invitation
    forgets_cancelled: bool = False

    # --- what people do -----------------------------------------------------------------------------------------

    def put(self, observation: Observation) -> None:
        """Let the calendar show this from now on."""
        version = str(len(self.log))
        self.items[observation.ref.id] = replace(observation, ref=replace(observation.ref, version=version))
        self.log.append((observation.ref.id, True))

    def invite(self, observation: Observation) -> None:
        """Let an organizer send an invitation or an update."""
        self.organizer_bodies[observation.key] = Invitation(observation.body_html, observation.location)
        self.put(observation)

    def remove(self, item_id: str) -> None:
        """Take an item out of the calendar."""
        self.items.pop(item_id, None)
        self.log.append((item_id, False))

    def fail(self, operation: str, error: ExchangeError, *, after: bool = False) -> None:
        """Let the next call of an operation fail, before or after its work was done."""
        self.faults.append((operation, error, after))

    def replies_to(self, key: MeetingKey) -> list[Sent]:
        """Return what the organizer of this meeting got."""
        return [sent for sent in self.sent if sent.key == key]

    # --- the contract ---------------------------------------------------------------------------------------------

    async def changes(self, cursor: str, *, limit: int) -> Changes:
        self._trip("changes", after=False)
        start = int(cursor or 0)
        end = min(len(self.log), start + limit)
        latest = dict(self.log[start:end])
        glances = tuple(self._glance(item_id) for item_id, there in latest.items() if there and item_id in self.items)
        gone = tuple(item_id for item_id in latest if item_id not in self.items)
        return Changes(glances, gone, str(end), end < len(self.log))

    def _glance(self, item_id: str) -> Glance:
        item = self.items[item_id]
        own = item.replied_at is not None and (item.sent_at is None or item.replied_at >= item.sent_at)
        told = None if self.sends_per_minute is None else item.sent_at  # as over Graph, where messages are counted
        fingerprint = None if self.hides_exceptions and item.series is not None else item.fingerprint
        starts_at = None if item.span is None else item.span.start
        return Glance(item.ref, item.key, fingerprint, item.response, own, told, starts_at)

    async def inventory(self, since: datetime) -> list[Glance]:
        self._trip("inventory", after=False)
        return [self._glance(item_id) for item_id in self.items]

    async def pages(
        self, since: datetime, until: datetime | None = None
    ) -> AsyncIterator[Sequence[Observation | Unreadable]]:
        self._trip("pages", after=False)
        wanted = [i for i in self.items.values() if until is None or i.span is None or i.span.start < until]
        wanted = [i for i in wanted if not i.ref.is_message and (i.span is None or i.series or i.span.end > since)]
        wanted.sort(key=lambda item: (item.span is not None, item.span.start.timestamp() if item.span else 0.0))
        self.reads += len(wanted)
        for start in range(0, len(wanted), self.page):
            yield [
                item if (error := self.unreadable.get(item.ref.id)) is None else Unreadable(item.ref, error)
                for item in wanted[start : start + self.page]
            ]

    async def marks(self) -> dict[str, str]:
        self._trip("marks", after=False)
        return dict(self.folder_marks)

    async def mark(self, name: str, text: str | None) -> None:
        self._trip("mark", after=False)
        if text is None:
            self.folder_marks.pop(name, None)
        else:
            self.folder_marks[name] = text

    async def read(self, refs: Sequence[ItemRef]) -> list[Observation | Unreadable]:
        self._trip("read", after=False)
        self.reads += len(refs)
        found = [self._look(ref) for ref in refs]
        self._trip("read", after=True)
        return list(found)

    def _look(self, ref: ItemRef) -> Observation | Unreadable:
        if error := self.unreadable.get(ref.id):
            return Unreadable(ref, error)
        return self.items.get(ref.id) or Unreadable(ref, ItemGoneError("gone"))

    async def find(self, key: MeetingKey) -> Observation | None:
        self._trip("find", after=False)
        return next((item for item in self.items.values() if item.key == key), None)

    async def respond(self, replies: Sequence[Reply]) -> list[ReplyResult]:
        self._trip("respond", after=False)
        results = [self._respond(reply) for reply in replies]
        self._trip("respond", after=True)
        return results

    def _respond(self, reply: Reply) -> ReplyResult:
        whole, _, day = reply.ref.id.partition("#")
        item = self.items.get(whole)
        if item is None or reply.ref.id in self.unanswerable:
            return ReplyResult(reply.ref, self.unanswerable.get(reply.ref.id, ItemGoneError("gone")))
        mailed = reply.send and not self.mails_nothing
        if mailed and not self._may_send():
            return ReplyResult(reply.ref, TryLaterError("too many messages", code="ErrorSendLimit"))
        if mailed:
            self.sent.append(Sent(item.key, reply.verdict, reply.body_html))
        if day:
            changed = tuple(
                replace(one, response=Response.ACCEPTED, replied_at=self.clock()) if one.ref == reply.ref else one
                for one in item.changed
            )
            self.answered.append(reply.ref.id)
            self.put(replace(item, changed=changed))
        elif reply.verdict is Verdict.DECLINE:
            self.remove(reply.ref.id)
        else:
            said = Response.TENTATIVE if reply.verdict is Verdict.TENTATIVE else Response.ACCEPTED
            self.put(replace(item, response=said, replied_at=self.clock()))
        return ReplyResult(reply.ref, mailed=mailed)

    def _may_send(self) -> bool:
        now = self.clock()
        if self.sends_per_minute is not None:
            lately = [at for at in self.mailed_at[-self.sends_per_minute :] if now - at <= timedelta(seconds=60)]
            if len(lately) >= self.sends_per_minute:
                self.violations.append(now)
                return False
        self.mailed_at.append(now)
        return True

    async def update_invitation(self, organizer: str, key: MeetingKey, edit: InvitationEdit) -> UpdateResult:
        self._trip("update_invitation", after=False)
        if organizer in self.refused_organizers:
            return UpdateResult.REFUSED
        invitation = self.organizer_bodies.get(key)
        if invitation is None:
            return UpdateResult.NOT_FOUND
        edited = edit(invitation)
        if edited is None:
            return UpdateResult.PRESENT
        self.organizer_bodies[key] = edited
        self.updated.append(key)
        for item in list(self.items.values()):
            if item.key == key:
                self.put(replace(item, body_html=edited.body_html, location=edited.location, sent_at=self.clock()))
        self._trip("update_invitation", after=True)
        return UpdateResult.WRITTEN

    async def may_act_for(self, person: str) -> Permitted:
        self._trip("may_act_for", after=False)
        return self.people.get(person, Permitted(Access.YES))

    async def book_trial(self, organizer: str, attendee: str, trial: Trial) -> None:
        self._trip("book_trial", after=False)
        self._enter(organizer)
        number = sum(len(those) for those in self.booked.values()) + 1
        key, ident = MeetingKey.of_uid(f"trial-{number}@{organizer}"), f"trial-{number}"
        self.booked.setdefault(organizer, {})[ident] = key
        self.organizer_bodies[key] = Invitation(trial.body_html, "")
        seen = self.arriving(
            Observation(
                key=key,
                ref=ItemRef(f"copy-of-{ident}"),
                kind=Kind.SINGLE,
                span=Span(trial.start, trial.end),
                organizer=Person(organizer, "Olga Organizer"),
                subject=trial.subject,
                body_html=trial.body_html,
                sensitivity=Sensitivity.PRIVATE if trial.private else Sensitivity.NORMAL,
                received_at=self.clock(),
                sent_at=self.clock(),
            )
        )
        if seen is not None:
            self.put(seen)
        self._trip("book_trial", after=True)

    def _enter(self, organizer: str) -> None:
        open_to_us = self.people.get(organizer, Permitted(Access.YES))
        if open_to_us.access is Access.NO:
            raise NotPermittedError("no right", code=open_to_us.code, mailbox=organizer)
        if open_to_us.access is not Access.YES:
            raise MisconfiguredError("not here", code=open_to_us.code, mailbox=organizer)

    async def trials(self, organizer: str, attendee: str) -> list[TrialMeeting]:
        self._trip("trials", after=False)
        self._enter(organizer)
        return [self._trial(ident, key) for ident, key in self.booked.get(organizer, {}).items()]

    def _trial(self, ident: str, key: MeetingKey) -> TrialMeeting:
        copy = next((item for item in self.items.values() if item.key == key), None)
        response, at = (Response.NONE, None) if copy is None else (copy.response, copy.replied_at)
        if any(sent.verdict is Verdict.DECLINE for sent in self.replies_to(key)):
            response, at = Response.DECLINED, self.clock()
        start = None if copy is None or copy.span is None else copy.span.start
        return TrialMeeting(ItemRef(ident), key, start, self.organizer_bodies[key], response, at)

    async def cancel_trial(self, organizer: str, ref: ItemRef) -> None:
        self._trip("cancel_trial", after=False)
        self._enter(organizer)
        key = self.booked.get(organizer, {}).pop(ref.id, None)
        for item in [one for one in self.items.values() if one.key == key]:
            if self.forgets_cancelled:
                self.remove(item.ref.id)
            else:
                self.put(replace(item, cancelled=True, sent_at=self.clock()))

    async def wakeups(self) -> AsyncIterator[Hint]:
        for _ in ():
            yield Hint.LOOK

    async def check(self) -> None:
        self._trip("check", after=False)

    async def close(self) -> None:
        return

    def _trip(self, operation: str, *, after: bool) -> None:
        for fault in self.faults:
            if fault[0] == operation and fault[2] is after:
                self.faults.remove(fault)
                raise OutcomeUnknownError("lost") if after and operation == "respond" else fault[1]
