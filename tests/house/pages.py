"""The parts of docs/ that the code writes: `python -m tests.house.pages` brings them up to date.

A page holds `<!-- generated: NAME -->` … `<!-- end -->`; what stands between is
the answer of the function of that name here. `tests/test_docs.py` fails when a
page and its code differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.house import api_pages, cli_pages, model_pages, rows, sample_pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

BLOCKS: dict[str, Callable[[], str]] = {
    "state-chart": model_pages.state_chart,
    "transitions": model_pages.transitions,
    "answers": model_pages.answers,
    "events": model_pages.events,
    "errors": model_pages.errors,
    "job-errors": model_pages.job_errors,
    "settings": model_pages.settings,
    "run-fields": model_pages.run_fields,
    "panels": api_pages.panels,
    "declarations": api_pages.declarations,
    "handle": api_pages.handle,
    "signals": api_pages.signals,
    "contracts": api_pages.contracts,
    "commands": cli_pages.commands,
    "checklist": rows.checklist,
    "new-kind-declaration": sample_pages.declaration,
    "new-kind-job": sample_pages.job,
    "new-kind-test": sample_pages.test,
}


def fill(page: str) -> str:
    """The page with every generated part as the code has it now."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]().strip()}\n\n{found[3]}", page)


def pages() -> list[Path]:
    """Every page."""
    return sorted(DOCS.rglob("*.md"))


def main() -> None:
    """Bring all pages up to date."""
    for path in pages():
        page = path.read_text()
        if (filled := fill(page)) != page:
            path.write_text(filled)
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
