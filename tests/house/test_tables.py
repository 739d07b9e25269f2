"""The tests of the documented tables notice every row that differs from the code."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pilothouse.engine.control import Ask
from pilothouse.model.transition import RULES
from tests import test_docs

PAGES: dict[str, tuple[str, Callable[[], None]]] = {
    "concepts/runs-and-attempts.md": (
        r"^\| `[a-z_.]+` \|.*\|$",
        test_docs.test_the_transition_table_is_the_codes,
    ),
    "concepts/controls.md": (r"^\| \*\*.*\|$", test_docs.test_the_table_of_answers_is_the_codes),
}


def rows(page: str) -> list[str]:
    """The rows of the table on a page; how a run is made is no transition."""
    found = re.findall(PAGES[page][0], test_docs.read(page), re.MULTILINE)
    return [row for row in found if "run.queued" not in row]


def read_as(monkeypatch: pytest.MonkeyPatch, page: str, row: str, instead: str) -> None:
    """Let the tests read a page in which one row is another."""
    text = test_docs.read(page)
    monkeypatch.setattr(test_docs, "read", lambda _: text.replace(f"{row}\n", instead))


@pytest.mark.parametrize("page", PAGES)
def test_a_row_that_is_missing_is_noticed(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for row in rows(page):
        with monkeypatch.context() as patch, pytest.raises(AssertionError):
            read_as(patch, page, row, "")
            PAGES[page][1]()


@pytest.mark.parametrize("page", PAGES)
def test_a_cell_that_differs_is_noticed(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for row in rows(page):
        head, _, last = row.removesuffix(" |").rpartition(" | ")
        other = "`queued`" if last != "`queued`" else "`failed`"
        with monkeypatch.context() as patch, pytest.raises(AssertionError):
            read_as(patch, page, row, f"{head} | {other} |\n")
            PAGES[page][1]()


def test_the_tables_have_as_many_rows_as_the_code() -> None:
    counts = [len(rows(page)) for page in PAGES]

    assert counts == [len(RULES), len(Ask)]
