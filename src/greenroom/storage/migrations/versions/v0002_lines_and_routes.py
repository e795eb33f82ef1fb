"""Mailboxes learn of their line of replies, their credential and their reconciliation; organizers get a known side."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns, empty ("not known") for every mailbox there is, and the table of routes."""
    op.add_column("mailboxes", sa.Column("waiting_replies", sa.Integer, nullable=True))
    for name in ("replies_end_at", "credential_expires_at", "reconciled_at"):
        op.add_column("mailboxes", sa.Column(name, _instant, nullable=True))
    op.create_table(
        "organizer_routes",
        sa.Column("integration", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("organizer", sa.Text, nullable=False),
        sa.Column("side", sa.String(16), nullable=False),
        sa.Column("learned_at", _instant, nullable=False),
        sa.PrimaryKeyConstraint("integration", "mark", name="pk_organizer_routes"),
    )
