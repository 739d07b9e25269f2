"""The files of a run: sent whole or not at all, read in ranges, and never from elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
import resource
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.model import event as e
from tests.web.clients import Job, a_job, call, until
from tests.web.serving import Running

DATA = bytes(range(256)) * 400


@pytest.fixture
def job(server: Running) -> Job:
    """A run that has begun."""
    return a_job(server)


def upload(api: httpx2.Client, job: Job, name: str, data: bytes, attempt: int = 1) -> httpx2.Response:
    """Send a file as a job does."""
    return api.post(f"{job.path}/artifacts/{name}?attempt={attempt}", content=data)


def folder(server: Running, job: Job) -> Path:
    """Where the run's files are."""
    return server.server.context.folder(job.id) / "artifacts"


def test_a_file_is_kept_recorded_and_read_back(api: httpx2.Client, job: Job) -> None:
    digest = hashlib.sha256(DATA).hexdigest()

    sent = upload(api, job, "model/weights.bin", DATA)
    listed = api.get(f"{job.path}/artifacts").json()["artifacts"]
    read = api.get(f"{job.path}/artifacts/model/weights.bin")

    assert sent.status_code == 201
    assert sent.json() == {"name": "model/weights.bin", "bytes": len(DATA), "sha256": digest}
    assert [file | {"time": ""} for file in listed] == [sent.json() | {"time": ""}]
    assert read.content == DATA
    assert job.run.artifacts == 1


def test_the_newest_of_very_many_files_is_there(api: httpx2.Client, job: Job) -> None:
    for start in range(0, 11_000, 1_000):
        names = (f"step-{step}" for step in range(start, start + 1_000))
        job.say(*(e.ArtifactSaved(name=name, bytes=1, sha256="0" * 64) for name in names))
    upload(api, job, "last.bin", DATA)

    assert api.get(f"{job.path}/artifacts/last.bin").status_code == 200


def test_a_full_disk_asks_for_another_try_and_leaves_nothing(
    api: httpx2.Client, server: Running, job: Job
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(DATA) // 2, limits[1]))

    full = upload(api, job, "data.bin", DATA)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    left = list(folder(server, job).iterdir())
    again = upload(api, job, "data.bin", DATA)

    assert (full.status_code, full.headers["retry-after"], left) == (503, "1", [])
    assert "data.bin cannot be kept" in full.json()["error"]["message"]
    assert again.status_code == 201


def test_a_file_is_an_attachment_that_runs_nothing(api: httpx2.Client, job: Job) -> None:
    upload(api, job, "page.html", b"<script>alert(1)</script>")

    headers = api.get(f"{job.path}/artifacts/page.html").headers

    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == 'attachment; filename="page.html"'
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_page_is_shown_without_any_power(api: httpx2.Client, job: Job) -> None:
    upload(api, job, "report.html", b"<h1>f\xc3\xbcr</h1><script>alert(1)</script>")

    page = api.get(f"{job.path}/artifacts/report.html?view=page")

    assert page.text == "<h1>für</h1><script>alert(1)</script>"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "content-disposition" not in page.headers
    policy = page.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["sandbox", "default-src 'none'"]
    assert not any("script" in rule or "http" in rule for rule in policy)
    assert "frame-ancestors 'self'" in policy
    assert page.headers.get_list("x-frame-options") == ["SAMEORIGIN"]
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["weights.bin", "drawing.svg", "page.html.txt"])
def test_what_is_no_page_is_not_shown_as_one(api: httpx2.Client, job: Job, name: str) -> None:
    upload(api, job, name, b"<script>alert(1)</script>")

    answer = api.get(f"{job.path}/artifacts/{name}?view=page")

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "view"


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=0-9", 206, DATA[:10]),
        ("bytes=100-", 206, DATA[100:]),
        ("bytes=-7", 206, DATA[-7:]),
        ("bytes=5-5", 206, DATA[5:6]),
        ("bytes=0-99999999", 206, DATA),
    ],
)
def test_a_range_is_answered_with_just_that(
    api: httpx2.Client, job: Job, asked: str, status: int, expected: bytes
) -> None:
    upload(api, job, "data.bin", DATA)

    answer = api.get(f"{job.path}/artifacts/data.bin", headers={"range": asked})

    assert answer.status_code == status
    assert answer.content == expected
    assert answer.headers["content-range"].endswith(f"/{len(DATA)}")


def test_a_range_beyond_the_end_is_refused(api: httpx2.Client, job: Job) -> None:
    upload(api, job, "data.bin", DATA)

    answer = api.get(f"{job.path}/artifacts/data.bin", headers={"range": "bytes=99999999-"})

    assert answer.status_code == 416


