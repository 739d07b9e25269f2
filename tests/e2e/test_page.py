"""What a person sees: the page, in a real browser, while runs go on and things break."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.chaos import scale
from tests.e2e.browser import Wire, chromium, sign_in
from tests.e2e.stack import Stack, until

TABS = 12 if scale.IS_LONG else 8  # a browser opens 6 connections to a server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("page"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    if folder := os.environ.get("PILOTHOUSE_TEST_PICTURES"):
        opened.screenshot(path=f"{folder}/{request.node.name[:60]}.png")
    context.close()
    assert not problems, problems


def start(up: Stack, name: str, **params: Any) -> str:
    body = {"kind": "counting", "name": name, "params": params}
    run_id: str = up.api("POST", "/api/runs", body)["id"]
    return run_id


def done(count: int) -> Any:
    return lambda run: run["progress"]["done"] >= count


def ended(run: dict[str, Any]) -> bool:
    return run["ended_at"] is not None


def rows_of(page: Page, total: int) -> list[str]:
    """The keys of all rows of the results table, read by scrolling through its window."""
    grid = page.get_by_role("grid", name="Results")
    keys: dict[int, str] = {}
    grid.evaluate("grid => { grid.scrollTop = 0 }")

    def look() -> bool:
        for index, key in grid.evaluate(
            "grid => [...grid.querySelectorAll('[data-key]')].map(row => [Number(row.dataset.index), row.dataset.key])"
        ):
            keys[index] = key
        grid.evaluate("grid => { grid.scrollTop += grid.clientHeight }")
        return len(keys) >= total

    until(look, f"{total} rows; saw {len(keys)}", 30)
    return [keys[index] for index in sorted(keys)]


def row_in_the_middle(grid: Locator) -> tuple[str, float] | None:
    """The key of the row in the middle of the table, and its place on the page, once a scroll was drawn."""
    seen = grid.evaluate(
        """async grid => {
            for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
            const box = grid.getBoundingClientRect();
            const row = document.elementFromPoint(box.x + 40, box.y + box.height / 2)?.closest("[data-key]");
            return row && [row.dataset.key, row.getBoundingClientRect().y];
        }"""
    )
    return seen and (seen[0], seen[1])


def status(page: Page) -> Any:
    return page.locator("main [data-status]").first


@pytest.mark.rows(
    "S1.2",
    "S1.3",
    "S1.21",
    "S1.22",
    "S1.23",
    "S1.44",
    "S1.63",
    "S1.72",
    "S1.74",
    "S1.76",
    "S1.90",
    "S2.90",
    "S2.94",
    "S4.61",
    "S4.66",
    "S4.100",
)
@pytest.mark.long
def test_500_items_are_the_same_once_each_in_page_export_and_log_whatever_was_cut(
    up: Stack, page: Page
) -> None:
    run_id = start(up, "five hundred", count=500, speed=45, concurrency=2, bad=[13, 99, 250])
    wire = Wire(up.url)
    sign_in(page, up, f"/runs/{run_id}/results", wire.url)
    expect(page.locator("[data-key]").first).to_be_visible()

    up.wait(run_id, done(60), "60 items")
    page.reload()
    up.wait(run_id, done(120), "120 items")
    wire.cut()
    up.wait(run_id, done(180), "180 items")
    wire.mend()
    up.kill_server()
    up.wait(run_id, done(260), "260 items")
    up.api("POST", f"/api/runs/{run_id}/pause", {})
    up.wait(run_id, lambda run: run["status"] == "paused", "the pause")
    page.reload()
    up.kill_server()
    up.wait(run_id, lambda run: run["status"] == "paused", "the server")
    up.api("POST", f"/api/runs/{run_id}/resume", {})
    up.wait(run_id, done(400), "400 items")
    wire.cut()
    wire.mend()
    run = up.wait(run_id, ended, "the end")

    expect(status(page)).to_have_attribute("data-status", "completed", timeout=60_000)
    page.get_by_label("Rows to show").select_option(label="All rows", timeout=20_000)
    shown = rows_of(page, 500)
    exported = [row["key"] for row in csv.DictReader(io.StringIO(up.cli("export", run_id, "-o", "-").stdout))]
    events = [e for page_ in pages(up, run_id) for e in page_]
    logged = [event["data"]["key"] for event in events if event["type"] == "item.finished"]
    assert run["status"] == "completed"
    assert shown == logged[::-1], "the page shows the log, newest first"
    assert exported == logged
    assert sorted(map(int, logged)) == list(range(500))
    assert [event["seq"] for event in events] == list(range(1, run["head"] + 1))
    wire.close()


def pages(up: Stack, run_id: str) -> Iterator[list[dict[str, Any]]]:
    after = 0
    while events := up.api("GET", f"/api/runs/{run_id}/events?after={after}&limit=2000")["events"]:
        yield events
        after = events[-1]["seq"]


@pytest.mark.rows(
    "S1.1",
    "S1.2",
    "S1.16",
    "S1.17",
    "S1.23",
    "S1.46",
    "S1.60",
    "S1.73",
    "S1.75",
    "S3.2",
    "S3.23",
    "S3.28",
    "S3.47",
    "S3.48",
    "S3.99",
    "S3.111",
    "S5.69",
    "S5.70",
)
def test_pause_resume_and_cancel_show_their_stages_and_survive_a_reload(up: Stack, page: Page) -> None:
    run_id = start(up, "steered", count=4000, speed=0.4)
    sign_in(page, up, f"/runs/{run_id}")
    expect(page.locator("[data-key]").first).to_be_visible()

    page.get_by_role("button", name=re.compile("^Pause")).first.click()
    expect(page.get_by_text("Pausing after current number…").first).to_be_visible()
    expect(status(page)).to_have_attribute("data-status", "paused")
    page.reload()
    expect(status(page)).to_have_attribute("data-status", "paused")
    page.get_by_role("button", name=re.compile("^Resume")).first.click()
    expect(status(page)).to_have_attribute("data-status", "running")
    up.api("PATCH", f"/api/runs/{run_id}", {"params": {"speed": 30}})
    up.wait(run_id, done(35), "35 items")
    has_something_to_lose(page)
    page.get_by_role("button", name=re.compile("^Cancel")).first.click()
    dialog = page.get_by_role("alertdialog").or_(page.get_by_role("dialog"))
    expect(dialog).to_contain_text("This action cannot be undone")
    expect(dialog.get_by_role("button", name="Keep running")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert up.run(run_id)["pending"] is None
    page.get_by_role("button", name=re.compile("^Cancel")).first.click()
    dialog.get_by_role("button", name="Cancel run").click()

    expect(status(page)).to_have_attribute("data-status", "cancelled", timeout=20_000)
    assert up.run(run_id)["progress"]["done"] >= 35


@pytest.mark.long
def test_a_reader_who_has_scrolled_is_not_moved_by_new_rows(up: Stack, page: Page) -> None:
    run_id = start(up, "held", count=3000, speed=30)
    up.wait(run_id, done(80), "80 items")
    sign_in(page, up, f"/runs/{run_id}/results")
    grid = page.get_by_role("grid", name="Results")
    expect(page.locator("[data-key]").first).to_be_visible()

    grid.evaluate("grid => { grid.scrollTop = 900 }")
    key, before = until(lambda: row_in_the_middle(grid), "a row in the middle of the table")
    at = up.run(run_id)["progress"]["done"]
    up.wait(run_id, done(at + 40), "40 more items")

    held = page.get_by_role("button", name=re.compile(r"\d+ new"))
    expect(held).to_be_visible()
    after = page.locator(f'[data-key="{key}"]').bounding_box()
    assert after and abs(before - after["y"]) <= 1
    held.click()
    expect(page.locator("[data-key]").first).to_be_visible()
    assert grid.evaluate("grid => grid.scrollTop") == 0
    up.api("POST", f"/api/runs/{run_id}/cancel", {})


@pytest.mark.rows("S1.71", "S2.20", "S2.94", "S4.66", "S4.72", "S5.81")
@pytest.mark.long
def test_a_lost_connection_is_shown_and_what_was_missed_is_filled_in(up: Stack, page: Page) -> None:
    run_id = start(up, "cut off", count=4000, speed=15)
    wire = Wire(up.url)
    sign_in(page, up, f"/runs/{run_id}", wire.url)
    expect(page.get_by_text("live", exact=True).first).to_be_visible()

    wire.cut()
    expect(page.get_by_text(re.compile("Connection lost|not reachable")).first).to_be_visible(timeout=15_000)
    at = up.run(run_id)["progress"]["done"]
    up.wait(run_id, done(at + 30), "30 more items")
    wire.mend()

    expect(page.get_by_text(re.compile("Connection lost|not reachable"))).to_have_count(0, timeout=40_000)
    seen = until(lambda: page.locator("[data-key]").first.get_attribute("data-key"), "a row") or ""
    assert int(seen) >= at + 25
    up.api("POST", f"/api/runs/{run_id}/cancel", {})
    wire.close()


@pytest.mark.rows("S1.58", "S2.51", "S2.52")
def test_a_run_is_started_from_the_form_and_a_bad_field_is_named(up: Stack, page: Page) -> None:
    sign_in(page, up, "/runs/new?kind=counting")

    count = page.get_by_label("Count", exact=True)
    count.fill("-4")
    page.get_by_role("button", name=re.compile("Start run|Add to queue")).first.click()
    expect(page.get_by_text(re.compile("greater than or equal to 0")).first).to_be_visible()
    count.fill("4")
    page.get_by_role("button", name=re.compile("Start run|Add to queue")).first.click()

    page.wait_for_url(re.compile(r"/runs/count_"))
    expect(status(page)).to_have_attribute("data-status", "completed", timeout=30_000)


@pytest.mark.rows("S3.45", "S3.85", "S3.86", "S3.87")
@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.long
def test_no_page_scrolls_sideways_and_the_controls_are_in_view(up: Stack, page: Page, width: int) -> None:
    run_id = start(up, f"at {width}", count=2000, speed=20)
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, up)

    for path in ("/", "/runs", "/runs/new?kind=counting", f"/runs/{run_id}", "/settings"):
        page.goto(up.url + path)
        expect(page.locator("main").first).to_be_visible()
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{path} is {overflow} px too wide at {width}"
    page.goto(f"{up.url}/runs/{run_id}")
    pause = page.get_by_role("button", name=re.compile("^Pause")).locator("visible=true").first
    expect(pause).to_be_in_viewport()
    stands_as_it_should(page, width)
    has_something_to_lose(page)
    page.get_by_role("button", name=re.compile("^Cancel")).locator("visible=true").first.click()
    asks_as_it_should(page, width)
    up.api("POST", f"/api/runs/{run_id}/cancel", {})


def has_something_to_lose(page: Page) -> None:
    """Wait until the run is so old that a cancel asks first."""
    old = re.compile(r"Elapsed\s*(1[1-9]|[2-9]\d) s")
    expect(page.locator("main").first).to_contain_text(old, timeout=60_000)


def box(locator: Locator) -> FloatRect:
    """Where something is on the screen."""
    found = locator.bounding_box()
    assert found is not None
    return found


def stands_as_it_should(page: Page, width: int) -> None:
    """Feed beside the panels, above them, or a part of its own; the progress is never far."""
    feed = page.get_by_role("region", name="Activity", exact=True)
    parts = box(page.get_by_role("navigation", name="Parts of the run"))
    progress = box(page.get_by_role("progressbar").locator("visible=true").first)
    assert progress["y"] + progress["height"] < 300
    if width < 768:
        expect(feed).to_be_hidden()
        assert progress["width"] > width - 40
    elif width < 1024:
        assert box(feed)["y"] + box(feed)["height"] <= parts["y"]
        assert box(feed)["width"] == pytest.approx(parts["width"], abs=2)
    else:
        assert box(feed)["x"] + box(feed)["width"] <= parts["x"]
        assert box(feed)["width"] / (box(feed)["width"] + parts["width"]) == pytest.approx(0.4, abs=0.03)


def asks_as_it_should(page: Page, width: int) -> None:
    """Over a dimmed page: in its middle, or on a phone a sheet at its bottom."""
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dim = dialog.evaluate("dialog => getComputedStyle(dialog, '::backdrop').backgroundColor")
    assert re.fullmatch(r"rgba\(0, 0, 0, 0\.\d+\)", dim), dim
    place = box(dialog)
    if width < 768:
        assert (place["x"], place["width"]) == (0, width)
        assert place["y"] + place["height"] == pytest.approx(800, abs=1)
    else:
        assert place["x"] + place["width"] / 2 == pytest.approx(width / 2, abs=10)
        assert place["y"] + place["height"] / 2 == pytest.approx(400, abs=10)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.rows("S4.59")
@pytest.mark.long
def test_many_tabs_share_one_stream(up: Stack, browser: Browser) -> None:
    context = browser.new_context()
    first = context.new_page()
    sign_in(first, up)
    tabs = [first]
    for _ in range(TABS - 1):
        tab = context.new_page()
        tab.goto(f"{up.url}/runs")
        tabs.append(tab)

    for tab in tabs:
        expect(tab.get_by_text("live", exact=True).first).to_be_visible()
        took = tab.evaluate(
            "async () => { const t = performance.now(); await fetch('/api/stats'); return 1 }"
        )
        assert took == 1
    context.close()


def test_nobody_gets_in_without_signing_in(up: Stack, page: Page) -> None:
    page.goto(f"{up.url}/runs")

    page.wait_for_url(re.compile("/login"))
    expect(page.get_by_text(re.compile("[Ss]ign in|[Tt]oken")).first).to_be_visible()
