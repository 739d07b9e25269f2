"""All items of a run as a file, streamed: CSV, JSON or JSON lines, oldest first.

In CSV a text cell that a spreadsheet would take for a formula gets a quote in
front of it; numbers are left alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.responses import StreamingResponse

from pilothouse.contracts import Item, ItemQuery
from pilothouse.engine.judgement import Judgement, judgements
from pilothouse.model.run import Run
from pilothouse.web.context import Context, Ctx, TheRun

router = APIRouter(prefix="/api")
Format = Literal["csv", "json", "jsonl"]
_PAGE = 2_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json", "jsonl": "application/x-ndjson"}
_OWN = ("key", "state", "seconds", "error", "possible_duplicate")


@router.get("/runs/{run}/export")
async def export_run(run: TheRun, context: Ctx, format: Format = "csv") -> StreamingResponse:
    """Every finished item, with the fields its kind declares and whatever else the job told."""
    items = await finished_items(context, run)
    name = f"{run.id}.{format}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_chunks(context, run, items, format), headers=headers, media_type=_MEDIA[format])


async def finished_items(context: Context, run: Run) -> list[Item]:
    """All finished items, oldest first, with what people say of them."""
    items: list[Item] = []
    before: int | None = None
    while True:
        query = ItemQuery(limit=_PAGE, before=before, states=("done", "failed"))
        page = await context.store.items(run.id, query)
        items += page.items
        before = page.before
        if before is None:
            return _with_judgements(items[::-1], await judgements(context.engine, run.id))


def _with_judgements(items: Sequence[Item], judged: Mapping[str, Judgement]) -> list[Item]:
    """The items with what people say of them; as they are where nobody says anything of any."""
    if not judged:
        return list(items)
    said = {key: {"judged": each.verdict, "judged_by": each.by} for key, each in judged.items()}
    nothing = {"judged": None, "judged_by": None}
    return [replace(item, data=item.data | said.get(item.key, nothing)) for item in items]


async def _chunks(context: Context, run: Run, items: Sequence[Item], format_: Format) -> AsyncIterator[bytes]:
    if format_ == "csv":
        columns = _columns(context, run, items)
        for start in range(0, max(len(items), 1), _PAGE):
            yield _csv(columns, items[start : start + _PAGE], header=start == 0)
    elif format_ == "jsonl":
        for item in items:
            yield to_json(_record(item), inf_nan_mode="strings") + b"\n"
    else:
        yield b'{"run":' + to_json(run.snapshot(), inf_nan_mode="strings") + b',"items":[\n'
        for number, item in enumerate(items):
            yield (b",\n" if number else b"") + to_json(_record(item), inf_nan_mode="strings")
        yield b"\n]}\n"


def _record(item: Item) -> dict[str, Any]:
    """An item as one flat object; the job's own fields never hide `key` and its like."""
    return item.data | {name: getattr(item, name) for name in _OWN}


def _columns(context: Context, run: Run, items: Sequence[Item]) -> list[str]:
    """The declared columns first, then every other field that occurs."""
    kind = context.kinds.get(run.kind)
    declared = [column.name for column in kind.columns] if kind else []
    seen = dict.fromkeys([*_OWN, *declared])
    for item in items:
        seen.update(dict.fromkeys(item.data))
    return list(seen)


def _csv(columns: Sequence[str], items: Sequence[Item], *, header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if header:
        writer.writerow([cell(name) for name in columns])
    for item in items:
        record = _record(item)
        writer.writerow([cell(record.get(name)) for name in columns])
    return text.getvalue().encode()


def cell(value: Any) -> Any:
    """A value as a CSV cell that no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        value = to_json(value, inf_nan_mode="strings").decode()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
