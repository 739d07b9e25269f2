"""What the activity feed tells about a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pilothouse.kinds.generation.params import Params
from pilothouse.kinds.generation.tally import Tally
from pilothouse.llm.errors import ModelError
from pilothouse.sdk.handle import RunHandle

EACH_REASON = 3


class News:
    """Says each thing once, and how many samples were not kept at 10, 100, …"""

    def __init__(self, run: RunHandle, params: Params, tally: Tally) -> None:
        self._run = run
        self._params = params
        self._tally = tally
        self._told: set[str] = set()
        self._reasons: Counter[str] = Counter()

    def planned(self, shared: int | None) -> None:
        """What the run is going to do.

        Args:
            shared: Samples that the shared dataset has already; None without one.
        """
        params = self._params
        parts = [(params.topics, "topics"), (params.difficulties, "difficulties"), (params.types, "types")]
        spread = " × ".join(f"{len(names)} {word}" for names, word in parts if names)
        count = f"{params.target} samples" if params.target else "samples without end"
        text = count + (f" over {spread}" if spread else "") + f", {params.concurrency} at a time"
        if params.dataset:
            most = f" of {params.dataset_target}" if params.dataset_target else ""
            text += f"; the dataset {params.dataset} has {shared}{most}"
        done = f"; {self._tally.kept} are kept already" if self._tally.kept else ""
        self._run.note("planned", text + done)

    def not_kept(self, data: Mapping[str, Any], error: str | None) -> None:
        """A sample was not kept. One that failed is an item in error, which the feed has already."""
        verdict = str(data.get("verdict") or "failed")
        self._reasons[verdict] += 1
        count = self._reasons[verdict]
        why = error or data.get("reason") or "no reason given"
        if count <= EACH_REASON and error is None:
            self._run.note("error", f"Sample {data.get('number')} {_WORDS[verdict]}: {why}")
        elif count >= 10 and count in (10**power for power in range(1, 7)):
            self._run.note("error", f"{count} samples so far {_WORDS[verdict]}, the last: {why}")

    def topic_closed(self, topic: str, why: str) -> None:
        """A topic is left alone."""
        seconds = self._params.breaker_seconds
        self._run.note("backup", f"{topic} is left alone for {seconds:g} s: {why}")

    def left_alone(self, model: str, error: ModelError) -> None:
        """A model is left alone; in the thread that asked."""
        seconds = self._params.breaker_seconds
        self._run.note(
            "backup", f"{model} is left alone for {seconds:g} s, others are asked: {error.message}"
        )

    def gave_up(self, model: str, error: ModelError) -> None:
        """A model is asked no more."""
        if model in self._told:
            return
        self._told.add(model)
        text = f"{model} is asked no more. {error.message}"
        self._run.guard("gave_up", text)
        self._run.note("error", f"{text} {error.hint or ''}".strip())

    def waits(self, why: str) -> None:
        """Nothing can be asked now."""
        self._run.note("backup", why)

    def concluded(self, why: str) -> None:
        """The run is over."""
        self._run.note("metrics", why)


_WORDS = {
    "rejected": "was rejected",
    "duplicate": "is a duplicate",
    "failed": "failed",
    "surplus": "was not needed",
}
