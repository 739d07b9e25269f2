"""What the activity feed tells about a benchmark."""

from __future__ import annotations

from collections import Counter

from pilothouse.kinds.benchmark.evidence import Standing
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.benchmark.plan import Test
from pilothouse.kinds.benchmark.tally import Tally
from pilothouse.llm.errors import ModelError
from pilothouse.sdk.done import Done
from pilothouse.sdk.handle import RunHandle

ENOUGH_TESTS = 10
CLEAR_LEAD = 0.02
EACH_ERROR = 3


class News:
    """Says each thing once, and repeated errors at 10, 100, …"""

    def __init__(self, run: RunHandle, params: Params, tally: Tally) -> None:
        self._run = run
        self._params = params
        self._tally = tally
        self._leader: str | None = None
        self._is_decided = False
        self._told: set[str] = set()
        self._errors: Counter[str] = Counter()
        self._texts: dict[str, set[str]] = {}

    def planned(self, total: int) -> None:
        """What the run is going to do."""
        params = self._params
        counts = (
            (len(params.prompts), "prompt"),
            (len(params.cases), "case"),
            (len(params.models), "model"),
            *(((params.repeats, "repeat"),) if params.repeats > 1 else ()),
        )
        product = " × ".join(_count(number, word) for number, word in counts)
        pace = "one after another" if params.concurrency == 1 else f"{params.concurrency} at a time"
        done = f", {self._tally.count} of them are done" if self._tally.count else ""
        self._run.note("planned", f"{total} tests ({product}), {pace}{done}")

    def after(self, done: Done[Test]) -> None:
        """What is new after a test."""
        if not done.ok:
            self._error(str(done.data.get("model")), done.error or "no reason given")
        evidence = self._tally.evidence()
        if evidence.is_decided and not self._is_decided:
            self._is_decided = True
            offer = "" if self._run.params.get("stop_when_decided") else " You may finish early."
            is_open = any(standing.left for standing in self._tally.standings())
            self._run.note("metrics", evidence.verdict + (offer if is_open else ""))
        elif not self._is_decided:
            self._new_leader()

    def gave_up(self, model: str, error: ModelError) -> None:
        """A model is asked no more."""
        if model in self._told:
            return
        self._told.add(model)
        text = f"{model} is asked no more. {error.message}"
        self._run.guard("gave_up", text)
        self._run.note("error", f"{text} {error.hint or ''}".strip())

    def concluded(self, left: int) -> None:
        """The run is over."""
        if left and not self._told:
            self._run.note("metrics", f"Finished early: {_count(left, 'test')} not needed.")

    def _error(self, model: str, text: str) -> None:
        self._errors[model] += 1
        count, texts = self._errors[model], self._texts.setdefault(model, set())
        if text not in texts and len(texts) < EACH_ERROR:
            texts.add(text)
            self._run.note("error", f"{model}: {text}")
        elif count >= 10 and count in (10**power for power in range(1, 7)):
            self._run.note("error", f"{model}: {count} tests have failed so far, the last with: {text}")

    def _new_leader(self) -> None:
        """Tell a new leader, when every pair has some tests and the lead is clear."""
        ranked = sorted(self._tally.standings(), key=_share, reverse=True)
        if len(ranked) < 2 or min(standing.done for standing in ranked) < ENOUGH_TESTS:
            return
        first, second = ranked[:2]
        if first.name != self._leader and _share(first) - _share(second) >= CLEAR_LEAD:
            self._leader = first.name
            share = f"{100 * _share(first):.1f} % ({first.correct} of {first.done})"
            self._run.note("metrics", f"{first.name} leads with {share}")


def _share(standing: Standing) -> float:
    return standing.correct / standing.done if standing.done else 0.0


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
