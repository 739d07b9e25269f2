"""Migrating an empty database gives exactly the tables of `schema.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from pilothouse.questions import ItemQuery
from pilothouse.stores.migration import SCRIPTS
from pilothouse.stores.schema import REVISION, metadata
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.samples import a_note, an_item, log_of, running
from tests.contracts.first_schema import make_first

pytestmark = pytest.mark.anyio


@pytest.mark.rows("S1.27")
async def test_the_migrated_schema_is_the_one_in_code(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'a.db'}")
    await store.open()
    await store.close()
    migrated = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    made = create_engine(f"sqlite:///{tmp_path / 'b.db'}")
    metadata.create_all(made)

    with migrated.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        tables = [inspect(connection).get_table_options(name) for name in metadata.tables]
    with made.connect() as connection:
        expected = [inspect(connection).get_table_options(name) for name in metadata.tables]

    assert differences == []
    assert tables == expected
    migrated.dispose()
    made.dispose()


def test_the_newest_migration_is_the_one_that_the_code_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))

    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


async def test_a_current_database_is_opened_without_alembic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    first = SqlStore(url)
    await first.open()
    await first.close()
    monkeypatch.setitem(__import__("sys").modules, "alembic.command", None)

    again = SqlStore(url)
    await again.open()

    assert again.epoch == first.epoch
    await again.close()


async def test_items_take_their_flags_from_the_kept_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    store = SqlStore(url)
    await store.open()
    run_id = await running(store)
    words = {"possible_duplicate": True}  # the job's own
    await store.append(run_id, [an_item("a", possible_duplicate=True), an_item("b", data=words)])
    await store.close()
    make_first(url)

    again = SqlStore(url)
    await again.open()

    page = await again.items(run_id, ItemQuery())
    assert {item.key: item.possible_duplicate for item in page.items} == {"a": True, "b": False}
    await again.close()


async def test_the_numbers_of_a_job_survive_the_way_to_writers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    store = SqlStore(url)
    await store.open()
    run_id, idle = await running(store), await running(store)
    await store.append(run_id, [an_item("a"), an_item("b")], attempt=1, client_seq=1)
    await store.close()
    make_first(url)

    again = SqlStore(url)
    await again.open()

    known = await again.append(run_id, [an_item("b"), an_item("c")], attempt=1, client_seq=2)
    first = await again.append(idle, [a_note()], attempt=1, client_seq=1)
    assert ([len(answer.frames) for answer in (known, first)], known.acked) == ([1, 1], 3)
    assert (await log_of(again, run_id))[0] == [1, 2, 3, 4, 5]
    await again.close()
