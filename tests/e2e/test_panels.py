"""Every panel of the vocabulary, drawn by a real browser from a real run, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium, sign_in
from tests.e2e.stack import Stack, until
from tests.jobs.gallery import KIND, PANELS

pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.xdist_group("page"),
    pytest.mark.timeout(240),
]
SIZES = [(1440, 900, "light"), (360, 780, "dark")]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    kinds = {"PILOTHOUSE_KINDS": "tests.jobs.gallery:KIND"}
    running = Stack(tmp_path_factory.mktemp("stack") / "data", kinds)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}px {size[2]}")
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height, theme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert not problems, problems


def finished(up: Stack, count: int) -> str:
    run = up.api("POST", "/api/runs", {"kind": "gallery", "params": {"count": count}})
    until(lambda: up.api("GET", f"/api/runs/{run['id']}")["ended_at"], "the run's end")
    run_id: str = run["id"]
    return run_id


@pytest.mark.parametrize("count", [40, 0], ids=["full", "empty"])
def test_every_panel_draws_without_an_error(up: Stack, page: Page, count: int) -> None:
    run_id = finished(up, count)

    sign_in(page, up, f"/runs/{run_id}")

    for panel in PANELS:
        expect(page.get_by_role("region", name=panel.title, exact=True)).to_be_visible()
    expect(page.get_by_text("This panel failed to draw")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_trial_is_opened_from_the_best_so_far(up: Stack, page: Page) -> None:
    sign_in(page, up, f"/runs/{finished(up, 12)}")
    panel = page.get_by_role("region", name="Best so far")

    panel.get_by_role("button", name="Show as table").click()
    panel.get_by_role("row").nth(1).get_by_role("button").click()

    expect(page).to_have_url(re.compile("unit="))


def test_files_are_listed_looked_into_and_downloaded_and_what_a_rule_removed_is_said(
    up: Stack, page: Page
) -> None:
    run_id = finished(up, 40)
    files = up.api("GET", f"/api/runs/{run_id}/artifacts")
    kept, removed = ([file["name"] for file in files[which]] for which in ("artifacts", "removed"))
    sign_in(page, up, f"/runs/{run_id}/files")

    for name in kept:
        expect(page.get_by_role("link", name=f"Download {name}", exact=True)).to_be_visible(timeout=60_000)
    page.get_by_text(f"{len(removed)} files removed").click()
    expect(page.get_by_text(removed[0], exact=True)).to_be_visible()
    page.get_by_role("button", name="Preview notes.txt").click()
    expect(page.get_by_text("what a reader looks for")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download notes.txt", exact=True).click()
    expect(page.get_by_text("hash checked")).to_be_visible()

    assert Path(downloading.value.path()).read_text() == "what a reader looks for\n"
    assert kept and removed
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_form_says_what_is_missing_before_anything_is_filled_in(up: Stack, page: Page) -> None:
    sign_in(page, up, "/runs/new?kind=gallery")

    note = page.get_by_role("note", name="Missing packages")
    assert KIND.extra
    expect(note).to_contain_text(KIND.extra.command)
    expect(note).to_contain_text("a_module_that_nobody_has")
