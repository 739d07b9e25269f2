"""Carries out a plan: starts the runs that are due, follows them, and says one line as each starts and ends.

It keeps no thread. Whoever waits calls `look` now and then. All it knows it reads
from the server, so a server that is away only delays it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from pilothouse.cli import words
from pilothouse.cli.client import NO_SERVER, OTHER, Client, CliError
from pilothouse.cli.demo.plan import Fate, Plan, Step
from pilothouse.cli.output import say

TAG = "demo"
PASSING = (NO_SERVER, OTHER)  # a server that is away or in trouble may be well again
LOOK_SECONDS = 0.5
HEALTH_SECONDS = 1.0
LEAVE_SECONDS = 4.0
REASON = "The demo was stopped, and the model's server with it."
Run = dict[str, Any]


def answers(url: str) -> bool:
    """Whether a server answers 2xx there."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=HEALTH_SECONDS) as answer:
            return bool(answer.status < 300)
    except (URLError, OSError, ValueError):
        return False


class Conductor:
    """Carries out one plan.

    Args:
        client: Of the server.
        plan: What is to be done.
        kinds: The server's declarations.
        is_ready: Asks whether a service answers.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        client: Client,
        plan: Plan,
        kinds: Sequence[Mapping[str, Any]],
        is_ready: Callable[[str], bool] = answers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._plan = plan
        self._kinds = {kind["name"]: dict(kind) for kind in kinds}
        self._is_ready = is_ready
        self._clock = clock
        self._fates = {step.name: Fate.WAITING for step in plan.steps}
        self._runs: dict[str, str] = {}
        self._began = clock()
        self._next = 0.0
        self._is_over = False
        self._key = os.urandom(16).hex()

    @property
    def fates(self) -> Mapping[str, Fate]:
        """How each step fares."""
        return self._fates

    @property
    def runs(self) -> Mapping[str, str]:
        """The ids of the runs, by step."""
        return self._runs

    def take_over(self) -> None:
        """Go on with the runs that an earlier demo on this data folder left; end those that it took with it."""
        bound = self._plan.bound()
        by_title = {step.title: step for step in self._plan.steps}
        for run in reversed(self._tagged()):
            step = by_title.get(run["name"])
            if step is None or run["ended_at"]:
                continue
            if step.name in bound:
                self._cancel([run["id"]])
            elif step.name not in self._runs:
                self._runs[step.name] = run["id"]
                self._fates[step.name] = Fate.RUNNING
                self._tell("▸", step, "goes on where it was")

    def look(self) -> None:
        """See how the runs fare and start what is due; a server that is away is asked again later."""
        now = self._clock()
        if self._is_over or now < self._next:
            return
        self._next = now + LOOK_SECONDS
        with suppress(CliError):
            self._follow()
            self._begin()
        if self._plan.is_over(self._fates):
            self._is_over = True
            self._conclude()

    def leave(self) -> None:
        """End the services and what needs them; what is finished of it is kept."""
        bound = self._plan.bound()
        ids = [self._runs[name] for name in bound if self._fates[name] in (Fate.RUNNING, Fate.READY)]
        if not ids:
            return
        try:
            self._cancel(ids)
            end = time.monotonic() + LEAVE_SECONDS
            while time.monotonic() < end and any(not self._client.run(each)["ended_at"] for each in ids):
                time.sleep(LOOK_SECONDS / 5)
        except CliError:
            return  # the next demo does it

    def _follow(self) -> None:
        """Take note of what has ended, and of services that answer."""
        found = {run["id"]: run for run in self._tagged()}
        for step in self._plan.steps:
            if self._fates[step.name] in (Fate.RUNNING, Fate.READY):
                self._judge(step, found.get(self._runs[step.name]))

    def _judge(self, step: Step, run: Run | None) -> None:
        if run is None or run["ended_at"]:
            is_well = run is not None and run["status"] == "completed" and step.answers is None
            self._fates[step.name] = Fate.DONE if is_well else Fate.FAILED
            self._tell(words.MARKS[run["status"]] if run else "✕", step, self._end_of(run))
        elif self._fates[step.name] is Fate.RUNNING and step.answers and self._is_ready(step.answers):
            self._fates[step.name] = Fate.READY
            self._tell("●", step, f"answers after {_seconds(run)}")

    def _begin(self) -> None:
        for step, lacked in self._plan.hopeless(self._fates):
            self._fates[step.name] = Fate.LEFT_OUT
            self._tell("–", step, f"left out: it needs “{lacked.title}”")
        for step in self._plan.due(self._fates):
            self._start(step)

    def _start(self, step: Step) -> None:
        body = {"kind": step.kind, "name": step.title, "params": step.params(self._runs), "tags": [TAG]}
        try:
            made = self._client.make("/api/runs", body, key=f"{self._key}-{step.name}")
        except CliError as error:
            if error.exit_code in PASSING:
                raise
            self._fates[step.name] = Fate.FAILED
            self._tell("✕", step, str(error))
            return
        self._runs[step.name] = made["id"]
        self._fates[step.name] = Fate.RUNNING
        self._tell("▸", step, "started")

    def _end_of(self, run: Run | None) -> str:
        if run is None:
            return "its run was removed"
        tail = ((run["failure"] or {}).get("tail") or "").strip().rpartition("\n")[2]
        said = tail or words.headline(run, self._kinds.get(run["kind"]))
        status = "" if run["status"] == "completed" else run["status"]
        return " · ".join(filter(None, [status, _seconds(run), said]))

    def _tell(self, mark: str, step: Step, text: str) -> None:
        minutes, seconds = divmod(int(self._clock() - self._began), 60)
        say(f"  {minutes}:{seconds:02}  {mark} {step.kind:<10}  {step.title:<47}  {text}")

    def _conclude(self) -> None:
        ended = list(self._fates.values())
        lost = sum(fate in (Fate.FAILED, Fate.LEFT_OUT) for fate in ended)
        well = f"{len(ended) - lost} of {len(ended)} steps went well" if lost else "All steps went well"
        say(f"  {well}. The page stays until you press Ctrl+C.")

    def _tagged(self) -> list[Run]:
        """The newest runs of the demo, newest first."""
        runs: list[Run] = self._client.get("/api/runs", tag=TAG, limit=200)["runs"]
        return runs

    def _cancel(self, ids: list[str]) -> None:
        self._client.post("/api/controls", {"control": "cancel", "run_ids": ids, "reason": REASON})


def _seconds(run: Run) -> str:
    return words.duration(words.elapsed(run))
