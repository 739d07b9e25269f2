"""What the demo starts, in which order, and what becomes of its steps when one of them fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pilothouse.cli import demo
from pilothouse.cli.client import NO_SERVER, USAGE, CliError
from pilothouse.cli.demo import tickets
from pilothouse.cli.demo.conductor import Conductor
from pilothouse.cli.demo.plan import Fate, Plan, Step
from pilothouse.cli.demo.steps import everything, examples
from pilothouse.cli.main import app
from pilothouse.kinds import builtin
from tests.web.clients import a_run
from tests.web.serving import running

Run = dict[str, Any]
CORE = ["benchmark", "generation", "autotune"]


def kind(name: str, lacks: list[str] | None = None) -> dict[str, Any]:
    example = {"name": "demo", "title": f"An example of {name}", "params": {}}
    extra = {"name": "train", "command": "pip install 'pilothouse[train]'", "missing": lacks or []}
    return {"name": name, "examples": [example], "extra": extra, "headline": None}


def kinds(lacks: list[str] | None = None) -> list[dict[str, Any]]:
    return [*map(kind, CORE), kind("training", lacks), kind("synthesis", lacks)]


class Server:
    """Keeps runs as a server does; a test says how they end."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.cancelled: list[str] = []
        self.refuses: str | None = None
        self.is_away = False

    def make(self, path: str, body: dict[str, Any], key: str | None = None) -> Run:
        if body["kind"] == self.refuses:
            raise CliError("steps: must be at least 1", exit_code=USAGE)
        run = {**body, "id": f"run_{len(self.runs)}", "status": "running", "ended_at": None, "failure": None}
        self.runs.append(run | {"active_since": None, "active_seconds": 3.0, "metrics": {}})
        return run

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        if self.is_away:
            raise CliError("No Pilothouse server", exit_code=NO_SERVER)
        return {"runs": self.runs[::-1]}

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.cancelled += body["run_ids"]
        for run in self.runs:
            if run["id"] in body["run_ids"]:
                run |= {"status": "cancelled", "ended_at": "now"}
        return {}

    def run(self, run_id: str) -> Run:
        return next(run for run in self.runs if run["id"] == run_id)

    def end(self, title: str, status: str = "completed") -> None:
        next(run for run in self.runs if run["name"] == title).update(status=status, ended_at="now")

    @property
    def started(self) -> list[str]:
        return [run["name"] for run in self.runs]


class Stage:
    """A conductor on a server, with a clock that a test moves and services that it lets answer."""

    def __init__(self, steps: list[Step], server: Server | None = None) -> None:
        self.server = server or Server()
        self.now = 0.0
        self.is_ready = False
        client: Any = self.server
        self.conductor = Conductor(client, Plan(steps), [], lambda url: self.is_ready, lambda: self.now)

    def look(self) -> list[str]:
        self.now += 1
        self.conductor.look()
        return self.server.started

    def fate(self, name: str) -> Fate:
        return self.conductor.fates[name]


def a_step(name: str, *needs: str, after: str | None = None, answers: str | None = None) -> Step:
    return Step(name, "script", name, dict, needs, (after,) if after else (), answers)


CHAIN = [
    a_step("alone"),
    a_step("first"),
    a_step("served", "first", answers="http://x"),
    a_step("last", "served"),
]


def test_a_plan_refuses_a_step_that_needs_what_is_not_before_it() -> None:
    with pytest.raises(ValueError, match="first waits for last"):
        Plan([a_step("first", "last"), a_step("last")])
    with pytest.raises(ValueError, match="twice"):
        Plan([a_step("first"), a_step("first")])


