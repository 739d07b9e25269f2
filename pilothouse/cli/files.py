"""`pilothouse files` and `pilothouse download`: what a run has saved, to look at and to take along."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any
from urllib.parse import quote

import typer

from pilothouse.cli import words
from pilothouse.cli.client import NO_SUCH_RUN, NOT_POSSIBLE, OTHER, USAGE, Client, CliError
from pilothouse.cli.output import put, put_json, say
from pilothouse.cli.read import AS_JSON, RUN
from pilothouse.sdk.wire import UNREACHABLE

TRIES = 8
REST_SECONDS = 0.5
TELL_SECONDS = 0.2
CHUNK_BYTES = 1 << 18


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("files")(list_files)
    app.command("download")(download)


def list_files(context: typer.Context, run: RUN = "@last", as_json: AS_JSON = False) -> None:
    """List the files of a run with size and hash, and what a rule has removed."""
    client: Client = context.obj
    found = _listed(client, client.run(run)["id"])
    if as_json:
        put_json(found)
        return
    for file in found["artifacts"]:
        put(f"{words.size(file['bytes']):>10}  {file['sha256'][:12]}  {words.clean(file['name'])}")
    for file in found["removed"]:
        reason = words.clean(file["reason"])
        put(f"{'removed':>10}  {file['sha256'][:12]}  {words.clean(file['name'])}   ({reason})")
    if not (found["artifacts"] or found["removed"]):
        say("No files yet.")
    elif found["artifacts"]:
        say("  Take them along:  pilothouse download RUN [NAME…]")


def download(
    context: typer.Context,
    run: RUN,
    names: Annotated[list[str] | None, typer.Argument(help="Files; without a name, all of them.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File or folder; - is stdout, for one file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace local files of the same name.")] = False,
) -> None:
    """Download files of a run. What an earlier try left half done is continued, and every hash is checked.

    A local file of the same name that is another one is kept, unless --force is given.
    """
    client: Client = context.obj
    run_id = client.run(run)["id"]
    files = {file["name"]: file for file in _listed(client, run_id)["artifacts"]}
    wanted = names or list(files)
    for name in wanted:
        if name not in files:
            raise CliError(
                f"This run has no file {name}.",
                f"List them:  pilothouse files {run_id}",
                exit_code=NO_SUCH_RUN,
            )
    if not wanted:
        say("No files yet.")
        return
    if str(output) == "-":
        if len(wanted) != 1:
            raise CliError("-o -: one file goes to stdout, name it.", exit_code=USAGE)
        _tell(client, run_id, files[wanted[0]], sys.stdout.buffer)
        return
    is_one = bool(names) and len(wanted) == 1
    targets = {name: _target(run_id, name, output, is_one=is_one) for name in wanted}
    lacking = [name for name in targets if not _is_there(files[name], targets[name], force=force)]
    for name in lacking:
        _take(client, run_id, files[name], targets[name])


def _listed(client: Client, run_id: str) -> dict[str, Any]:
    return client.get(f"/api/runs/{quote(run_id)}/artifacts")


def _target(run_id: str, name: str, output: Path | None, *, is_one: bool) -> Path:
    """Where a file goes. Names have no `..`: the server takes none, and this end looks again."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in name:
        raise CliError(f"{name!r} cannot name a file here", exit_code=OTHER)
    if is_one:
        if output is None:
            return Path(parts[-1])
        return output / parts[-1] if output.is_dir() else output
    return Path(run_id if output is None else output, *parts)


def _is_there(file: dict[str, Any], target: Path, *, force: bool) -> bool:
    """Whether the file lies there already.

    Raises:
        CliError: Another one does, and nobody said that it may be replaced.
    """
    try:
        if target.is_file() and target.stat().st_size == file["bytes"] and _hash(target) == file["sha256"]:
            say(f"{words.MARKS['completed']} {target}   is there already")
            return True
    except OSError as error:
        raise CliError(f"{target}: {error.strerror or error}", exit_code=OTHER) from None
    if target.is_dir() or (target.exists() and not force):
        raise CliError(
            f"{target} is there already and is {'a folder' if target.is_dir() else 'another file'}.",
            "Elsewhere:   -o FOLDER",
            *([] if target.is_dir() else ["Replace it:  --force"]),
            exit_code=NOT_POSSIBLE,
        )
    return False


