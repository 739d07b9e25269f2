"""What the activity feed tells about an autotune."""

from __future__ import annotations

from typing import Any

from pilothouse.kinds.autotune import space as spaces
from pilothouse.kinds.autotune.board import Board
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.score import RATES, in_digits
from pilothouse.sdk.done import Done
from pilothouse.sdk.handle import RunHandle


class News:
    """Says what is new. What failed is told by its own row."""

    def __init__(self, run: RunHandle, params: Params, board: Board) -> None:
        self._run = run
        self._params = params
        self._board = board

    def planned(self, total: int) -> None:
        """What the run is going to do."""
        params = self._params
        points = spaces.size(params.space)
        among = "" if points is None else f" of {points:,} points"
        names = ", ".join(parameter.name for parameter in params.space)
        goals = ", ".join(f"{'high' if each in RATES else 'low'} {each}" for each in params.objectives)
        done = f", {self._board.count} of them are done" if self._board.count else ""
        text = f"{_count(total)}{among} ({params.strategy} over {names}) for {goals}{done}"
        self._run.note("planned", text)
        if others := self._board.others:
            were = "was" if others == 1 else "were"
            self._run.note(
                "planned",
                f"{_count(others)} of the run that this one retries {were} measured otherwise: other parameters, "
                f"target, load, objectives or promises. They stay in the table; "
                "the best, what matters and the strategy leave them out.",
            )

    def after(self, done: Done[Any], *, is_best: bool) -> None:
        """One line for an experiment; one that failed has its row's already."""
        if not done.ok:
            return
        named, score = f"#{done.data.get('number')} ({done.data.get('point')})", done.data.get("score")
        if score is None:
            text = f"{named}: {done.data.get('outcome')}, {done.data.get('reason')}"
        elif is_best:
            difference = done.data.get("difference")
            change = f", {difference}" if difference else ""
            text = f"{named}: {in_digits(score)}, the best so far{change}"
        else:
            text = f"{named}: {in_digits(score)}"
        self._run.note("metrics", text)

    def concluded(self, *, is_used_up: bool) -> None:
        """The run is over."""
        best = self._board.best
        if is_used_up:
            self._run.note("metrics", "Every point of the space was measured.")
        if best is None:
            text = (
                f"{_count(self._board.count)} and none that could be scored; their reasons are in the table."
            )
            self._run.guard("no_score", text)
            self._run.note("error", text)
            return
        point = spaces.in_words(dict(best.known.point))
        self._run.note(
            "metrics", f"The best is #{best.known.number} with {in_digits(best.score or 0)}: {point}"
        )


def _count(number: int) -> str:
    return "1 experiment" if number == 1 else f"{number:,} experiments"
