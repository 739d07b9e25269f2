"""What goes wrong around an attempt: learners that cannot begin, checkpoints and tables that are others."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.synthesis.backend import Learner
from pilothouse.kinds.synthesis.plan import Step
from pilothouse.kinds.synthesis.steps import NO_MEMORY
from pilothouse.kinds.synthesis.table import Table
from pilothouse.sdk.signals import Fenced
from tests.kinds.synthesis.conftest import Begin, a_table, items, notes, perform
from tests.kinds.synthesis.test_synthesis import ALL, PARAMS, Chosen, Watched, at
from tests.sdk.link_server import LinkServer


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_a_backup_follows_when_a_learner_cannot_even_begin(
    begin: Begin, server: LinkServer, error: Exception
) -> None:
    class Narrow(Chosen):
        def learner(self, step: Step, table: Table, seed: int) -> Learner:
            if step.method == "ctgan":
                raise error
            return super().learner(step, table, seed)

    perform(begin(PARAMS), Narrow())

    found = items(server)
    assert found["1/epoch-1"].error == NO_MEMORY
    assert found["report"].data["method"] == "copula"


def test_an_attempt_that_is_measured_holds_no_learner_any_more(begin: Begin) -> None:
    learners: list[weakref.ref[Learner]] = []
    alive: list[int] = []

    class Counting(Chosen):
        def learner(self, step: Step, table: Table, seed: int) -> Learner:
            gc.collect()
            alive.append(sum(learner() is not None for learner in learners))
            made = super().learner(step, table, seed)
            learners.append(weakref.ref(made))
            return made

    perform(begin(PARAMS | {"corr_delta_limit": 0.0, "corr_delta_warn": 0.0, "backups": 2}), Counting())

    assert alive == [0, 0, 0]


def test_a_checkpoint_that_does_not_fit_is_learned_again(begin: Begin, server: LinkServer) -> None:
    class Strange(Watched):
        def restore(self, state: Mapping[str, Any]) -> None:
            raise KeyError("average")

    class Newer(Chosen):
        def learner(self, step: Step, table: Table, seed: int) -> Learner:
            return Strange(self, step, table)

    with pytest.raises(Fenced):
        perform(begin(PARAMS), Chosen(after=at(3, server.next_attempt)))
    again = Newer()
    perform(begin(), again)

    assert [epoch for _, epoch in again.learned] == [1, 2, 3, 4, 5]
    assert list(items(server)) == ALL


def test_an_address_that_nobody_can_ask_leaves_the_plan_to_the_rules(
    begin: Begin, server: LinkServer
) -> None:
    model = {"name": "planner", "base_url": "http://[::1/v1"}

    perform(begin(PARAMS | {"method": "agent", "model": model}), Chosen())

    assert items(server)["plan"].data["plan"]["by"] == "rules"
    assert notes(server, "error")[0].startswith("planner gave no plan: InvalidURL: ")


@pytest.mark.parametrize("is_gone", [False, True], ids=["changed", "gone"])
def test_a_run_whose_file_is_another_one_pauses_until_the_first_one_is_back(
    begin: Begin, server: LinkServer, tmp_path: Path, is_gone: bool
) -> None:
    path = tmp_path / "table.csv"
    a_table(120).write(path)
    first = path.read_bytes()
    params = {name: value for name, value in PARAMS.items() if name != "rows"} | {"path": str(path)}
    with pytest.raises(Fenced):
        perform(begin(params), Chosen(after=at(2, server.next_attempt)))
    a_table(121).write(path)
    if is_gone:
        path.unlink()

    def put_back() -> None:
        server.wait_for(lambda: server.status() == "paused")
        path.write_bytes(first)
        server.resume()

    again = begin()
    again.saved_state = None  # as of a retry, which takes over finished items only
    somebody = threading.Thread(target=put_back)
    somebody.start()
    perform(again)
    somebody.join()

    assert [body.rule for body in server.bodies("guard.tripped")] == ["table"]
    assert list(items(server)) == ALL


def test_a_fingerprint_tells_tables_apart_by_any_value() -> None:
    table = a_table(60)

    assert a_table(60).fingerprint() == table.fingerprint()
    assert a_table(61).fingerprint() != table.fingerprint()
    assert table.take(table.columns[0].values.argsort()).fingerprint() != table.fingerprint()
