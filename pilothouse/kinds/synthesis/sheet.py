"""CSV text as a heading and lines of cells.

The separator is found by the heading: a comma, or what programs of other countries
write, a semicolon, a tab or a bar. With a semicolon, `1,5` is a number. Imports the
standard library and pydantic only.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain, dropwhile
from typing import Any

from pilothouse.kinds.models import problem

SEPARATORS = ",;\t|"
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d+,\d+\s*")


def read_csv_text(text: str) -> list[dict[str, Any]]:
    """The rows of a CSV text with a heading.

    Raises:
        PydanticCustomError: See `read_csv`.
    """
    heading, lines = read_csv(io.StringIO(text.lstrip("\ufeff"), newline=""))
    return [dict(zip(heading, line, strict=True)) for line in lines]


def read_csv(source: Iterable[str], most: int | None = None) -> tuple[list[str], list[list[str]]]:
    """Heading and lines, each as long as the heading; cells that are missing at a line's end are empty.

    Args:
        source: Physical lines, with their ends as they are.
        most: Reading ends after one line more than that. None: never.

    Raises:
        PydanticCustomError: It is no CSV, has no heading, a name twice, or a row with more cells than the heading.
    """
    lines: list[list[str]] = []
    found = _lines(source)
    heading = [name.strip() for name in next(found, [])]
    if twice := sorted({name for name in heading if heading.count(name) > 1}):
        raise problem(f"the heading names {twice[0]!r} twice; give each column a name of its own")
    for number, line in enumerate(found, 1):
        if len(line) > len(heading):
            raise problem(f"row {number} has {len(line)} cells, the heading has {len(heading)}")
        lines.append(line + [""] * (len(heading) - len(line)))
        if most is not None and number > most:
            break
    if not lines:
        raise problem("this CSV has no rows below its heading")
    return heading, lines


def _lines(source: Iterable[str]) -> Iterator[list[str]]:
    """Lines that are not empty."""
    rest = dropwhile(lambda line: not line.strip(), source)
    first = next(rest, "")
    separator = max(SEPARATORS, key=lambda each: len(next(csv.reader([first], delimiter=each), [])))
    reader = csv.reader(chain([first], rest), delimiter=separator, strict=True)
    try:
        for line in reader:
            if line:
                yield [_with_point(cell) for cell in line] if separator == ";" else line
    except csv.Error as error:
        raise problem(f"line {reader.line_num} is no CSV: {error}") from None


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if _COMMA_NUMBER.fullmatch(cell) else cell
