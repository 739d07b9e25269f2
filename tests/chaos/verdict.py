"""The one judgement of all chaos tests: does everything that was promised hold of this run?

It reads the log over the API, the outside ledger and the process table. It
knows nothing of what was done to the run.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from pilothouse.model.event import Event, parse_body
from pilothouse.model.fold import fold
from pilothouse.model.run import Run
from tests.chaos.traces import executions, marked
from tests.e2e.stack import Stack, until

TERMINAL = {"run.completed": "completed", "run.failed": "failed", "run.cancelled": "cancelled"}
PAGE = 5000
GONE_SECONDS = 10.0


@dataclass(slots=True)
class Verdict:
    """What was found. `problems` is empty when every promise was kept."""

    status: str = ""
    attempts: int = 0
    events: int = 0
    executed: int = 0
    lost: int = 0
    doubled: int = 0
    repeated: int = 0
    survivors: int = 0
    problems: list[str] = field(default_factory=list)

    def check(self, is_kept: bool, problem: str) -> None:
        """Note a problem unless the promise is kept."""
        if not is_kept:
            self.problems.append(problem)


def log_of(up: Stack, run_id: str) -> list[dict[str, Any]]:
    """The whole log of a run."""
    events: list[dict[str, Any]] = []
    while batch := up.api("GET", f"/api/runs/{run_id}/events?after={len(events)}&limit={PAGE}")["events"]:
        events += batch
    return events


def moment(event: dict[str, Any]) -> float:
    """An event's time as seconds since the epoch."""
    return datetime.fromisoformat(event["time"]).timestamp()


def verdict(up: Stack, run_id: str, ledger: Path) -> Verdict:
    """Judge a run that has ended."""
    run, log = up.run(run_id), log_of(up, run_id)
    found = Verdict(run["status"], run["attempt"], len(log))
    _judge_log(found, run, log)
    _judge_items(found, run, log, executions(ledger))
    _judge_controls(found, run, log)
    _judge_survivors(found, run_id)
    return found


def _judge_log(found: Verdict, run: dict[str, Any], log: list[dict[str, Any]]) -> None:
    """G1, G7: no gap, no doubling, the log gives the row, and its end is an end."""
    seqs = [event["seq"] for event in log]
    found.check(seqs == list(range(1, run["head"] + 1)), f"seqs {seqs[:3]}…{seqs[-3:]}, head {run['head']}")
    folded: Run | None = None
    for event in log:
        body = parse_body(event["type"], event["data"])
        folded = fold(folded, Event(run["id"], event["seq"], event["time"], body))
    row = json.loads(to_json(folded.snapshot(), inf_nan_mode="strings")) if folded else None
    differing = [name for name in run if row is None or row.get(name) != run[name]]
    found.check(not differing, f"the log does not give the row: {differing}")
    ends = [event for event in log if event["type"] in TERMINAL]
    found.check(len(ends) == 1, f"{len(ends)} ends")
    found.check(bool(ends) and TERMINAL[ends[-1]["type"]] == run["status"], f"ends {run['status']}")
    after = [event["type"] for event in log if ends and event["seq"] > ends[0]["seq"]]
    found.check(not after, f"after its end: {after}")
    found.check(not unsteady(log), f"a metric's steps go back or repeat: {unsteady(log)}")


def unsteady(log: list[dict[str, Any]]) -> list[str]:
    """Points of a metric whose step is not above that of the point before; each metric counts in steps of its own."""
    points: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for event in log:
        if event["type"] == "metric":
            for name in event["data"]["values"]:
                points[name].append((event["seq"], event["data"]["step"]))
    return [
        f"{name}: step {step} at seq {seq} after step {before} at seq {at}"
        for name, line in points.items()
        for (at, before), (seq, step) in pairwise(line)
        if step <= before
    ]


def _judge_items(
    found: Verdict, run: dict[str, Any], log: list[dict[str, Any]], executed: Counter[str]
) -> None:
    """G3: every finished item once; executed twice only what was in flight and is flagged."""
    finished = Counter(event["data"]["key"] for event in log if event["type"] == "item.finished")
    started = Counter(event["data"]["key"] for event in log if event["type"] == "item.started")
    flagged = {e["data"]["key"] for e in log if e["data"].get("possible_duplicate")}
    found.executed = executed.total()
    found.doubled = sum(count - 1 for count in finished.values())
    found.check(not found.doubled, f"finished twice: {[k for k, n in finished.items() if n > 1]}")
    unexecuted = finished.keys() - executed.keys() if run["params"].get("ledger") else set()
    found.check(not unexecuted, f"finished and never executed: {sorted(unexecuted)}")
    for key, count in executed.items():
        found.repeated += count - 1
        leaves = max(started[key], 1)  # one that asked while the server died goes on; a control may refuse it
        found.check(count <= leaves, f"{key} ran {count}×, and was given leave {started[key]}×")
        is_told = count == 1 or key not in finished or key in flagged
        found.check(is_told, f"{key} ran {count}× and is not flagged")
    found.check(run["progress"]["done"] == len(finished), f"progress says {run['progress']['done']}")
    _judge_hands(found, log)
    if run["status"] == "completed":
        wanted = {str(number) for number in range(run["params"]["count"])}
        found.lost = len(wanted - finished.keys())
        found.check(not found.lost, f"lost: {sorted(wanted - finished.keys())}")


def _judge_hands(found: Verdict, log: list[dict[str, Any]]) -> None:
    """G3: nothing that is finished begins again, and an interruption names what was in flight."""
    hands: set[str] = set()
    over: set[str] = set()
    for event in log:
        key = event["data"].get("key")
        match event["type"]:
            case "item.started":
                found.check(key not in over, f"{key} begins again")
                hands.add(key)
            case "item.finished":
                hands.discard(key)
                over.add(key)
            case "run.interrupted":
                said = set(event["data"]["in_flight"])
                found.check(said == hands, f"in flight are {sorted(hands)}, it says {sorted(said)}")
            case _:
                pass


def _judge_controls(found: Verdict, run: dict[str, Any], log: list[dict[str, Any]]) -> None:
    """G4, G7: an accepted cancel ends cancelled; nothing starts under a pending or obeyed control."""
    asked: str | None = None
    for event in log:
        match event["type"]:
            case "control.requested":
                asked = event["data"]["control"]
            case "run.paused":
                asked = asked if asked == "cancel" else "pause"
            case "run.resumed" | "control.withdrawn":
                asked = None
            case "item.started" if asked and event["data"]["ask"]:
                found.problems.append(f"{event['data']['key']} starts under {asked}")
            case _:
                pass
    found.check(asked in (None, "cancel"), f"a {asked} was never obeyed")
    found.check(asked != "cancel" or run["status"] == "cancelled", f"cancelled, and ends {run['status']}")


def _judge_survivors(found: Verdict, run_id: str) -> None:
    """G4: nothing that carries the run's marker is left."""

    def left() -> list[int]:
        return [pid for pid, (owner, _, _) in marked().items() if owner == run_id]

    try:
        until(lambda: not left(), "its processes to go", GONE_SECONDS)
    except AssertionError:
        found.survivors = len(left())
        found.problems.append(f"left behind: {left()}")
