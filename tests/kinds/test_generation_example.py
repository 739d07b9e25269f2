"""The example that ships: valid, the same in the checkout's example folder, and made by the offline model."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.kinds import builtin
from pilothouse.kinds.config import load_params
from pilothouse.kinds.generation.example import demo, quick
from pilothouse.kinds.generation.job import run
from pilothouse.kinds.generation.params import Params
from pilothouse.llm import offline
from tests.kinds.batches import kept_lines, rows
from tests.kinds.conftest import Begin
from tests.sdk.link_server import LinkServer

EXAMPLES = Path(__file__).parents[2] / "examples" / "generation"


def test_the_example_has_42_topics_5_difficulties_and_16_types() -> None:
    params = Params.model_validate(demo())

    assert [len(names) for names in (params.topics, params.difficulties, params.types)] == [42, 5, 16]


@pytest.mark.parametrize(("name", "samples"), [("demo", 100), ("quick", 20)])
def test_the_examples_of_the_declaration_can_be_started(name: str, samples: int) -> None:
    kind = builtin()["generation"]

    params = {example["name"]: example["params"] for example in kind.declaration()["examples"]}[name]

    assert kind.total is not None
    assert kind.total(kind.validate(params)) == samples


def test_the_example_of_the_checkout_is_the_one_that_ships() -> None:
    assert load_params(EXAMPLES / "generation.toml") == demo()


def test_the_offline_model_makes_the_example(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(offline.VARIABLE, "0")
    handle = begin(quick() | {"target": 6}, Params)

    run(handle)
    handle._link.flush(30)

    assert len(kept_lines(server)) == 6
    assert {body.data["model"] for body in rows(server).values()} == {"offline"}
    assert all(len(line["answer"].split()) >= 8 for line in kept_lines(server))
    assert server.log.run.metrics["cost"] == 0


def test_the_offline_model_writes_sections_too(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(offline.VARIABLE, "0")
    more = {"target": 3, "sample_schema": None, "sections": ["Facts", "Question"], "rules": []}
    handle = begin(quick() | more, Params)

    run(handle)
    handle._link.flush(30)

    assert [set(line) & {"Facts", "Question"} for line in kept_lines(server)] == [{"Facts", "Question"}] * 3
