"""What is in a store, held against what its writers were told is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import from_json, to_json

from pilothouse.contracts import Frame, Store
from pilothouse.model.event import Event, parse_body
from pilothouse.model.fold import fold
from pilothouse.model.run import Run

Acked = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """What an audit found.

    Attributes:
        events: The length of the log.
        lost: Keys that were acknowledged and are not there.
        doubled: Keys that are there twice.
        gaps: Places in the log where a `seq` does not follow the one before.
        differing: Fields in which the run is not what folding its log gives.
    """

    events: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    gaps: tuple[int, ...]
    differing: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.gaps or self.differing)


def keys_of(writer: str, number: int) -> list[str]:
    """The keys that a writer's batch of this number finishes."""
    return [f"{writer}.{number}"]


async def audit(store: Store, run_id: str, acked: Acked) -> Finding:
    """Compare a run with what its writers know of it.

    Args:
        store: An open store.
        run_id: The run.
        acked: The highest acknowledged number of each writer.
    """
    run = await store.get(run_id)
    frames = await whole_log(store, run_id)
    told = [from_json(frame.data) for frame in frames]
    finished = Counter(event["data"]["key"] for event in told if event["type"] == "item.finished")
    owed = [key for writer, last in acked.items() for n in range(1, last + 1) for key in keys_of(writer, n)]
    seqs = [frame.seq for frame in frames]
    gaps = [seq for place, seq in enumerate(seqs, start=1) if seq != place]
    return Finding(
        events=len(frames),
        lost=tuple(key for key in owed if key not in finished),
        doubled=tuple(key for key, count in finished.items() if count > 1),
        gaps=tuple(gaps) if seqs else (0,),
        differing=differing(run, told),
    )


async def whole_log(store: Store, run_id: str) -> list[Frame]:
    """Every event of a run."""
    frames: list[Frame] = []
    while batch := await store.read(run_id, frames[-1].seq if frames else 0, 5000):
        frames += batch
    return frames


def differing(run: Run, told: list[dict[str, Any]]) -> tuple[str, ...]:
    """Fields in which a run is not what folding its log gives."""
    folded: Run | None = None
    for event in told:
        body = parse_body(event["type"], event["data"])
        folded = fold(folded, Event(run.id, event["seq"], event["time"], body))
    if folded is None:
        return ("log",)
    here, there = (from_json(to_json(asdict(each), inf_nan_mode="strings")) for each in (run, folded))
    return tuple(name for name in here if here[name] != there[name])
