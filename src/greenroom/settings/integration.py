"""One `[[integration]]`: an equipment mailbox, its Exchange, its platform, its policy and its texts."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from greenroom.meetings.alias import AliasPlan
from greenroom.meetings.policy import Drift, Foreign, PinPolicy, Policy, Replies, Review, Split, Unticketed
from greenroom.settings.addin import Addin
from greenroom.settings.exchange import Exchange, Organizers
from greenroom.settings.fields import (
    AddressPattern,
    DialPattern,
    DomainNames,
    KeyBytes,
    MailAddress,
    MailAddresses,
    OptionalDomain,
    Section,
    TextPattern,
    TicketPrefix,
    setting,
)
from greenroom.settings.pexip import Pexip

_DAYS_OF_A_MONTH = 365.25 / 12
ALLOWED_VARIABLES = "variables in braces: {alias}, {numeric_alias}, {join_id}"


class TicketKey(Section):
    """One key of the ring that signs tickets and from which PINs and join links come."""

    id: int = setting(about="Number of the key, written into every ticket.", allowed="0 to 15", ge=0, le=15, example=0)
    key: KeyBytes = setting(
        about="The secret itself.",
        allowed="base64 of at least 32 random bytes; `greenroom config new-key` makes one",
        repr=False,
        example="(from greenroom config new-key)",
    )


class Dial(Section):
    """One way to dial in, as the join page and the joining instructions show it."""

    label: str = setting(
        about="What it is for.", allowed="1 to 60 characters", min_length=1, max_length=60, example="SIP"
    )
    pattern: DialPattern = setting(
        about="What to dial.",
        allowed=f"1 to 255 characters; {ALLOWED_VARIABLES}",
        min_length=1,
        max_length=255,
        example="sip:{alias}",
    )


class Platform(Section):
    """The video platform that holds the rooms, and how people get in."""

    kind: Literal["embedded", "pexip"] = setting(
        "embedded",
        about="`embedded`: rooms live in Greenroom's own database and meet at `meeting_url`; or `pexip`: they are on Pexip "
        "Infinity, as [integration.pexip] says, and what is set here comes besides.",
    )
    meeting_url: AddressPattern | None = setting(
        None,
        about='Where "Join now" leads, such as a room of a Jitsi server. Without it the page shows only what to dial.',
        allowed=f"an https address (http only to this computer); {ALLOWED_VARIABLES}",
        example="https://jitsi.example.org/{numeric_alias}",
        max_length=1024,
    )
    dial: tuple[Dial, ...] = setting(
        (), about="Further ways to dial in.", allowed="at most 8 tables with label and pattern", max_length=8
    )
    phone: TextPattern = setting(
        "",
        about="How to join by telephone.",
        allowed=f"text of at most 255 characters; {ALLOWED_VARIABLES}",
        max_length=255,
        example="+49 30 1234567, then {numeric_alias}#",
    )
    qr: bool = setting(
        True,
        about="Show the join page in invitations as a QR code too: a picture that mail clients load from `public_url`.",
    )


class AliasPool(Section):
    """What the aliases of this integration look like: prefix, random digits, @domain."""

    prefix: str = setting(
        "",
        about="Text before the digits.",
        allowed="0 to 8 lower-case letters, digits, dots, hyphens or underscores",
        pattern=r"^[a-z0-9._-]{0,8}$",
        example="meet",
    )
    digits: int = setting(
        9, about="How many random digits; fewer are easier to key in and to guess.", allowed="5 to 15", ge=5, le=15
    )
    domain: OptionalDomain = setting(
        "",
        about="Domain behind the @ of an alias; empty for none.",
        allowed="a domain name of at most 192 characters",
        example="video.example.org",
        max_length=192,
    )

    @property
    def plan(self) -> AliasPlan:
        """The same as a value of the domain."""
        return AliasPlan(self.prefix, self.digits, self.domain)


class MeetingPolicy(Section):
    """When rooms are open, which PINs they have, and who gets one without a ticket."""

    before: int = setting(
        30, about="How long before the start people may join.", unit="minutes", allowed="0 to 180", ge=0, le=180
    )
    after: int = setting(
        60, about="How long after the end people may still join.", unit="minutes", allowed="0 to 180", ge=0, le=180
    )
    pin: PinPolicy = setting(PinPolicy.NONE, about="Which PINs a room has.")
    unticketed: Unticketed = setting(
        Unticketed.SCHEDULE,
        about="What an invitation gets that the Outlook add-in did not prepare: a room, a decline, or nothing.",
    )
    foreign: Foreign = setting(
        Foreign.IGNORE,
        about="What an invitation gets that another installation of Greenroom, or Pexip's own scheduler, has prepared: nothing, "
        "for that one answers it; a decline; or, where the other one is gone, what it would get without its ticket.",
    )
    warn_before: int = setting(
        30,
        about="An organizer is told by mail that a room is not there yet when the meeting starts within this time; 0: never.",
        unit="minutes",
        allowed="0 to 1440",
        ge=0,
        le=1440,
    )
    drift: Drift = setting(
        Drift.MEND,
        about="What becomes of what calendar, database and platform are found to disagree about: `mend`, rooms that are missing "
        "are made again and rooms whose meeting is known to be over are closed; or `report` alone, in `greenroom drift`.",
    )
    drift_hours: int = setting(
        6,
        about="How often the three are held against each other.",
        unit="hours",
        allowed="1 to 168",
        ge=1,
        le=168,
    )
    replies: Replies = setting(
        Replies.ALL,
        about="Which answers are mailed to the organizer: `all`; `changes`, to new meetings, to other times and where the "
        "answer turned round; or `first`, the first one and where it turned round. The others only mark the calendar.",
    )
    split: Split = setting(
        Split.SAME_ROOM,
        about='What the rest of a series gets when its organizer changes "this and following" occurrences: `same-room`, the '
        "room and alias that everybody knows; or `new-room`, others, told in the answer.",
    )
    review_after: int = setting(
        12,
        about="How often a series without end is reviewed; it keeps its room meanwhile.",
        unit="months",
        allowed="1 to 120",
        ge=1,
        le=120,
    )
    review: Review = setting(
        Review.LIST,
        about="What a review does: `list`, it shows in `greenroom meetings --endless`; or `mail`, the organizer is also asked "
        "by mail whether the series is still needed.",
    )
    allow_organizers: MailAddresses = setting(
        (),
        about="Who may have a room without a ticket; with both allow lists empty, everybody.",
        allowed="a list of mail addresses",
        max_length=10_000,
    )
    allow_domains: DomainNames = setting(
        (),
        about="The same for all addresses of a domain.",
        allowed="a list of domain names",
        max_length=10_000,
        example=["example.org"],
    )
    deny_organizers: MailAddresses = setting(
        (),
        about="Who never gets a room without a ticket; stronger than the allow lists.",
        allowed="a list of mail addresses",
        max_length=10_000,
    )
    deny_domains: DomainNames = setting(
        (), about="The same for all addresses of a domain.", allowed="a list of domain names", max_length=10_000
    )


class TextSettings(Section):
    """Which wording organizers and attendees read."""

    folder: Path | None = setting(
        None,
        about="Folder with templates that replace the packaged ones of the same name.",
        allowed="path of a folder, seen from this file's folder",
        example="texts",
    )
    language: str = setting(
        "en",
        about="Language of the packaged texts. There are English, German, French, Swedish and Norwegian; others need a folder.",
        allowed="a language tag such as en, de, fr, sv or no",
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
    )


class Integration(Section):
    """One equipment mailbox and all that belongs to it."""

    number: int = setting(
        about="Number of the integration, written into its tickets. Never change it.",
        allowed="1 to 65535, each only once",
        ge=1,
        le=65535,
        example=1,
    )
    name: str = setting(
        about="Short name for commands, logs and environment variables.",
        allowed="1 to 32 lower-case letters, digits or single hyphens, beginning with a letter; each only once",
        pattern=r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$",
        max_length=32,
        example="main",
    )
    mailbox: MailAddress = setting(
        about="Address of the equipment mailbox that people invite.",
        allowed="a mail address; a mailbox belongs to one integration only",
        example="greenroom@example.org",
    )
    ticket_prefix: TicketPrefix = setting(
        "GRM",
        about="Letters with which tickets begin.",
        allowed="2 to 6 letters A to Z without I, L and O, which are read as digits",
    )
    ticket_keys: tuple[TicketKey, ...] = setting(
        about="Keys that sign tickets. The first is used for new ones; keep old ones until their meetings are over.",
        allowed="1 to 16 tables with id and key; `greenroom config new-key` makes one; or set ticket_keys_file",
        min_length=1,
        max_length=16,
    )
    ticket_keys_file: Path | None = setting(
        None,
        about="File with one key per line as id:key, the current one first; keeps them out of this file.",
        allowed="path of a readable file, seen from this file's folder",
        example="secrets/ticket-keys",
    )
    exchange: Exchange = setting(about="See below.")
    organizers: Organizers | None = setting(
        None,
        about="A second Exchange, for organizers whose mailboxes are not where the equipment mailbox is (hybrid): only their "
        "own meetings are looked up and changed there. Without it their joining instructions travel in the reply.",
        like="exchange",
    )
    platform: Platform = setting(about="See below.", default_factory=Platform)
    pexip: Pexip | None = setting(None, about="See below.")
    addin: Addin | None = setting(None, about="See below.")
    alias: AliasPool = setting(about="See below.", default_factory=AliasPool)
    meetings: MeetingPolicy = setting(about="See below.", default_factory=MeetingPolicy)
    texts: TextSettings = setting(about="See below.", default_factory=TextSettings)

    @property
    def policy(self) -> Policy:
        """The rules as a value of the domain."""
        rules = self.meetings
        return Policy(
            mailbox=self.mailbox,
            before=timedelta(minutes=rules.before),
            after=timedelta(minutes=rules.after),
            pin=rules.pin,
            unticketed=rules.unticketed,
            replies=rules.replies,
            split=rules.split,
            review_after=timedelta(days=round(rules.review_after * _DAYS_OF_A_MONTH)),
            review=rules.review,
            foreign=rules.foreign,
            warn_before=timedelta(minutes=rules.warn_before),
            drift=rules.drift,
            allow_organizers=frozenset(rules.allow_organizers),
            allow_domains=frozenset(rules.allow_domains),
            deny_organizers=frozenset(rules.deny_organizers),
            deny_domains=frozenset(rules.deny_domains),
        )


Integrations = Annotated[tuple[Integration, ...], Field(min_length=1, max_length=1000)]
