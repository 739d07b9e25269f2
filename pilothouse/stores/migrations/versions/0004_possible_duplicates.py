"""Items that may have had their effect twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_FLAG = b'"possible_duplicate":true,"key":'  # as frames begin; what follows the key is the job's own


def upgrade() -> None:
    """Add the flag, and raise it where the kept log does."""
    op.add_column(
        "items", sa.Column("possible_duplicate", sa.Boolean, nullable=False, server_default=sa.false())
    )
    items = sa.table("items", *map(sa.column, ("run", "seq", "possible_duplicate")))
    events = sa.table("events", *map(sa.column, ("run", "seq", "type", "frame")))
    flag = sa.literal(_FLAG, sa.LargeBinary)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    found = (
        sa.func.instr(events.c.frame, flag) if is_sqlite else sa.func.position(flag.op("IN")(events.c.frame))
    )
    flagged = (
        sa.exists()
        .where(events.c.run == items.c.run, events.c.seq == items.c.seq)
        .where(events.c.type == "item.finished", found > 0)
    )
    op.execute(items.update().where(flagged).values(possible_duplicate=sa.true()))
