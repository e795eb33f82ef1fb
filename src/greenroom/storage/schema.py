"""The tables, once for SQLite and PostgreSQL.

Meetings, reservations' holders, rooms and journal lines are found by the digest of the meeting key (`mark`), never by
the key itself: a foreign UID may be longer than a PostgreSQL index row. Times are aware and in UTC; SQLite keeps them
as sortable text.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMES)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware datetime; naive ones are refused with ValueError, everything returned is in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        # SQLAlchemy formats times for SQLite in Python, which was half the price of saving a record.
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:-6]  # without "+00:00"


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class Words(sa.types.TypeDecorator[str]):
    """Text from outside: NUL and lone surrogates, which no database takes, become U+FFFD."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value
        clean = value.replace("\0", "\ufffd")
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in clean)


def _column(name: str, kind: Any, **options: Any) -> "sa.Column[Any]":
    options.setdefault("nullable", False)
    return sa.Column(name, kind, **options)


_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only INTEGER counts up by itself there

mailboxes = sa.Table(
    "mailboxes",
    metadata,
    _column("address", Words, primary_key=True),
    _column("cursor", Words),
    _column("last_pass_at", Instant, nullable=True),
    _column("last_success_at", Instant, nullable=True),
    _column("failure", Words, nullable=True),
    _column("claimed_by", Words, nullable=True),
    _column("claimed_until", Instant, nullable=True),
    _column("waiting_replies", sa.Integer, nullable=True),
    _column("replies_end_at", Instant, nullable=True),
    _column("credential_expires_at", Instant, nullable=True),
    _column("reconciled_at", Instant, nullable=True),
    # A command that wants to work on the mailbox itself asks for it, and the service lends it.
    _column("wanted_by", Words, nullable=True),
    _column("wanted_until", Instant, nullable=True),
    _column("backlog_total", sa.Integer, nullable=True),
    _column("backlog_done", sa.Integer, nullable=True),
    _column("backlog_since", Instant, nullable=True),
    _column("drift_at", Instant, nullable=True),
)

organizer_routes = sa.Table(
    "organizer_routes",
    metadata,
    _column("integration", sa.Integer, primary_key=True, autoincrement=False),
    _column("mark", sa.String(32), primary_key=True),
    _column("organizer", Words),
    _column("side", sa.String(16)),
    _column("learned_at", Instant),
)


def _where_known(name: str) -> sa.Index:
    known = sa.text(f"{name} IS NOT NULL")
    return sa.Index(f"ix_meetings_integration_{name}", "integration", name, sqlite_where=known, postgresql_where=known)


meetings = sa.Table(
    "meetings",
    metadata,
    _column("integration", sa.Integer, primary_key=True, autoincrement=False),
    _column("mark", sa.String(32), primary_key=True),
    _column("key", Words),
    _column("correlation_id", Words),
    _column("state", sa.String(16)),
    _column("kind", sa.String(16)),
    _column("organizer", Words),
    _column("item_id", Words),
    _column("item_version", Words),
    _column("item_is_message", sa.Boolean),
    _column("created_at", Instant),
    _column("updated_at", Instant),
    _column("span_start", Instant, nullable=True),
    _column("span_end", Instant, nullable=True),
    _column("span_zone", Words, nullable=True),
    _column("span_all_day", sa.Boolean, nullable=True),
    _column("span_until", Instant, nullable=True),
    _column("title", Words),
    _column("reason", Words),
    _column("seen", Words, nullable=True),
    _column("alias_number", sa.BigInteger, nullable=True),
    _column("alias_key", sa.Integer, nullable=True),
    _column("issued_at", Instant, nullable=True),
    _column("room", Words, nullable=True),
    _column("instructions", sa.String(16)),
    _column("replied", Words, nullable=True),
    _column("replying", Words, nullable=True),
    _column("answered_before", Instant, nullable=True),
    _column("attempts", sa.Integer),
    _column("retry_at", Instant, nullable=True),
    _column("series", Words, nullable=True),
    _column("handled", Words, nullable=True),
    _column("held_from", Instant, nullable=True),
    _column("held_until", Instant, nullable=True),
    _column("room_mark", sa.String(32), nullable=True),
    _column("review_at", Instant, nullable=True),
    _column("adopted_alias", Words, nullable=True),
    _column("adopted_numeric", Words, nullable=True),
    _column("warned_at", Instant, nullable=True),
    _column("series_mark", sa.String(32), server_default=sa.text("''")),  # the digest of the key of the whole
    # Hash indexes on PostgreSQL: an item id or an address from outside may be longer than a B-tree row.
    sa.Index("ix_meetings_item_id", "item_id", postgresql_using="hash"),
    sa.Index("ix_meetings_correlation_id", "correlation_id", postgresql_using="hash"),
    sa.Index("ix_meetings_organizer", "organizer", postgresql_using="hash"),
    sa.Index("ix_meetings_integration_retry_at", "integration", "retry_at"),
    # The integration last, or only where there is something: SQLite would take such an index for any question about one.
    sa.Index("ix_meetings_series_mark", "series_mark", "integration"),
    sa.Index("ix_meetings_room_mark", "room_mark", "integration"),
    _where_known("review_at"),
    sa.Index("ix_meetings_span_start", "span_start"),
    sa.Index("ix_meetings_state", "state", "integration"),  # counted from the index alone, at every scrape
)

