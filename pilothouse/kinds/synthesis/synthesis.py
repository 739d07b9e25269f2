"""A whole synthesis: plan, prepare, attempts until the gauges are green, report.

The first attempt is what the plan chose; a backup follows when training fails or
a gauge is red. The best attempt is kept, and its table is a file of the run as
soon as it is the best.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from typing import Any

from pilothouse.kinds.synthesis import PHASES, report
from pilothouse.kinds.synthesis.attempt import Attempt, Data, Outcome
from pilothouse.kinds.synthesis.backend import Backend
from pilothouse.kinds.synthesis.errors import TrainingFailed
from pilothouse.kinds.synthesis.gauge import badness, verdict
from pilothouse.kinds.synthesis.params import Params
from pilothouse.kinds.synthesis.plan import NoPlan, Plan, Shape, by_model, by_rules
from pilothouse.kinds.synthesis.steps import GROUP, Steps
from pilothouse.kinds.synthesis.table import BadTable, Table, read
from pilothouse.sdk.done import in_words
from pilothouse.sdk.handle import RunHandle

MAX_TOLD = 200  # columns in an item, which holds 64 KB; the report has all
TABLE, MODEL = "synthetic.csv", "model.pt"


class Synthesis:
    """One execution of one synthesis.

    Args:
        run: The handle.
        params: The validated params.
        backend: Makes the learners.
    """

    def __init__(self, run: RunHandle, params: Params, backend: Backend) -> None:
        self._run, self._params, self._backend = run, params, backend
        self._steps = Steps(run)
        self._epochs_before = 0
        self._is_out_of_time = False

    def run(self) -> None:
        """Do what is left.

        Raises:
            BadTable: The table cannot be read or learned from.
            TrainingFailed: No attempt gave a table.
        """
        table = self._table()
        with self._phase("Planned"):
            plan = self._plan(table)
        with self._phase("Prepare"):
            data = self._prepare(table)
        outcomes: list[tuple[Attempt, Outcome]] = []
        for attempt in self._attempts(plan, data, outcomes):
            outcomes.append((attempt, attempt.outcome))
            self._tell(attempt, outcomes)
        if "report" not in self._steps.finished:
            with self._phase("Report"):
                self._report(plan, table, outcomes)

    def _phase(self, name: str) -> Any:
        return self._run.phase(name, PHASES.index(name) + 1, len(PHASES))

    def _table(self) -> Table:
        """The table that the run began with; the run pauses while the file holds another one, or is gone.

        Learned and held-out rows would change places otherwise, and the attack would find nothing.
        """
        prepared = self._steps.finished.get("prepare")
        wanted = prepared.data.get("fingerprint") if prepared else None
        if wanted is None:
            return read(self._params)
        while (found := self._again(wanted)) is None:
            text = (
                f"{self._params.path or 'The table'} is not what it was when this run began. "
                "Put that file back and resume, or start a new run."
            )
            self._run.pause("table", text)
        return found

    def _again(self, fingerprint: str) -> Table | None:
        """The table, unless it is another one by now."""
        try:
            table = read(self._params)
        except BadTable:
            return None
        return table if table.fingerprint() == fingerprint else None

    def _plan(self, table: Table) -> Plan:
        learned = table.learned
        numeric = sum(column.is_numeric for column in learned)
        shape = Shape(table.rows, numeric, len(learned) - numeric)
        first = by_rules(self._params, shape).steps[0]
        self._steps.expect(1, first, first.epochs)  # until the plan is there
        is_new = "plan" not in self._steps.finished
        done = self._steps.do(
            "plan",
            "Planning",
            {"step": "Planned"},
            lambda: self._planned(shape, table.described()),
        )
        plan = Plan.of(done.data["plan"])
        if is_new:
            self._run.note("planned", f"{plan.text}. {plan.rationale}")
        return plan

    def _planned(self, shape: Shape, columns: list[dict[str, Any]]) -> dict[str, Any]:
        plan, run, model = by_rules(self._params, shape), self._run, self._params.model
        if model is not None and self._params.method == "agent":
            try:
                plan = by_model(
                    model,
                    self._params,
                    shape,
                    columns,
                    lambda retry: run.note("backup", retry.text),
                    run.folder,
                )
            except Exception as error:  # an address that is none, too: the rules can always plan
                why = str(error) if isinstance(error, NoPlan) else in_words(error)
                run.note("error", f"{model.name} gave no plan: {why.rstrip('.')}. Written rules plan.")
        return {"plan": plan.data(), "detail": plan.text, "method": plan.steps[0].method}

    def _prepare(self, table: Table) -> Data:
        learned, held_out = table.split(self._params.holdout, self._params.seed)
        hints = [f"{column.name}: {column.hint}" for column in table.columns if column.hint]
        is_new = "prepare" not in self._steps.finished

        def told() -> dict[str, Any]:
            detail = f"{learned.rows:,} rows to learn from, {held_out.rows:,} held out, {len(table.columns)} columns"
            return {
                "detail": detail,
                "columns": table.described()[:MAX_TOLD],
                "preview": table.preview(),
                "fingerprint": table.fingerprint(),
            }

        done = self._steps.do("prepare", "Reading the table", {"step": "Prepare"}, told)
        if is_new:
            self._run.note("planned", str(done.data["detail"]))
            for hint in hints[:10]:
                self._run.note("planned", hint)
        return Data(learned, held_out, self._params.count or table.rows)

    def _attempts(self, plan: Plan, data: Data, before: list[tuple[Attempt, Outcome]]) -> Iterator[Attempt]:
        """Each attempt once it is over; a backup only when it is needed."""
        for number, step in enumerate(plan.steps, 1):
            if before and not self._needs_backup(before):
                return
            attempt = Attempt(
                self._run, self._steps, number, step, data, self._backend, self._params, self._has_time
            )
            self._steps.expect(number, step, step.epochs)
            with self._phase("Training" if number == 1 else "Backup"):
                self._announce(attempt, before, data)
                self._learn(attempt)
                if number > 1:
                    self._finish(attempt)
            if number == 1:
                with self._phase("Metrics"):
                    self._finish(attempt)
            self._epochs_before += step.epochs
            yield attempt

    def _announce(self, attempt: Attempt, before: list[tuple[Attempt, Outcome]], data: Data) -> None:
        """Say what begins, once."""
        if self._has_told("announced", attempt):
            return
        pace = "" if attempt.step.method == "copula" else f", {attempt.step.epochs} epochs"
        text = f"Attempt {attempt.number}: {attempt.step.title}{pace} on {data.learned.rows:,} rows"
        if before:
            self._run.note("backup", f"{text}, because {_why(before[-1][1])}")
        else:
            self._run.note("training", text)
        self._run.metric(step=attempt.number, attempt=attempt.number)
        self._remember("announced", attempt)

    def _has_told(self, what: str, attempt: Attempt) -> bool:
        return bool((self._run.saved_state or {}).get(what, 0) >= attempt.number)

    def _remember(self, what: str, attempt: Attempt) -> None:
        """So that a later process does not say it again."""
        self._run.save_state({**(self._run.saved_state or {}), what: attempt.number})

    def _learn(self, attempt: Attempt) -> None:
        for epoch, data in attempt.learn():
            losses = {name: data[name] for name in ("generator_loss", "critic_loss", "loss") if name in data}
            self._run.metric(step=self._epochs_before + epoch, epoch=epoch, **losses)

    def _finish(self, attempt: Attempt) -> None:
        if attempt.error is None:
            attempt.make()
        if attempt.error is None:
            attempt.measure()
        attempt.forget()

    def _tell(self, attempt: Attempt, outcomes: list[tuple[Attempt, Outcome]]) -> None:
        """What became of an attempt, once; the best table so far becomes a file of the run."""
        if self._has_told("told", attempt):
            return
        self._tell_outcome(attempt, outcomes)
        self._remember("told", attempt)

    def _tell_outcome(self, attempt: Attempt, outcomes: list[tuple[Attempt, Outcome]]) -> None:
        outcome = outcomes[-1][1]
        if outcome.error:
            self._run.note("error", f"Attempt {attempt.number} failed: {outcome.error}")
            return
        text = " · ".join(gauge.text for gauge in outcome.gauges)
        self._run.note("metrics", f"Attempt {attempt.number}, {attempt.step.title}: {text}")
        self._run.metric(step=attempt.number, **{gauge.name: gauge.value for gauge in outcome.gauges})
        if _best(outcomes) is outcomes[-1]:
            self._run.artifact(attempt.ensure_file(), TABLE)

    def _needs_backup(self, before: list[tuple[Attempt, Outcome]]) -> bool:
        outcome = before[-1][1]
        is_red = outcome.error is not None or verdict(outcome.gauges) == "fail"
        return is_red and (_best(before) is None or self._has_time())

    def _has_time(self) -> bool:
        """False once training has taken as long as it may."""
        limit = self._params.time_limit_seconds
        if limit is None:
            return True
        epochs = [done.seconds for key, done in self._steps.finished.items() if "/epoch-" in key]
        if sum(epochs) < limit:
            return True
        if not self._is_out_of_time:
            self._is_out_of_time = True
            text = (
                f"Training has taken {sum(epochs):.0f} s, your limit is {limit:g} s. What is learned is used."
            )
            self._run.guard("time_limit", text, limit)
        return False

    def _report(self, plan: Plan, table: Table, outcomes: list[tuple[Attempt, Outcome]]) -> None:
        """Write and keep the report and the best table.

        Raises:
            TrainingFailed: There is no table.
        """
        began = time.perf_counter()
        best = _best(outcomes)
        told = report.of(self._params, plan, table, [outcome for _, outcome in outcomes], best and best[1])
        for name, text in (("report.json", report.as_json(told)), ("report.html", report.as_html(told))):
            path = self._run.folder / name
            path.write_text(text, encoding="utf-8")
            self._run.artifact(path)
        if best is None:
            last = outcomes[-1][1]
            message = f"None of {len(outcomes)} attempts gave a table. The last one: {last.error}"
            raise TrainingFailed(message, hint="Try the method copula, or look at the report.")
        attempt, outcome = best
        shutil.copyfile(attempt.ensure_file(), self._run.folder / TABLE)
        self._run.artifact(self._run.folder / TABLE)
        if attempt.checkpoint.path.exists():
            self._run.artifact(attempt.checkpoint.path, MODEL)
        if outcome is not outcomes[-1][1]:
            # The last values that are told are those of the table that is kept.
            self._run.metric(step=len(outcomes) + 1, **{gauge.name: gauge.value for gauge in outcome.gauges})
        self._conclude(outcome, time.perf_counter() - began)

    def _conclude(self, outcome: Outcome, seconds: float) -> None:
        found = verdict(outcome.gauges)
        text = f"Attempt {outcome.number} ({outcome.step.title}) is kept; the gauges say {found}"
        if found == "fail":
            red = ", ".join(gauge.text for gauge in outcome.gauges if gauge.verdict == "fail")
            self._run.guard("gauges", f"No attempt kept every limit. {text}: {red}.")
        self._run.note("file", f"{text}. {TABLE}, report.html and report.json are there.")
        columns: dict[str, Any] = {gauge.name: gauge.value for gauge in outcome.gauges}
        columns |= {"step": "Report", "attempt": outcome.number, "method": outcome.step.method}
        columns |= {"verdict": found, "detail": text, "kept": True}
        columns |= {"comparison": outcome.comparison, "correlations": outcome.correlations}
        self._run.item("report", seconds=seconds, group=GROUP, **columns)


def _best(outcomes: list[tuple[Attempt, Outcome]]) -> tuple[Attempt, Outcome] | None:
    """The attempt with the fewest red gauges; of several the one farthest within its limits."""
    measured = [pair for pair in outcomes if pair[1].error is None]
    return min(measured, key=lambda pair: badness(pair[1].gauges), default=None)


def _why(outcome: Outcome) -> str:
    if outcome.error:
        return "the attempt before failed"
    red = [gauge for gauge in outcome.gauges if gauge.verdict == "fail"]
    return ", ".join(f"{gauge.text} is over its limit {gauge.warn or gauge.limit:g}" for gauge in red)
