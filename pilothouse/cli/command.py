"""`pilothouse run … -- COMMAND…`: what follows the two dashes is the command, whatever it looks like."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from pilothouse.cli import words
from pilothouse.cli.client import EXIT_OF_STATUS, OK, USAGE, CliError

if TYPE_CHECKING:
    from rich.console import Console

KIND = "script"
SIGNALLED = 128
NAME_CHARACTERS = 60
# What says which programs are found; the host's own would find others than the user's terminal.
TERMINAL = ("PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONPATH")
_WORDS = "pilothouse.command"
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class CommandAfterDashes(TyperCommand):
    """Keeps the words after the first `--` from being read as options and arguments."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words before the dashes; those after them wait in the context."""
        if "--" in args:
            place = args.index("--")
            ctx.meta[_WORDS] = args[place + 1 :]
            args = args[:place]
        return super().parse_args(ctx, args)


def command_of(context: typer.Context) -> list[str] | None:
    """The words after the dashes; None without dashes.

    Raises:
        CliError: Nothing follows them.
    """
    found: list[str] | None = context.meta.get(_WORDS)
    if found == []:
        raise CliError("After -- comes the command: pilothouse run -- python train.py", exit_code=USAGE)
    return found


def name_of(command: list[str]) -> str:
    """A run's name that tells its command, without the folder of the program."""
    text = shlex.join([Path(command[0]).name, *command[1:]])
    return text if len(text) <= NAME_CHARACTERS else text[: NAME_CHARACTERS - 1] + "…"


def params_of(command: list[str], own: dict[str, Any], variables: list[str], restart: bool) -> dict[str, Any]:
    """The params of a script that runs where the user stands.

    Args:
        command: Program and arguments.
        own: What the script finds in `run.params`.
        variables: Each `NAME=value`, or `NAME` to hand on the terminal's.
        restart: Whether it may be begun again after an interruption.

    Raises:
        CliError: A variable that is not set.
    """
    environment = {name: os.environ[name] for name in TERMINAL if name in os.environ}
    for text in variables:
        name, is_given, value = text.partition("=")
        if not name or not (is_given or name in os.environ):
            raise CliError(f"--env {text}: must be NAME=value, or the name of a variable", exit_code=USAGE)
        environment[name] = value if is_given else os.environ[name]
    return {
        "command": command,
        "folder": str(Path.cwd()),
        "environment": environment,
        "params": own,
        "restart": restart,
    }


def show(event: dict[str, Any], console: Console | None = None) -> None:
    """Print a line of the command where it printed it; above the block that `console` draws, if there is one."""
    line = words.clean(_ANSI.sub("", event["data"]["text"]))
    if console is not None:
        console.print(line)
    else:
        stream = sys.stdout if event["data"]["source"] == "stdout" else sys.stderr
        print(line, file=stream, flush=True)


def exit_code(run: dict[str, Any]) -> int:
    """The exit code that fits a run's end; a command that failed with one gives its own."""
    failure = run["failure"]
    if run["kind"] == KIND and failure and failure["reason"] != "worker_lost":
        if failure["signal"]:
            return SIGNALLED + int(failure["signal"])
        if failure["exit_code"]:
            return int(failure["exit_code"])
    return EXIT_OF_STATUS.get(run["status"], OK)
