"""The SQL store on PostgreSQL keeps the store contract, also with two servers on one database.

Set `PILOTHOUSE_TEST_POSTGRES` to a server's URL; every test makes a database of its own there.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import NoReturn

import psycopg
import pytest
from sqlalchemy import make_url

from pilothouse.contracts import Appended, Store
from pilothouse.errors import Conflict, InvalidTransition, Unavailable
from pilothouse.model import event as e
from pilothouse.questions import ItemQuery
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.samples import a_note, a_run, an_item, log_of, queued, running
from pilothouse.testing.store_contract import DurableContract, StoreContract
from tests.contracts.first_schema import make_first

pytestmark = pytest.mark.anyio

SERVER = os.environ.get("PILOTHOUSE_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/postgres")


def missing(error: Exception) -> NoReturn:
    """Skip, or fail where the server must be there."""
    reason = f"PostgreSQL cannot be reached, so its contract is NOT tested: {error}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """A database of this session; its tables are emptied between the tests."""
    name = f"pilothouse_test_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(SERVER, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
    except psycopg.OperationalError as error:
        missing(error)
    yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def url(template: str) -> str:
    """An empty database."""
    with psycopg.connect(template, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return template


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = SqlStore(url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def other(url: str, store: Store) -> AsyncIterator[Store]:
    """A second server on the same database."""
    other = SqlStore(url)
    await other.open()
    yield other
    await other.close()


class TestPostgresStore(StoreContract, DurableContract):
    @pytest.fixture
    async def reopen(self, url: str) -> AsyncIterator[Callable[[Store], Awaitable[Store]]]:
        opened = SqlStore(url)

        async def again(store: Store) -> Store:
            await store.close()
            await opened.open()
            return opened

        yield again
        await opened.close()


async def test_the_numbers_of_a_job_survive_the_way_to_writers(store: Store, url: str) -> None:
    run_id = await running(store)
    await store.append(run_id, [an_item("a"), an_item("b")], attempt=1, client_seq=1)
    await store.close()
    make_first(make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False))

    again = SqlStore(url)
    await again.open()

    known = await again.append(run_id, [an_item("b"), an_item("c")], attempt=1, client_seq=2)
    assert (len(known.frames), known.acked) == (1, 3)
    await again.close()


async def test_items_take_their_flags_from_the_kept_log(store: Store, url: str) -> None:
    run_id = await running(store)
    await store.append(run_id, [an_item("a", possible_duplicate=True), an_item("b")])
    await store.close()
    make_first(make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False))

    again = SqlStore(url)
    await again.open()

    page = await again.items(run_id, ItemQuery())
    assert {item.key: item.possible_duplicate for item in page.items} == {"a": True, "b": False}
    await again.close()


async def test_two_servers_open_an_empty_database_at_once(url: str) -> None:
    stores = [SqlStore(url) for _ in range(4)]

    await asyncio.gather(*(store.open() for store in stores))

    assert len({store.epoch for store in stores}) == 1
    for store in stores:
        await store.close()


async def test_of_two_servers_that_claim_exactly_one_wins(store: Store, other: Store) -> None:
    run_ids = [await queued(store) for _ in range(20)]
    started = [e.RunStarted(attempt=1)]

    for run_id in run_ids:
        claims = (server.append(run_id, started) for server in (store, other, store, other))
        answers = await asyncio.gather(*claims, return_exceptions=True)
        assert sum(isinstance(answer, Appended) for answer in answers) == 1
        assert sum(isinstance(answer, InvalidTransition) for answer in answers) == 3


async def test_two_servers_write_to_the_same_runs_without_gaps_or_deadlocks(
    store: Store, other: Store
) -> None:
    run_ids = [await running(store) for _ in range(4)]

    async def append(server: Store, worker: int) -> None:
        for index in range(10):
            for run_id in run_ids if worker % 2 else reversed(run_ids):
                await server.append(run_id, [an_item(f"{worker}-{index}")])
        await server.create(a_run())

    await asyncio.gather(*(append((store, other)[n % 2], n) for n in range(10)))

    for run_id in run_ids:
        seqs, run = await log_of(other, run_id)
        assert seqs == list(range(1, 103))
        assert run.progress.done == 100
        assert run == await store.get(run_id)


@pytest.mark.rows("S4.89")
async def test_a_server_sees_what_another_one_appended(store: Store, other: Store) -> None:
    run_id = await running(store)
    await store.append(run_id, [a_note("1")], attempt=1, client_seq=1)

    again = await other.append(run_id, [a_note("1")], attempt=1, client_seq=1)
    appended = await other.append(run_id, [a_note("2")], attempt=1, client_seq=2)
    third = await store.append(run_id, [a_note("3")], attempt=1, client_seq=3)

    assert again.frames == ()
    assert [frame.seq for frame in (*appended.frames, *third.frames)] == [4, 5]


async def test_two_servers_make_one_run_of_an_idempotency_key(store: Store, other: Store) -> None:
    answers = await asyncio.gather(
        *(server.create(a_run(idempotency_key="k")) for server in (store, other) * 5)
    )

    assert len({run.id for run, _ in answers}) == 1


async def test_a_store_goes_on_after_its_connections_were_cut(store: Store, url: str) -> None:
    run_id = await running(store)
    await store.get(run_id)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    with pytest.raises(Unavailable):
        await store.append(run_id, [an_item("lost")])
    with pytest.raises(Unavailable):
        await store.get(run_id)
    appended = await store.append(run_id, [an_item("a")])

    assert appended.run.progress.done == 1
    assert await store.get(run_id) == appended.run


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    store = SqlStore("postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(Unavailable, match="cannot be used now"):
        await store.open()
    await store.close()


async def test_an_epoch_is_not_renewed_under_another_server(store: Store, other: Store) -> None:
    before = store.epoch

    with pytest.raises(Conflict, match="other connections"):
        await other.renew_epoch()
    await store.close()
    after = await other.renew_epoch()

    assert after != before
