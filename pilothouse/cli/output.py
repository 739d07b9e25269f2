"""Where a command's words go: data to stdout, talk to stderr, colour only on a terminal.

No control bytes pass: a run's name, an error or a stack is somebody else's text.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from pilothouse.cli.words import clean, speaks_unicode

if TYPE_CHECKING:
    from rich.console import Console


def is_terminal() -> bool:
    """Whether a person sees stdout."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def console(*, stderr: bool = False) -> Console:
    """A console that never takes user text for markup."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def write_what_the_terminal_can() -> None:
    """A terminal of few letters shows `?` for the others, and ends no command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def say(text: str = "") -> None:
    """One line of talk."""
    print(clean(text), file=sys.stderr, flush=True)


def put(text: str) -> None:
    """One line of data."""
    print(clean(text), flush=True)


def put_json(value: Any) -> None:
    """Data for programs, on one line."""
    print(json.dumps(value, ensure_ascii=not speaks_unicode()), flush=True)
