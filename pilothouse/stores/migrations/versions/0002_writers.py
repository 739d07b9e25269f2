"""Several writers of one attempt, each with numbers of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBERED = sa.text("client_seq IS NOT NULL")


def upgrade() -> None:
    """Number the events by writer, and keep what is acknowledged by writer."""
    op.add_column("events", sa.Column("writer", sa.String, nullable=False, server_default="job"))
    op.drop_index("events_by_client_seq", "events")
    op.create_index(
        "events_by_client_seq",
        "events",
        ["run", "attempt", "writer", "client_seq"],
        unique=True,
        sqlite_where=_NUMBERED,
        postgresql_where=_NUMBERED,
    )
    with op.batch_alter_table("runs") as runs:
        runs.alter_column(
            "acked",
            type_=sa.Text,
            existing_type=sa.BigInteger,
            existing_nullable=False,
            postgresql_using="json_build_object('job', acked)::text",
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE runs SET acked = json_object('job', CAST(acked AS INTEGER))")
