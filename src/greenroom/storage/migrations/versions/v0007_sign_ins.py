"""Service accounts that were signed in by hand: what renews their tokens, encrypted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table, empty: nobody was signed in before."""
    op.create_table(
        "sign_ins",
        sa.Column("integration", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("side", sa.String(16), nullable=False),
        sa.Column("account", sa.String(254), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("signed_in_at", _instant, nullable=False),
        sa.Column("renewed_at", _instant, nullable=False),
        sa.Column("refused_at", _instant, nullable=True),
        sa.PrimaryKeyConstraint("integration", "side", name="pk_sign_ins"),
    )
