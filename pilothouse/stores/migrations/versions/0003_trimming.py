"""Logs whose beginning is trimmed away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Remember where the kept part of a log begins."""
    op.add_column("runs", sa.Column("first", sa.BigInteger, nullable=False, server_default="1"))
