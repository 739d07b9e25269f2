"""A database as schema 0001 had left it."""

from __future__ import annotations

from sqlalchemy import create_engine, text

ACKED = {
    "sqlite": "coalesce(acked ->> '$.job', 0)",
    "postgresql": "coalesce(acked::json ->> 'job', '0')::bigint",
}


def make_first(url: str) -> None:
    """Turn a current database into one of schema 0001, with what is in it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE machine_minutes",
            "ALTER TABLE items DROP COLUMN possible_duplicate",
            "ALTER TABLE runs DROP COLUMN first",
            "DROP INDEX events_by_client_seq",
            "ALTER TABLE events DROP COLUMN writer",
            "CREATE UNIQUE INDEX events_by_client_seq ON events (run, attempt, client_seq)"
            " WHERE client_seq IS NOT NULL",
            "ALTER TABLE runs ADD COLUMN old BIGINT NOT NULL DEFAULT 0",
            f"UPDATE runs SET old = {ACKED[engine.dialect.name]}",
            "ALTER TABLE runs DROP COLUMN acked",
            "ALTER TABLE runs RENAME COLUMN old TO acked",
            "UPDATE alembic_version SET version_num = '0001'",
        ):
            connection.execute(text(statement))
    engine.dispose()
