"""The files of a run: saved by its job, listed from the log, served as attachments or as pages without power.

A name is looked up in the log first and opened beneath the run's folder
without following links, so that no name leads anywhere else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Literal

import anyio
from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, StreamingResponse

from pilothouse.errors import Invalid, NotFound, Unavailable
from pilothouse.model.event import ArtifactSaved
from pilothouse.model.run import Run
from pilothouse.web.archive import Member, packed
from pilothouse.web.context import Actor, Context, Ctx, TheRun
from pilothouse.web.link import owned
from pilothouse.web.parts import part_of
from pilothouse.web.runs import answer

router = APIRouter(prefix="/api")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,119}(/[A-Za-z0-9_][A-Za-z0-9_. -]{0,119}){0,4}")
_HEADERS = {"content-security-policy": "sandbox; default-src 'none'"}
_PAGES = (".html", ".htm")
_PAGE_HEADERS = {
    "content-security-policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "x-frame-options": "SAMEORIGIN",
    "x-dns-prefetch-control": "off",
    "cross-origin-resource-policy": "same-origin",
}


def check_name(name: str) -> str:
    """A relative name of plain parts.

    Raises:
        Invalid: Anything else, such as `../x` or a hidden file.
    """
    if not _NAME.fullmatch(name):
        hint = "Use letters, digits, dots, dashes and at most 5 folders."
        raise Invalid(f"name: {name[:80]!r} cannot name a file", hint=hint, field="name")
    return name


@router.get("/runs/{run}/artifacts")
async def list_artifacts(run: TheRun, context: Ctx) -> Response:
    """The run's files, latest version of each, oldest first; and what was removed, by a rule or by hand."""
    found = await context.files.listing(run.id)
    return answer({"artifacts": list(found.present.values()), "removed": list(found.removed.values())})


@router.get("/runs/{run}/artifacts.zip")
async def download_all(run: TheRun, context: Ctx) -> Response:
    """All files in one archive, which is made while it is sent. Nothing is compressed."""
    found = await context.files.listing(run.id)
    folder = context.files.of(run.id)
    files = (  # looked up one by one in the thread that packs them, for there may be thousands
        Member(name, _beneath(folder, name), datetime.fromisoformat(file["time"]))
        for name, file in found.present.items()
    )
    headers = {**_HEADERS, "content-disposition": f'attachment; filename="{run.id}.zip"'}
    return StreamingResponse(packed(files), media_type="application/zip", headers=headers)


@router.get("/runs/{run}/artifacts/{name:path}")
async def download(name: str, run: TheRun, context: Ctx, view: Literal["page"] | None = None) -> Response:
    """One file, whole or in ranges; with `view=page` an HTML file as a page in which nothing runs or is loaded."""
    if view and not name.lower().endswith(_PAGES):
        raise Invalid(f"view: {name[:80]!r} is no page", hint="Only .html files are shown so.", field="view")
    path = _beneath(context.files.of(run.id), name)
    found = await context.files.listing(run.id)
    if name in found.removed:
        gone = found.removed[name]
        raise NotFound(f"The file {name} was removed: {gone['reason']}.", hint=f"SHA-256 {gone['sha256']}")
    if name not in found.present or path is None or not path.is_file():
        raise _unknown(run, name)
    if view:
        return FileResponse(path, media_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)
    return FileResponse(
        path,
        filename=path.name,
        media_type="application/octet-stream",
        headers=_HEADERS,
        content_disposition_type="attachment",
    )


@router.delete("/runs/{run}/artifacts/{name:path}", status_code=204)
async def remove(name: str, run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Remove one file for good; the log keeps its name, size and hash, and who removed it. Twice is harmless."""
    async with context.files.turn(run.id):
        found = await context.files.listing(run.id)
        if name in found.present:
            await context.files.remove(run.id, [name], f"deleted by {actor}")
        elif name not in found.removed:
            raise _unknown(run, name)
    return Response(status_code=204)


@router.post("/runs/{run_id}/artifacts/{name:path}", status_code=201)
async def upload(
    run_id: str, name: str, request: Request, context: Ctx, attempt: int = Query(ge=1)
) -> Response:
    """Keep a file that the job sends, and record it in the log; 503 while the disk takes none."""
    check_name(name)
    await owned(context, run_id, attempt)
    try:
        path = await anyio.to_thread.run_sync(_place_for, context.files.of(run_id), name)
        run, saved = await _keep(request, context, run_id, attempt, name, path)
    except ClientDisconnect:
        raise Invalid("body: the connection ended before the file did", field="body") from None
    except OSError as error:
        hint = "Free disk space where the runs are, or let the server's user write there."
        raise Unavailable(f"the file {name} cannot be kept: {error.strerror}", hint=hint) from error
    if kind := context.kinds.get(run.kind):
        await context.files.keep(run, name, kind.keep)
    return answer({"name": name, "bytes": saved.bytes, "sha256": saved.sha256}, 201)


async def _keep(
    request: Request, context: Context, run_id: str, attempt: int, name: str, path: Path
) -> tuple[Run, ArtifactSaved]:
    """Put the body in its place, and tell the log of it; half of it is left nowhere."""
    part = part_of(path)
    try:
        size, digest = await _receive(request, part)
        async with context.files.turn(run_id):
            run = await owned(context, run_id, attempt)
            await anyio.to_thread.run_sync(_move, part, path)
            saved = ArtifactSaved(name=name, bytes=size, sha256=digest)
            await context.engine.append(run_id, saved, attempt=attempt)
    finally:
        part.unlink(missing_ok=True)
    return run, saved


async def _receive(request: Request, part: Path) -> tuple[int, str]:
    """Write the body beside its place; it is moved there whole, so a reader never sees half a file.

    It is on the disk before it is in its place: a job may forget what was answered, and then the power fails.
    """
    digest, size = hashlib.sha256(), 0
    async with await anyio.open_file(part, "wb") as file:
        async for chunk in request.stream():
            digest.update(chunk)
            size += len(chunk)
            await file.write(chunk)
        await file.flush()
        await anyio.to_thread.run_sync(os.fsync, file.wrapped.fileno())
    return size, digest.hexdigest()


def _place_for(folder: Path, name: str) -> Path:
    """The path to write a name to, with its folders made; a link at the very end is replaced, not followed.

    Raises:
        Invalid: A link on the way, or a file where a folder should be or the other way round.
    """
    path = folder / name
    steps = [folder.joinpath(*path.relative_to(folder).parts[:depth]) for depth in range(name.count("/") + 1)]
    try:
        for step in steps:
            if step.is_symlink():
                raise Invalid("name: leads through a link", field="name")
            step.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _taken(name) from None
    if path.is_dir():
        raise _taken(name)
    return path


def _move(part: Path, path: Path) -> None:
    try:
        part.replace(path)
    except IsADirectoryError:
        raise _taken(path.name) from None
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot sync a folder
            os.fsync(folder)  # else the name may be gone after a power cut
    finally:
        os.close(folder)


def _unknown(run: Run, name: str) -> NotFound:
    return NotFound(f"Run {run.name} has no file {name[:80]!r}.", hint="List its artifacts first.")


def _taken(name: str) -> Invalid:
    return Invalid(
        f"name: {name!r} is a file and a folder at once", hint="Choose another name.", field="name"
    )


def _beneath(folder: Path, name: str) -> Path | None:
    """The path of a name beneath a folder, None where it leads outside or through a link."""
    path = folder / name
    try:
        resolved = path.resolve()
    except (OSError, ValueError):  # too long, or with a zero byte
        return None
    return path if resolved == folder.resolve() / name and not path.is_symlink() else None
