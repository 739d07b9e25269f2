"""Files that are not whole: each is refused by name, with the way out, and left byte for byte as it was."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pilothouse.errors import Unavailable
from pilothouse.stores import file as files
from pilothouse.stores.file import DatabaseFile, beside, inspect
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.samples import an_item, running

pytestmark = pytest.mark.anyio

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a few pages of everything."""
    path = tmp_path / "pilothouse.db"
    asyncio.run(fill(path))
    return path


async def fill(path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    for _ in range(3):
        run_id = await running(store)
        items = [an_item(f"k{number}", data={"pad": "x" * 200}) for number in range(100)]
        await store.append(run_id, items, attempt=1, client_seq=1)
    await store.close()


def random_bytes(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // PAGE // 2 * PAGE)


def cut_within_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1000)


def another_format(path: Path) -> None:
    path.write_text("{}\n" * 4000)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def without_its_database(path: Path) -> None:
    path.with_name(path.name + "-wal").write_bytes(path.read_bytes()[:8192])
    path.unlink()


def cut_off_restore(path: Path) -> None:
    path.rename(path.with_name(path.name + ".restoring"))


DAMAGE = (random_bytes, cut_in_half, cut_within_a_page, another_format, emptied)
LEFTOVERS = (without_its_database, cut_off_restore)


@pytest.mark.parametrize("damage", [*DAMAGE, *LEFTOVERS], ids=lambda damage: damage.__name__)
async def test_a_file_that_is_not_whole_is_named_and_left_as_it_is(
    path: Path, damage: Callable[[Path], None]
) -> None:
    damage(path)
    before = hashes(path.parent)
    store = SqlStore(f"sqlite:///{path}")

    with pytest.raises(Unavailable) as caught:
        await store.open()
    await store.close()

    assert hashes(path.parent) == before
    assert str(path) in caught.value.message
    assert "restore" in (caught.value.hint or "")


@pytest.mark.parametrize("half", [0, PAGE // 2], ids=["first half", "second half"])
def test_half_a_page_of_zeros_is_found_wherever_it_is(path: Path, half: int, tmp_path: Path) -> None:
    good, bad = path.read_bytes(), tmp_path / "bad.db"
    places = [place for place in range(half, len(good), PAGE) if any(good[place : place + PAGE // 2])]

    found = 0
    for place in places:
        bad.write_bytes(good[:place] + bytes(PAGE // 2) + good[place + PAGE // 2 :])
        with pytest.raises(Unavailable, match="damaged"):
            inspect(bad)
        found += 1

    assert found == len(places) > 20


def test_a_large_file_is_looked_at_in_part_and_on_request_as_a_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WHOLE_CHECK_BYTES", 0)
    good = path.read_bytes()
    events = good.index(b'"run_id"') // PAGE * PAGE
    path.write_bytes(good[:events] + bytes(PAGE) + good[events + PAGE :])

    inspect(path)

    with pytest.raises(Unavailable, match="damaged"):
        inspect(path, whole=True)


async def test_a_killed_server_leaves_a_file_that_is_whole(path: Path, tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    run_id = await running(store)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), crashed / name)
    await store.close()

    again = SqlStore(f"sqlite:///{crashed / path.name}")
    await again.open()

    assert (await again.get(run_id)).attempt == 1
    await again.close()


async def test_a_server_killed_while_it_copied_its_log_into_the_file_starts_again(
    path: Path, tmp_path: Path
) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    run_id = await running(store)
    await store.append(run_id, [an_item(f"k{number}", data={"pad": "x" * 2000}) for number in range(200)])
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), crashed / name)
    await store.close()
    put_first_page(path, crashed / path.name)

    again = SqlStore(f"sqlite:///{crashed / path.name}")
    await again.open()

    assert (await again.get(run_id)).progress.done == 200
    await again.close()


def put_first_page(source: Path, target: Path) -> None:
    """The first page is written, which tells the new size; those at the new end are not yet."""
    content = source.read_bytes()[:PAGE]
    with target.open("r+b") as file:
        file.write(content)
    assert int.from_bytes(content[28:32], "big") * PAGE > target.stat().st_size


def hashes(folder: Path) -> dict[str, str]:
    """What is in the files of a folder, the locks left out."""
    found = (file for file in folder.iterdir() if file.suffix != ".lock")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def test_a_look_that_another_thread_overtakes_finds_nothing_wrong(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, look = DatabaseFile(path), os.stat
    beside(path, "-wal").touch()
    database.watch()

    def overtaken(name: str) -> os.stat_result:
        seen = look(name)
        monkeypatch.setattr(os, "stat", look)
        with path.open("ab") as file:
            file.write(bytes(PAGE))
        database.confirm()
        return seen

    monkeypatch.setattr(os, "stat", overtaken)

    database.confirm()

    os.truncate(path, PAGE)
    with pytest.raises(Unavailable, match="cut short"):
        database.confirm()


async def test_a_python_with_an_sqlite_that_is_too_old_is_told_so_and_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "OLDEST_SQLITE", (99, 1))
    path = tmp_path / "new.db"

    with pytest.raises(
        Unavailable, match=r"SQLite 99\.1 or newer is needed, and this Python brings 3\."
    ) as refused:
        await SqlStore(f"sqlite:///{path}").open()

    assert "PostgreSQL" in str(refused.value.hint)
    assert not path.exists()
