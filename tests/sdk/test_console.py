"""The console: lines, bars and floods."""

from __future__ import annotations

import io

import pytest

from pilothouse.sdk.console import BURST_LINES, LINE_CHARACTERS, Console


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Console, io.StringIO, list[str], Clock]:
    real, said, clock = io.StringIO(), list[str](), Clock()
    return Console(real, "stdout", lambda source, text: said.append(text), clock), real, said, clock


def test_pieces_become_lines_and_the_real_stream_gets_them_as_they_are() -> None:
    console, real, said, _ = made()

    for piece in ("a", "b\nc", "\r\n", "\n", "d"):
        console.write(piece)
    console.finish()

    assert said == ["ab", "c", "", "d"]
    assert real.getvalue() == "ab\nc\r\n\nd"


def test_a_bar_counts_as_one_line_and_is_told_now_and_then() -> None:
    console, _, said, clock = made()

    for percent in range(100):
        clock.now = percent / 10
        console.write(f"\r{percent}% ###")
    console.write("\n")

    assert said[-1] == "99% ###"
    assert 8 <= len(said) <= 11


@pytest.mark.parametrize("end", ["", "\r", "\n", "\r\n"])
def test_the_state_at_which_a_bar_was_told_is_not_told_again_at_its_end(end: str) -> None:
    console, _, said, clock = made()

    console.write("10%\r")
    clock.now = 5.0
    console.write("100%")
    clock.now = 10.0
    console.write("\r100%")
    console.write(end)
    console.finish()

    assert said == ["100%"]


def test_a_flood_is_thinned_out_and_counted() -> None:
    console, real, said, clock = made()

    for number in range(5_000):
        console.write(f"{number}\n")
    clock.now = 1.0
    console.write("later\n")

    assert len(said) == BURST_LINES + 2
    assert said[-2].startswith("… 4,000 lines are left out here")
    assert said[-1] == "later"
    assert real.getvalue().count("\n") == 5_001


def test_a_very_long_line_is_cut() -> None:
    console, _, said, _ = made()

    console.write("x" * 20_000 + "\n")

    assert len(said[0]) < LINE_CHARACTERS + 50
    assert said[0].endswith("more]")


def test_a_full_disk_does_not_fail_the_print() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    said: list[str] = []
    console = Console(Full(), "stdout", lambda source, text: said.append(text))

    print("still here", file=console)

    assert said == ["still here"]
