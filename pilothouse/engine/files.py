"""The files of runs: what the logs say of them, and what is removed by rule.

A removal is an event first and happens then: a file may outlive its event for a
moment, and never the other way round.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from pilothouse.clock import seconds_between
from pilothouse.engine.engine import Engine
from pilothouse.engine.keeping import Keep, surplus
from pilothouse.engine.retention import DAY_SECONDS
from pilothouse.model import event as e
from pilothouse.model.run import TERMINAL, Run
from pilothouse.questions import RunQuery

_PAGE = 5_000
_RUNS = 200
_TYPES = ("artifact.saved", "artifact.removed")


@dataclass(slots=True)
class Listing:
    """A run's files.

    Attributes:
        present: By name, the latest version of each, in the order in which they were saved last.
        removed: The same of those that were removed, each with `removed_at` and `reason`.
    """

    present: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Files:
    """The files of all runs.

    Args:
        engine: Where their logs are.
        folder: Holds one folder per run.
    """

    engine: Engine
    folder: Path
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary, init=False)

    def turn(self, run_id: str) -> asyncio.Lock:
        """Held while a file is put in its place, or removed, and the log is told of it.

        Two who did that side by side could leave a file that is not the one in the log.
        """
        if (lock := self._turns.get(run_id)) is None:
            lock = self._turns[run_id] = asyncio.Lock()
        return lock

    def of(self, run_id: str) -> Path:
        """Where the files of a run are."""
        return self.folder / run_id / "artifacts"

    async def listing(self, run_id: str) -> Listing:
        """What a run's log says of its files."""
        found = Listing()
        after = 0
        while frames := await self.engine.store.read(run_id, after, _PAGE, _TYPES):
            for event in (json.loads(frame.data) for frame in frames):
                _note(found, event)
            after = frames[-1].seq
        return found

    async def keep(self, run: Run, name: str, rules: Iterable[Keep]) -> list[str]:
        """A file was saved: remove what its group has too much of by the kind's rules; returns the names."""
        rule = next((rule for rule in rules if name.startswith(rule.prefix)), None)
        if rule is None:
            return []
        async with self.turn(run.id):
            names = list((await self.listing(run.id)).present)
            if not surplus(names, rule):
                return []
            points = await self._points(run.id, rule.metric) if rule.metric else ()
            many = f"the newest {rule.newest}" + (" and the best" if rule.metric else "")
            going = surplus(names, rule, points)
            await self.remove(run.id, going, f"of {rule.prefix} {many} are kept")
            return going

    async def remove_old(self, days: float, now: str) -> list[Run]:
        """Remove the files of runs that ended more than so many days ago; returns those that had some."""
        cleared: list[Run] = []
        before: int | None = None
        while True:
            query = RunQuery(statuses=tuple(TERMINAL), limit=_RUNS, before=before)
            page = await self.engine.store.list(query)
            for run in page.runs:
                age_seconds = seconds_between(run.ended_at, now) if run.ended_at else 0.0
                is_due = run.artifacts and age_seconds > days * DAY_SECONDS and self.of(run.id).is_dir()
                if is_due and (names := list((await self.listing(run.id)).present)):
                    await self.remove(run.id, names, f"files are kept for {days:g} days")
                    cleared.append(run)
            before = page.before
            if before is None:
                return cleared

    async def remove(self, run_id: str, names: Sequence[str], reason: str) -> None:
        """Remove files for good; the log keeps their names, sizes and hashes."""
        for start in range(0, len(names), 500):
            bodies = [e.ArtifactRemoved(name=name, reason=reason) for name in names[start : start + 500]]
            await self.engine.append(run_id, *bodies)
        await asyncio.to_thread(_unlink, self.of(run_id), names)

    async def _points(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """A metric's points by step; what is no finite number is left out."""
        points: dict[int, float] = {}
        quoted = json.dumps(metric, ensure_ascii=False).encode()
        after = 0
        while frames := await self.engine.store.read(run_id, after, _PAGE, ("metric",)):
            for frame in (
                frame for frame in frames if quoted in frame.data
            ):  # few of many, and parsing is dear
                data: Mapping[str, Any] = json.loads(frame.data)["data"]
                value = data["values"].get(metric)
                if isinstance(value, int | float) and math.isfinite(value):
                    points[data["step"]] = float(value)
            after = frames[-1].seq
        return sorted(points.items())


def _note(found: Listing, event: Mapping[str, Any]) -> None:
    data, time = event["data"], event["time"]
    name = data["name"]
    if event["type"] == "artifact.saved":
        found.removed.pop(name, None)
        found.present.pop(name, None)
        found.present[name] = {**data, "time": time}
    elif (file := found.present.pop(name, None)) is not None:
        found.removed[name] = {**file, "removed_at": time, "reason": data["reason"]}


def _unlink(folder: Path, names: Sequence[str]) -> None:
    """Remove files, and folders that this leaves empty; nothing outside is reached through a link."""
    base = folder.resolve()
    for name in names:
        path = folder / name
        if path.parent.resolve() != (base / name).parent:
            continue
        path.unlink(missing_ok=True)
        for parent in path.relative_to(folder).parents:
            try:
                (folder / parent).rmdir()
            except OSError:  # other files live there
                break