def test_the_latest_version_of_a_name_is_the_file(api: httpx2.Client, job: Job) -> None:
    upload(api, job, "a.txt", b"old")
    upload(api, job, "a.txt", b"newer")

    files = api.get(f"{job.path}/artifacts").json()["artifacts"]
    assert [(file["name"], file["bytes"]) for file in files] == [("a.txt", 5)]
    assert api.get(f"{job.path}/artifacts/a.txt").content == b"newer"


def test_an_empty_file_is_a_file(api: httpx2.Client, job: Job) -> None:
    assert upload(api, job, "empty", b"").json()["bytes"] == 0
    assert api.get(f"{job.path}/artifacts/empty").content == b""


def test_a_file_above_the_limit_of_other_bodies_is_taken(api: httpx2.Client, job: Job) -> None:
    data = b"x" * (5 * 1024 * 1024)

    assert upload(api, job, "large.bin", data).json()["bytes"] == len(data)


BAD_NAMES = [
    "../x", "a/../../x", "..%2fx", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "/etc/passwd", "%2fetc%2fpasswd", ".hidden",
    "a/.hidden", "a//b", "a/", "a%00b", "a%0ab", "a\\..\\b", "%5c%5chost%5cshare", "c:%5cx", "a" * 121,
    "a/b/c/d/e/f", "-rf", "a;b", "a%22b", "%ff", "~root", "$HOME", "caf%C3%A9",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leads_elsewhere_is_not_taken(
    server: Running, api: httpx2.Client, job: Job, name: str
) -> None:
    before = sorted(server.data.parent.rglob("*"))

    answer = api.send(
        httpx2.Request(
            "POST",
            f"{server.url}{job.path}/artifacts/{name}?attempt=1",
            headers={"authorization": f"Bearer {server.token}"},
            content=b"evil",
        )
    )

    assert answer.status_code in (404, 405, 422), answer.text
    assert sorted(server.data.parent.rglob("*")) == before
    assert job.run.artifacts == 0


@pytest.mark.parametrize(
    "name", [*BAD_NAMES, "..%2f..%2f..%2ftoken", "../../../token", "%2e%2e%2f%2e%2e%2ftoken"]
)
def test_a_name_that_leads_elsewhere_reads_nothing(
    server: Running, api: httpx2.Client, job: Job, name: str
) -> None:
    upload(api, job, "a.txt", b"text")

    answer = api.get(f"{job.path}/artifacts/{name}")

    assert answer.status_code in (404, 405)
    assert server.token.encode() not in answer.content


def test_a_file_that_nobody_recorded_is_not_served(server: Running, api: httpx2.Client, job: Job) -> None:
    upload(api, job, "a.txt", b"text")
    (folder(server, job) / "other.txt").write_text("secret")

    assert api.get(f"{job.path}/artifacts/other.txt").status_code == 404


def test_a_link_is_not_followed_when_it_is_read(server: Running, api: httpx2.Client, job: Job) -> None:
    upload(api, job, "a.txt", b"text")
    upload(api, job, "sub/b.txt", b"text")
    files = folder(server, job)
    (files / "a.txt").unlink()
    (files / "a.txt").symlink_to(server.data / "token")
    (files / "sub" / "b.txt").unlink()
    (files / "sub").rmdir()
    (server.data / "b.txt").write_text("secret")
    (files / "sub").symlink_to(server.data)

    assert api.get(f"{job.path}/artifacts/a.txt").status_code == 404
    assert api.get(f"{job.path}/artifacts/sub/b.txt").status_code == 404


def test_a_link_is_not_followed_when_it_is_written(
    server: Running, api: httpx2.Client, job: Job, tmp_path: Path
) -> None:
    upload(api, job, "a.txt", b"text")
    files = folder(server, job)
    (files / "out").symlink_to(tmp_path)

    answers = [upload(api, job, name, b"evil") for name in ("out/x.txt", "out/new/folder/x.txt")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_written_through(
    server: Running, api: httpx2.Client, job: Job, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    upload(api, job, "a.txt", b"text")
    (folder(server, job) / "a.txt").unlink()
    (folder(server, job) / "a.txt").symlink_to(target)

    upload(api, job, "a.txt", b"evil")

    assert target.read_text() == "mine"


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a")])
def test_a_name_is_a_file_or_a_folder_and_not_both(
    api: httpx2.Client, job: Job, first: str, second: str
) -> None:
    upload(api, job, first, b"1")

    answer = upload(api, job, second, b"2")

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "name"
    assert api.get(f"{job.path}/artifacts/{first}").content == b"1"


def test_only_the_attempt_that_owns_the_run_saves_files(
    server: Running, api: httpx2.Client, job: Job
) -> None:
    upload(api, job, "a.txt", b"first")
    job.say(e.RunInterrupted(reason="gone"), e.RunStarted(attempt=2))

    stale = upload(api, job, "a.txt", b"stale")
    job.say(e.RunCompleted())
    late = upload(api, job, "a.txt", b"late", attempt=2)

    assert (stale.status_code, late.status_code) == (409, 409)
    assert stale.json()["error"]["code"] == "fenced"
    assert api.get(f"{job.path}/artifacts/a.txt").content == b"first"


def test_an_attempt_that_is_overtaken_while_it_sends_replaces_nothing(
    server: Running, api: httpx2.Client, job: Job
) -> None:
    upload(api, job, "a.txt", b"first")
    sent = iter([b"stale"])

    def overtaken() -> object:
        yield b"st"
        until(server, lambda: any(folder(server, job).glob(".*.part")))
        job.say(e.RunInterrupted(reason="gone"), e.RunStarted(attempt=2))
        yield from sent

    answer = api.post(f"{job.path}/artifacts/a.txt?attempt=1", content=overtaken())  # type: ignore[arg-type]

    assert answer.status_code == 409
    assert api.get(f"{job.path}/artifacts/a.txt").content == b"first"
    assert job.run.artifacts == 1


def test_half_a_file_is_never_seen(server: Running, api: httpx2.Client, job: Job) -> None:
    upload(api, job, "a.txt", b"whole")
    host, _, port = server.url.removeprefix("http://").partition(":")
    head = (
        f"POST {job.path}/artifacts/a.txt?attempt=1 HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Length: 1000000\r\n\r\n"
    )

    with socket.create_connection((host, int(port))) as sock:
        sock.sendall(head.encode() + b"half" * 1000)
        until(server, lambda: any(folder(server, job).glob(".*.part")))
        meanwhile = api.get(f"{job.path}/artifacts/a.txt").content

    until(server, lambda: not any(folder(server, job).glob(".*.part")))
    assert meanwhile == b"whole"
    assert api.get(f"{job.path}/artifacts/a.txt").content == b"whole"
    assert job.run.artifacts == 1


def test_two_who_send_the_same_name_do_not_mix(server: Running, api: httpx2.Client, job: Job) -> None:
    def slowly(letter: bytes, other: list[bytes]) -> object:
        for _ in range(20):
            other.append(letter)
            yield letter * 5000

    with ThreadPoolExecutor(2) as pool, server.client() as second:
        seen: list[bytes] = []
        path = f"{job.path}/artifacts/a.txt?attempt=1"
        answers = [
            pool.submit(client.post, path, content=slowly(letter, seen))  # type: ignore[arg-type]
            for client, letter in ((api, b"a"), (second, b"b"))
        ]
        assert [answer.result().status_code for answer in answers] == [201, 201]

    content = api.get(f"{job.path}/artifacts/a.txt").content
    saved = api.get(f"{job.path}/artifacts").json()["artifacts"][0]
    assert content in (b"a" * 100_000, b"b" * 100_000)
    assert saved["bytes"] == 100_000
    assert call(server, server.server.context.store.get(job.id)).artifacts == 2


def test_the_log_tells_of_the_version_that_lies_there(
    server: Running, api: httpx2.Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = server.server.context.engine
    append, has_appended = type(engine).append, asyncio.Event()

    async def first_is_late(self: Any, run_id: str, *bodies: e.Body, **more: Any) -> Any:
        if isinstance(bodies[0], e.ArtifactSaved) and bodies[0].bytes == 5:
            with suppress(TimeoutError):  # where the second waits for the first, it is the first
                await asyncio.wait_for(has_appended.wait(), 0.3)
        appended = await append(self, run_id, *bodies, **more)
        has_appended.set()
        return appended

    monkeypatch.setattr(type(engine), "append", first_is_late)
    with ThreadPoolExecutor(1) as pool, server.client() as second:
        first = pool.submit(upload, second, job, "a.txt", b"first")
        until(server, (folder(server, job) / "a.txt").exists)
        assert upload(api, job, "a.txt", b"the second").status_code == 201
        assert first.result().status_code == 201

    (saved,) = api.get(f"{job.path}/artifacts").json()["artifacts"]
    content = api.get(f"{job.path}/artifacts/a.txt").content
    assert saved["sha256"] == hashlib.sha256(content).hexdigest()
