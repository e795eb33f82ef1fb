"""Rooms at a platform of their own: what it was told, who follows the changes, aliases taken over from another system, alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)
_zero = sa.text("0")


def upgrade() -> None:
    """Add what is new, empty: no room is at a platform of its own yet, and no alias was taken over."""
    for name in ("adopted_alias", "adopted_numeric"):
        op.add_column("meetings", sa.Column(name, sa.Text, nullable=True))
    op.add_column("rooms", sa.Column("version", sa.BigInteger, nullable=False, server_default=_zero))
    op.add_column("rooms", sa.Column("closes_at", _instant, nullable=True))
    op.add_column("rooms", sa.Column("renamed_at", _instant, nullable=True))
    for name in ("ref", "told", "former_name"):
        op.add_column("rooms", sa.Column(name, sa.Text, nullable=True))
    op.add_column("rooms", sa.Column("attempts", sa.Integer, nullable=False, server_default=_zero))
    op.add_column("rooms", sa.Column("due_at", _instant, nullable=True))
    for name in ("alias", "alias_numeric", "version"):
        op.create_index(f"ix_rooms_{name}", "rooms", [name])
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_rooms_integration_due_at", "rooms", ["integration", "due_at"], sqlite_where=due, postgresql_where=due
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.create_table(
        "alarms",
        sa.Column("integration", sa.Integer, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("first_at", _instant, nullable=False),
        sa.Column("last_at", _instant, nullable=False),
        sa.PrimaryKeyConstraint("integration", "code", "subject", name="pk_alarms"),
    )
    op.create_index("ix_alarms_last_at", "alarms", ["last_at"])
