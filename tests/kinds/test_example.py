"""The example that ships: complete, valid, and the same in the checkout's example folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pilothouse.kinds import builtin
from pilothouse.kinds.benchmark.example import demo
from pilothouse.kinds.benchmark.job import run
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.config import load_params
from pilothouse.llm import offline
from tests.kinds.conftest import Begin
from tests.sdk.link_server import LinkServer

EXAMPLES = Path(__file__).parents[2] / "examples" / "benchmark"


def test_the_example_has_many_findings_of_every_vote_and_language() -> None:
    params = Params.model_validate(demo())

    assert len(params.cases) >= 64
    assert len(params.prompts) == 4
    votes = Counter(case.vote for case in params.cases)
    assert set(votes) == {"REAL", "FALSE_POSITIVE", "WEAKNESS", "NEEDS_VERIFIED"}
    assert min(votes.values()) >= 8
    assert len({(case.model_extra or {})["language"] for case in params.cases}) >= 8


@pytest.mark.parametrize(("name", "tests"), [("demo", 288), ("quick", 40)])
def test_the_examples_of_the_declaration_can_be_started(name: str, tests: int) -> None:
    kind = builtin()["benchmark"]

    params = {example["name"]: example["params"] for example in kind.declaration()["examples"]}[name]

    assert kind.total is not None
    assert kind.total(kind.validate(params)) == tests


def test_the_example_folder_gives_the_params_of_the_package() -> None:
    assert load_params(EXAMPLES / "benchmark.toml") == demo()


def test_the_quick_example_runs_with_the_offline_model(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(offline.VARIABLE, "0")
    kind = builtin()["benchmark"]
    quick = kind.declaration()["examples"][1]["params"]
    handle = begin(quick)

    run(handle)
    handle.settle()

    assert handle._link.flush(60)
    assert server.log.run.progress.done == 40
    accuracy = server.log.run.metrics["accuracy"]
    assert isinstance(accuracy, float)
    assert accuracy > 0.45
    assert server.log.run.metrics["cost"] == 0
