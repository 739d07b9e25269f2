"""`pilothouse backup` and `pilothouse restore`: copies of everything, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from pilothouse.cli.client import EXIT_OF_HTTP, NOT_POSSIBLE, OTHER, USAGE, Client, CliError
from pilothouse.cli.output import say

if TYPE_CHECKING:
    from pilothouse.contracts import Store
    from pilothouse.engine.engine import Engine
    from pilothouse.settings import Settings

RESTORED = "the database was restored"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("check")(check)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The backup to write.")],
    files: Annotated[bool, typer.Option("--files", help="With the runs' files, as a tar archive.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Copy the database, also while the server runs, into one file that is checked."""
    settings = _settings(context.obj)
    with _told():
        database = _sqlite(settings, file)
        if files:
            from pilothouse.cli.archive import pack

            size = pack(database, settings.folder / "runs", file, force=force)
        else:
            from pilothouse.stores.backup import copy_database

            size = copy_database(database, file, force=force)
    say(f"✓ {file}   {size / 1e6:,.1f} MB, whole")
    say(f"  Back again:  pilothouse restore {file}")


def restore(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A backup.")] = None,
    new_epoch: Annotated[
        bool,
        typer.Option(
            "--new-epoch", help="No file: the database was put back by other means, such as pg_restore."
        ),
    ] = False,
) -> None:
    """Put a backup in the database's place; the server must not run. What was there is kept beside."""
    if (file is None) is not new_epoch:
        raise CliError("Name a backup, or say --new-epoch.", exit_code=USAGE)
    settings = _settings(context.obj)
    with _told():
        from pilothouse.web.serve import lock_folder

        with lock_folder(settings.folder, 0.0):
            if file is None:
                asyncio.run(_renew(settings))
                return
            _put_back(settings, file)
    say("  Start it:    pilothouse up")


def check(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A backup; default: the database in use.")] = None,
) -> None:
    """Read a whole SQLite database and say whether it is whole; the server may run."""
    with _told():
        from pilothouse.stores.backup import check_revision
        from pilothouse.stores.file import inspect

        path = file or _sqlite(_settings(context.obj), None)
        inspect(path, whole=True)
        check_revision(path)
    say(f"✓ {path} is whole.")


def _put_back(settings: Settings, file: Path) -> None:
    from pilothouse.cli.archive import is_archive, unpacked
    from pilothouse.stores.backup import (
        check_no_leftover,
        check_revision,
        copy_database,
        lay_files,
        replace_database,
        settle_files,
    )
    from pilothouse.stores.file import RESTORING, DatabaseFile, beside, inspect

    database, files = _sqlite(settings, None), settings.folder / "runs"
    lock = DatabaseFile(database)
    lock.acquire()
    copy = beside(database, RESTORING)
    try:
        check_no_leftover(file, files, database)
        settle_files(files, database)
        with (
            unpacked(file, settings.folder) if is_archive(file) else nullcontext((file, None)) as (
                source,
                fresh,
            )
        ):
            inspect(source, whole=True)
            check_revision(source)
            for old in (copy, beside(copy, "-wal"), beside(copy, "-shm")):
                old.unlink(missing_ok=True)
            copy_database(source, copy)
            asyncio.run(_renew(settings.model_copy(update={"database": f"sqlite:///{copy}"})))
            if fresh is not None:
                lay_files(fresh, files)
            kept = replace_database(database, copy)
            say(f"✓ {database} is now what {file} was.")
            if kept is not None:
                say(f"  What was there: {kept}")
            moved = settle_files(files, database)
            if moved is not None:
                say(f"  Its runs' files: {moved}")
    finally:
        beside(copy, ".lock").unlink(missing_ok=True)
        lock.release()


async def _renew(settings: Settings) -> None:
    """A new epoch, and every attempt that the copy believes alive is settled."""
    from pilothouse.app import build_kinds, build_store
    from pilothouse.buses.memory import MemoryBus
    from pilothouse.engine.engine import Engine

    store = build_store(settings)
    await store.open()
    try:
        epoch = await store.renew_epoch()
        interrupted = await _interrupt(Engine(store, MemoryBus(), build_kinds(settings)), store)
    finally:
        await store.close()
    say(f"  New epoch:      {epoch} (watchers are told to begin anew)")
    say(f"  Interrupted:    {interrupted} runs that were going on; they go on from their items")


async def _interrupt(engine: Engine, store: Store) -> int:
    """Settle the attempts of the copy: their processes know a log that is gone."""
    from pilothouse.engine.afterlife import Ending
    from pilothouse.engine.scheduler import Scheduler
    from pilothouse.model.run import Status
    from pilothouse.questions import RunQuery

    scheduler, count, before = Scheduler(engine), 0, None
    ending = Ending(RESTORED, is_crash=False, is_confirmed=False)
    while True:
        page = await store.list(RunQuery((Status.RUNNING, Status.PAUSED), limit=500, before=before))
        for run in page.runs:
            if run.is_active:
                await scheduler.lose(run, ending)
                count += 1
        before = page.before
        if before is None:
            return count


def _settings(client: Client) -> Settings:
    from pilothouse.settings import Settings

    return Settings(data=client.data)


def _sqlite(settings: Settings, file: Path | None) -> Path:
    """The file of the database in use.

    Raises:
        CliError: It has none; the message says what to do instead.
        Invalid: The URL of a SQLite database names no file.
    """
    from pilothouse.stores.database import file_of

    url = settings.database_url
    path = file_of(url)
    if path is not None:
        return path
    if urlsplit(url).scheme == "memory":
        raise CliError("The database is in memory: there is nothing to copy.", exit_code=NOT_POSSIBLE)
    from sqlalchemy import make_url

    plain = make_url(url).set(drivername="postgresql").render_as_string()
    name = file or Path("pilothouse.dump")
    raise CliError(
        "PostgreSQL makes its own backups:",
        f"Copy:      pg_dump --format=custom --file={name} {plain}",
        f"Put back:  pg_restore --clean --if-exists --dbname={plain} {name}",
        "Then:      pilothouse restore --new-epoch   (with every server stopped)",
        exit_code=NOT_POSSIBLE,
    )


@contextmanager
def _told() -> Iterator[None]:
    """Refusals as words and exit codes."""
    from pilothouse.errors import PilothouseError

    try:
        yield
    except PilothouseError as error:
        code = EXIT_OF_HTTP.get(error.http_status, OTHER)
        raise CliError(*filter(None, [error.message, error.hint]), exit_code=code) from None
    except OSError as error:
        raise CliError(str(error), "Look at the folder, its permissions and the room on its disk.") from None
