"""What of a log is gone while a page was cut off is said on the page, and a replaced log is read anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from pilothouse.app import build_store
from pilothouse.contracts import Store
from pilothouse.model import event as e
from pilothouse.settings import Settings
from tests.chaos.served import Served
from tests.e2e.browser import chromium

pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.xdist_group("page"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def call(served: Served, method: str, path: str, body: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {served.token}"}
    answer = httpx2.request(method, served.url + path, json=body, headers=headers)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def a_run_on(page: Page, served: Served) -> str:
    """A run with three finished items, and the page that shows it."""
    run_id: str = call(served, "POST", "/api/runs", {"kind": "counting", "params": {"count": 5}})["id"]
    call(served, "POST", "/api/hosts/lab/claim", {"slots": 1, "running": [], "wait": 5})
    items = [{"type": "item.finished", "data": {"key": key, "seconds": 0.1}} for key in "abc"]
    body = {"attempt": 1, "client_seq": 1, "events": items}
    call(served, "POST", f"/api/runs/{run_id}/events", body)
    code = call(served, "POST", "/api/sign-in-codes", {})["code"]
    page.goto(f"{served.url}/login?next=%2Fruns%2F{run_id}#code={code}")
    expect(page.locator("[data-connection=live]").first).to_be_visible()
    expect(page.locator("[data-key]")).to_have_count(3)
    return run_id


def meanwhile(served: Served, work: Callable[[Store], Coroutine[Any, Any, None]]) -> None:
    """Work on the database while the server is away."""
    served.stop()

    async def do() -> None:
        store = build_store(Settings(data=served.data))
        await store.open()
        try:
            await work(store)
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as pool:  # the browser's driver has a loop in this thread
        pool.submit(asyncio.run, do()).result()
    served.start()


def test_the_page_says_which_events_are_gone(page: Page, served: Served) -> None:
    run_id = a_run_on(page, served)

    async def go_on(store: Store) -> None:
        await store.append(run_id, [e.Note(feed="metrics", text=str(n)) for n in range(300)])
        await store.append(run_id, [e.ItemFinished(key="d", seconds=0.1)])
        await store.trim(run_id, 201)

    meanwhile(served, go_on)

    banner = page.locator("[data-banner=gap]")
    expect(banner).to_have_text("Events 6–200 are no longer kept.")
    expect(page.get_by_role("grid", name="Results")).to_contain_text("d")
    banner.get_by_role("button", name="Close").click()
    expect(banner).to_have_count(0)


def test_the_page_reads_a_replaced_log_anew(page: Page, served: Served) -> None:
    run_id = a_run_on(page, served)

    async def replace(store: Store) -> None:
        await store.renew_epoch()
        await store.append(run_id, [e.RunEdited(actor="ada", name="put back")])

    meanwhile(served, replace)

    expect(page.locator("[data-banner=reset]")).to_have_text(
        "The server's database was replaced. This page was reloaded from it."
    )
    expect(page.get_by_role("heading", level=1)).to_contain_text("put back")
