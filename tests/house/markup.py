"""Small pieces of Markdown, and what a docstring says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells keep their pipes."""
    lines = [_row(head), "|" + "---|" * len(head)]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def code(text: object) -> str:
    """Text as code; nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def summary(thing: object) -> str:
    """The docstring without its sections, as one paragraph per paragraph."""
    text = inspect.getdoc(thing) or ""
    return re.split(r"\n\n?(?:Attributes|Args|Returns|Raises|Yields):\n", text)[0].strip()


def first_line(thing: object) -> str:
    """The docstring's first sentence or sentences, on one line."""
    return " ".join(summary(thing).split("\n\n")[0].split())


def section(thing: object, name: str) -> dict[str, str]:
    """The entries of a docstring's section, by name. `a, b: text` counts for both."""
    text = inspect.getdoc(thing) or ""
    found = re.search(rf"^{name}:\n((?:[ ]+.*\n?|\n)+)", text, re.MULTILINE)
    entries: dict[str, str] = {}
    if found is None:
        return entries
    body = inspect.cleandoc(found[1])
    for entry in re.split(r"\n(?=\S)", body):
        names, _, what = entry.partition(":")
        entries |= dict.fromkeys(re.split(r",\s*", names.strip()), " ".join(what.split()))
    return entries
