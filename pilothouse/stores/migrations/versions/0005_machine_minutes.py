"""What hosts' machines were busy with, minute by minute."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_PLAIN = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "machine_minutes",
        sa.Column("host", _PLAIN, primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("load", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("machine_minutes_by_minute", "machine_minutes", ["minute"])
