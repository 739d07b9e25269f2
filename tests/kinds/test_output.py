"""The files of a batch, whatever its samples hold and however slowly they are sent."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.generation.output import Output, write_parquet


def record(number: int) -> dict[str, Any]:
    return {"number": number, "sample": {"text": f"text {number}"}}


class Sent:
    """Notes what was sent, and how many lines it had; sends nothing before it may."""

    def __init__(self, *, is_slow: bool = False) -> None:
        self.files: list[tuple[str, int]] = []
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        if not is_slow:
            self.may_go_on.set()

    def __call__(self, path: Path, name: str) -> None:
        lines = len(path.read_text("utf-8").splitlines()) if name.endswith(".jsonl") else 0
        if threading.current_thread().daemon:
            self.begun.set()
            self.may_go_on.wait(30)
        self.files.append((name, lines))


def test_the_whole_file_is_sent_after_the_part_that_is_still_on_its_way(tmp_path: Path) -> None:
    sent = Sent(is_slow=True)
    output = Output(tmp_path, sent)
    output.begin()
    for number in range(12):
        output.add(record(number))
    assert sent.begun.wait(30)

    ending = threading.Thread(target=output.end, daemon=False)
    ending.start()
    ending.join(0.2)  # as long as the part is on its way, it cannot end
    sent.may_go_on.set()
    ending.join(30)

    assert [lines for name, lines in sent.files if name == "samples.jsonl"] == [10, 12]


def test_what_an_earlier_attempt_has_sent_is_not_replaced_by_less(tmp_path: Path) -> None:
    sent = Sent()
    output = Output(tmp_path, sent)
    output.begin()
    for number in range(50):
        output.restore(record(number))
    output.add(record(50))
    output.end()

    assert min(lines for name, lines in sent.files if name == "samples.jsonl") == 51


def test_a_part_that_finds_no_room_for_its_copy_ends_no_batch(tmp_path: Path) -> None:
    (tmp_path / "samples.sent").mkdir()  # nothing can be written there
    sent = Sent()
    output = Output(tmp_path, sent)
    output.begin()
    for number in range(12):
        output.add(record(number))
    output.end()

    assert [lines for name, lines in sent.files if name == "samples.jsonl"] == [12]


@pytest.mark.parametrize("value", [{}, [{}], {"a": {}}, {"a": [{"b": {}}]}, [1, "x"], 2**70, None])
def test_every_sample_that_json_can_hold_gets_into_a_parquet_file(tmp_path: Path, value: Any) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet")

    write_parquet(tmp_path / "a.parquet", [{"number": 1, "field": value}, {"number": 2}])

    assert parquet.read_table(tmp_path / "a.parquet").to_pydict()["number"] == [1, 2]
