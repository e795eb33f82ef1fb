"""The Outlook add-in: who asked for a reservation and until when it is kept, refused requests, manifests that were handed out."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)
_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what is new, empty: nobody asked for the reservations that are there."""
    op.add_column("reservations", sa.Column("asked_by", sa.String(32), nullable=True))
    op.add_column("reservations", sa.Column("request_id", sa.String(64), nullable=True))
    op.add_column("reservations", sa.Column("key_id", sa.Integer, nullable=True))
    op.add_column("reservations", sa.Column("expires_at", _instant, nullable=True))
    asked, unclaimed = sa.text("asked_by IS NOT NULL"), sa.text("expires_at IS NOT NULL")
    op.create_index(
        "uq_reservations_asked",
        "reservations",
        ["asked_by", "request_id", "integration"],
        unique=True,
        sqlite_where=asked,
        postgresql_where=asked,
    )
    op.create_index(
        "ix_reservations_expires_at", "reservations", ["expires_at"], sqlite_where=unclaimed, postgresql_where=unclaimed
    )
    op.create_table(
        "addin_refusals",
        sa.Column("id", _serial, nullable=False),
        sa.Column("integration", sa.Integer, nullable=False),
        sa.Column("correlation_id", sa.String(64), nullable=False),
        sa.Column("at", _instant, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_addin_refusals"),
    )
    op.create_index("ix_addin_refusals_correlation_id", "addin_refusals", ["correlation_id"])
    op.create_table(
        "addin_manifests",
        sa.Column("integration", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("profile", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("made_at", _instant, nullable=False),
        sa.PrimaryKeyConstraint("integration", "profile", name="pk_addin_manifests"),
    )
