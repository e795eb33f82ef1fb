"""The first tables: mailboxes, meetings, reservations, rooms and the journal."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _column(name: str, kind: Any, **options: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=False, **options)


def _maybe(name: str, kind: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=True)


_instant = sa.DateTime(timezone=True)
_live = sa.text("retired_at IS NULL")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "mailboxes",
        _column("address", sa.Text),
        _column("cursor", sa.Text),
        _maybe("last_pass_at", _instant),
        _maybe("last_success_at", _instant),
        _maybe("failure", sa.Text),
        _maybe("claimed_by", sa.Text),
        _maybe("claimed_until", _instant),
        sa.PrimaryKeyConstraint("address", name="pk_mailboxes"),
    )
    _meetings()
    op.create_table(
        "reservations",
        _column("integration", sa.Integer, autoincrement=False),
        _column("number", sa.BigInteger, autoincrement=False),
        _maybe("key", sa.Text),
        _column("issued_at", _instant),
        _maybe("deleted_at", _instant),
        sa.PrimaryKeyConstraint("integration", "number", name="pk_reservations"),
    )
    _rooms()
    op.create_table(
        "journal",
        _column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        _column("integration", sa.Integer),
        _column("mark", sa.String(32)),
        _column("key", sa.Text),
        _column("correlation_id", sa.Text),
        _column("at", _instant),
        _column("step", sa.Text),
        _column("code", sa.Text),
        _column("detail", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index("ix_journal_integration_mark", "journal", ["integration", "mark"])


def _meetings() -> None:
    op.create_table(
        "meetings",
        _column("integration", sa.Integer, autoincrement=False),
        _column("mark", sa.String(32)),
        _column("key", sa.Text),
        _column("correlation_id", sa.Text),
        _column("state", sa.String(16)),
        _column("kind", sa.String(16)),
        _column("organizer", sa.Text),
        _column("item_id", sa.Text),
        _column("item_version", sa.Text),
        _column("item_is_message", sa.Boolean),
        _column("created_at", _instant),
        _column("updated_at", _instant),
        _maybe("span_start", _instant),
        _maybe("span_end", _instant),
        _maybe("span_zone", sa.Text),
        _maybe("span_all_day", sa.Boolean),
        _maybe("span_until", _instant),
        _column("title", sa.Text),
        _column("reason", sa.Text),
        _maybe("seen", sa.Text),
        _maybe("alias_number", sa.BigInteger),
        _maybe("alias_key", sa.Integer),
        _maybe("issued_at", _instant),
        _maybe("room", sa.Text),
        _column("instructions", sa.String(16)),
        _maybe("replied", sa.Text),
        _maybe("replying", sa.Text),
        _maybe("answered_before", _instant),
        _column("attempts", sa.Integer),
        _maybe("retry_at", _instant),
        sa.PrimaryKeyConstraint("integration", "mark", name="pk_meetings"),
    )
    for name in ("item_id", "correlation_id", "organizer"):
        op.create_index(f"ix_meetings_{name}", "meetings", [name], postgresql_using="hash")
    op.create_index("ix_meetings_integration_retry_at", "meetings", ["integration", "retry_at"])
    op.create_index("ix_meetings_span_start", "meetings", ["span_start"])
    op.create_index("ix_meetings_state", "meetings", ["state"])


def _rooms() -> None:
    op.create_table(
        "rooms",
        _column("integration", sa.Integer, autoincrement=False),
        _column("mark", sa.String(32)),
        _column("alias_number", sa.BigInteger),
        _column("alias", sa.Text),
        _column("alias_numeric", sa.Text),
        _column("join_id", sa.Text),
        _column("name", sa.Text),
        _column("description", sa.Text),
        _column("owner", sa.Text),
        _column("opens", _instant),
        _column("starts", _instant),
        _column("ends", _instant),
        _maybe("closes", _instant),
        _maybe("host_pin", sa.Text),
        _maybe("guest_pin", sa.Text),
        _maybe("retired_at", _instant),
        sa.PrimaryKeyConstraint("integration", "mark", name="pk_rooms"),
    )
    for name in ("alias", "alias_numeric", "join_id"):
        op.create_index(
            f"uq_rooms_live_{name}", "rooms", [name], unique=True, sqlite_where=_live, postgresql_where=_live
        )
    op.create_index("ix_rooms_join_id", "rooms", ["join_id"])
