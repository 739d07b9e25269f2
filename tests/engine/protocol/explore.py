"""Goes through every state that can be reached, breadth first, and finds the shortest way to a broken promise."""

from __future__ import annotations

import gc
import time
from collections import deque
from dataclasses import dataclass

from tests.engine.protocol.moves import Rules
from tests.engine.protocol.server import Server
from tests.engine.protocol.witness import Broken
from tests.engine.protocol.world import Bounds, World


@dataclass(frozen=True)
class Explored:
    """What was found.

    Attributes:
        states: Different states.
        moves: Moves between them.
        steps: Different calls of the real server.
        seconds: How long it took.
        broken: The promise that does not hold, None if all do.
        way: The moves that lead there.
    """

    states: int
    moves: int
    steps: int
    seconds: float
    broken: str | None = None
    way: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = f"{self.states:,} states, {self.moves:,} moves, {self.steps:,} calls, {self.seconds:.1f} s"
        way = "".join(f"\n  {number:2} {move}" for number, move in enumerate(self.way, 1))
        return counts if self.broken is None else f"{counts}\n{self.broken}{way}"


class Exploration:
    """One search."""

    def __init__(self, bounds: Bounds) -> None:
        self._rules = Rules(bounds, Server())
        self._attempts = bounds.attempts
        self._came_from: dict[World, tuple[World, str] | None] = {}
        self._moves: list[tuple[int, int]] = []
        self._numbers: dict[World, int] = {}

    def run(self) -> Explored:
        """Explore everything, or until a promise breaks."""
        began = time.monotonic()
        broken, place = self._walk()
        if broken is None:
            broken, place = self._find_dead_end()
        seconds = time.monotonic() - began
        calls = self._rules.server.calls
        way = self._way_to(place) if broken is not None else ()
        return Explored(len(self._numbers), len(self._moves), calls, seconds, broken, way)

    def _walk(self) -> tuple[str | None, World | None]:
        start = self._rules.begin()
        self._came_from[start], self._numbers[start] = None, 0
        todo = deque([start])
        while todo:
            world = todo.popleft()
            try:
                number = self._numbers[world]
                for name, after in self._rules.moves(world):
                    target = self._numbers.setdefault(after, len(self._numbers))
                    if target == len(self._came_from):
                        self._came_from[after] = (world, name)
                        todo.append(after)
                    self._moves.append((number, target))
            except Broken as error:
                return f"{error} ({self._rules.doing})", world
        return None, None

    def _find_dead_end(self) -> tuple[str | None, World | None]:
        """A state from which no way leads to an end, or to a pause that waits for its user."""
        back: list[list[int]] = [[] for _ in self._numbers]
        for source, target in self._moves:
            back[target].append(source)
        worlds = list(self._numbers)
        todo = [number for number, world in enumerate(worlds) if self._is_good(world)]
        alive = set(todo)
        while todo:
            for source in back[todo.pop()]:
                if source not in alive:
                    alive.add(source)
                    todo.append(source)
        dead = next((world for number, world in enumerate(worlds) if number not in alive), None)
        return (None, None) if dead is None else ("there is always a way out: none is left", dead)

    def _is_good(self, world: World) -> bool:
        run = self._rules.server.run(world.log)
        is_beyond = run.attempt >= self._attempts and run.status == "queued"
        return is_beyond or self._rules.is_settled(world)

    def _way_to(self, world: World | None) -> tuple[str, ...]:
        way: list[str] = []
        while world is not None and (before := self._came_from[world]) is not None:
            world, name = before
            way.append(name)
        return tuple(reversed(way))


def explore(bounds: Bounds) -> Explored:
    """Explore everything within the bounds."""
    was_on = gc.isenabled()
    gc.disable()  # millions of tuples and not one cycle
    try:
        return Exploration(bounds).run()
    finally:
        if was_on:
            gc.enable()
