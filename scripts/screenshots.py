"""Draw the pictures of README and docs: real runs on a server of their own, light and dark, wide and narrow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from pilothouse.cli.client import Client

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
SIZES = {1440: 900, 360: 780}
PATIENCE_SECONDS = 180.0
KINDS = {"generation": "quick", "synthesis": "quick", "autotune": "quick", "training": "quick"}
Runs = dict[str, str]


def main() -> None:
    """Start a server, run a benchmark half way, and take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, server(Path(data)) as client:
        runs = start_runs(client)
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for theme in ("light", "dark"):
                for width in SIZES:
                    take(browser, client, runs, theme, width)
            browser.close()


@contextmanager
def server(data: Path) -> Iterator[Client]:
    """Pilothouse on a free port."""
    command = [
        sys.executable,
        "-m",
        "pilothouse.cli.main",
        "up",
        "--port",
        "0",
        "--no-open",
        "--data",
        str(data),
    ]
    process = subprocess.Popen(command, env=os.environ | {"LOGNAME": "ada"})
    try:
        until(lambda: (data / "server.json").exists() and (data / "token").exists(), "the server")
        yield Client(json.loads((data / "server.json").read_text())["url"], data)
    finally:
        process.terminate()
        process.wait(30)


def start_runs(client: Client) -> Runs:
    """One finished run of each other kind; one finished, one cancelled and one running benchmark."""
    kinds = {
        each["name"]: {example["name"]: example["params"] for example in each["examples"]}
        for each in client.get("/api/kinds")["kinds"]
    }
    shown: Runs = {}
    for kind, example in KINDS.items():
        shown[kind] = start(client, f"{kind}-{example}", kinds[kind][example], kind)
        wait(client, shown[kind], lambda run: bool(run["ended_at"]))
    examples = kinds["benchmark"]
    quick = start(client, "nightly-quick", examples["quick"])
    wait(client, quick, lambda run: bool(run["ended_at"]))
    stopped = start(client, "prompt-tuning-draft", examples["quick"])
    wait(client, stopped, lambda run: run["progress"]["done"] >= 12)
    client.post(f"/api/runs/{stopped}/cancel", {})
    wait(client, stopped, lambda run: bool(run["ended_at"]))
    running = start(client, "prompt-tuning", {**examples["demo"], "concurrency": 1})
    wait(client, running, lambda run: run["progress"]["done"] >= 60)
    return {"run": running, **shown}


def start(client: Client, name: str, params: dict[str, Any], kind: str = "benchmark") -> str:
    """Start a run."""
    run_id: str = client.post("/api/runs", {"kind": kind, "name": name, "params": params})["id"]
    return run_id


def wait(client: Client, run_id: str, is_reached: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until a run is as wanted."""
    until(lambda: is_reached(client.run(run_id)), run_id)


def until(look: Callable[[], bool], what: str) -> None:
    """Look until it is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not look():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.2)


def take(browser: Browser, client: Client, runs: Runs, theme: Any, width: int) -> None:
    """The pictures of one theme and one width."""
    size: Any = {"width": width, "height": SIZES[width]}
    tall: Any = {"width": width, "height": 2 * SIZES[width]}
    context = browser.new_context(
        viewport=size, color_scheme=theme, device_scale_factor=1 if width > 999 else 2
    )
    page = context.new_page()
    code = client.post("/api/sign-in-codes")["code"]
    page.goto(f"{client.server}/login?next=/#code={code}")
    page.wait_for_url(lambda url: "/login" not in url)
    pages = {
        "overview": "/",
        "runs": "/runs",
        "new": "/runs/new?kind=benchmark",
        **{name: f"/runs/{run_id}" for name, run_id in runs.items()},
    }
    for name, path in pages.items():
        page.set_viewport_size(tall if name in KINDS else size)
        page.goto(client.server + path)
        page.locator("main").first.wait_for()
        page.wait_for_timeout(2500)  # charts and fonts have settled
        page.screenshot(path=FOLDER / f"{name}-{theme}-{width}.png")
    context.close()


if __name__ == "__main__":
    main()
