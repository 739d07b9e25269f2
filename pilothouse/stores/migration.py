"""Brings a database to this version's schema, under a lock and in one transaction.

Alembic is imported only when there is something to do: a server that starts
on a current database does not wait for it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, insert, inspect, select, text

from pilothouse import failpoint
from pilothouse.errors import Unavailable
from pilothouse.ids import new_epoch
from pilothouse.stores.changes import LAST_NUMBER
from pilothouse.stores.database import Database
from pilothouse.stores.epoch import EPOCH
from pilothouse.stores.schema import REVISION, meta, metadata

SCRIPTS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 7_451_448_668_101  # any number that no other program uses


def migrate(connection: Connection, database: Database) -> str:
    """Create or migrate the schema in a transaction that has begun.

    Returns:
        The database's epoch.

    Raises:
        Unavailable: The database belongs to a newer version or to another program; it is left alone.
    """
    if not database.is_exclusive:
        connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    revision = _revision(connection, database)
    if revision != REVISION:
        _upgrade(connection)
        failpoint.reach("store.migrate")
    return _epoch(connection)


def _revision(connection: Connection, database: Database) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables & metadata.tables.keys() or (tables and database.is_exclusive):
            raise Unavailable(
                f"{database.place} holds tables of another program",
                hint="Give Pilothouse a database of its own.",
            )
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is not None:
        check_known(
            revision, database.place, "Start the newer version, or restore a backup from before the upgrade."
        )
    return revision


def check_known(revision: str, place: object, way_out: str) -> None:
    """Make sure that this version knows a database's schema.

    Args:
        revision: The schema.
        place: The database, for the message.
        way_out: What to do when it is newer.

    Raises:
        Unavailable: It is newer.
    """
    if revision > REVISION:
        message = f"{place} was written by a newer Pilothouse (schema {revision}; this one knows {REVISION})"
        raise Unavailable(message, hint=way_out)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _epoch(connection: Connection) -> str:
    values: dict[str, str] = dict(connection.execute(select(meta.c.name, meta.c.value)).all())
    first = {EPOCH: new_epoch(), LAST_NUMBER: "0"}
    missing = [{"name": name, "value": value} for name, value in first.items() if name not in values]
    if missing:
        connection.execute(insert(meta), missing)
    return values.get(EPOCH, first[EPOCH])
