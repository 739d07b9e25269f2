"""The parts of a training: params, datasets, checkpoints on disk, foreign trainers."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pilothouse.kinds.training import KIND, examples, progressfile
from pilothouse.kinds.training.checkpoint import Shelf, pack, read
from pilothouse.kinds.training.course import steps_per_epoch
from pilothouse.kinds.training.dataset import load_examples, read_records
from pilothouse.kinds.training.errors import BadDataset
from pilothouse.kinds.training.foreign import LOOK_SECONDS
from pilothouse.kinds.training.job import check_packages
from pilothouse.kinds.training.params import Params
from pilothouse.kinds.training.shortage import is_out_of_memory
from pilothouse.kinds.training.tickets import TEAMS, tickets
from pilothouse.sdk.kind import MissingExtra
from tests.sdk.link_server import LinkServer
from tests.worker.conftest import Spawn, spawn

__all__ = ["spawn"]

HANG = 60.0
ENTRY = "pilothouse.kinds.training.job:run"


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"mode": "command"}, "command", "give the command that trains"),
        ({"mode": "watch"}, "progress_file", "give the path of the progress.json"),
        ({"precision": "fp16", "device": "cpu"}, "precision", "fp16 needs a GPU"),
        ({"steps": 10, "warmup_steps": 10}, "warmup_steps", "must be below the 10 steps"),
        ({"learning_rate": float("nan")}, "learning_rate", "less than or equal to 10"),
        ({"max_grad_norm": float("inf")}, "max_grad_norm", "finite"),
        ({"batch_size": 0}, "batch_size", "greater than or equal to 1"),
        ({"no_such": 1}, "no_such", "not permitted"),
    ],
)
def test_bad_params_are_refused_by_name(params: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KIND.validate(params)

    (error,) = caught.value.errors()
    assert error["loc"] == (field,)
    assert words in error["msg"]


def test_every_example_can_be_started() -> None:
    for example in examples():
        KIND.validate(example.params)


def test_every_param_says_what_it_is() -> None:
    silent = [name for name, field in Params.model_fields.items() if not (field.title and field.description)]

    assert silent == []


def test_the_declaration_imports_nothing_heavy() -> None:
    program = "import sys, pilothouse.kinds.training as t; t.KIND.declaration(); print(*sys.modules)"

    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert not {"torch", "transformers", "numpy", "peft", "datasets"} & set(modules.split())


def test_missing_packages_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = {"torch", "peft"}
    monkeypatch.setattr("pilothouse.sdk.kind.find_spec", lambda name: None if name in missing else name)

    with pytest.raises(MissingExtra) as caught:
        check_packages(Params())
    with pytest.raises(MissingExtra, match="Training needs torch, peft"):
        check_packages(Params(method="lora"))

    assert caught.value.message == "Training needs torch, which is not installed where the host runs."
    assert "pip install 'pilothouse[train]'" in (caught.value.hint or "")


def test_errors_of_memory_are_told_from_others() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("MPS backend out of memory"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))


@pytest.mark.parametrize(("devices", "steps"), [(0, 13), (1, 13), (4, 4)])
def test_an_epoch_is_shorter_where_each_gpu_takes_a_batch_of_its_own(devices: int, steps: int) -> None:
    assert steps_per_epoch(100, Params(batch_size=4, accumulation=2), devices) == steps


# Datasets


def test_tickets_are_the_same_everywhere() -> None:
    made = tickets(10)

    assert made == tickets(10)
    assert made != tickets(10, seed=8)
    assert {ticket["completion"] for ticket in made} == set(TEAMS)
    assert made[0] == {
        "id": "ticket-0001",
        "prompt": made[0]["prompt"],
        "completion": "billing",
    }


def test_records_come_from_jsonl_csv_and_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    (tmp_path / "a.csv").write_text("text\none\ntwo\n")
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.table({"text": ["one", "two"]}), tmp_path / "a.parquet")

    found = [list(read_records(str(tmp_path / f"a.{suffix}"))) for suffix in ("jsonl", "csv", "parquet")]

    assert found == [[{"text": "one"}, {"text": "two"}]] * 3


@pytest.mark.parametrize(
    ("name", "content", "more", "words"),
    [
        ("a.jsonl", "", {}, "is empty"),
        ("a.jsonl", '{"body": "x", "id": 1}', {}, "Record 1 of {path} has no field 'text'; it has body, id."),
        ("a.csv", "text,other\n,1\n,2\n", {}, "2 records and no text in any of them"),
        ("a.jsonl", "{", {}, "a.jsonl line 1: not JSON"),
        (
            "a.jsonl",
            '{"text": "x"}\n{"other": "y"}',
            {},
            "Record 2 of {path} has no field 'text'; it has other.",
        ),
        ("a.jsonl", '{"text": "x"}', {"text_field": "body"}, "has no field 'body'; it has text."),
        (
            "a.jsonl",
            '{"text": [{"role": "user"}]}',
            {},
            "Record 1 of {path} has no text in 'text' but a list.",
        ),
        ("a.jsonl", '{"prompt": "x", "completion": {"a": 1}}', {}, "no text in 'completion' but a dict."),
        ("a.xlsx", "x", {}, "has no name that says what it is"),
        ("a.parquet", "no parquet", {}, "The dataset cannot be read. a.parquet:"),
    ],
)
def test_a_bad_dataset_is_refused_in_clear_words(
    tmp_path: Path, name: str, content: str, more: dict[str, Any], words: str
) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(BadDataset) as caught:
        load_examples(Params(dataset=str(path), **more))

    assert words.format(path=path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("field", ["dataset", "eval_dataset"])
def test_the_dataset_that_cannot_be_read_is_named_by_its_field(tmp_path: Path, field: str) -> None:
    with pytest.raises(BadDataset) as caught:
        load_examples(Params(**{field: str(tmp_path / "none.jsonl")}))

    assert caught.value.details["field"] == field


def test_a_file_that_is_not_there_is_named_whole(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"There is no file /.*data.jsonl"):
        read_records("data.jsonl")


def test_a_part_is_held_out_and_never_all(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "only"}\n')

    whole, one = load_examples(Params()), load_examples(Params(dataset=str(path), eval_fraction=0.5))

    assert (len(whole.train), len(whole.evaluate)) == (540, 60)
    assert not {example.prompt for example in whole.evaluate[:1]} - {t["prompt"] for t in tickets()}
    assert (len(one.train), len(one.evaluate)) == (1, 0)


# Checkpoints


def test_a_checkpoint_counts_only_when_it_is_sealed_and_whole(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for step in (5, 10, 15):
        shelf.place(step).mkdir()
        (shelf.place(step) / "weights").write_bytes(b"x" * step)
    shelf.seal(5, {"n": 1})
    shelf.seal(10, {"n": 2})
    (shelf.place(10) / "weights").write_bytes(b"x")

    shelf.sweep()

    assert [(each.step, each.facts) for each in shelf.whole()] == [(5, {"n": 1})]
    assert not shelf.place(15).exists()
    assert read(tmp_path / "nowhere") is None


def test_a_zip_is_whole_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "in" / "below").mkdir(parents=True)
    (tmp_path / "in" / "a").write_text("1")
    (tmp_path / "in" / "below" / "b").write_text("2")

    path = pack(tmp_path / "in", tmp_path / "out.zip")

    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["a", "below/b"]
    with pytest.raises(OSError):
        pack(tmp_path / "in", tmp_path / "in" / "a" / "out.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.zip"]


# Foreign trainers


def test_a_progress_file_is_written_whole_and_without_nan(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"

    progressfile.write(path, {"loss": float("nan"), "current_step": 1, "total_steps": 2, "status": "running"})

    assert json.loads(path.read_text())["loss"] is None
    seen = progressfile.read(path)
    assert seen and (seen.step, seen.total, seen.is_over, seen.metrics) == (1, 2, False, {})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {"step": 3, "total": 9, "train_loss": 1, "lr": 0.1},
            (3, 9, {"loss": 1.0, "learning_rate": 0.1}, False, None),
        ),
        ({"step": 1e300, "total": -1}, (None, None, {}, False, None)),
        ({"progress": 45.5}, (455, 1000, {}, False, None)),
        ({"status": "completed", "complete": True}, (None, None, {}, True, None)),
        ({"status": "failed", "error": "CUDA"}, (None, None, {}, True, "CUDA")),
        ({"status": "cancelled"}, (None, None, {}, True, "The trainer says that it is cancelled.")),
    ],
)
def test_progress_files_of_others_are_read(
    tmp_path: Path, said: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    path = tmp_path / "progress.json"
    path.write_text(json.dumps(said))

    seen = progressfile.read(path)

    assert seen is not None
    assert (seen.step, seen.total, seen.metrics, seen.is_over, seen.error) == expected


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "[" * 200_000, '{"note": "' + "x" * 1_000_000 + '"}'],
    ids=["nothing", "half", "list", "null", "deep", "huge"],
)
def test_half_a_progress_file_is_looked_at_again(tmp_path: Path, content: str) -> None:
    path = tmp_path / "progress.json"
    path.write_text(content)

    assert progressfile.read(path) is None


@pytest.mark.rows("S5.17", "S5.48")
def test_a_trainer_elsewhere_is_followed_to_its_end(server: LinkServer, spawn: Spawn, tmp_path: Path) -> None:
    path = tmp_path / "theirs.json"
    server.add_run(**KIND.validate({"mode": "watch", "progress_file": str(path)}))
    child = spawn(ENTRY, 1)
    server.wait_for(lambda: any("no" in body.text for body in server.bodies("note")[1:]), HANG)

    progressfile.write(path, {"current_step": 4, "total_steps": 8, "loss": 0.5, "status": "running"})
    server.wait_for(lambda: server.log.run.progress.done == 4, HANG)
    server.pause()
    server.wait_for(lambda: server.status() == "paused", HANG)
    progressfile.write(path, {"current_step": 8, "total_steps": 8, "loss": 0.25, "status": "completed"})
    server.resume()

    assert child.wait(HANG) == 0
    assert (server.log.run.progress.done, server.log.run.progress.total) == (8, 8)
    assert server.log.run.metrics["loss"] == 0.25
    assert LOOK_SECONDS <= 2


def test_a_trainer_elsewhere_that_fails_fails_the_run(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.json"
    progressfile.write(path, {"status": "failed", "error": "the GPU fell off the bus"})
    server.add_run(**KIND.validate({"mode": "watch", "progress_file": str(path)}))

    assert spawn(ENTRY, 1).wait(HANG) == 1

    (failed,) = server.bodies("run.failed")
    assert (failed.reason, failed.message) == ("trainer_failed", "the GPU fell off the bus")


def test_a_trainer_that_is_started_here_has_its_bar_read(server: LinkServer, spawn: Spawn) -> None:
    program = r"""
import sys
for n in (0, 500, 1000):
    print(f"\r {n // 10}%|#### | {n}/1000 [00:12<00:17, 33.1it/s, loss={1 - n / 2000}, lr=5e-05]", file=sys.stderr)
    sys.stderr.flush()
"""
    server.add_run(**KIND.validate({"mode": "command", "command": [sys.executable, "-c", program]}))

    assert spawn(ENTRY, 1).wait(HANG) == 0

    assert (server.log.run.progress.done, server.log.run.progress.total) == (1000, 1000)
    assert server.log.run.metrics == {"loss": 0.5, "learning_rate": 5e-05}
