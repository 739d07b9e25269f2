"""The strategy that learns: Optuna's estimator, its journal, and what a resume makes of it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from pilothouse.kinds import autotune
from pilothouse.kinds.autotune.backend import DeterministicBackend, Watch
from pilothouse.kinds.autotune.measurement import Level
from pilothouse.kinds.autotune.space import Point
from pilothouse.sdk.signals import Fenced
from tests.kinds.attempts import Attempts
from tests.kinds.autotunes import attempts, cost, params, perform, rows

__all__ = ["attempts"]

tpe = pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="needs the extra tune")


@tpe
def test_tpe_measures_no_point_twice_and_ends_when_there_is_none_left(attempts: Attempts) -> None:
    server = attempts.server

    perform(attempts.begin(params(strategy="tpe")))

    assert len({body.data["point"] for body in rows(server).values()}) == 6
    assert server.log.run.progress.total == 6


@tpe
def test_tpe_finds_a_better_point_than_its_first_ones(attempts: Attempts) -> None:
    server = attempts.server
    space = [{"name": name, "type": "float", "low": -10, "high": 10} for name in ("a", "b")]

    perform(
        attempts.begin(params(space=space, strategy="tpe", experiments=40, stop_hopeless=None)),
        DeterministicBackend(lambda point: 1 + float(point["a"]) ** 2 + float(point["b"]) ** 2),
    )

    scores = [body.data["score"] for body in rows(server).values()]
    assert min(scores[10:]) < min(scores[:10])


@tpe
@pytest.mark.parametrize("loss", ["nothing", "journal", "torn", "broken"])
def test_a_study_that_is_interrupted_keeps_all_its_trials(
    attempts: Attempts, tmp_path: Path, loss: str
) -> None:
    import optuna
    from optuna.trial import TrialState

    server = attempts.server
    journal = tmp_path / "study.journal"

    class Dies(DeterministicBackend):
        def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
            if number == 5:
                server.next_attempt()
            return super().measure(number, point, watch)

    space = [
        {"name": "a", "type": "float", "low": 0, "high": 4},
        {"name": "b", "type": "int", "low": 1, "high": 9},
    ]
    with pytest.raises(Fenced):
        perform(attempts.begin(params(space=space, strategy="tpe", experiments=8)), Dies(cost))
    before = {key: body.data["score"] for key, body in rows(server).items()}
    begun = server.log.saved_state
    match loss:
        case "journal":
            journal.unlink()
        case "torn":
            journal.write_bytes(journal.read_bytes()[:-7])
        case "broken":
            journal.write_bytes(b"{}\n[]\nnonsense\n")
    backend = perform(attempts.begin())

    assert begun and backend.measured[0] == (5, begun["point"])
    assert [number for number, _ in backend.measured] == [5, 6, 7, 8]
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    study = optuna.load_study(study_name="autotune", storage=storage)
    known = {
        int(trial.user_attrs["experiment"]): trial
        for trial in study.trials
        if trial.state is TrialState.COMPLETE
    }
    assert sorted(known) == list(range(1, 9))
    assert {str(number): known[number].value for number in (1, 2, 3, 4)} == before
    assert not [trial for trial in study.trials if trial.state is TrialState.RUNNING]


@tpe
def test_tpe_learns_from_what_failed_and_seeks_several_objectives(attempts: Attempts) -> None:
    server = attempts.server
    bad = {f"a=3, b={b}": "out of memory" for b in (1, 2)}

    perform(
        attempts.begin(params(strategy="tpe", objectives=["latency", "throughput"])),
        DeterministicBackend(cost, bad),
    )

    assert sum(not body.ok for body in rows(server).values()) == 2
    assert len(rows(server)) == 6
    assert server.log.run.metrics["pareto"] == 1


def test_no_private_part_of_optuna_is_imported() -> None:
    source = Path(autotune.__file__).with_name("study.py").read_text()
    names = [
        line.split() for line in source.splitlines() if line.startswith(("import optuna", "from optuna"))
    ]

    assert names
    assert not [name for words in names for name in words if "._" in name or name.startswith("_")]


@tpe
def test_a_study_whose_space_is_used_up_by_its_digits_ends(attempts: Attempts) -> None:
    space = [{"name": "a", "type": "float", "low": 2.0000001, "high": 2.0000002}]

    perform(attempts.begin(params(space=space, strategy="tpe", experiments=5)))

    progress = attempts.server.log.run.progress
    assert 1 <= progress.done < 5
    assert progress.total == progress.done
