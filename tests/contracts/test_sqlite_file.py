"""What can happen to a SQLite file: full disks, damage, other programs, other versions."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pilothouse.contracts import Appended
from pilothouse.errors import Invalid, Unavailable
from pilothouse.questions import ItemQuery, Reuse, RunQuery
from pilothouse.stores import file as files
from pilothouse.stores import sql
from pilothouse.stores.draft import BeginDraft, Draft, ExtendDraft
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.samples import COMPLETED, a_note, a_run, an_item, ended, log_of, queued, running

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pilothouse.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    yield store
    await store.close()


def driver(store: SqlStore) -> Any:
    """The writer's connection as the driver knows it."""
    return store._writer.connection().connection.dbapi_connection


def limit_pages(store: SqlStore, pages: int | None = None) -> None:
    """Let the file grow no further (or, with a number, to that many pages)."""
    count = pages or driver(store).execute("PRAGMA page_count").fetchone()[0]
    driver(store).execute(f"PRAGMA max_page_count={count}")


async def test_a_full_disk_is_unavailable_and_passes(store: SqlStore) -> None:
    run_id, other = await running(store), await running(store)
    large = [a_note("x" * 60_000)]
    limit_pages(store)

    answers = await asyncio.gather(
        store.append(run_id, large), store.append(other, large), return_exceptions=True
    )
    limit_pages(store, 1_000_000)
    appended = await store.append(run_id, [an_item("a")])

    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert "Free disk space" in str(answers[0].hint if isinstance(answers[0], Unavailable) else "")
    assert [frame.seq for frame in appended.frames] == [3]
    assert (await log_of(store, run_id))[0] == [1, 2, 3]
    assert (await log_of(store, other))[0] == [1, 2]


async def test_on_a_full_disk_what_was_acknowledged_is_there_and_nothing_else(store: SqlStore) -> None:
    run_id = await running(store)
    acknowledged: list[str] = []
    limit_pages(store, driver(store).execute("PRAGMA page_count").fetchone()[0] + 20)

    for index in range(60):
        try:
            await store.append(run_id, [an_item(f"k{index}", data={"x": "x" * 5000})])
            acknowledged.append(f"k{index}")
        except Unavailable:
            limit_pages(store, 1_000_000 if index > 40 else None)

    assert 0 < len(acknowledged) < 60
    assert sorted(await store.finished_keys(run_id)) == sorted(acknowledged)
    seqs, run = await log_of(store, run_id)
    assert seqs == list(range(1, run.head + 1))
    assert run.progress.done == len(acknowledged)


async def test_an_append_that_cannot_commit_is_undone(store: SqlStore, path: Path) -> None:
    run_id = await running(store)
    reader = sqlite3.connect(path)
    driver(store).execute("PRAGMA busy_timeout=1")
    reader.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="locked"):
        await store.append(run_id, [a_note("lost")])
    reader.rollback()
    reader.close()
    appended = await store.append(run_id, [a_note("kept")])

    assert [frame.seq for frame in appended.frames] == [3]


@pytest.mark.rows("S1.28")
async def test_a_second_server_is_kept_away(
    store: SqlStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.0)
    second = SqlStore(f"sqlite:///{path}")

    with pytest.raises(Unavailable, match="another server"):
        await second.open()
    await second.close()

    assert (await store.get(await queued(store))).head == 1


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\0" + b"\xff" * 8000])
async def test_a_damaged_file_is_left_alone(path: Path, content: bytes) -> None:
    write(path, content)
    store = SqlStore(f"sqlite:///{path}")

    with pytest.raises(Unavailable) as caught:
        await store.open()
    await store.close()

    assert f"{path} is damaged" in caught.value.message
    assert "pilothouse restore" in (caught.value.hint or "")
    assert read(path) == content


async def test_the_file_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    store = SqlStore(f"sqlite:///{path}")

    with pytest.raises(Unavailable, match="another program"):
        await store.open()
    await store.close()

    with sqlite3.connect(path) as connection:
        assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["recipes"]
    connection.close()


async def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    first = SqlStore(f"sqlite:///{path}")
    await first.open()
    run_id = await queued(first)
    await first.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    store = SqlStore(f"sqlite:///{path}")

    with pytest.raises(Unavailable, match="newer Pilothouse"):
        await store.open()
    await store.close()

    rows = connection.execute("SELECT id FROM runs").fetchall()
    connection.close()
    assert rows == [(run_id,)]


async def test_a_lease_waits_for_a_server_to_be_there(path: Path) -> None:
    first = SqlStore(f"sqlite:///{path}")
    await first.open()
    run_id = await running(first)
    await first.renew(run_id, 1, -100.0)
    await first.close()

    again = SqlStore(f"sqlite:///{path}")
    await again.open()

    assert await again.expired() == []
    await again.close()


