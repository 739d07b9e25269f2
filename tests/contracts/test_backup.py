"""`backup`, `restore` and `check` on files, without a server."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pilothouse.cli.client import CliError
from pilothouse.cli.main import app
from pilothouse.errors import Unavailable
from pilothouse.questions import RunQuery
from pilothouse.stores.backup import copy_database
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.samples import COMPLETED, an_item, running
from tests.contracts.server_process import serving


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one run that has ended, and a file of it."""
    folder = tmp_path / "data"
    run_id = asyncio.run(add_run(folder))
    file = folder / "runs" / run_id / "kept.txt"
    file.parent.mkdir(parents=True)
    file.write_text("kept")
    return folder


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    file = tmp_path / "copy.db"
    pilothouse(data, "backup", str(file))
    return file


async def add_run(folder: Path) -> str:
    """One more run."""
    store = SqlStore(f"sqlite:///{folder / 'pilothouse.db'}")
    await store.open()
    run_id = await running(store)
    await store.append(run_id, [*(an_item(f"k{n}", data={"pad": "x" * 300}) for n in range(50)), COMPLETED])
    await store.close()
    return run_id


async def runs_in(path: Path) -> tuple[list[str], str]:
    """The runs of a database, and its epoch."""
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    page = await store.list(RunQuery())
    await store.close()
    return [run.id for run in page.runs], store.epoch


def pilothouse(data: Path, *arguments: str) -> Result:
    """A command that must succeed."""
    done = CliRunner().invoke(app, ["--data", str(data), *arguments])
    assert done.exit_code == 0, done.exception
    return done


def refusal(data: Path, *arguments: str) -> CliError:
    """What a command that must not succeed says."""
    done = CliRunner().invoke(app, ["--data", str(data), *arguments])
    assert isinstance(done.exception, CliError), done.exception
    return done.exception


def test_a_restore_keeps_what_was_there_and_can_be_undone(data: Path, copy: Path) -> None:
    later = asyncio.run(add_run(data))

    pilothouse(data, "restore", str(copy))
    restored, epoch = asyncio.run(runs_in(data / "pilothouse.db"))
    beside = list(data.glob("pilothouse.db.before-*"))
    pilothouse(data, "restore", str(beside[0]))

    undone, again = asyncio.run(runs_in(data / "pilothouse.db"))
    assert len(beside) == 1
    assert later not in restored
    assert undone == [later, *restored]
    assert epoch != again


def test_the_log_of_a_killed_server_goes_where_its_database_goes(
    data: Path, copy: Path, tmp_path: Path
) -> None:
    path = data / "pilothouse.db"
    with closing(sqlite3.connect(path)) as killed:
        killed.execute("PRAGMA wal_autocheckpoint=0")
        killed.execute("INSERT INTO meta VALUES ('mark', 'x')")
        killed.commit()
        for name in ("pilothouse.db", "pilothouse.db-wal"):
            (tmp_path / name).write_bytes((data / name).read_bytes())
    for name in ("pilothouse.db", "pilothouse.db-wal"):
        (data / name).write_bytes((tmp_path / name).read_bytes())

    pilothouse(data, "restore", str(copy))

    (before,) = (file for file in data.glob("pilothouse.db.before-*") if not file.name.endswith("-wal"))
    with closing(sqlite3.connect(before)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'mark'").fetchone() == ("x",)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'mark'").fetchone() is None


def test_a_backup_with_files_brings_them_back(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.tar"
    pilothouse(data, "backup", str(archive), "--files")
    (file,) = data.glob("runs/*/kept.txt")
    file.unlink()

    said = pilothouse(data, "restore", str(archive)).stderr

    assert file.read_text() == "kept"
    assert "runs.before-" in said


class PowerCut(BaseException):
    """The process is gone."""


def cut_off(data: Path, archive: Path, place: str) -> None:
    """A restore that is cut off before something gets its place."""
    move = Path.replace

    def cut(source: Path, target: Path) -> Path:
        if target == data / place:
            raise PowerCut
        return move(source, target)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Path, "replace", cut)
        CliRunner().invoke(app, ["--data", str(data), "restore", str(archive)], catch_exceptions=False)
    (data / ".restoring-left").mkdir()


def packed_and_changed(data: Path, archive: Path) -> Path:
    """Pack everything, then change a file."""
    pilothouse(data, "backup", str(archive), "--files")
    (file,) = data.glob("runs/*/kept.txt")
    file.write_text("changed")
    return file


@pytest.mark.parametrize("is_restored_again", [True, False])
def test_files_follow_their_database_after_a_cut(
    data: Path, copy: Path, tmp_path: Path, is_restored_again: bool
) -> None:
    archive = tmp_path / "all.tar"
    file = packed_and_changed(data, archive)
    asyncio.run(add_run(data))

    cut_off(data, archive, "runs")
    if is_restored_again:
        pilothouse(data, "restore", str(copy))
    else:
        with serving(data):
            pass

    (before,) = data.glob("runs.before-*/*/kept.txt")
    assert (file.read_text(), before.read_text()) == ("kept", "changed")
    assert not list(data.glob("*restoring*"))


def test_files_stay_with_a_database_that_was_not_replaced(data: Path, copy: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.tar"
    file = packed_and_changed(data, archive)

    cut_off(data, archive, "pilothouse.db")
    pilothouse(data, "restore", str(copy))

    assert file.read_text() == "changed"
    assert not list(data.glob("*restoring*"))


def test_what_a_restore_left_is_not_restored_from(data: Path, copy: Path, tmp_path: Path) -> None:
    left = data / "pilothouse.db.restoring"
    left.write_bytes(copy.read_bytes())

    refused = refusal(data, "restore", str(left))

    assert (refused.exit_code, "was cut off left" in refused.lines[0]) == (8, True)
    assert left.read_bytes() == copy.read_bytes()


def test_a_database_without_a_file_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DATABASE", "sqlite://")

    assert "sqlite:///path" in refusal(data, "backup", "copy.db").lines[1]


def test_a_backup_with_files_touches_no_other_backup(data: Path, tmp_path: Path) -> None:
    pilothouse(data, "backup", str(tmp_path / "monday.db"))

    pilothouse(data, "backup", str(tmp_path / "monday"), "--files")

    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "monday", "monday.db"]