def test_a_step_starts_when_what_it_needs_has_ended_well_or_answers() -> None:
    stage = Stage(CHAIN)

    at_first = [*stage.look()]
    stage.server.end("first")
    then = [*stage.look()]
    while_silent = [*stage.look()]
    stage.is_ready = True
    at_last = [*stage.look()]

    assert at_first == ["alone", "first"]
    assert then == while_silent == ["alone", "first", "served"]
    assert at_last == ["alone", "first", "served", "last"]
    assert stage.server.runs[-1]["params"] == {"alone": "run_0", "first": "run_1", "served": "run_2"}


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_step_that_fails_takes_along_what_needs_it_and_nothing_else(
    how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(CHAIN)

    stage.look()
    stage.server.end("first", how)
    stage.look()
    stage.look()
    still = stage.fate("alone")
    stage.server.end("alone")
    stage.look()

    said = capsys.readouterr().err
    assert still is Fate.RUNNING
    assert stage.server.started == ["alone", "first"]
    assert [stage.fate(name) for name in ("alone", "first", "served", "last")] == [
        Fate.DONE, Fate.FAILED, Fate.LEFT_OUT, Fate.LEFT_OUT,
    ]  # fmt: skip
    assert "left out: it needs “first”" in said and "1 of 4 steps went well" in said


def test_a_step_that_only_comes_after_another_does_so_however_that_ends() -> None:
    stage = Stage([a_step("first"), a_step("next", after="first")])

    before = [*stage.look()]
    stage.server.end("first", "failed")

    assert before == ["first"]
    assert stage.look() == ["first", "next"]


def test_a_step_that_failed_is_told_with_its_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage([a_step("alone")])
    stage.look()
    stage.server.runs[0]["failure"] = {"message": "exit code 1", "tail": "Looking…\nERROR: no network"}
    stage.server.end("alone", "failed")

    stage.look()

    assert "failed · 3 s · ERROR: no network" in capsys.readouterr().err


def test_params_that_the_server_refuses_fail_their_step_alone(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server()
    server.refuses = "training"
    stage = Stage([Step("train", "training", "train", lambda runs: {}), a_step("alone")], server)

    stage.look()

    assert (stage.fate("train"), stage.fate("alone")) == (Fate.FAILED, Fate.RUNNING)
    assert "steps: must be at least 1" in capsys.readouterr().err


def test_a_server_that_is_away_only_delays() -> None:
    stage = Stage(CHAIN)
    stage.look()
    stage.server.end("first")

    stage.server.is_away = True
    stage.look()
    stage.server.is_away = False

    assert stage.look() == ["alone", "first", "served"]


def test_what_is_said_is_one_line_as_each_step_starts_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage([a_step("alone")])

    stage.look()
    stage.look()
    stage.server.end("alone")
    stage.look()
    stage.look()

    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in lines[:2]] == ["▸", "✓"] and len(lines) == 3
    assert "All steps went well" in lines[-1]


def test_the_service_and_what_needs_it_end_with_the_demo_and_nothing_else_does() -> None:
    stage = Stage(CHAIN)
    stage.look()
    stage.server.end("first")
    stage.is_ready = True
    for _ in range(3):
        stage.look()

    stage.conductor.leave()

    ended = {run["name"] for run in stage.server.runs if run["status"] == "cancelled"}
    assert ended == {"served", "last"}


def test_a_second_demo_goes_on_with_what_lives_and_begins_anew_what_needed_the_service() -> None:
    stage = Stage(CHAIN)
    stage.look()
    stage.server.end("first")
    stage.is_ready = True
    for _ in range(3):
        stage.look()  # the power fails: nobody leaves

    second = Stage(CHAIN, stage.server)
    second.conductor.take_over()
    left = {run["name"] for run in second.server.runs if run["ended_at"] is None}
    second.look()

    assert left == {"alone"}
    assert second.server.started == ["alone", "first", "served", "last", "first"]


def test_a_bare_install_starts_what_it_can_and_names_what_installs_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = Stage(examples(kinds(["torch"])))

    demo.say_what_is_missing(kinds(["torch"]))
    stage.look()

    said = capsys.readouterr().err
    assert [run["kind"] for run in stage.server.runs] == CORE
    assert "training" in said and "pip install 'pilothouse[train]'" in said and "--install" in said


def test_packages_are_installed_before_all_that_needs_them_and_not_where_they_are(tmp_path: Path) -> None:
    bare, whole = (everything(kinds(lacks), tmp_path) for lacks in (["torch"], None))

    needs = {step.name: step.needs for step in bare}
    assert [step.name for step in Plan(bare).due(dict.fromkeys(needs, Fate.WAITING))] == [*CORE, "packages"]
    assert needs["train"] == ("packages",)
    assert {step.name for step in bare} - {step.name for step in whole} == {"packages"}
    assert any(word.startswith("torch") for word in bare[3].params({})["command"][4:])


def test_every_step_of_the_whole_demo_has_params_that_its_kind_takes(tmp_path: Path) -> None:
    ids = {"train": "job_1", "serve": "run_1"}
    known = builtin()

    for step in everything(kinds(), tmp_path):
        if step.name not in CORE:
            known[step.kind].validate(step.params(ids))


def test_the_tickets_to_judge_are_none_that_were_learnt(tmp_path: Path) -> None:
    lines = tickets.write_dataset(tmp_path / "tickets.jsonl").read_text().splitlines()
    learnt = {json.loads(line)["prompt"].partition("\n")[0] for line in lines}

    cases = tickets.cases()

    assert len(cases) == tickets.FRESH and len({case["id"] for case in cases}) == tickets.FRESH
    assert not learnt & {case["ticket"] for case in cases}


def test_stopping_the_demo_removes_its_runs_and_nobody_elses(tmp_path: Path) -> None:
    benchmark = builtin()["benchmark"]
    assert benchmark.examples is not None
    (example,) = [each for each in benchmark.examples() if each.name == "demo"]
    with running(tmp_path, {"benchmark": benchmark}) as server, server.client() as api:
        made = {"kind": "benchmark", "params": example.params, "tags": ["demo"]}
        theirs = a_run(server, **made, name="weeks of work")
        for _ in range(3):
            a_run(server, **made, name=example.title)

        CliRunner().invoke(app, ["--server", server.url, "--data", str(server.data), "demo", "--stop"])

        left = api.get("/api/runs").json()["runs"]

    assert [(run["id"], run["status"]) for run in left] == [(theirs.id, "queued")]
