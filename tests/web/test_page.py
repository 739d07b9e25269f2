"""The page: its policy, its files, and nothing beside them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pilothouse.web.static import StaticUi
from tests.web.serving import Running

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built UI with a secret beside it."""
    ui = tmp_path / "static"
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_text("<!doctype html>page")
    (ui / "assets" / "index-abc.js").write_text("code")
    (ui / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return ui


async def get(folder: Path, path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request."""
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0)
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await StaticUi(folder)(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("path", ["/", "/runs/42", "/index.html", "/settings"])
async def test_every_path_to_look_at_is_the_page_and_never_cached(folder: Path, path: str) -> None:
    status, headers, body = await get(folder, path)

    assert (status, body) == (200, b"<!doctype html>page")
    assert headers["cache-control"] == "no-cache"


async def test_hashed_files_are_kept_for_ever(folder: Path) -> None:
    status, headers, body = await get(folder, "/assets/index-abc.js")

    assert (status, body) == (200, b"code")
    assert "immutable" in headers["cache-control"]


async def test_a_file_that_is_not_there_is_not_the_page(folder: Path) -> None:
    assert (await get(folder, "/assets/old.js"))[0] == 404


TRAVERSAL = [
    "/../secret.txt",
    "/assets/../../secret.txt",
    "//../secret.txt",
    "/%2e%2e/secret.txt",
    "/..\\secret.txt",
    "/" + "a" * 5000,
    "/a\0b",
    "/assets/\0.js",
]


@pytest.mark.parametrize("path", TRAVERSAL, ids=range(len(TRAVERSAL)))
async def test_no_path_leads_out_of_the_folder(folder: Path, path: str) -> None:
    status, _, body = await get(folder, path)

    assert b"secret" not in body
    assert status in (200, 404)


async def test_a_link_in_the_folder_leads_nowhere(folder: Path) -> None:
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")

    status, _, body = await get(folder, "/link.txt")

    assert status == 404
    assert b"secret" not in body


async def test_an_unbuilt_ui_says_what_to_do(tmp_path: Path) -> None:
    status, _, body = await get(tmp_path, "/")

    assert status == 503
    assert b"make ui" in body


def test_the_page_runs_only_its_own_code(server: Running) -> None:
    with server.stranger() as stranger:
        policy = stranger.get("/").headers["content-security-policy"]

    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'self'"
    assert "script-src" not in rules or "unsafe" not in rules["script-src"]
    assert rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["connect-src"] == "'self'"


def test_odd_paths_of_a_real_server_do_no_harm(server: Running) -> None:
    with server.stranger() as stranger:
        statuses = [
            stranger.get(path).status_code
            for path in ("/%00", "/" + "a" * 5000, "/%ff%fe", "/..%2f..%2ftoken")
        ]

    assert all(status in (200, 404, 503) for status in statuses), statuses
