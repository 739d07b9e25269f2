"""All items of a run as a file, streamed: CSV, JSON or JSON lines, oldest first.

Items are read from the store a page at a time and forgotten when they are sent, so
memory stays flat however many there are. A table must name its columns before its first
row, so for CSV the items are read twice. What finishes meanwhile is left out.

In CSV a text cell that a spreadsheet would take for a formula gets a quote in
front of it; numbers are left alone.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.responses import StreamingResponse

from pilothouse.engine.judgement import Judgement, judgements
from pilothouse.model.run import Run
from pilothouse.questions import Item, ItemQuery
from pilothouse.web.context import Context, Ctx, TheRun

router = APIRouter(prefix="/api")
Format = Literal["csv", "json", "jsonl"]
Record = dict[str, Any]
_PAGE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json", "jsonl": "application/x-ndjson"}
_OWN = ("key", "state", "seconds", "error", "possible_duplicate")


@router.get("/runs/{run}/export")
async def export_run(run: TheRun, context: Ctx, format: Format = "csv") -> StreamingResponse:
    """Every finished item, with the fields its kind declares and whatever else the job told."""
    export = Export(context, run, await judgements(context.engine, run.id))
    headers = {"content-disposition": f'attachment; filename="{run.id}.{format}"'}
    return StreamingResponse(export.chunks(format), headers=headers, media_type=_MEDIA[format])


@dataclass(frozen=True, slots=True)
class Export:
    """One run as it is now, with what people say of its items."""

    context: Context
    run: Run
    judged: Mapping[str, Judgement]

    async def chunks(self, format_: Format) -> AsyncIterator[bytes]:
        """The file, piece by piece, each made beside the event loop."""
        snapshot = to_json(self.run.snapshot(), inf_nan_mode="strings")
        columns: list[str] = []
        if format_ == "csv":
            columns = await self._columns()
            yield _csv(columns, [dict(zip(columns, columns, strict=True))])
        elif format_ == "json":
            yield b'{"run":' + snapshot + b',"items":[\n'
        is_first = True
        async with aclosing(self._pages()) as pages:
            async for records in pages:
                if format_ == "csv":
                    yield await asyncio.to_thread(_csv, columns, records)
                elif format_ == "jsonl":
                    yield await asyncio.to_thread(_joined, records, b"\n") + b"\n"
                else:
                    yield (b"" if is_first else b",\n") + await asyncio.to_thread(_joined, records, b",\n")
                is_first = False
        if format_ == "json":
            yield b"\n]}\n"

    async def _pages(self) -> AsyncGenerator[list[Record]]:
        """The finished items, oldest first."""
        after, end = 0, self.run.head + 1
        while True:
            query = ItemQuery(limit=_PAGE, after=after, before=end, states=("done", "failed"))
            items = (await self.context.store.items(self.run.id, query)).items
            if not items:
                return
            yield [self._record(item) for item in items]
            after = items[-1].seq

    def _record(self, item: Item) -> Record:
        """An item as one flat object; the job's own fields never hide `key` and its like."""
        said: Record = {}
        if self.judged:
            judgement = self.judged.get(item.key)
            said["judged"] = judgement.verdict if judgement else None
            said["judged_by"] = judgement.by if judgement else None
        return item.data | said | {name: getattr(item, name) for name in _OWN}

    async def _columns(self) -> list[str]:
        """The declared columns first, then every other field that occurs."""
        kind = self.context.kinds.get(self.run.kind)
        declared = [column.name for column in kind.columns] if kind else []
        seen = dict.fromkeys([*_OWN, *declared])
        async with aclosing(self._pages()) as pages:
            async for records in pages:
                for record in records:
                    seen.update(dict.fromkeys(record))
        return list(seen)


def _joined(records: Sequence[Record], between: bytes) -> bytes:
    return between.join(to_json(record, inf_nan_mode="strings") for record in records)


def _csv(columns: Sequence[str], records: Sequence[Record]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for record in records:
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
