"""From the click on *Start run* to what a user sees: the run's own page, its first sign of life, its first result.

A real browser, a real server, each built-in kind with its short example; the
server is warm, the job's process is not.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.report import Report
from pilothouse.kinds import builtin
from pilothouse.sdk.kind import Kind
from pilothouse.testing.stack import Stack, stack
from tests.e2e.browser import chromium, sign_in

SCRIPT = "script"  # has no example: its command is the user's
PATIENCE_MS = 120_000
GOAL_SECONDS = 1.0
MARKS = {
    "first sign of life": "main [data-status]:not([data-status=queued])",
    "first result": "[data-key]",
}


def run(report: Report) -> None:
    """One start of each kind, or three; the middle one counts."""
    times = 1 if report.quick else 3
    with tempfile.TemporaryDirectory() as folder, stack(Path(folder) / "data") as up, chromium() as browser:
        for kind in builtin().values():
            if kind.name == SCRIPT or (kind.extra and kind.extra.missing()):
                continue
            seen = [click(browser, up, kind) for _ in range(times)]
            for what, goal in (("page", GOAL_SECONDS), ("first sign of life", None), ("first result", None)):
                each = sorted(seconds[what] for seconds in seen)
                name = f"{kind.name}: click to its {what}"
                report.add("clicks", name, each[times // 2], "s", goal, more={"all": each})


def click(browser: Browser, up: Stack, kind: Kind) -> dict[str, float]:
    """Seconds from the click to the run's page, to its status `running`, and to the first row of its results."""
    example = next(each for each in (kind.examples() if kind.examples else ()) if each.name == "quick")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    try:
        sign_in(page, up, f"/runs/new?kind={kind.name}")
        page.get_by_role("button", name=example.title, exact=True).click()
        start = page.get_by_role("button", name=re.compile("Start run|Add to queue")).first
        start.wait_for()
        began = time.perf_counter()
        start.click()
        page.wait_for_url(re.compile(rf"/runs/{kind.prefix}_"))
        seconds = {"page": time.perf_counter() - began}
        for what, mark in MARKS.items():
            page.locator(mark).first.wait_for(timeout=PATIENCE_MS)
            seconds[what] = time.perf_counter() - began
        end(up, page.url.rpartition("/")[2])
        return seconds
    finally:
        page.close()


def end(up: Stack, run_id: str) -> None:
    """See to it that the next one has the machine for itself."""
    with up.client() as client:
        client.post(f"/api/runs/{run_id}/cancel", json={})
    up.wait(run_id, lambda run: run["ended_at"] is not None, "the end")
