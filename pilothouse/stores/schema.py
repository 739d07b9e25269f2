"""The tables, the same on SQLite and PostgreSQL.

`events` is the truth; `runs` and `items` are what folding it gives, written in
the same transaction. A change here needs a migration; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

REVISION = "0005"

metadata = MetaData()

# Compared byte by byte on both databases, so that the beginning of an id is a range.
_Plain = String().with_variant(String(collation="C"), "postgresql")

meta = Table(
    "meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", _Plain, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),  # its beginning; the whole name is in `state`
    Column("owner", String, nullable=False),
    Column("status", String, nullable=False),
    Column("pending", String),
    Column("attempt", Integer, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False, server_default="1"),  # where the kept log begins
    Column("acked", Text, nullable=False),  # JSON: the highest client_seq by writer of this attempt
    Column("lease_until", Double),  # seconds on the database's clock
    Column("idempotency", String),  # digest of owner and key
    Column("created_at", String, nullable=False),
    Column("tags", Text, nullable=False),
    Column("state", Text, nullable=False),  # JSON of the run without params
    Column("params", Text, nullable=False),  # JSON; apart, so that an append stays cheap
    Index("runs_by_id", "id", unique=True),
    Index("runs_by_name", "name"),
    Index("runs_by_status", "status", "number"),
    Index("runs_by_lease", "lease_until"),
    Index("runs_by_idempotency", "idempotency"),
)

events = Table(
    "events",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer),
    Column("client_seq", BigInteger),
    Column("writer", String, nullable=False, server_default="job"),  # who counts client_seq
    Column("type", String, nullable=False),
    Column("frame", LargeBinary, nullable=False),
    Index("events_by_type", "run", "type", "seq"),
    sqlite_with_rowid=False,
)
Index(
    "events_by_client_seq",
    events.c.run,
    events.c.attempt,
    events.c.writer,
    events.c.client_seq,
    unique=True,
    sqlite_where=events.c.client_seq.is_not(None),
    postgresql_where=events.c.client_seq.is_not(None),
)

items = Table(
    "items",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("key", _Plain, primary_key=True),
    Column("state", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("starts", Integer, nullable=False),
    Column("seconds", Double),
    Column("error", Text),
    Column("data", JSON, nullable=False),
    Column("label", Text),
    Column("time", String, nullable=False),
    Column("possible_duplicate", Boolean, nullable=False, server_default=false()),
    Index("items_by_seq", "run", "seq", "state"),
    sqlite_with_rowid=False,
)

minutes = Table(
    "machine_minutes",
    metadata,
    Column("host", _Plain, primary_key=True),
    Column("minute", Integer, primary_key=True, autoincrement=False),  # since 1970
    Column("facts", Text, nullable=False),  # JSON
    Column("load", Text, nullable=False),  # JSON
    Index("machine_minutes_by_minute", "minute"),
    sqlite_with_rowid=False,
)
