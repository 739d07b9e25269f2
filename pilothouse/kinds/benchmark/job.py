"""The loop of a benchmark.

A bad test is a failed item with its error, and never the end of the run. The
run pauses when its budget is spent; it ends early when it is told to finish, or
when there is no model left to ask. What is finished is kept in every case.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pilothouse.kinds.benchmark.answers import parse
from pilothouse.kinds.benchmark.backend import Backend, ChatBackend
from pilothouse.kinds.benchmark.news import News
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.benchmark.plan import Plan, Test
from pilothouse.kinds.benchmark.tally import Tally
from pilothouse.kinds.patience import NoModelLeft, Patience
from pilothouse.kinds.retries import Retries
from pilothouse.kinds.spending import dollars, uncounted
from pilothouse.llm.errors import ModelError
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import ItemFailed


def run(run: RunHandle) -> None:
    """Run a benchmark with chat models."""
    params = Params.model_validate(run.params)
    tell = Retries(lambda text: run.note("backup", text))
    is_resumed = run.attempt > 1
    with closing(ChatBackend(params, tell, run.idempotency_key, run.folder, is_resumed)) as backend:
        Benchmark(run, params, backend).run()


class Benchmark:
    """One attempt of one benchmark.

    Args:
        run: The handle; its live params are read between tests.
        params: The validated params.
        backend: Who answers.
    """

    def __init__(self, run: RunHandle, params: Params, backend: Backend) -> None:
        self._run = run
        self._params = params
        self._backend = backend
        self._ballot = params.ballot()
        self._tests = Plan(params)
        self._tally = Tally(self._ballot, self._tests.pairs())
        self._patience = Patience()
        self._news = News(run, params, self._tally)
        self._reused_cost = 0.0
        self._was_told_to_stop = False
        self._finished: set[str] = set()

    def run(self) -> None:
        """Do what is left of the tests.

        Raises:
            NoModelLeft: Every model was given up.
        """
        self._remember()
        self._run.total(len(self._tests), self._groups())
        self._news.planned(len(self._tests))
        self._check_models()
        self._check_budget()
        reused = self._tally.count
        with self._run.phase("Tests", 1, 1):
            for done in self._run.map(
                self._work,
                self._wanted(),
                key=lambda test: test.key,
                concurrency=self._params.concurrency,
                describe=lambda test: test.columns(),
                label=lambda test: test.label,
                group=lambda test: test.model.name,
            ):
                self._tally.add(ok=done.ok, data=done.data)
                self._close_given_up()
                self._tell_metrics()
                self._news.after(done)
        if (
            self._tally.count == reused > 0
        ):  # nothing was left to do: the results are those that it has reused
            self._tell_metrics()
        self._conclude()

    def _remember(self) -> None:
        """Count what is finished already, by an earlier attempt or by the run that this one retries."""
        for done in self._run.finished():
            self._finished.add(done.key)
            if done.key in self._tests:
                self._tally.add(ok=done.ok, data=done.data)
        if self._run.saved_state is None:
            stop = bool(self._run.params.get("stop_when_decided"))
            self._run.save_state({"reused_cost": self._tally.spent, "stop_when_decided": stop})
        state = self._run.saved_state or {}
        self._reused_cost = float(state.get("reused_cost", 0.0))
        self._was_told_to_stop = bool(state.get("stop_when_decided"))

    def _tell_metrics(self) -> None:
        self._run.metric(step=self._tally.count, **self._tally.metrics())

    def _groups(self) -> dict[str, int]:
        each = len(self._tests) // len(self._params.models)
        return {model.name: each for model in self._params.models}

    def _check_models(self) -> None:
        """Give up at once on models that lack their key."""
        for model in self._params.models:
            if error := self._backend.check(model.name):
                self._patience.give_up(model.name, error)
        self._close_given_up()

    def _check_budget(self) -> None:
        """Say what a budget cannot count, before it is spent."""
        names = [model.name for model in self._params.models]
        if self._run.params.get("budget") is not None and (text := uncounted(names, self._backend.cost)):
            self._run.note("error", text)

    def _close_given_up(self) -> None:
        for model, error in self._patience.given_up.items():
            self._tally.close(model)
            self._news.gave_up(model, error)

    def _wanted(self) -> Iterator[Test]:
        """The tests to begin; asked for the next one whenever there is room."""
        for test in self._tests:
            if test.model.name in self._patience.given_up or test.key in self._finished:
                continue
            while self._is_budget_spent() and not self._is_told_to_finish():
                self._pause()
            if self._is_told_to_finish():
                return
            yield test

    def _pause(self) -> None:
        """The budget is spent: wait for somebody to raise it, or to cancel."""
        budget = self._run.params["budget"]
        done = f"{self._tally.count} of {len(self._tests)} tests done"
        text = f"Paused at your limit of {dollars(budget)} ({done}). Raise the budget and resume, or cancel."
        self._run.pause("budget", text, budget)

    def _is_budget_spent(self) -> bool:
        budget = self._run.params.get("budget")
        return budget is not None and self._tally.spent - self._reused_cost >= budget

    def _is_told_to_finish(self) -> bool:
        """True once the switch was turned on in mid-run, or was on and the winner is decided."""
        if not self._run.params.get("stop_when_decided"):
            return False
        return not self._was_told_to_stop or self._tally.evidence().is_decided

    def _work(self, test: Test) -> dict[str, Any]:
        """One test; in a worker thread."""
        try:
            answer = self._backend.ask(test)
        except ModelError as error:
            self._patience.failed(test.model.name, error)
            text = f"{error.message} {error.hint or ''}".strip()
            raise ItemFailed(text, attempts=error.attempts, correct=False) from error
        self._patience.answered(test.model.name)
        parsed = parse(answer.text, self._ballot, self._params.answer_format)
        return {
            "predicted": parsed.vote,
            "correct": self._ballot.same(parsed.vote, test.expected),
            "confidence": parsed.confidence,
            "reasoning": parsed.reasoning or answer.reasoning,
            "answer": answer.text,
            "parse_error": _parse_error(parsed.error, answer.finish_reason),
            "milliseconds": round(answer.seconds * 1000, 1),
            "tokens_in": answer.tokens_in,
            "tokens_out": answer.tokens_out,
            "tokens_estimated": answer.estimated,
            "cost": self._backend.cost(test.model.name, answer.tokens_in, answer.tokens_out),
            "attempts": answer.attempts,
        }

    def _conclude(self) -> None:
        """Say how it ended."""
        given_up, left = self._patience.given_up, len(self._tests) - self._tally.count
        if left and len(given_up) == len(self._params.models):
            error = list(given_up.values())[-1]
            counted = f"{self._tally.count} of {len(self._tests)} tests were done, the rest was not tried."
            raise NoModelLeft(f"{error.message} {counted}", hint=error.hint)
        self._news.concluded(left)


def _parse_error(error: str | None, finish_reason: str) -> str | None:
    """A cut answer explains a missing vote."""
    if error and finish_reason == "length":
        return f"{error}: it was cut at max_tokens"
    return error
