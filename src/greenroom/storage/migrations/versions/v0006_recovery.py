"""Nothing is lost: whom a mailbox is lent to, how far catching up got, what has drifted apart, who was warned of a late room."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is new, empty: nothing is known of it yet."""
    op.add_column("meetings", sa.Column("warned_at", _instant, nullable=True))
    op.drop_index("ix_meetings_state", "meetings")
    op.create_index("ix_meetings_state", "meetings", ["state", "integration"])
    op.add_column("mailboxes", sa.Column("wanted_by", sa.Text, nullable=True))
    op.add_column("mailboxes", sa.Column("wanted_until", _instant, nullable=True))
    op.add_column("mailboxes", sa.Column("backlog_total", sa.Integer, nullable=True))
    op.add_column("mailboxes", sa.Column("backlog_done", sa.Integer, nullable=True))
    op.add_column("mailboxes", sa.Column("backlog_since", _instant, nullable=True))
    op.add_column("mailboxes", sa.Column("drift_at", _instant, nullable=True))
    op.create_table(
        "drifts",
        sa.Column("integration", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("first_at", _instant, nullable=False),
        sa.Column("last_at", _instant, nullable=False),
        sa.PrimaryKeyConstraint("integration", "kind", "subject", name="pk_drifts"),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )
