"""The argv of a server: what each known one is called, and how it takes its settings."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pilothouse.kinds.autotune.parts import Parameter, Target
from pilothouse.kinds.autotune.space import Point, Value, spelled

_HOLE = re.compile(r"\{([A-Za-z][A-Za-z0-9_.-]*)\}")
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one server is started.

    Attributes:
        program: What begins the argv.
        place: Words for the model and the port.
        flags: Set unless the target or a parameter says otherwise.
        has_no: Whether `--no-x` switches `x` off; else a false flag is left out.
    """

    program: Callable[[], list[str]]
    place: Callable[[str, int], list[str]]
    flags: Mapping[str, Value]
    has_no: bool


ADAPTERS: dict[str, Adapter] = {
    "offline": Adapter(
        lambda: [sys.executable, "-m", "pilothouse.llm.offline"],
        lambda model, port: ["--port", str(port)],
        {"ms-per-token": 0},
        has_no=False,
    ),
    "transformers": Adapter(
        lambda: [beside("transformers"), "serve"],
        lambda model, port: [model, "--host", HOST, "--port", str(port)],
        {},
        has_no=True,
    ),
    "vllm": Adapter(
        lambda: [beside("vllm"), "serve"],
        lambda model, port: [model, "--host", HOST, "--port", str(port)],
        {},
        has_no=True,
    ),
    "sglang": Adapter(
        lambda: [sys.executable, "-m", "sglang.launch_server"],
        lambda model, port: ["--model-path", model, "--host", HOST, "--port", str(port)],
        {},
        has_no=False,
    ),
}


def argv(target: Target, space: list[Parameter], point: Point, port: int) -> list[str]:
    """The command of an experiment, one word each; no shell reads it."""
    given = {parameter.name: point[parameter.name] for parameter in space if parameter.apply == "flag"}
    known = {
        "port": str(port),
        "model": target.model or "",
        **{name: spelled(v) for name, v in given.items()},
    }
    used: set[str] = set()
    words = [_fill(word, known, used) for word in target.command]
    left = {name: value for name, value in given.items() if name not in used}
    adapter = ADAPTERS.get(target.server)
    if adapter is None:
        return [*words, *written({**target.flags, **left}, has_no=False)]
    flags = _merged(adapter.flags, target.flags, left)
    begin = words or adapter.program()
    return [*begin, *adapter.place(target.model or "", port), *written(flags, has_no=adapter.has_no)]


def variables(target: Target, space: list[Parameter], point: Point) -> dict[str, str]:
    """The variables of an experiment's environment, beside those of the host."""
    given = {p.name: spelled(point[p.name]) for p in space if p.apply == "environment"}
    return {**target.environment, **given}


def written(flags: Mapping[str, Value], *, has_no: bool) -> list[str]:
    """Flags as words: `--name value`, `--name` for true, `--no-name` or nothing for false."""
    words: list[str] = []
    for name, value in flags.items():
        if value is True:
            words.append(f"--{name}")
        elif value is False:
            words += [f"--no-{name}"] if has_no else []
        else:
            words += [f"--{name}", str(value)]
    return words


def beside(program: str) -> str:
    """A program of this Python's environment, else the one on PATH."""
    own = Path(sys.executable).parent / program
    return str(own) if own.exists() else shutil.which(program) or program


def _merged(*layers: Mapping[str, Value]) -> dict[str, Value]:
    """Later layers win; `a_b` and `a-b` are one flag, written with hyphens."""
    merged: dict[str, Value] = {}
    for layer in layers:
        merged |= {name.replace("_", "-"): value for name, value in layer.items()}
    return merged


def _fill(word: str, known: Mapping[str, str], used: set[str]) -> str:
    """Fill the holes whose names are known; other braces are left alone."""

    def one(match: re.Match[str]) -> str:
        used.add(match[1])
        return known.get(match[1], match[0])

    return _HOLE.sub(one, word)
