"""Progress bars are read as they are drawn."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from pilothouse.kinds.bars import Bar, BarReader, Bars, read_bar
from pilothouse.kinds.script import KIND
from tests.sdk.link_server import LinkServer
from tests.worker.conftest import Spawn, spawn

__all__ = ["spawn"]


@pytest.mark.parametrize(
    ("line", "bar"),
    [
        (" 42%|████      | 420/1000 [00:12<00:17, 33.1it/s]", Bar(420, 1000)),
        ("Epoch 1:  50%|#####     | 5/10 [00:01<00:01,  4.9it/s]", Bar(5, 10)),
        ("100%|██████████| 3/3 [00:00<00:00, 9.1it/s]\n", Bar(3, 3)),
        ("train:  24%|██▍  | 1.20k/5.00k [00:12<00:38, 99.9it/s]", Bar(1200, 5000)),
        (
            " 10%|█ | 1/10 [00:01<00:09, 1.0s/it, loss=0.234, lr=5e-05, name=x]",
            Bar(1, 10, {"loss": 0.234, "lr": 5e-05}),
        ),
        ("\r  0%|  | 0/9 [00:00<?, ?it/s]\r 11%|█ | 1/9 [00:00<00:01, 7it/s]", Bar(1, 9)),
        ("\x1b[32m 20%|██  | 2/10 [00:00<00:01]\x1b[0m", Bar(2, 10)),
        ("Working ━━━━━━━━╸━━━━  60% 6/10 0:00:04", Bar(6, 10)),
        ("Working ━━━━━━━━╸━━━━   1%  10/1000 0:00:04", Bar(10, 1000)),
        ("m.bin:  50%|██  | 274M/548M [00:05<00:05, 98.2MB/s]", Bar(274_000_000, 548_000_000, is_bytes=True)),
        ("m.bin:   0%|  | 0.00/1.50k [00:00<?, ?B/s]", Bar(0, 1500, is_bytes=True)),
        (" 50%|██  | 1/2 [00:05<00:05, 5.0s/B]", Bar(1, 2, is_bytes=True)),
        (" 50%|██  | 1/2 [00:05<00:05, 2.0Batch/s]", Bar(1, 2)),
        ("get ━━━━━━━╸━━━━  50% 1.2/2.4 MB 10 MB/s", Bar(1, 2, is_bytes=True)),
    ],
)
def test_a_bar_is_read(line: str, bar: Bar) -> None:
    assert read_bar(line) == bar


@pytest.mark.parametrize(
    "line",
    [
        "",
        "loss 0.5",
        "see page 3/7",
        "50% off",
        "a|b|c 4/5",
        "7it [00:01, 6.9it/s]",
        "10%|x| 9/0 []",
        "x" * 10**6,
        " 50%|██| " + "9" * 400 + "/" + "9" * 400 + " [00:00<00:00]",
        " 50%|██| 1/9999999999999999T [00:00<00:00]",
    ],
)
def test_what_is_no_bar_is_none(line: str) -> None:
    assert read_bar(line) is None


def test_a_bar_in_pieces_is_put_together() -> None:
    bars = Bars()

    told = [
        bars.feed(piece)
        for piece in ("\r 10%|█   | 1/", "10 [00:00<", "00:01, 7it/s]\r", " 20%|██  | 2/10", " [00:00<")
    ]

    assert told == [None, Bar(1, 10), Bar(1, 10), None, Bar(2, 10)]


def test_a_total_that_is_cut_in_two_hides_no_later_state() -> None:
    bars = Bars()

    told = [
        bars.feed(piece) for piece in ("  0%|    | 0/1", "000 [00:00<?]\r 50%|██  | 500/1000 [00:01<00:01]\r")
    ]

    assert told == [None, Bar(500, 1000)]


def test_a_download_hides_no_later_bar_that_counts_items() -> None:
    bars = Bars()

    told = [bars.feed(f"{line}\n") for line in (
        "m.bin:   1%|    | 5.48M/548M [00:00<00:05, 98.2MB/s]",
        "  1%|    | 10/1000 [00:01<01:00, 9.9it/s]",
        "m.bin: 100%|████| 548M/548M [00:05<00:00, 98.2MB/s]",
        " 50%|██  | 500/1000 [00:30<00:30, 9.9it/s]",
    )]  # fmt: skip

    assert told == [None, Bar(10, 1000), None, Bar(500, 1000)]


@pytest.mark.parametrize("line", ["─" * 10**5, "━ 5%" * 10**5, " 5%|" * 10**5, "─ 5% 1/1 " * 10**5])
def test_no_line_holds_the_reader_up(line: str) -> None:
    Bars().feed(f"{line}\n")  # the suite's limit of a test is the hang limit


def test_a_bar_within_a_bar_does_not_count() -> None:
    bars = Bars()

    told = [bars.feed(f"{line}\n") for line in (
        " 10%|█   | 10/100 [00:00<00:01]",
        " 50%|██  | 2/4 [00:00<00:01]",
        " 11%|█   | 11/100 [00:00<00:01]",
    )]  # fmt: skip

    assert told == [Bar(10, 100), None, Bar(11, 100)]


def test_a_longer_bar_follows_one_that_is_full_and_a_shorter_one_does_not() -> None:
    bars = Bars()

    told = [bars.feed(f"{line}\n") for line in (
        "Loading: 100%|████| 2/2 [00:01<00:00]",
        "  1%|    | 10/1000 [00:01<01:00]",
        " 50%|██  | 25/50 [00:00<00:00]",
        "100%|████| 1000/1000 [01:00<00:00]",
        " 50%|██  | 25/50 [00:00<00:00]",
    )]  # fmt: skip

    assert told == [Bar(2, 2), Bar(10, 1000), None, Bar(1000, 1000), None]


def test_a_reader_tells_the_last_state_though_it_came_at_once() -> None:
    told: list[Bar] = []
    reader = BarReader(told.append, clock=lambda: 0.0)

    for done in (1, 2, 3):
        reader.hear(f" {done}0%|#   | {done}/10 [00:00<00:01]\n", "stderr")
    reader.finish()
    reader.finish()

    assert told == [Bar(1, 10), Bar(3, 10)]


def test_what_tqdm_itself_draws_is_read() -> None:
    tqdm: Any = pytest.importorskip("tqdm").tqdm
    drawn = io.StringIO()
    bars = Bars()

    for number in tqdm(range(20), file=drawn, mininterval=0, postfix={"loss": 0.5}):
        assert number >= 0
    last = bars.feed(drawn.getvalue())

    assert last == Bar(20, 20, {"loss": 0.5})


def test_a_bar_that_the_command_draws_is_the_runs_progress(server: LinkServer, spawn: Spawn) -> None:
    drawn = r"""
import sys
for n in (0, 420, 1000):
    print(f"\r {n // 10}%|#### | {n}/1000 [00:12<00:17, 33.1it/s]", end="", file=sys.stderr)
"""

    command = [sys.executable, "-c", drawn]
    server.add_run(**KIND.validate({"command": command}))

    child = spawn("pilothouse.kinds.script.job:run", 1)

    assert child.wait(60) == 0
    progress = server.log.run.progress
    assert (progress.done, progress.total) == (1000, 1000)
