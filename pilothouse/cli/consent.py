"""Asking before something that cannot be undone."""

from __future__ import annotations

import sys

from pilothouse.cli.client import USAGE, CliError
from pilothouse.cli.output import say


def agrees(question: str) -> bool:
    """Whether a person at the terminal says yes.

    Raises:
        CliError: There is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        raise CliError(
            "cancel asks before it ends a run, and there is no terminal to ask on", "Add -y.", exit_code=USAGE
        )
    say(question)
    print(
        "Type y to cancel, anything else to keep running [y/N]: ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