reservations = sa.Table(
    "reservations",
    metadata,
    _column("integration", sa.Integer, primary_key=True, autoincrement=False),
    _column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    _column("key", Words, nullable=True),
    _column("issued_at", Instant),
    _column("deleted_at", Instant, nullable=True),
    # Of the add-in: a digest of who asked, the idempotency key, which key signed, and until when an unclaimed one is kept.
    _column("asked_by", sa.String(32), nullable=True),
    _column("request_id", sa.String(64), nullable=True),
    _column("key_id", sa.Integer, nullable=True),
    _column("expires_at", Instant, nullable=True),
    sa.Index(
        "uq_reservations_asked",
        "asked_by",
        "request_id",
        "integration",
        unique=True,
        sqlite_where=sa.text("asked_by IS NOT NULL"),
        postgresql_where=sa.text("asked_by IS NOT NULL"),
    ),
    sa.Index(
        "ix_reservations_expires_at",
        "expires_at",
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    ),
)

_live = sa.text("retired_at IS NULL")
_due = sa.text("due_at IS NOT NULL")


def _unique_while_live(name: str) -> sa.Index:
    return sa.Index(f"uq_rooms_live_{name}", name, unique=True, sqlite_where=_live, postgresql_where=_live)


rooms = sa.Table(
    "rooms",
    metadata,
    _column("integration", sa.Integer, primary_key=True, autoincrement=False),
    _column("mark", sa.String(32), primary_key=True),
    _column("alias_number", sa.BigInteger),
    _column("alias", Words),
    _column("alias_numeric", Words),
    _column("join_id", Words),
    _column("name", Words),
    _column("description", Words),
    _column("owner", Words),
    _column("admission", Words, server_default=sa.text("''")),
    _column("host_pin", Words, nullable=True),
    _column("guest_pin", Words, nullable=True),
    _column("retired_at", Instant, nullable=True),
    # Counts every change of what a caller meets, over all rooms, in the order of the commits: who follows asks for what is higher.
    _column("version", sa.BigInteger, server_default=sa.text("0")),
    _column("closes_at", Instant, nullable=True),
    _column("former_name", Words, nullable=True),
    _column("renamed_at", Instant, nullable=True),
    # What is at the platform: its own name for the room, the fingerprint of what it was told, when to look after it next.
    _column("ref", Words, nullable=True),
    _column("told", Words, nullable=True),
    _column("attempts", sa.Integer, server_default=sa.text("0")),
    _column("due_at", Instant, nullable=True),
    _unique_while_live("alias"),
    _unique_while_live("alias_numeric"),
    _unique_while_live("join_id"),
    sa.Index("ix_rooms_join_id", "join_id"),
    sa.Index("ix_rooms_alias", "alias"),
    sa.Index("ix_rooms_alias_numeric", "alias_numeric"),
    sa.Index("ix_rooms_version", "version"),
    sa.Index("ix_rooms_integration_due_at", "integration", "due_at", sqlite_where=_due, postgresql_where=_due),
)

counters = sa.Table(
    "counters",
    metadata,
    _column("name", sa.String(32), primary_key=True),
    _column("value", sa.BigInteger),
)

alarms = sa.Table(
    "alarms",
    metadata,
    _column("integration", sa.Integer, primary_key=True, autoincrement=False),
    _column("code", sa.String(64), primary_key=True),
    _column("subject", sa.String(255), primary_key=True),
    _column("count", sa.BigInteger),
    _column("first_at", Instant),
    _column("last_at", Instant),
    sa.Index("ix_alarms_last_at", "last_at"),
)

drifts = sa.Table(
    "drifts",
    metadata,
    _column("integration", sa.Integer, primary_key=True, autoincrement=False),
    _column("kind", sa.String(32), primary_key=True),
    _column("subject", sa.String(255), primary_key=True),
    _column("detail", Words),
    _column("first_at", Instant),
    _column("last_at", Instant),
)

facts = sa.Table(
    "facts",
    metadata,
    _column("name", sa.String(64), primary_key=True),
    _column("value", Words),
)

sign_ins = sa.Table(
    "sign_ins",
    metadata,
    _column("integration", sa.Integer, primary_key=True, autoincrement=False),
    _column("side", sa.String(16), primary_key=True),
    _column("account", sa.String(254)),
    _column("sealed", sa.Text),  # encrypted by the ticket keys, which are not in the database
    _column("signed_in_at", Instant),
    _column("renewed_at", Instant),
    _column("refused_at", Instant, nullable=True),
)

addin_refusals = sa.Table(
    "addin_refusals",
    metadata,
    _column("id", _serial, primary_key=True),
    _column("integration", sa.Integer),
    _column("correlation_id", sa.String(64)),
    _column("at", Instant),
    _column("kind", sa.String(32)),
    _column("reason", sa.String(64)),
    _column("detail", Words),
    sa.Index("ix_addin_refusals_correlation_id", "correlation_id"),
)

addin_manifests = sa.Table(
    "addin_manifests",
    metadata,
    _column("integration", sa.Integer, primary_key=True, autoincrement=False),
    _column("profile", sa.String(32), primary_key=True),
    _column("digest", sa.String(64)),
    _column("version", sa.String(32)),
    _column("made_at", Instant),
)

journal = sa.Table(
    "journal",
    metadata,
    _column("id", _serial, primary_key=True),
    _column("integration", sa.Integer),
    _column("mark", sa.String(32)),
    _column("key", Words),
    _column("correlation_id", Words),
    _column("at", Instant),
    _column("step", Words),
    _column("code", Words),
    _column("detail", Words),
    sa.Index("ix_journal_integration_mark", "integration", "mark"),
)
