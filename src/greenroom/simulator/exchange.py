"""The store of "Exchange in a box" as its faces (EWS, web mail, demo) see it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from greenroom.simulator import attendee, ics_write, ids, inbound, mail, organizer, planning, rights, series
from greenroom.simulator.applications import Application
from greenroom.simulator.directory import bare
from greenroom.simulator.errors import InvalidOperation, NoSuchSubscription
from greenroom.simulator.model import (
    Account,
    Answer,
    Attendee,
    Body,
    CalendarItem,
    ConflictResolution,
    DeleteMode,
    Delivered,
    Disposition,
    EventType,
    Folder,
    Home,
    Item,
    Mailbox,
    MailboxKind,
    MeetingDraft,
    Message,
    MessageDraft,
    OutboundMail,
    Person,
    Processing,
    Responded,
    SendInvitations,
    SendUpdates,
    SyncResult,
)
from greenroom.simulator.site import Site
from greenroom.simulator.subscriptions import Subscription


class Exchange:
    """One organisation's mailboxes, directory and transport, in memory, in one asyncio loop.

    `clock` gives the current time (aware UTC). Methods are synchronous and complete their delivery before they return.
    A `mailbox` argument takes any address form the directory knows; unknown ones raise NoSuchMailbox. Folder arguments take
    a folder id or a distinguished name; unknown ones raise NoSuchFolder. Items returned are the store's own: read only.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.site = Site(clock)

    @property
    def clock(self) -> Callable[[], datetime]:
        """The source of the current time; it may be replaced while running."""
        return self.site.clock

    @clock.setter
    def clock(self, clock: Callable[[], datetime]) -> None:
        self.site.clock = clock

    @property
    def outbound(self) -> list[OutboundMail]:
        """Mail that left for other domains, oldest first. May be cleared."""
        return self.site.outbound

    @property
    def bounced(self) -> list[OutboundMail]:
        """Mail to addresses of our domains that do not exist. May be cleared."""
        return self.site.bounced

    # --- people ---------------------------------------------------------------------------------------------------

    def add_mailbox(
        self,
        address: str,
        name: str,
        password: str | None = None,
        *,
        kind: MailboxKind = "user",
        processing: Processing = "none",
        aliases: Iterable[str] = (),
        x500: str | None = None,
        shows_x500: bool = False,
        process_external: bool = True,
        home: Home = "both",
    ) -> Mailbox:
        """Create a mailbox with its folders, and (with a password) an account whose login is the address.

        `processing` counts for equipment only; users always behave like "auto_update". Our domains are those of the mailboxes.
        `home` says which faces know the mailbox (see Mailbox.home).
        Raises ValueError when the address or an alias is taken.
        """
        primary = bare(address)
        mailbox = Mailbox(
            address=primary,
            name=name,
            kind=kind,
            processing=processing if kind == "equipment" else "auto_update",
            aliases=tuple(bare(alias) for alias in aliases),
            x500=x500 or _default_x500(primary),
            shows_x500=shows_x500,
            process_external=process_external,
            home=home,
        )
        self.site.directory.add(mailbox)
        self.site.add_store(mailbox)
        if password is not None:
            self.add_account(primary, password, mailbox=primary)
        return mailbox

    def add_account(self, login: str, password: str, *, mailbox: str | None = None) -> Account:
        """Create a login without a mailbox, or with an existing one."""
        owner = None if mailbox is None else self.mailbox(mailbox).address
        return self.site.directory.add_login(login, password, owner)

    def add_token(self, token: str, login: str) -> None:
        """Let a bearer token stand for a login."""
        self.site.directory.tokens[token] = login

    def grant_impersonation(self, login: str, scope: Iterable[str] | None) -> None:
        """Give the ApplicationImpersonation role over these mailboxes; None: everybody. A second call replaces the first."""
        self.site.directory.grant(login, scope)

    def revoke_impersonation(self, login: str) -> None:
        """Take the role away."""
        self.site.directory.grants.pop(login.lower(), None)

    def add_application(self, application: Application) -> None:
        """Register an application with the tenant (Graph); one of the same id is replaced.

        Raises NoSuchMailbox when its scope names a mailbox that does not exist.
        """
        self.site.directory.register(application)

    def application(self, client_id: str) -> Application | None:
        """A registered application by its client id."""
        return self.site.directory.applications.get(client_id.lower())

    def authenticate(self, login: str, password: str) -> Account | None:
        """Check a password; logins are case-insensitive. None when login or password is wrong."""
        return rights.unless_blocked(self.site, self.site.directory.check(login, password))

    def account(self, login: str) -> Account | None:
        """The account of a login that has proven itself to a door in front (NTLM, Kerberos)."""
        return self.site.directory.by_login(login)

    def authenticate_token(self, token: str) -> Account | None:
        """Check a bearer token."""
        return self.site.directory.by_token(token)

    def may_impersonate(self, login: str, address: str) -> bool:
        """Whether the login may act as this mailbox by impersonation. False for unknown mailboxes."""
        return rights.may_impersonate(self.site, login, address)

    def find_mailbox(self, address: str) -> Mailbox | None:
        """Find by SMTP address, alias or X500 name (legacyExchangeDN), case-insensitive, an "SMTP:"/"EX:" prefix allowed."""
        return self.site.directory.find(address)

    def mailbox(self, address: str) -> Mailbox:
        """Like find_mailbox, but raises NoSuchMailbox."""
        return self.site.directory.get(address)

    def mailboxes(self) -> list[Mailbox]:
        """All mailboxes in the order of their creation."""
        return list(self.site.directory.mailboxes.values())

    def resolve_names(self, text: str) -> list[Mailbox]:
        """ResolveNames: an exact address or X500 name gives one, else those whose name or address has a word beginning so."""
        return [one for one in self.site.directory.resolve(text) if not rights.hidden(self.site, one)]

    # --- folders and items ----------------------------------------------------------------------------------------

    def folders(self, mailbox: str) -> list[Folder]:
        """All folders of a mailbox."""
        return list(self.site.store(mailbox).folders.values())

    def folder(self, mailbox: str, folder: str) -> Folder:
        """One folder by id or distinguished name. Raises NoSuchFolder."""
        return self.site.store(mailbox).folder(folder)

    def folder_properties(self, mailbox: str) -> Mapping[str, str]:
        """The named strings (PS_PUBLIC_STRINGS) that programs left on the calendar folder, by name; the same on every face."""
        return self.site.store(mailbox).folder_properties

    def set_folder_property(self, mailbox: str, name: str, value: str | None) -> None:
        """Leave a named string on the calendar folder, or take it away (None).

        Raises InvalidOperation (ErrorAccessDenied) where the mailbox has `folders_locked`.
        """
        if self.mailbox(mailbox).folders_locked:
            raise InvalidOperation("ErrorAccessDenied", "the folders of this mailbox may not be changed")
        self.site.store(mailbox).describe(name, value)

    def owner_of_folder(self, folder_id: str) -> str | None:
        """The address of the mailbox a folder id belongs to; None for an unknown or malformed id."""
        return self.site.owner_of(folder_id)

    def owner_of_item(self, item_id: str) -> str | None:
        """The address of the mailbox an item id was made in (also when the item is gone); None for a malformed id."""
        return self.site.owner_of(item_id)

    def get(self, mailbox: str, item_id: str) -> Item:
        """One item. Raises NoSuchItem."""
        return self.site.store(mailbox).get(item_id)

    def get_immutable(self, mailbox: str, immutable_id: str) -> Item:
        """One item by the id that stays the same when it is moved. Raises NoSuchItem."""
        return self.site.store(mailbox).get_immutable(immutable_id)

    def items(self, mailbox: str, folder: str) -> list[Item]:
        """The items of a folder, oldest first."""
        return self.site.store(mailbox).contents(folder)

    def sync(self, mailbox: str, folder: str, state: str | None, max_changes: int) -> SyncResult:
        """SyncFolderItems: what changed since `state` (None or "": everything), newest first, at most max_changes (1-512).

        An item changed several times is reported once, one created and deleted since not at all, one moved out as deleted.
        Raises InvalidSyncState for foreign, broken and expired states.
        """
        return self.site.store(mailbox).sync(folder, state, max_changes, self.site.generation)

    def expire_sync_states(self) -> None:
        """Make every state handed out so far invalid, as a mailbox move or restore does."""
        self.site.generation += 1

    # --- organizer ------------------------------------------------------------------------------------------------

    def create_meeting(
        self, mailbox: str, draft: MeetingDraft, send: SendInvitations = "SendToNone", *, sender: str | None = None
    ) -> CalendarItem:
        """CreateItem of a CalendarItem. `sender` is the delegate who does it, if not the owner.

        Raises InvalidOperation for missing or reversed times.
        """
        return organizer.create(self.site, self.site.store(mailbox), draft, send, sender)

    def update_item(
        self,
        mailbox: str,
        item_id: str,
        draft: MeetingDraft,
        *,
        change_key: str | None = None,
        resolution: ConflictResolution = "AutoResolve",
        send: SendUpdates = "SendToNone",
    ) -> Item:
        """UpdateItem. On other than calendar items only subject, body, sensitivity, importance, is_read and extended apply.

        Changing time, zone or recurrence and sending makes a FullUpdate (sequence + 1, responses reset); other changes make
        an InformationalUpdate. Added attendees get a new request, removed ones a cancellation (when sending at all).
        An attendee's own changes to their copy send nothing. Raises IrresolvableConflict for a stale change key with
        NeverOverwrite (AutoResolve merges, AlwaysOverwrite wins), NoSuchItem, InvalidOperation.
        """
        store = self.site.store(mailbox)
        item = store.get(item_id)
        organizer.update(self.site, store, item, draft, change_key=change_key, resolution=resolution, send=send)
        return item

    def cancel_meeting(
        self, mailbox: str, item_id: str, *, body: Body | None = None, disposition: Disposition = "SendAndSaveCopy"
    ) -> CalendarItem | None:
        """CancelCalendarItem: send cancellations with this body and move the own item to Deleted Items (returned there).

        Raises InvalidOperation (ErrorCalendarIsNotOrganizer) on attendees' copies.
        """
        store = self.site.store(mailbox)
        return organizer.cancel(self.site, store, store.get(item_id), body, disposition)

    def delete_item(
        self,
        mailbox: str,
        item_id: str,
        mode: DeleteMode = "MoveToDeletedItems",
        *,
        send_cancellations: SendInvitations = "SendToNone",
    ) -> Item | None:
        """DeleteItem. Returns the item where it now is, None when it is gone (soft and hard delete)."""
        store = self.site.store(mailbox)
        return organizer.delete(self.site, store, store.get(item_id), mode, send_cancellations)

    def move_item(self, mailbox: str, item_id: str, folder: str) -> Item:
        """MoveItem: the item gets a new id there."""
        store = self.site.store(mailbox)
        item = store.get(item_id)
        store.move(item, folder)
        return item

    # --- single occurrences ---------------------------------------------------------------------------------------

    def update_occurrence(
        self,
        mailbox: str,
        item_id: str,
        original_start: datetime,
        draft: MeetingDraft,
        *,
        change_key: str | None = None,
        resolution: ConflictResolution = "AutoResolve",
        send: SendUpdates = "SendToNone",
    ) -> CalendarItem:
        """UpdateItem of one occurrence, which becomes an exception of the series with this id. Returns the series.

        Raises NoSuchItem where the series has no such occurrence, InvalidOperation (a recurrence, times beyond the
        neighbours: ErrorOccurrenceCrossingBoundary), IrresolvableConflict as update_item.
        """
        store = self.site.store(mailbox)
        return series.update(
            self.site,
            store,
            store.get(item_id),
            original_start,
            draft,
            change_key=change_key,
            resolution=resolution,
            send=send,
        )

    def delete_occurrence(
        self,
        mailbox: str,
        item_id: str,
        original_start: datetime,
        *,
        body: Body | None = None,
        send: SendInvitations = "SendToNone",
    ) -> CalendarItem:
        """DeleteItem or CancelCalendarItem of one occurrence. The organizer's cancellations go out unless SendToNone."""
        store = self.site.store(mailbox)
        return series.take_out(self.site, store, store.get(item_id), original_start, body=body, send=send)

    def cancel_occurrence(
        self,
        mailbox: str,
        item_id: str,
        original_start: datetime,
        *,
        body: Body | None = None,
        send: SendInvitations = "SendToAllAndSaveCopy",
    ) -> CalendarItem:
        """CancelCalendarItem of one occurrence. Raises as `delete_occurrence`, InvalidOperation on attendees' copies."""
        item = self.get(mailbox, item_id)
        if not isinstance(item, CalendarItem) or not item.is_organizer:
            raise InvalidOperation("ErrorCalendarIsNotOrganizer", "only the organizer can cancel a meeting")
        return self.delete_occurrence(mailbox, item_id, original_start, body=body, send=send)

    def respond_to_occurrence(
        self,
        mailbox: str,
        item_id: str,
        original_start: datetime,
        answer: Answer,
        *,
        body: Body | None = None,
        disposition: Disposition = "SendAndSaveCopy",
    ) -> Responded:
        """AcceptItem and the like on one occurrence of a series; declining takes it out. Raises as `respond`."""
        store = self.site.store(mailbox)
        return series.respond(
            self.site, store, store.get(item_id), original_start, answer, body=body, disposition=disposition
        )

    def split_series(
        self,
        mailbox: str,
        item_id: str,
        original_start: datetime,
        draft: MeetingDraft | None = None,
        *,
        send: SendInvitations = "SendToAllAndSaveCopy",
        new_first: bool = False,
    ) -> CalendarItem:
        """Change "this and all following" occurrences as Outlook does; returns the new series.

        The old series ends on the day before this occurrence (its exceptions from there on are lost, its update is sent); a new
        one with a UID of its own begins with it: same pattern, the rest of the number of occurrences or the same end, and body,
        subject, location, attendees and properties copied, all as far as `draft` does not say otherwise. A `draft` with another
        start keeps the length; with another pattern it has to name the whole recurrence. `new_first` sends the request for the
        new series before the update of the old one. Raises NoSuchItem for none of the occurrences, InvalidOperation for the first
        one, for attendees' copies and for what is no series.
        """
        store = self.site.store(mailbox)
        item = store.get(item_id)
        return planning.split(self.site, store, item, original_start, draft or {}, send=send, new_first=new_first)

    def invite(
        self,
        mailbox: str,
        item_id: str,
        people: Iterable[Attendee],
        *,
        original_start: datetime | None = None,
        send: SendUpdates = "SendToChangedAndSaveCopy",
    ) -> CalendarItem:
        """Invite more people to a meeting, or to one occurrence of a series alone. Raises as update_item, update_occurrence."""
        store = self.site.store(mailbox)
        return planning.invite(self.site, store, store.get(item_id), people, original=original_start, send=send)

    def uninvite(
        self,
        mailbox: str,
        item_id: str,
        people: Iterable[Person],
        *,
        original_start: datetime | None = None,
        send: SendUpdates = "SendToChangedAndSaveCopy",
    ) -> CalendarItem:
        """Take people from a meeting, or from one occurrence of a series alone: they get a cancellation. Raises as `invite`."""
        store = self.site.store(mailbox)
        return planning.uninvite(self.site, store, store.get(item_id), people, original=original_start, send=send)

    def send_exceptions(self, mailbox: str, item_id: str) -> None:
        """Send each exception of the organizer's own series once more, as Graph does when the series is changed."""
        store = self.site.store(mailbox)
        series.tell_exceptions(self.site, store, store.get(item_id))

    # --- attendee -------------------------------------------------------------------------------------------------

    def respond(
        self,
        mailbox: str,
        item_id: str,
        answer: Answer,
        *,
        body: Body | None = None,
        disposition: Disposition = "SendAndSaveCopy",
        sender: str | None = None,
    ) -> Responded:
        """AcceptItem, TentativelyAcceptItem, DeclineItem on a calendar item or a meeting request.

        Without a calendar item one is made from the request. The request moves to Deleted Items; a decline moves the calendar
        item there too. No mail goes out for SaveOnly or when the organizer asked for no response. Raises InvalidOperation
        (organizer's own item, cancelled or outdated meeting, other kinds of items), NoSuchItem.
        """
        store = self.site.store(mailbox)
        return attendee.respond(
            self.site, store, store.get(item_id), answer, body=body, disposition=disposition, sender=sender
        )

    def remove_cancelled(self, mailbox: str, item_id: str) -> None:
        """RemoveItem on a cancellation (or a cancelled calendar item): delete the calendar item and the message."""
        store = self.site.store(mailbox)
        attendee.remove_cancelled(store, store.get(item_id))

    # --- mail -----------------------------------------------------------------------------------------------------

    def create_message(
        self, mailbox: str, draft: MessageDraft, disposition: Disposition = "SaveOnly"
    ) -> Message | None:
        """CreateItem of a Message: kept in Drafts, or sent with or without a copy. Returns what is kept."""
        return mail.create(self.site, self.site.store(mailbox), draft, disposition)

    def deliver_ics(self, address: str, data: bytes, *, sender: str | None = None) -> Delivered:
        """Do what a mail server does with an iTIP file for this mailbox (RFC 5546, RFC 6047).

        The file may also be the whole mail. `sender` is the envelope sender (default: the mail's, else the organizer, or for a
        REPLY the attendee). Raises BadInvitation with a sentence and a line, NoSuchMailbox.
        """
        return inbound.deliver_ics(self.site, self.site.store(address), data, sender)

    def export_ics(self, mailbox: str, item_id: str, method: str | None = None) -> bytes:
        """A meeting as iCalendar text; default method by item kind (REQUEST, CANCEL, REPLY; PUBLISH for calendar items)."""
        return ics_write.write_ics(self.site.store(mailbox).get(item_id), method)

    # --- notifications --------------------------------------------------------------------------------------------

    def subscribe(self, mailbox: str, folders: Iterable[str] | None, event_types: Iterable[EventType]) -> Subscription:
        """Follow these folders (None: all) of a mailbox. See Subscription for how to wait for events."""
        store = self.site.store(mailbox)
        wanted = None if folders is None else [store.folder(folder).id for folder in folders]
        self.site.subscriptions_made += 1
        id_ = ids.subscription_id(store.guid, self.site.subscriptions_made)
        subscription = Subscription(id_, store.owner.address, wanted, event_types)
        self.site.subscriptions[id_] = subscription
        return subscription

    def subscription(self, subscription_id: str) -> Subscription:
        """A running subscription. Raises NoSuchSubscription."""
        known = self.site.subscriptions.get(subscription_id)
        if known is None:
            raise NoSuchSubscription("there is no such subscription")
        return known

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription. Raises NoSuchSubscription when it is not running."""
        self.subscription(subscription_id).close()
        del self.site.subscriptions[subscription_id]


def _default_x500(address: str) -> str:
    name = address.replace("@", "-").replace("/", "-")
    return f"/o=Exchange in a box/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={name}"
