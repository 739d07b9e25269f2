"""The files of a run: saved by its job, listed from the log, served as attachments.

A name is looked up in the log first and opened beneath the run's folder
without following links, so that no name leads anywhere else.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from pathlib import Path
from typing import Any

import anyio
from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse

from pilothouse.errors import Invalid, LeaseLost, NotFound
from pilothouse.model.event import ArtifactSaved
from pilothouse.model.run import Run
from pilothouse.web.context import Context, Ctx, TheRun
from pilothouse.web.runs import answer

router = APIRouter(prefix="/api")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,119}(/[A-Za-z0-9_][A-Za-z0-9_. -]{0,119}){0,4}")
_HEADERS = {"content-security-policy": "sandbox; default-src 'none'"}


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
    """The run's files, latest version of each, oldest first."""
    return answer({"artifacts": list((await saved(context, run)).values())})


async def saved(context: Context, run: Run) -> dict[str, dict[str, Any]]:
    """The run's files by name."""
    files: dict[str, dict[str, Any]] = {}
    for frame in await context.store.read(run.id, 0, 10_000, ("artifact.saved",)):
        event = json.loads(frame.data)
        files[event["data"]["name"]] = {**event["data"], "time": event["time"]}
    return files


@router.get("/runs/{run}/artifacts/{name:path}")
async def download(name: str, run: TheRun, context: Ctx) -> Response:
    """One file, whole or in ranges."""
    path = _beneath(context.folder(run.id) / "artifacts", name)
    if name not in await saved(context, run) or path is None or not path.is_file():
        raise NotFound(f"Run {run.name} has no file {name[:80]!r}.", hint="List its artifacts first.")
    return FileResponse(
        path,
        filename=path.name,
        media_type="application/octet-stream",
        headers=_HEADERS,
        content_disposition_type="attachment",
    )


@router.post("/runs/{run_id}/artifacts/{name:path}", status_code=201)
async def upload(
    run_id: str, name: str, request: Request, context: Ctx, attempt: int = Query(ge=1)
) -> Response:
    """Keep a file that the job sends, and record it in the log."""
    check_name(name)
    await _check_owner(context, run_id, attempt)
    folder = context.folder(run_id) / "artifacts"
    path = await anyio.to_thread.run_sync(_place_for, folder, name)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        size, digest = await _receive(request, part)
        await _check_owner(context, run_id, attempt)
        await anyio.to_thread.run_sync(_move, part, path)
    except ClientDisconnect:
        raise Invalid("body: the connection ended before the file did", field="body") from None
    finally:
        part.unlink(missing_ok=True)
    body = ArtifactSaved(name=name, bytes=size, sha256=digest)
    await context.engine.append(run_id, body, attempt=attempt)
    return answer({"name": name, "bytes": size, "sha256": digest}, 201)


async def _check_owner(context: Context, run_id: str, attempt: int) -> None:
    run = await context.store.get(run_id)
    if run.attempt != attempt or run.status.is_terminal:
        raise LeaseLost(f"attempt {attempt} no longer owns run {run_id}")


async def _receive(request: Request, part: Path) -> tuple[int, str]:
    """Write the body beside its place; it is moved there whole, so a reader never sees half a file."""
    digest, size = hashlib.sha256(), 0
    async with await anyio.open_file(part, "wb") as file:
        async for chunk in request.stream():
            digest.update(chunk)
            size += len(chunk)
            await file.write(chunk)
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
