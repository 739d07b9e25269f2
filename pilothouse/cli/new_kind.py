"""`pilothouse new-kind NAME`: a small kind that works, to be replaced by one's own.

What it writes is the package `my_kind` beside this file, with another name.
"""

from __future__ import annotations

import keyword
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.client import NOT_POSSIBLE, OTHER, USAGE, CliError
from pilothouse.cli.output import say

SAMPLE = "my_kind"
FOLDER = Path(__file__).parent / SAMPLE
FILES = ("README.md", "__init__.py", "job.py", f"test_{SAMPLE}.py")
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("new-kind")(new_kind)


def new_kind(
    name: Annotated[str, typer.Argument(help="Name of the kind and its folder, such as word_count.")],
) -> None:
    """Write a small kind that works into a new folder here: declaration, job, test, README."""
    check(name)
    written = write(name, Path.cwd())
    say(f"✓ {name}/   {'  '.join(written)}")
    say(f'  Start:  PYTHONPATH="$PWD" PILOTHOUSE_KINDS={name}:KIND pilothouse up')
    say(f"  Run:    pilothouse run {name}")
    say(f"  Prove:  python -m pytest {name}")


def check(name: str) -> None:
    """Refuse what cannot be the name of a kind and of a package.

    Raises:
        CliError: The message says why, and what would do.
    """
    if not _NAME.fullmatch(name):
        better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        raise CliError(
            f"{name}: must be lower-case letters, digits and _, 2 to 40 of them, a letter first",
            f"pilothouse new-kind {better if _NAME.fullmatch(better) else 'word_count'}",
            exit_code=USAGE,
        )
    from pilothouse.kinds import NAMES

    taken = ""
    if keyword.iskeyword(name):
        taken = "a word of Python itself"
    elif name in NAMES:
        taken = "a kind of Pilothouse"
    elif name in sys.stdlib_module_names or _is_installed(name):
        taken = "a module of this Python"
    if taken:
        raise CliError(f"{name} is {taken}; take another name", exit_code=USAGE)


def _is_installed(name: str) -> bool:
    """Whether a module of this name would be found anywhere but where the kind goes."""
    found = find_spec(name)
    places = [found.origin, *(found.submodule_search_locations or ())] if found else []
    return any(place and not Path(place).is_relative_to(Path.cwd() / name) for place in places)


def write(name: str, folder: Path) -> list[str]:
    """Write the package, and answer the names of its files.

    Raises:
        CliError: Something of that name is there already, or the folder cannot be written.
    """
    target = folder / name
    try:
        target.mkdir()
        for file in FILES:
            text = (FOLDER / file).read_text(encoding="utf-8")
            (target / _named(file, name)).write_text(_named(text, name), encoding="utf-8")
    except FileExistsError:
        raise CliError(
            f"{name} is there already, and nothing is written over it",
            "Take another name, or go to another folder.",
            exit_code=NOT_POSSIBLE,
        ) from None
    except OSError as error:
        raise CliError(f"{target} cannot be written: {error.strerror}", exit_code=OTHER) from None
    return [_named(file, name) for file in FILES]


def _named(text: str, name: str) -> str:
    """The sample's text with another name."""
    title = name.replace("_", " ").capitalize()
    return text.replace("My kind", title).replace(SAMPLE, name)