def _take(client: Client, run_id: str, file: dict[str, Any], target: Path) -> None:
    """Write a file beside its place, go on where it broke off, check it, and move it there."""
    name, size, digest = file["name"], file["bytes"], file["sha256"]
    part = target.with_name(f"{target.name}.{digest[:8]}.part")  # of this version, and of no other
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as into, _progress(name, size) as told:
            _fill(client, run_id, name, size, into, told)
        if (found := _hash(part)) != digest:
            part.unlink()
            raise _changed(name, found, digest)
        part.replace(target)
    except OSError as error:
        raise CliError(f"{target}: {error.strerror or error}", exit_code=OTHER) from None
    say(f"{words.MARKS['completed']} {target}   {words.size(size)}   SHA-256 {digest[:12]}")


def _fill(client: Client, run_id: str, name: str, size: int, into: IO[bytes], told: Progress) -> None:
    """Append what is missing."""
    into.truncate(min(into.tell(), size))
    into.seek(0, os.SEEK_END)
    for chunk in _rest(client, run_id, name, into.tell(), size):
        into.write(chunk)
        told.tell(into.tell())


def _tell(client: Client, run_id: str, file: dict[str, Any], into: IO[bytes]) -> None:
    """Write a file to a stream, which has it all before its hash is known."""
    digest = hashlib.sha256()
    for chunk in _rest(client, run_id, file["name"], 0, file["bytes"]):
        into.write(chunk)
        digest.update(chunk)
    into.flush()
    if (found := digest.hexdigest()) != file["sha256"]:
        raise _changed(file["name"], found, file["sha256"])


def _rest(client: Client, run_id: str, name: str, place: int, size: int) -> Iterator[bytes]:
    """A file from a place on; a connection that breaks is taken up again, a few times without progress."""
    tries = 0
    while place < size:
        before = place
        try:
            for chunk in _pieces(client, run_id, name, place):
                place += len(chunk)
                yield chunk
        except UNREACHABLE as error:
            tries = 1 if place > before else tries + 1
            if tries >= TRIES:
                raise client.unreachable(error) from None
            time.sleep(REST_SECONDS)
        else:
            if place == before:
                return  # the server has less of it by now: the hash tells


def _changed(name: str, found: str, digest: str) -> CliError:
    return CliError(
        f"{name} changed on its way: SHA-256 {found[:12]}… instead of {digest[:12]}….",
        "Download it again.",
        exit_code=OTHER,
    )


def _pieces(client: Client, run_id: str, name: str, start: int) -> Iterator[bytes]:
    path = f"/api/runs/{quote(run_id)}/artifacts/{quote(name)}"
    yield from client.pieces(path, start, CHUNK_BYTES)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Progress:
    """One line in a terminal that renews itself: how much, how fast, how long still.

    Args:
        name: The file.
        size: Its bytes.
        is_shown: Whether somebody looks.
    """

    def __init__(self, name: str, size: int, *, is_shown: bool) -> None:
        self._name = words.clean(name)
        self._size = size
        self._is_shown = is_shown
        self._began = self._told = time.monotonic()
        self._first: int | None = None

    def tell(self, done: int) -> None:
        """So many bytes are there."""
        now = time.monotonic()
        self._first = done if self._first is None else self._first
        if not self._is_shown or now - self._told < TELL_SECONDS:
            return
        self._told = now
        speed = (done - self._first) / max(now - self._began, 1e-6)
        left = f"   {words.briefly((self._size - done) / speed)} left" if speed > 0 else ""
        share = done / self._size if self._size else 1.0
        sizes = f"{words.size(done)} of {words.size(self._size)}   {words.size(speed)}/s"
        line = f"  {self._name}   {share:.0%}   {sizes}{left}"
        sys.stderr.write(f"\r\x1b[2K{line}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Nobody needs the line any more."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[2K")


@contextmanager
def _progress(name: str, size: int) -> Iterator[Progress]:
    progress = Progress(name, size, is_shown=sys.stderr.isatty())
    try:
        yield progress
    finally:
        progress.clear()
