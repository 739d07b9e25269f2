"""What the page shows when runs are paused with choices, stand still, crash or are commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium, sign_in
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.xdist_group("trouble"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert not problems, problems


def start(up: Stack, name: str, kind: str = "counting", **params: Any) -> str:
    run_id: str = up.api("POST", "/api/runs", {"kind": kind, "name": name, "params": params})["id"]
    return run_id


@pytest.fixture(autouse=True)
def room(up: Stack) -> Iterator[None]:
    """End what a test leaves running, so that the next one has the slots."""
    yield
    alive = [
        run["id"] for run in up.api("GET", "/api/runs?status=running&status=paused&status=queued")["runs"]
    ]
    if alive:  # one that has just ended answers so for itself
        up.api("POST", "/api/controls", {"control": "cancel", "run_ids": alive, "force": True})
    for run_id in alive:
        up.wait(run_id, lambda now: bool(now["ended_at"]), "the end")


def wake(up: Stack, run_id: str) -> None:
    """Kill the job: the next attempt moves."""
    for process in psutil.Process(up.process.pid).children(recursive=True):
        with suppress(psutil.Error):
            if (
                process.environ().get("PILOTHOUSE_RUN_ID") == run_id
                and "pilothouse.worker.child" in process.cmdline()
            ):
                process.kill()
    up.wait(run_id, lambda run: run["attempt"] == 2 and not run["stuck"], "the next attempt")


def is_stuck(run: dict[str, Any]) -> bool:
    """Stuck since its item began; a job that is slow to start is stuck for a moment too."""
    return bool(run["stuck"] and run["current"] and run["turned"] > run["moved"])


def status(page: Page) -> Any:
    return page.locator("main [data-status]").first


def test_a_pause_has_an_end_a_reason_and_a_strength_and_its_resume_is_foretold(up: Stack, page: Page) -> None:
    run_id = start(up, "chosen", count=4000, speed=20)
    up.wait(run_id, lambda run: run["progress"]["done"] > 5, "some items")
    sign_in(page, up, f"/runs/{run_id}")

    page.get_by_role("button", name="Ways to pause").locator("visible=true").first.click()
    page.get_by_role("menuitem", name=re.compile("Pause until…")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("by itself in 15 minutes").check()
    dialog.get_by_label(re.compile("Free its memory")).check()
    dialog.get_by_label("Reason").fill("budget")
    dialog.get_by_role("button", name="Pause", exact=True).click()

    expect(status(page)).to_have_text(
        re.compile(r"Paused by \w+: budget · memory freed · resumes .*\d\d:\d\d")
    )
    run = up.run(run_id)
    kept = run["progress"]["done"]
    assert (run["strength"], run["reason"]) == ("release", "budget")
    expect(page.get_by_text(re.compile(f"Resume: {kept} kept · {4000 - kept} left")).first).to_be_visible()
    page.get_by_role("button", name="Resume").locator("visible=true").first.click()
    expect(page.get_by_text("attempt 2", exact=True)).to_be_visible()


@pytest.mark.rows("S2.11", "S2.95", "S2.100")
def test_a_stuck_run_says_why_and_shows_its_stack(up: Stack, page: Page) -> None:
    run_id = start(up, "standing", count=10, stubborn=True, stuck_seconds=1.0)
    up.wait(run_id, is_stuck, "the watchdog")
    sign_in(page, up, f"/runs/{run_id}")

    notice = page.get_by_role("region", name="This run looks stuck")
    expect(notice).to_contain_text("no number, metric or phase. The process is alive")
    expect(status(page)).to_have_text(re.compile(r"Stuck \d+"))
    notice.get_by_role("button", name="View stack").click()

    drawer = page.get_by_role("complementary", name="Stack of the job")
    expect(drawer).to_contain_text(re.compile(r"counting\.py.* in square"))
    drawer.get_by_role("button", name="Close").click()
    notice.get_by_role("button", name="Wait 10 min").click()
    expect(notice).to_be_hidden()


@pytest.mark.rows("S2.86", "S2.87", "S2.88")
def test_stop_all_stuck_sends_exactly_the_runs_that_still_stand(up: Stack, page: Page) -> None:
    standing = start(up, "standing", count=10, stubborn=True, stuck_seconds=1.0)
    sleepy = start(up, "sleepy", count=4000, speed=0.001, stuck_seconds=1.0)
    for run_id in (standing, sleepy):
        up.wait(run_id, is_stuck, "the watchdog")
    up.api("PATCH", f"/api/runs/{sleepy}", {"params": {"speed": 20}})
    bodies: list[Any] = []
    page.on(
        "request",
        lambda sent: bodies.append(json.loads(sent.post_data or "")) if "/controls" in sent.url else None,
    )
    sign_in(page, up)

    alert = page.get_by_role("region", name="Stuck runs")
    expect(alert).to_contain_text("2 runs look stuck")
    alert.get_by_role("button", name="Stop all stuck").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This stops exactly these 2 runs:")
    wake(up, sleepy)
    expect(dialog).to_contain_text("sleepy woke up.")
    dialog.get_by_role("button", name="Stop 1 run").click()

    expect(page.get_by_text("Stopping 1 run.").first).to_be_visible()
    assert [body["run_ids"] for body in bodies] == [[standing]]
    assert up.wait(standing, lambda run: bool(run["ended_at"]), "the end")["status"] == "cancelled"
    assert up.run(sleepy)["status"] == "running"


@pytest.mark.rows("S1.83")
def test_a_retry_shows_what_it_keeps_before_it_starts(up: Stack, page: Page) -> None:
    run_id = start(up, "half good", count=20, speed=500, bad=[3, 9, 12])
    up.wait(run_id, lambda run: bool(run["ended_at"]), "the end")
    sign_in(page, up, f"/runs/{run_id}")

    page.get_by_role("button", name="Run again").locator("visible=true").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Retry failed")).to_be_checked()
    expect(dialog.get_by_label("What it will do")).to_contain_text("Kept17Done again3Left0")
    dialog.get_by_role("button", name="Start retry").click()

    page.wait_for_url(lambda url: run_id not in url and "/runs/count_" in url)
    expect(status(page)).to_have_attribute("data-status", "completed")
    made = up.run(page.url.rpartition("/")[2])
    assert (made["retry_of"], made["progress"]["reused"]) == (run_id, 17)


def test_a_crash_tells_what_was_in_hand_and_marks_what_may_have_happened_twice(up: Stack, page: Page) -> None:
    run_id = start(up, "crashing", count=40, speed=100, die_at=20)
    up.wait(run_id, lambda run: bool(run["ended_at"]), "the end")

    sign_in(page, up, f"/runs/{run_id}")

    expect(page.get_by_text(re.compile("Interrupted: signal 9. 1 number was in hand"))).to_be_visible()
    expect(page.get_by_text("Started again, attempt 2")).to_be_visible()
    page.goto(f"{up.url}/runs/{run_id}/results")
    expect(page.locator("[data-key='20']").get_by_title(re.compile("happened twice"))).to_be_visible()
    expect(page.locator("[data-key='21']").get_by_title(re.compile("happened twice"))).to_have_count(0)


def test_a_command_is_its_console_and_its_exit_code(up: Stack, page: Page) -> None:
    run_id = start(up, "broken", "script", command=["sh", "-c", "echo loading; echo no memory >&2; exit 3"])
    up.wait(run_id, lambda run: bool(run["ended_at"]), "the end")

    sign_in(page, up, f"/runs/{run_id}")

    expect(page.get_by_text("sh -c 'echo loading; echo no memory >&2; exit 3'").first).to_be_visible()
    expect(page.get_by_role("log", name="Console output")).to_contain_text("no memory")
    expect(page.get_by_role("region", name="Why it failed")).to_contain_text("exit code 3")
    expect(page.get_by_role("grid", name="Results")).to_have_count(0)
