"""Tells the log of an autotuning task as the messages of dialect 003, event by event.

A message is `{type, task_id, experiment_id, timestamp, message, data}`, where
`task_id` is the run's number and an experiment's id is that number × 100,000 + n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

KIND = "autotune"
EXPERIMENTS = 100_000
Message = dict[str, Any]
_NOT_MEASURED = (
    "number", "point", "params", "score", "scores", "outcome", "reason", "output", "difference", "basis",
)  # fmt: skip


def experiment_id(task: int, number: int) -> int:
    """An experiment's id, unique over all tasks."""
    return task * EXPERIMENTS + number


def status_of(data: Mapping[str, Any], *, ok: bool) -> str:
    """`success`, `failed`, `stopped_early` or `out_of_limits`."""
    if not ok:
        return "failed"
    outcome = str(data.get("outcome") or "measured")
    return "success" if outcome == "measured" else outcome.replace(" ", "_")


def measured(data: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured, without settings and score."""
    return {
        name: value
        for name, value in data.items()
        if name not in _NOT_MEASURED and not name.startswith("param_")
    }


def error_of(error: str | None, data: Mapping[str, Any]) -> str | None:
    """Why an experiment has no score, with the last words of its server."""
    reason = error or (data.get("reason") if data.get("score") is None else None)
    return "\n".join(filter(None, (reason, data.get("output")))) or None if reason else None


def percentage(done: int, total: int | None) -> float:
    """How far a task is; rounded down to a tenth, so 100 means all."""
    return min(100.0, done * 1000 // total / 10) if total else 0.0


class Story:
    """One task's log, from its begin.

    Args:
        task: The run's number.
    """

    def __init__(self, task: int) -> None:
        self._task = task
        self._total: int | None = None
        self._points: dict[int, dict[str, Any]] = {}
        self._done = self._failed = 0
        self._best: tuple[float, int] | None = None
        self._current: int | None = None
        self._began: float | None = None
        self._load: dict[str, Any] = {}

    def messages(self, event: Mapping[str, Any]) -> Iterator[Message]:
        """The messages that one event makes; most make none.

        A message about an experiment has its `number` beside the document's fields.
        """
        data, moment = event["data"], _unix(event["time"])
        match event["type"]:
            case "run.queued":
                self._load = dict(data["params"].get("load") or {})
            case "progress":
                self._total = self._total if data["total"] is None else data["total"]
            case "state.saved":
                self._remember(data["state"])
            case "run.started":
                yield self._started(moment, data["attempt"])
            case "item.started":
                yield from self._experiment_started(moment, data["key"])
            case "phase.started" if data["name"] == "Benchmark" and self._current is not None:
                yield from self._benchmark_started(moment, self._current)
            case "metric" if "load/requests" in data["values"] and self._current is not None:
                yield self._benchmark_progress(moment, self._current, data["values"])
            case "item.finished":
                yield from self._experiment_finished(moment, data)
            case type_:
                yield from self._turned(moment, type_, data)

    def _turned(self, moment: float, type_: str, data: Mapping[str, Any]) -> Iterator[Message]:
        """The task itself has turned."""
        match type_:
            case "run.paused":
                yield self._progress(moment, "paused", "Task paused")
            case "run.resumed":
                yield self._progress(moment, "running", "Task resumed")
            case "run.interrupted":
                yield self._progress(moment, "pending", "Task interrupted; it goes on by itself")
            case "run.completed":
                yield self._ended(moment, "task_completed", "completed", "Task completed")
            case "run.failed":
                yield self._ended(moment, "task_failed", "failed", data["message"], error=data["message"])
            case "run.cancelled":
                text = "Task cancelled; the experiments that are done are kept"
                yield self._ended(moment, "task_failed", "cancelled", text, error="cancelled")

    def _remember(self, state: Mapping[str, Any]) -> None:
        if isinstance(state.get("number"), int):
            self._points = {state["number"]: state.get("point") or {}}

    def _started(self, moment: float, attempt: int) -> Message:
        self._began = self._began or moment
        if attempt > 1:
            return self._progress(moment, "running", "Task goes on")
        data = {"status": "running", "total_experiments": self._total}
        return self._message("task_started", moment, "Task started", data)

    def _experiment_started(self, moment: float, key: str) -> Iterator[Message]:
        if not key.isdecimal():
            return
        number = self._current = int(key)
        data = {"status": "deploying", "parameters": self._points.get(number, {})}
        text = f"Experiment {number} started"
        yield self._message("experiment_started", moment, text, data, number)

    def _benchmark_started(self, moment: float, number: int) -> Iterator[Message]:
        data = {"status": "benchmarking", "parameters": self._points.get(number, {})}
        text = f"Experiment {number} is being measured"
        yield self._message("experiment_progress", moment, text, data, number)
        load = {name: self._load.get(name) for name in ("concurrencies", "requests", "max_tokens")}
        text = f"Benchmark of experiment {number} started"
        yield self._message(
            "benchmark_started", moment, text, {"status": "benchmarking", "load": load}, number
        )

    def _benchmark_progress(self, moment: float, number: int, values: Mapping[str, Any]) -> Message:
        done, of = int(values["load/requests"]), int(values.get("load/of") or 0)
        data = {
            "status": "benchmarking",
            "progress": percentage(done, of),
            "requests_completed": done,
            "requests_total": of,
            "concurrency": values.get("load/concurrency"),
            "errors": values.get("load/errors"),
            "tokens_per_second": values.get("load/tokens_per_second"),
        }
        text = f"Experiment {number}: {done} of {of} requests"
        return self._message("benchmark_progress", moment, text, data, number)

    def _experiment_finished(self, moment: float, item: Mapping[str, Any]) -> Iterator[Message]:
        if not item["key"].isdecimal():
            return
        number, data = int(item["key"]), item["data"]
        score = data.get("score")
        self._current = None
        self._done += 1
        self._failed += not item["ok"]
        if score is not None and (self._best is None or score < self._best[0]):
            self._best = (score, number)
        status = status_of(data, ok=item["ok"])
        told = {
            "status": status,
            "parameters": data.get("params") or {},
            "metrics": measured(data),
            "objective_score": score,
            "elapsed_time": item["seconds"],
            "error_message": error_of(item["error"], data),
        }
        type_ = "experiment_completed" if item["ok"] else "experiment_failed"
        text = f"Experiment {number} {status.replace('_', ' ')}"
        yield self._message(type_, moment, text, told, number)
        counted = f"{self._done} of {'?' if self._total is None else self._total} experiments"
        yield self._progress(moment, "running", counted)

    def _standing(self) -> dict[str, Any]:
        best = self._best
        return {
            "progress": percentage(self._done, self._total),
            "completed_experiments": self._done,
            "successful_experiments": self._done - self._failed,
            "failed_experiments": self._failed,
            "total_experiments": self._total,
            "best_score": best[0] if best else None,
            "best_experiment_id": experiment_id(self._task, best[1]) if best else None,
        }

    def _progress(self, moment: float, status: str, text: str) -> Message:
        return self._message("task_progress", moment, text, {"status": status, **self._standing()})

    def _ended(self, moment: float, type_: str, status: str, text: str, error: str | None = None) -> Message:
        elapsed = None if self._began is None else round(moment - self._began, 3)
        data = {"status": status, **self._standing(), "elapsed_time": elapsed, "error_message": error}
        return self._message(type_, moment, text, data)

    def _message(
        self, type_: str, moment: float, text: str, data: dict[str, Any], number: int | None = None
    ) -> Message:
        where = {} if number is None else {"experiment_id": experiment_id(self._task, number)}
        about = {} if number is None else {"number": number}
        return {
            "type": type_,
            "task_id": self._task,
            **where,
            "timestamp": moment,
            "message": text,
            "data": data,
            **about,
        }


def _unix(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