async def test_the_log_of_a_deleted_run_is_purged(store: SqlStore, path: Path) -> None:
    run_id = await running(store)
    for batch in range(11):
        await store.append(run_id, [an_item(f"{batch}-{index}") for index in range(1000)])
    await store.append(run_id, [an_item("last")])
    await store.append(run_id, [COMPLETED])

    await store.delete(run_id)
    await purged(store)
    await store.close()

    assert rows_left(path) == (0, 0, 0)


async def test_a_purge_that_fails_stops_neither_the_next_one_nor_a_close(path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    first, second = await ended(store), await ended(store)
    driver(store).execute("CREATE TRIGGER stuck BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'no'); END")
    await store.delete(first)
    await purged(store)
    driver(store).execute("DROP TRIGGER stuck")

    await store.delete(second)
    await purged(store)
    await store.close()

    again = SqlStore(f"sqlite:///{path}")
    await again.open()
    await purged(again)
    await again.close()
    assert rows_left(path) == (0, 0, 0)


async def test_a_purge_that_was_cut_off_goes_on_after_the_next_start(path: Path) -> None:
    first = SqlStore(f"sqlite:///{path}")
    await first.open()
    run_id = await ended(first)
    number = (await first.get(run_id)).number
    await first.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM runs")
        connection.execute("INSERT INTO meta VALUES (?, '')", (f"purge:{number}",))
    connection.close()

    again = SqlStore(f"sqlite:///{path}")
    await again.open()
    await purged(again)
    await again.close()

    assert rows_left(path) == (0, 0, 0)


async def test_what_was_accepted_is_finished_before_the_close(path: Path) -> None:
    first = SqlStore(f"sqlite:///{path}")
    await first.open()
    run_id = await running(first)
    appends = [asyncio.create_task(first.append(run_id, [an_item(str(n))])) for n in range(100)]
    await asyncio.sleep(0)

    await first.close()

    assert all(isinstance(answer, Appended) for answer in await asyncio.gather(*appends))
    again = SqlStore(f"sqlite:///{path}")
    await again.open()
    assert (await again.get(run_id)).progress.done == 100
    await again.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "nonsense", "oracle+x://"])
def test_a_url_that_is_not_ours_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        SqlStore(url)


def write(path: Path, content: bytes) -> None:
    """Make a file."""
    path.write_bytes(content)


def read(path: Path) -> bytes:
    """What a file holds."""
    return path.read_bytes()


async def purged(store: SqlStore) -> None:
    """Wait until the store has purged what it has to."""
    assert store._purge is not None
    await store._purge


def rows_left(path: Path) -> tuple[int, ...]:
    """How many events, items and purges a file holds."""
    connection = sqlite3.connect(path)
    queries = (
        "SELECT count(*) FROM events",
        "SELECT count(*) FROM items",
        "SELECT count(*) FROM meta WHERE name LIKE 'purge%'",
    )
    counts = tuple(connection.execute(query).fetchone()[0] for query in queries)
    connection.close()
    return counts


def rows(path: Path, table: str) -> int:
    """How many rows a table has."""
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


async def test_results_are_taken_over_piece_by_piece(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "PIECE_ITEMS", 2)
    old = await ended(store, *(an_item(f"k{index}") for index in range(5)))
    pieces: list[int] = []
    put = store._line.put

    async def watching(request: Any) -> Any:
        pieces.append(request.weight)
        return await put(request)

    monkeypatch.setattr(store._line, "put", watching)
    run, _ = await store.create(a_run(reuse=Reuse(old, ("done",))))

    assert pieces == [1, 2, 2, 1, 1]
    assert run.progress.done == 5


async def test_a_server_that_dies_while_results_are_taken_over_leaves_nothing_of_the_new_run(
    store: SqlStore, path: Path
) -> None:
    old = await ended(store, an_item("a"), an_item("b"))
    events, items = rows(path, "events"), rows(path, "items")
    made = await store._line.put(BeginDraft(a_run("bench_draft", reuse=Reuse(old, ("done",)))))
    assert isinstance(made, Draft)
    await store._line.put(ExtendDraft(made, (await store.items(old, ItemQuery())).items))
    seen = [run.id for run in (await store.list(RunQuery())).runs]
    await store.close()

    again = SqlStore(f"sqlite:///{path}")
    await again.open()
    assert again._purge is not None
    await again._purge
    later = await again.get(await queued(again))
    await again.close()

    assert seen == [old]
    assert (rows(path, "events"), rows(path, "items")) == (events + 1, items)
    assert later.number == made.number + 1


async def test_a_run_whose_results_cannot_be_read_is_not_made(
    store: SqlStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await ended(store, an_item("a"))
    events = rows(path, "events")

    def broken(*_: Any) -> Any:
        raise OSError("the disk is gone")

    monkeypatch.setattr(store._reader, "reusable", broken)
    with pytest.raises(Unavailable):
        await store.create(a_run("bench_draft", reuse=Reuse(old, ("done",))))
    assert store._purge is not None
    await store._purge

    assert rows(path, "events") == events
    assert [run.id for run in (await store.list(RunQuery())).runs] == [old]
