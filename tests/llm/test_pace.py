"""How fast a provider is asked: by threads and processes that share a limit, die, and find files of the dead."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time as real_time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from pilothouse.llm.pace import LONGEST_WAIT, RateLimit, back_off, read_retry_after


class Time(list[float]):
    """A clock that goes on by what is waited."""

    now = 100.0

    def __call__(self, seconds: float) -> None:
        self.append(round(seconds, 6))
        self.now += seconds


def test_a_rate_limit_spaces_requests_evenly() -> None:
    time = Time()
    limit = RateLimit(30, clock=lambda: time.now, wait=time)

    for _ in range(3):
        limit.take_turn()
    time.now += 100
    limit.take_turn()

    assert time == [2.0, 2.0]


def test_a_turn_that_was_slept_over_a_little_puts_off_none_of_the_next() -> None:
    time = Time()
    limit = RateLimit(30, clock=lambda: time.now, wait=time)

    limit.take_turn()
    time.now += 2.5
    limit.take_turn()
    limit.take_turn()

    assert time == [1.5]


def test_tokens_are_spaced_by_what_the_answers_before_have_cost() -> None:
    time = Time()
    limit = RateLimit(None, 600, clock=lambda: time.now, wait=time)

    limit.spend(100, limit.take_turn())
    second = limit.take_turn()
    third = limit.take_turn()
    limit.spend(40, second)
    limit.spend(100, third)
    limit.take_turn()

    assert time == [10.0, 10.0, 4.0]


def test_processes_that_name_one_file_share_a_limit(tmp_path: Path) -> None:
    time = Time()
    one, other = (
        RateLimit(30, 600, file=tmp_path / "paces" / "a.json", clock=lambda: time.now, wait=time)
        for _ in range(2)
    )

    one.take_turn()
    other.spend(100, other.take_turn())
    one.take_turn()

    assert time == [2.0, 10.0]


@pytest.mark.parametrize("text", ["", "{", '{"turn": 9e9, "zero": -1e9}', '{"other": 1}'])
def test_a_file_of_another_life_of_the_machine_holds_nobody_up(tmp_path: Path, text: str) -> None:
    file, time = tmp_path / "a.json", Time()
    file.write_text(text)

    RateLimit(30, file=file, clock=lambda: time.now, wait=time).take_turn()

    assert time == []


@pytest.mark.parametrize("turn", ["NaN", "1e999", '"9"', "null", "[]"])
def test_a_file_with_a_state_that_is_none_holds_nobody_up(tmp_path: Path, turn: str) -> None:
    file, time = tmp_path / "a.json", Time()
    file.write_text(f'{{"turn": {turn}, "zero": {real_time.time() - time.now}}}' + " " * 5000)
    one, other = limits(2, time, file)

    one.take_turn()
    other.take_turn()

    assert time == [2.0]


def limits(
    count: int, time: Time, file: Path, rpm: float | None = 30, tpm: float | None = None
) -> list[RateLimit]:
    """As many processes would have them."""
    return [RateLimit(rpm, tpm, file=file, clock=lambda: time.now, wait=time) for _ in range(count)]


def test_a_wall_clock_that_is_set_frees_nobody_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    one, other = limits(2, time, tmp_path / "a.json")
    one.take_turn()

    set_to = real_time.time() + 7200
    monkeypatch.setattr(real_time, "time", lambda: set_to)
    one.take_turn()
    other.take_turn()

    assert time == [2.0, 2.0]


def test_while_the_file_cannot_be_used_the_limit_holds_for_each_process(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where a folder should be")
    time = Time()
    (limit,) = limits(1, time, tmp_path / "full" / "a.json", 30, 600)

    limit.spend(100, limit.take_turn())
    limit.take_turn()

    assert time == [10.0]


def test_a_file_that_fills_the_disk_loses_no_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    (limit,) = limits(1, time, tmp_path / "a.json")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    limit.take_turn()
    monkeypatch.setattr(os, "pwrite", full)
    limit.take_turn()
    limit.take_turn()

    assert time == [2.0, 2.0]


def test_a_limit_that_was_mistyped_ends_with_its_run(tmp_path: Path) -> None:
    time = Time()
    (mistyped,) = limits(1, time, tmp_path / "a.json", 0.001, 1)
    mistyped.spend(5000, mistyped.take_turn())

    (right,) = limits(1, time, tmp_path / "a.json", 60, 6000)
    right.take_turn()

    assert sum(time) == pytest.approx(60)


def test_a_limit_that_one_does_not_have_holds_for_the_others_only(tmp_path: Path) -> None:
    time = Time()
    (requests,), (tokens,) = (limits(1, time, tmp_path / "a.json", *how) for how in ((30, None), (None, 600)))

    requests.take_turn()
    tokens.spend(1000, tokens.take_turn())
    requests.take_turn()
    waited = list(time)
    tokens.take_turn()

    assert waited == [2.0]
    assert sum(time) == pytest.approx(100)


def test_what_an_answer_has_cost_counts_also_when_the_clock_has_just_begun() -> None:
    time = Time()
    time.now = 0.0
    limit = RateLimit(None, 600, clock=lambda: time.now, wait=time)

    limit.spend(100, limit.take_turn())
    limit.take_turn()

    assert time == [10.0]


def test_before_any_answer_requests_are_spaced_by_a_guess() -> None:
    time = Time()
    limit = RateLimit(None, 600, clock=lambda: time.now, wait=time)

    for _ in range(3):
        limit.take_turn(50)

    assert time == [5.0, 5.0]


def test_who_waits_goes_on_early_when_an_answer_was_cheap() -> None:
    class Answered(Time):
        def __call__(self, seconds: float) -> None:
            super().__call__(seconds)
            if len(self) == 2:
                limit.spend(10, reckoned)

    time = Answered()
    limit = RateLimit(None, 600, clock=lambda: time.now, wait=time)

    reckoned = limit.take_turn(10_000)
    limit.take_turn(10_000)

    assert reckoned == 1000
    assert sum(time) == 20


def test_a_holder_that_is_killed_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pilothouse.llm.pace import RateLimit\n"
        "with RateLimit(30, file=Path(sys.argv[1]))._pace(): print('held', flush=True); time.sleep(600)"
    )
    file = tmp_path / "a.json"
    holder = subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    done = threading.Event()

    def ask() -> None:
        RateLimit(30, file=file).take_turn()
        done.set()

    threading.Thread(target=ask, daemon=True).start()

    holder.kill()
    holder.communicate(timeout=20)

    assert done.wait(30)


def test_one_that_asks_without_end_keeps_no_other_from_its_turns(tmp_path: Path) -> None:
    greedy, other = (RateLimit(60_000, file=tmp_path / "a.json") for _ in range(2))
    is_over = threading.Event()
    taken = 0

    def ask() -> None:
        nonlocal taken
        while not is_over.is_set():
            greedy.take_turn()
            taken += 1

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    for _ in range(20):
        other.take_turn()
    is_over.set()
    asking.join(30)

    assert 0 < taken < 2000


def test_the_state_is_never_half_written(tmp_path: Path) -> None:
    file, time = tmp_path / "a.json", Time()
    one, other = limits(2, time, file)

    sizes = set()
    for limit in (one, other, one):
        limit.take_turn()
        sizes.add(file.stat().st_size)

    assert len(sizes) == 1
    assert json.loads(file.read_text())["turn"] == time.now + 2


def test_the_back_off_grows_jitters_and_has_an_end() -> None:
    dice = random.Random(1)

    waits = [[back_off(attempt, None, dice) for _ in range(200)] for attempt in (1, 2, 3, 20)]

    assert [max(some) <= top for some, top in zip(waits, (0.5, 1, 2, LONGEST_WAIT), strict=True)] == [
        True
    ] * 4
    assert max(waits[2]) > 1.5
    assert len(set(waits[0])) > 100


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    date = format_datetime(datetime.fromtimestamp(1_000_060, UTC), usegmt=True)

    assert read_retry_after("1.5", 0) == 1.5
    assert read_retry_after(date, 1_000_000) == 60
    assert read_retry_after("soon", 0) is None
    assert read_retry_after(None, 0) is None
