"""The loop: steps, resume, backups, limits, files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pilothouse.errors import LeaseLost
from pilothouse.kinds.synthesis import job, report
from pilothouse.kinds.synthesis.backend import DeterministicBackend, Learner, Shuffler
from pilothouse.kinds.synthesis.errors import TrainingFailed
from pilothouse.kinds.synthesis.plan import Step
from pilothouse.kinds.synthesis.table import BadTable, Table
from pilothouse.sdk.kind import MissingExtra
from pilothouse.sdk.signals import Cancelled, Fenced
from tests.kinds.synthesis.conftest import Begin, items, notes, perform, records
from tests.sdk.link_server import LinkServer

LOOSE = {"ks_mean_limit": 1.0, "corr_delta_limit": 2.0, "corr_delta_warn": 2.0, "mia_auc_limit": 1.0}
PARAMS: dict[str, Any] = {"rows": records(), "method": "ctgan", "epochs": 5, **LOOSE}
EPOCHS = [f"1/epoch-{number}" for number in range(1, 6)]
ALL = ["plan", "prepare", *EPOCHS, "1/table", "1/metrics", "report"]


class Chosen(DeterministicBackend):
    """Counts what is learned; something may happen after an epoch, and a method may fail."""

    def __init__(self, failing: Mapping[str, int] | None = None, after: Any = None) -> None:
        self.learned: list[tuple[str, int]] = []
        self._failing = failing or {}
        self._after = after

    def learner(self, step: Step, table: Table, seed: int) -> Learner:
        return Watched(self, step, table)

    def told(self, method: str, epoch: int) -> None:
        if self._failing.get(method) == epoch:
            raise TrainingFailed("The loss is not a number.", hint="Give fewer epochs.")
        self.learned.append((method, epoch))
        if self._after:
            self._after(method, epoch)


def at(epoch: int, happens: Callable[[], None], method: str = "ctgan") -> Callable[[str, int], None]:
    """Something that happens after one epoch of one method."""

    def after(learning: str, learned: int) -> None:
        if (learning, learned) == (method, epoch):
            happens()

    return after


class Watched(Shuffler):
    """Tells its maker of each epoch."""

    def __init__(self, maker: Chosen, step: Step, table: Table) -> None:
        super().__init__(table, step.epochs)
        self._maker, self._method = maker, step.method

    def epoch(self) -> Mapping[str, float]:
        self._maker.told(self._method, self.done + 1)
        return super().epoch()


@pytest.mark.rows("S3.100", "S3.105", "S3.106", "S3.32", "S3.33", "S3.34", "S3.39")
def test_a_table_is_planned_prepared_learned_made_measured_and_reported(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    perform(begin(PARAMS), Chosen())

    run, found = server.log.run, items(server)
    assert list(found) == ALL
    assert (run.progress.done, run.progress.total) == (10, 10)
    assert server.bodies("progress")[0].total == 10
    assert [body.name for body in server.bodies("phase.started")] == [
        "Planned",
        "Prepare",
        "Training",
        "Metrics",
        "Report",
    ]
    assert [(body.index, body.of) for body in server.bodies("phase.started")][2:4] == [(3, 6), (4, 6)]
    assert found["1/epoch-3"].data == {
        "attempt": 1,
        "method": "ctgan",
        "step": "Training",
        "epoch": 3,
        "loss": 0.333333,
    }
    assert found["prepare"].data["columns"][2]["type"] == "category"
    assert len(found["prepare"].data["preview"]) == 20
    assert {row["column"] for row in found["1/metrics"].data["comparison"]} == {"size", "weight", "kind"}
    for key in ("1/metrics", "report"):
        assert found[key].data["correlations"]["columns"] == ["size", "weight", "kind"]
    assert (found["report"].data["attempt"], found["report"].data["kept"]) == (1, True)
    assert run.metrics["ks_mean"] == found["1/metrics"].data["ks_mean"]
    assert run.metrics["epoch"] == 5
    assert notes(server, "planned")[:2] == [
        "Conditional GAN, 5 epochs, batch 50; backup: Gaussian copula → variational autoencoder. "
        "ctgan was asked for.",
        "96 rows to learn from, 24 held out, 3 columns",
    ]
    assert len(notes(server, "training")) == len(notes(server, "metrics")) == len(notes(server, "file")) == 1
    assert len((tmp_path / "synthetic.csv").read_text().splitlines()) == 121


def test_every_epoch_is_a_point_of_the_losses(begin: Begin, server: LinkServer) -> None:
    perform(begin(PARAMS), Chosen())

    points = [(body.step, body.values["loss"]) for body in server.bodies("metric") if "loss" in body.values]
    assert points == [(1, 1.0), (2, 0.5), (3, 0.333333), (4, 0.25), (5, 0.2)]


@pytest.mark.parametrize("dies_after", [1, 3, 5])
def test_a_later_attempt_learns_no_epoch_twice(begin: Begin, server: LinkServer, dies_after: int) -> None:
    with pytest.raises(Fenced):
        perform(begin(PARAMS), Chosen(after=at(dies_after, server.next_attempt)))
    again = Chosen()
    perform(begin(), again)

    assert [epoch for _, epoch in again.learned] == list(range(dies_after + 1, 6))
    assert list(items(server)) == ALL
    assert notes(server, "training")[1:] == []


def test_a_resumed_run_makes_the_same_table(begin: Begin, server: LinkServer, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    perform(begin(PARAMS, whole))

    with pytest.raises(Fenced):
        perform(begin(PARAMS, parts), Chosen(after=at(2, server.next_attempt)))
    perform(begin(None, parts))

    names = ("synthetic.csv", "report.json", "report.html")
    for name in names:
        assert (whole / name).read_bytes() == (parts / name).read_bytes()


def test_a_checkpoint_folder_that_was_deleted_is_learned_again_and_told_once(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    with pytest.raises(Fenced):
        perform(begin(PARAMS), Chosen(after=at(3, server.next_attempt)))
    finished = len(items(server))
    shutil.rmtree(tmp_path / "attempts")
    again = Chosen()
    perform(begin(), again)

    assert [epoch for _, epoch in again.learned] == [1, 2, 3, 4, 5]
    assert list(items(server)) == ALL
    lost = finished - 2
    assert notes(server, "training")[1].startswith(
        f"The checkpoint of attempt 1 is gone or older; {lost} epochs are learned again."
    )


def test_a_cancel_takes_effect_after_the_epoch_in_hand(begin: Begin, server: LinkServer) -> None:
    backend = Chosen(after=at(2, server.cancel))

    with pytest.raises(Cancelled):
        perform(begin(PARAMS), backend)

    assert len(backend.learned) <= 3
    assert "1/table" not in items(server)


@pytest.mark.parametrize("is_gone", [False, True], ids=["cancelled", "killed"])
def test_after_a_cancel_the_best_measured_table_stays_among_the_files(
    begin: Begin, server: LinkServer, tmp_path: Path, is_gone: bool
) -> None:
    red = {"corr_delta_limit": 0.0, "corr_delta_warn": 0.0, "backups": 2}
    happens = server.next_attempt if is_gone else server.cancel

    with pytest.raises((Cancelled, Fenced, LeaseLost)):
        perform(begin(PARAMS | red), Chosen(after=at(2, happens, "tvae")))

    best = min((1, 2), key=lambda number: items(server)[f"{number}/metrics"].data["corr_delta"])
    assert list(server.log.files) == ["synthetic.csv"]
    kept = (tmp_path / "attempts" / str(best) / "synthetic.csv").read_bytes()
    assert server.log.files["synthetic.csv"] == kept
    assert "report" not in items(server)


def test_what_was_finished_elsewhere_is_made_again_in_silence(
    begin: Begin, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, first, second = (tmp_path / name for name in ("whole", "first", "second"))
    for folder in (whole, first, second):
        folder.mkdir()
    perform(begin(PARAMS, whole))
    as_json = report.as_json

    def die(told: dict[str, Any]) -> str:
        monkeypatch.undo()
        server.next_attempt()
        return as_json(told)

    monkeypatch.setattr(report, "as_json", die)
    with pytest.raises((Fenced, LeaseLost)):
        perform(begin(PARAMS, first))
    perform(begin(None, second))

    assert list(items(server)) == ALL
    assert (second / "synthetic.csv").read_bytes() == (whole / "synthetic.csv").read_bytes()
    assert (second / "report.json").read_bytes() == (whole / "report.json").read_bytes()


def test_a_model_that_gives_no_plan_is_told_and_the_rules_plan(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_OFFLINE_MS_PER_TOKEN", "0")

    perform(begin(PARAMS | {"method": "agent", "model": {"name": "offline"}}), Chosen())

    assert notes(server, "error")[0].startswith("offline gave no plan: the answer")
    assert items(server)["plan"].data["plan"]["by"] == "rules"


# Backups


@pytest.mark.rows("S3.35", "S3.36")
def test_a_backup_follows_when_training_fails(begin: Begin, server: LinkServer) -> None:
    perform(begin(PARAMS), Chosen({"ctgan": 3}))

    found = items(server)
    assert not found["1/epoch-3"].ok
    assert found["1/epoch-3"].error == "The loss is not a number. Give fewer epochs."
    assert "1/epoch-4" not in found
    assert found["report"].data["method"] == "copula"
    assert notes(server, "error") == ["Attempt 1 failed: The loss is not a number. Give fewer epochs."]
    assert notes(server, "backup") == [
        "Attempt 2: Gaussian copula on 96 rows, because the attempt before failed"
    ]
    assert server.log.run.progress.failed == 1
    assert server.bodies("phase.started")[-2].name == "Backup"


def test_memory_that_runs_out_fails_the_attempt_and_a_backup_follows(
    begin: Begin, server: LinkServer
) -> None:
    def run_out() -> None:
        raise MemoryError

    perform(begin(PARAMS), Chosen(after=at(2, run_out)))

    found = items(server)
    assert found["1/epoch-2"].error == "There is not enough memory. Give a smaller batch size or fewer rows."
    assert found["report"].data["method"] == "copula"


def test_a_backup_follows_when_a_gauge_is_red_and_the_best_is_kept(begin: Begin, server: LinkServer) -> None:
    perform(begin(PARAMS | {"corr_delta_limit": 0.0, "corr_delta_warn": 0.0, "backups": 4}), Chosen())

    found = items(server)
    assert [key for key in found if key.endswith("/metrics")] == [f"{n}/metrics" for n in range(1, 6)]
    best = min(found[f"{n}/metrics"].data["corr_delta"] for n in range(1, 6))
    kept = found["report"].data
    assert (
        found[f"{kept['attempt']}/metrics"].data["ks_mean"]
        == kept["ks_mean"]
        == server.log.run.metrics["ks_mean"]
    )
    assert kept["verdict"] == "fail"
    assert best > 0
    assert [body.rule for body in server.bodies("guard.tripped")] == ["gauges"]
    assert "is over its limit 0" in notes(server, "backup")[0]


def test_a_green_first_attempt_needs_no_backup(begin: Begin, server: LinkServer) -> None:
    perform(begin(PARAMS | {"backups": 4}), Chosen())

    assert notes(server, "backup") == []


def test_a_failed_attempt_is_not_tried_again_by_a_later_process(begin: Begin, server: LinkServer) -> None:
    backend = Chosen({"ctgan": 2}, after=at(1, server.next_attempt, "copula"))
    with pytest.raises(Fenced):
        perform(begin(PARAMS), backend)

    again = Chosen({"ctgan": 2})
    perform(begin(), again)

    assert [method for method, _ in again.learned if method == "ctgan"] == []
    assert items(server)["report"].data["method"] == "copula"
    assert len(notes(server, "backup")) == len(notes(server, "error")) == len(notes(server, "metrics")) == 1


def test_no_table_at_all_fails_the_run_and_the_report_is_kept(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    with pytest.raises(TrainingFailed, match="None of 2 attempts gave a table"):
        perform(begin(PARAMS | {"backups": 1}), Chosen({"ctgan": 2, "copula": 1}))

    told = json.loads((tmp_path / "report.json").read_text())
    assert [attempt["error"] for attempt in told["attempts"]] == [
        "The loss is not a number. Give fewer epochs."
    ] * 2
    assert "1/epoch-1" in items(server)


def test_the_time_limit_ends_training_and_what_is_learned_is_used(begin: Begin, server: LinkServer) -> None:
    limit = {"time_limit_seconds": 1e-9, "corr_delta_limit": 0.0, "corr_delta_warn": 0.0}

    perform(begin(PARAMS | limit), Chosen())

    found = items(server)
    assert "1/epoch-2" not in found
    assert found["1/table"].data["detail"] == "120 rows"
    assert "2/epoch-1" not in found
    assert [body.rule for body in server.bodies("guard.tripped")] == ["time_limit", "gauges"]
    assert server.log.run.progress.total == server.log.run.progress.done


# Bad input


def test_a_table_that_cannot_be_read_fails_the_run_with_the_fields_name(begin: Begin) -> None:
    with pytest.raises(BadTable, match=r"path: /nowhere/table\.csv: No such file"):
        perform(begin({"path": "/nowhere/table.csv"}))


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilothouse.sdk.kind.find_spec", lambda name: None if name == "torch" else name)

    with pytest.raises(MissingExtra, match="Synthesis needs torch, which is not installed") as caught:
        job.run(begin({"example": "iris"}))

    assert caught.value.hint == "Install it there: pip install 'pilothouse[synth]'"


# Files


def test_the_report_holds_everything_itself_and_escapes_what_comes_from_the_table(
    begin: Begin, tmp_path: Path
) -> None:
    evil = "<script>alert('x')</script>"
    rows = [{"size": record["size"], evil: f"<b>{number % 3}</b>"} for number, record in enumerate(records())]

    perform(begin(PARAMS | {"rows": rows, "dup_rate_limit": 1.0}), Chosen())

    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in page
    assert "http" not in page
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["kept"] == 1
    assert told["attempts"][0]["gauges"]["mia_auc"]["limit"] == 1.0


def test_the_items_of_a_wide_table_with_long_words_are_kept_whole(begin: Begin, server: LinkServer) -> None:
    rows = [
        {f"a column with the number {name}": f"{number % 7} " + "long " * 40 for name in range(150)}
        for number in range(30)
    ]

    perform(begin(PARAMS | {"rows": rows, "backups": 0}), Chosen())

    found = items(server)
    assert len(found["prepare"].data["columns"]) == 150
    assert len(found["prepare"].data["preview"]) == 20
    assert len(found["1/metrics"].data["comparison"]) == 40
    assert isinstance(found["report"].data["comparison"], list)


def test_a_count_of_rows_is_delivered_and_enough_are_measured(begin: Begin, tmp_path: Path) -> None:
    perform(begin(PARAMS | {"count": 3}), Chosen())

    assert len((tmp_path / "synthetic.csv").read_text().splitlines()) == 4


@pytest.mark.xdist_group("torch")
def test_the_real_methods_run_to_the_end(begin: Begin, server: LinkServer, tmp_path: Path) -> None:
    params = {"rows": records(60), "method": "ctgan", "epochs": 2, "backups": 2}

    job.run(begin(params))

    found = items(server)
    assert {found[f"{n}/metrics"].data["method"] for n in (1, 2) if f"{n}/metrics" in found} >= {"ctgan"}
    assert set(found["1/epoch-1"].data) >= {"generator_loss", "critic_loss"}
    assert (tmp_path / "synthetic.csv").exists()
