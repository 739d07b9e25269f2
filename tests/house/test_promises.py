"""What the pages promise, done: their kind runs, their proxy lets a browser in, a cancel is a cancel."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pilothouse.errors import InvalidTransition
from pilothouse.model import event as e
from pilothouse.stores.memory import MemoryStore
from pilothouse.testing.samples import CANCEL
from pilothouse.testing.samples import running as running_run
from tests.house.pages import DOCS, ROOT
from tests.house.snippets import snippets
from tests.web.serving import running


def test_the_kind_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for snippet in snippets("python"):
        if snippet.path == DOCS / "howto" / "write-a-kind.md":
            name = snippet.text.partition("\n")[0].removeprefix("# ")
            (tmp_path / name).write_text(snippet.text)
    monkeypatch.syspath_prepend(str(tmp_path))
    kind = importlib.import_module("wordcount").KIND

    with running(tmp_path / "data", {"wordcount": kind}) as server, server.client() as client:
        asked = {"kind": "wordcount", "params": {"text": "one small step 4 a kind"}}
        total = client.post("/api/runs?dry_run=1", json=asked).json()["total"]
        run_id = client.post("/api/runs", json=asked).json()["id"]
        order = client.post("/api/hosts/here/claim", json={"slots": 1}).json()["orders"][0]
        attempt(order, server.url, server.token, tmp_path)
        run = client.get(f"/api/runs/{run_id}").json()

    assert run["status"] == "completed"
    assert (run["progress"]["done"], run["progress"]["failed"], run["progress"]["total"]) == (6, 1, total)
    assert run["metrics"] == {"longest": 5}


def attempt(order: dict[str, Any], server: str, token: str, folder: Path) -> None:
    """Run one attempt as the host does."""
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{folder}",
        "PILOTHOUSE_SERVER": server,
        "PILOTHOUSE_TOKEN": token,
        "PILOTHOUSE_RUN_ID": order["run_id"],
        "PILOTHOUSE_ATTEMPT": str(order["attempt"]),
        "PILOTHOUSE_ENTRY": order["entry"],
        "PILOTHOUSE_FOLDER": order["folder"],
    }
    child = [sys.executable, "-m", "pilothouse.worker.child"]
    subprocess.run(child, env=environment, cwd=folder, stdin=subprocess.DEVNULL, check=True, timeout=60)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A client that comes through the proxy of the page, signed in by a cookie."""
    hosts = ("lab.example",)
    through = {"host": "lab.example", "x-forwarded-proto": "https", "origin": "https://lab.example"}
    with (
        running(tmp_path_factory.mktemp("proxy"), allowed_hosts=hosts) as server,
        server.stranger(headers=through) as client,
    ):
        client.post("/api/sign-in", json={"token": server.token}).raise_for_status()
        name, value = next(iter(client.cookies.items()))
        client.headers["cookie"] = f"{name}={value}"
        yield client


RUN = {"kind": "counting"}


@pytest.mark.rows("S1.78")
def test_the_proxy_of_the_page_lets_a_browser_steer(behind: Any) -> None:
    assert behind.post("/api/runs", json=RUN).status_code == 201


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://lab.example.evil"},
        {"origin": "http://lab.example"},
        {"x-forwarded-proto": "http"},
        {"host": "other.example"},
    ],
    ids=str,
)
def test_without_the_headers_of_the_page_a_browser_does_not_steer(
    behind: Any, changed: dict[str, str]
) -> None:
    assert behind.post("/api/runs", json=RUN, headers=changed).status_code == 403


@pytest.mark.anyio
@pytest.mark.parametrize("body", [e.RunCompleted(), e.RunResumed(actor="ada")], ids=lambda body: body.type)
async def test_after_an_accepted_cancel_a_run_neither_completes_nor_resumes(body: e.Body) -> None:
    store = MemoryStore()
    run_id = await running_run(store)
    await store.append(run_id, [CANCEL])

    with pytest.raises(InvalidTransition):
        await store.append(run_id, [body])
