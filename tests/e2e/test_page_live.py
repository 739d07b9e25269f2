"""What moves on the page while a run goes on, from the click that starts it to the click that ends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browser import chromium, sign_in
from tests.e2e.stack import Stack, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.xdist_group("page"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def share(bar: Locator) -> int:
    """The percentage that a bar says."""
    return int(bar.get_attribute("aria-valuenow") or 0)


def moves(bar: Locator, steps: int = 4) -> list[int]:
    """The next percentages that a bar says, each once."""
    seen: list[int] = []

    def look() -> bool:
        now = share(bar)
        if now not in seen:
            seen.append(now)
        return len(seen) > steps

    until(look, f"the bar to move; it said {seen}")
    return seen


def status(page: Page) -> Locator:
    return page.locator("main [data-status]").first


def begin(page: Page, up: Stack, **params: Any) -> str:
    """Start a run from its form, and answer its id."""
    sign_in(page, up, "/runs/new?kind=counting")
    for label, value in params.items():
        page.get_by_label(label, exact=True).fill(str(value))
    page.get_by_role("button", name=re.compile("Start run|Add to queue")).first.click()
    page.wait_for_url(re.compile(r"/runs/count_"))
    return page.url.rpartition("/")[2]


@pytest.mark.rows(
    "S1.1",
    "S1.4",
    "S1.45",
    "S1.58",
    "S1.59",
    "S1.61",
    "S1.75",
    "S2.31",
    "S3.4",
    "S3.75",
    "S3.97",
    "S3.110",
    "S3.112",
)
def test_a_run_moves_from_its_start_and_its_results_stay_in_view_after_a_cancel(
    up: Stack, page: Page
) -> None:
    run_id = begin(page, up, Count=400, Speed=25)
    expect(status(page)).to_have_attribute("data-status", "running")
    expect(page.locator("[data-key]").first).to_be_visible()
    newest = page.locator("[data-key]").first.get_attribute("data-key")
    shares = moves(page.get_by_role("progressbar").first)
    expect(page.locator("[data-key]").first).not_to_have_attribute("data-key", newest or "")
    page.get_by_role("button", name=re.compile("^Cancel")).first.click()
    dialog = page.get_by_role("alertdialog").or_(page.get_by_role("dialog"))
    cancel = dialog.get_by_role("button", name="Cancel run")
    until(
        lambda: cancel.is_visible() or up.run(run_id)["pending"] or up.run(run_id)["ended_at"], "the question"
    )
    if cancel.is_visible():
        cancel.click()

    expect(status(page)).to_have_attribute("data-status", "cancelled")
    done = up.run(run_id)["progress"]["done"]
    assert shares == sorted(shares)
    assert 0 < done < 400
    expect(page.locator(f'[data-key="{done - 1}"]').first).to_be_visible()


@pytest.mark.rows(
    "S1.89", "S2.26", "S2.38", "S2.42", "S2.59", "S2.60", "S3.74", "S3.113", "S4.3", "S4.55", "S4.57", "S4.61"
)
def test_the_overview_shows_all_that_goes_on_and_each_moves(up: Stack, page: Page) -> None:
    ids = [
        up.api(
            "POST", "/api/runs", {"kind": "counting", "name": name, "params": {"count": 400, "speed": 20}}
        )["id"]
        for name in ("first of two", "second of two")
    ]
    asked: list[str] = []
    sign_in(page, up)
    cards = [page.get_by_role("article", name=name) for name in ("first of two", "second of two")]
    for card in cards:
        expect(card.get_by_text("Running")).to_be_visible()
    page.on("request", lambda sent: asked.append(sent.url))

    for card in cards:
        count = card.get_by_text(re.compile(r"\d+/400 numbers"))
        before = count.inner_text()
        moves(card.get_by_role("progressbar"), 3)
        assert count.inner_text() != before
        expect(card.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()

    expect(page.get_by_role("navigation").get_by_text("2 running").first).to_be_visible()
    assert [url for url in asked if "/api/runs" in url] == [], (
        "the cards asked the server for what the stream tells"
    )
    for run_id in ids:
        up.api("POST", f"/api/runs/{run_id}/cancel", {})


@pytest.mark.rows("S2.64", "S2.67", "S2.89")
def test_an_end_shows_in_the_list_the_badge_and_the_numbers_of_the_day(up: Stack, page: Page) -> None:
    run_id = begin(page, up, Count=60, Speed=20)
    page.get_by_role("link", name="Overview").first.click()
    badge = page.get_by_role("navigation").get_by_text(re.compile(r"\d+ running")).first
    expect(badge).to_be_visible()
    up.wait(run_id, lambda run: run["ended_at"] is not None, "the end")

    expect(badge).to_be_hidden()
    ended = page.get_by_text("Recently finished").first
    expect(ended).to_be_visible()
    expect(page.get_by_text("completed").first).to_be_visible()
    assert begin(page, up, Count=1) != run_id
