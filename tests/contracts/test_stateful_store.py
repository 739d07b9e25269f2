"""Whatever is sent to a store, in any order: it keeps what it admitted, and nothing else.

`PILOTHOUSE_CHAOS=long` tries far more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from pilothouse.contracts import Store
from pilothouse.errors import PilothouseError
from pilothouse.stores import admission, shelf
from pilothouse.stores.memory import MemoryStore
from pilothouse.stores.sql import SqlStore
from tests.chaos import scale
from tests.contracts.stateful import Harness, StoreMachine
from tests.contracts.test_postgres_store import template, url

__all__ = ["template", "url"]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in which the stores live."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


def try_everything(harness: Harness, examples: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    """Let Hypothesis try, then close the stores."""
    machine = type("Machine", (StoreMachine,), {"harness": harness})
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=30,
                deadline=None,
                database=None,
                phases=phases,
                derandomize=phases == (Phase.generate,),
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
    finally:
        for store in harness.stores:
            harness.do(store.close())


def test_the_memory_store_keeps_what_it_admits(loop: asyncio.AbstractEventLoop) -> None:
    harness = Harness([MemoryStore()], loop)

    try_everything(harness, scale.times(3000, 60))


BUGS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a repeated batch is stored twice": lambda patch: patch.setattr(
        admission, "_count_known", lambda entry, batch: 0
    ),
    "an older attempt is not fenced": lambda patch: patch.setattr(
        admission, "fence", lambda run, attempt: None
    ),
    "the version is not compared": lambda patch: patch.setattr(
        admission, "_compare", lambda run, expected: None
    ),
    "a second result replaces the first": lambda patch: patch.setattr(
        shelf, "finished", lambda items, keys: set()
    ),
    "a lease outlives its attempt": lambda patch: patch.setattr(
        admission, "has_lease", lambda run: not run.status.is_terminal
    ),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(
    name: str, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    BUGS[name](monkeypatch)

    with pytest.raises((AssertionError, PilothouseError)):
        try_everything(Harness([MemoryStore()], loop), 300, (Phase.generate,))


@pytest.mark.timeout(scale.LONG_SECONDS)
def test_a_sqlite_file_keeps_what_it_admits(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> None:
    path = f"sqlite:///{tmp_path / 'pilothouse.db'}"

    try_everything(served(loop, path, servers=1), scale.times(500, 12))


@pytest.mark.timeout(scale.LONG_SECONDS)
@pytest.mark.long
def test_two_servers_on_one_postgres_keep_what_either_admits(
    loop: asyncio.AbstractEventLoop, url: str
) -> None:
    try_everything(served(loop, url, servers=2), scale.times(500, 5))


def served(loop: asyncio.AbstractEventLoop, url: str, servers: int) -> Harness:
    """Servers on a database, each of which may be stopped and started."""

    async def opened() -> Store:
        store = SqlStore(url)
        await store.open()
        return store

    async def reopen(store: Store) -> Store:
        await store.close()
        return await opened()

    stores = [loop.run_until_complete(opened()) for _ in range(servers)]
    return Harness(stores, loop, reopen)