def test_files_of_a_job_that_runs_may_go_and_shrink_while_they_are_packed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "all.tar"
    (file,) = data.glob("runs/*/kept.txt")
    spool, marks = file.with_name("spool.jsonl"), file.with_name("marks")
    spool.write_text("a line\n")
    marks.touch()
    look = tarfile.TarFile.gettarinfo

    def late(tar: tarfile.TarFile, path: Path, *more: Any) -> tarfile.TarInfo:
        if path == marks:
            marks.unlink()
        found = look(tar, path, *more)
        if path == spool:
            spool.write_text("")
        return found

    monkeypatch.setattr(tarfile.TarFile, "gettarinfo", late)

    pilothouse(data, "backup", str(archive), "--files")

    monkeypatch.undo()
    with tarfile.open(archive) as packed:
        names = {Path(name).name for name in packed.getnames()}
    assert {"kept.txt", "spool.jsonl"} < names
    assert "marks" not in names


def test_what_a_restore_refuses_is_left_out_of_a_backup(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.tar"
    (file,) = data.glob("runs/*/kept.txt")
    file.with_name("outside").symlink_to("/etc/hosts")
    file.with_name("inside").symlink_to("kept.txt")
    os.mkfifo(file.with_name("pipe"))
    pilothouse(data, "backup", str(archive), "--files")

    pilothouse(data, "restore", str(archive))

    assert sorted(each.name for each in file.parent.iterdir()) == ["inside", "kept.txt"]


def test_a_backup_replaces_no_file_unless_it_is_told_to(data: Path, copy: Path) -> None:
    before = copy.read_bytes()
    asyncio.run(add_run(data))

    refused = refusal(data, "backup", str(copy))
    after = copy.read_bytes()
    pilothouse(data, "backup", str(copy), "--force")

    assert (refused.exit_code, "--force" in refused.lines[1]) == (8, True)
    assert after == before != copy.read_bytes()


def test_what_cannot_be_restored_leaves_everything_as_it_was(data: Path, copy: Path, tmp_path: Path) -> None:
    before = (data / "pilothouse.db").read_bytes()
    cut, foreign = tmp_path / "cut.db", tmp_path / "foreign.db"
    cut.write_bytes(copy.read_bytes()[:8192])
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")

    refusals = [refusal(data, "restore", str(file)) for file in (cut, foreign, tmp_path / "none.db")]

    said = ("is damaged", "not a Pilothouse database", "cannot be read")
    assert all(word in refused.lines[0] for word, refused in zip(said, refusals, strict=True)), refusals
    assert (data / "pilothouse.db").read_bytes() == before
    assert not list(data.glob("*restoring*"))


def test_a_check_tells_a_whole_database_from_a_damaged_one(data: Path, copy: Path) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[:20480] + bytes(4096) + content[24576:])

    good, bad = pilothouse(data, "check"), refusal(data, "check", str(copy))

    assert "is whole" in good.stderr
    assert (bad.exit_code, "is damaged" in bad.lines[0]) == (1, True)


def test_for_postgresql_a_backup_names_the_commands(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DATABASE", "postgresql+psycopg://ada:secret@db.example/pilothouse")

    refused = refusal(data, "backup", "pilothouse.dump")

    assert (
        "pg_dump --format=custom --file=pilothouse.dump postgresql://ada:***@db.example" in refused.lines[1]
    )
    assert "restore --new-epoch" in refused.lines[3]


def test_without_a_file_a_restore_renews_the_epoch_only(data: Path) -> None:
    before = asyncio.run(runs_in(data / "pilothouse.db"))

    pilothouse(data, "restore", "--new-epoch")

    after = asyncio.run(runs_in(data / "pilothouse.db"))
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert refusal(data, "restore").exit_code == 2


@pytest.mark.anyio
async def test_a_copy_is_one_moment_of_a_database_that_is_written_to(tmp_path: Path) -> None:
    path, copy = tmp_path / "pilothouse.db", tmp_path / "copy.db"
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    run_id = await running(store)
    await store.append(run_id, [an_item(f"k{n}", data={"pad": "x" * 5000}) for n in range(1000)])
    copying = asyncio.create_task(asyncio.to_thread(copy_database, path, copy))
    written = 0
    while not copying.done():
        await store.append(run_id, [an_item(f"more{written}")])
        written += 1
    await copying
    await store.close()

    found = SqlStore(f"sqlite:///{copy}")
    await found.open()
    run = await found.get(run_id)
    frames = await found.read(run_id, 0, 100_000)
    await found.close()

    assert written > 10
    assert [frame.seq for frame in frames] == list(range(1, run.head + 1))
    assert run.progress.done == run.head - 2 >= 1000


def test_a_place_that_cannot_be_written_is_named(data: Path, copy: Path) -> None:
    refused = [refusal(data, "backup", str(copy / "below.db"), *more) for more in ((), ("--files",))]

    assert [each.exit_code for each in refused] == [1, 1]
    assert all("copy.db" in each.lines[0] and len(each.lines) == 2 for each in refused)


def test_there_is_no_backup_of_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="there is no database"):
        copy_database(tmp_path / "none.db", tmp_path / "copy.db")

    assert not list(tmp_path.iterdir())
