"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_PLAIN = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "meta",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    _create_runs()
    _create_events()
    _create_items()


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", _PLAIN, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("pending", sa.String),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("head", sa.BigInteger, nullable=False),
        sa.Column("acked", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.Double),
        sa.Column("idempotency", sa.String),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("params", sa.Text, nullable=False),
    )
    op.create_index("runs_by_id", "runs", ["id"], unique=True)
    op.create_index("runs_by_name", "runs", ["name"])
    op.create_index("runs_by_status", "runs", ["status", "number"])
    op.create_index("runs_by_lease", "runs", ["lease_until"])
    op.create_index("runs_by_idempotency", "runs", ["idempotency"])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("attempt", sa.Integer),
        sa.Column("client_seq", sa.BigInteger),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("frame", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("events_by_type", "events", ["run", "type", "seq"])
    numbered = sa.text("client_seq IS NOT NULL")
    op.create_index(
        "events_by_client_seq",
        "events",
        ["run", "attempt", "client_seq"],
        unique=True,
        sqlite_where=numbered,
        postgresql_where=numbered,
    )


def _create_items() -> None:
    op.create_table(
        "items",
        sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", _PLAIN, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("starts", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Double),
        sa.Column("error", sa.Text),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("time", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("items_by_seq", "items", ["run", "seq", "state"])
