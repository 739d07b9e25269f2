"""The end of a session: by its age, or because somebody signs out."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from pilothouse.web.access import Access, read_or_make_token
from pilothouse.web.revocations import Revocations
from tests.web.clients import Stream, a_job, frames_of, until, websocket
from tests.web.serving import Running, running
from tests.web.test_sign_in import reads_with, sign_in


def a_session(server: Running) -> str:
    """The cookie of a browser that has signed in."""
    return sign_in(server, token=server.token).partition(";")[0]


def sign_out(server: Running, cookie: str) -> int:
    """The status of a sign-out."""
    with server.stranger(headers={"cookie": cookie, "origin": server.url}) as browser:
        return browser.post("/api/sign-out").status_code


def at(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Let so many days pass."""
    now = time.time
    monkeypatch.setattr("pilothouse.web.access.time.time", lambda: now() + days * 86_400)


def test_a_cookie_ends_thirty_days_after_its_issue(monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access("secret", 8420)
    cookie = f"{access.cookie}={access.new_cookie()}"

    with monkeypatch.context() as later:
        at(later, 29.9)
        assert access.session_in(cookie)
    with monkeypatch.context() as later:
        at(later, 30.1)
        assert not access.session_in(cookie)


def test_a_cookie_of_an_older_version_that_tells_no_time_opens_nothing(server: Running) -> None:
    name = server.server.context.access.cookie
    signed = hmac.new(server.token.encode(), b"cookie:" + b"0" * 32, hashlib.sha256).hexdigest()

    assert reads_with(server, f"{name}={'0' * 32}.{signed}") == 401


def test_a_clock_that_was_set_back_signs_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access("secret", 8420)
    cookie = f"{access.cookie}={access.new_cookie()}"

    at(monkeypatch, -1)

    assert access.session_in(cookie)


def test_the_setting_says_how_long_a_browser_stays_signed_in(tmp_path: Path) -> None:
    with running(tmp_path, session_days=2) as server:
        header = sign_in(server, token=server.token)

        assert "max-age=172800" in header.lower()
        assert server.server.context.access.session_seconds == 172_800


def test_a_session_that_was_signed_out_opens_nothing_and_the_others_stay(server: Running) -> None:
    mine, other = a_session(server), a_session(server)

    assert sign_out(server, mine) == 204
    assert (reads_with(server, mine), reads_with(server, other)) == (401, 200)
    assert sign_out(server, mine) == 401


def test_a_restart_brings_no_session_back(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        mine, other = a_session(server), a_session(server)
        sign_out(server, mine)
        port = int(server.url.rpartition(":")[2])

    file = tmp_path / "signed-out"
    again = Access(read_or_make_token(tmp_path), port, revocations=Revocations(file))

    assert not again.session_in(mine)
    assert again.session_in(other)
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_has_expired_is_not_kept(tmp_path: Path) -> None:
    revocations = Revocations(tmp_path / "signed-out")
    revocations.add("old", -1)
    revocations.add("new", 60)

    revocations.save()

    again = Revocations(tmp_path / "signed-out")
    assert (again.holds("old"), again.holds("new")) == (False, True)


def test_a_sign_out_that_cannot_be_kept_holds_until_the_server_stops(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        mine = a_session(server)
        (tmp_path / ".signed-out.part").mkdir()

        assert sign_out(server, mine) == 204
        assert reads_with(server, mine) == 401


@pytest.mark.parametrize("path", ["{run}/events", "/api/stream?watch={id}"])
def test_the_streams_of_a_session_end_with_it_and_those_of_others_go_on(server: Running, path: str) -> None:
    job = a_job(server)
    path = path.format(run=job.path, id=job.id)
    mine, other = ({"Authorization": "", "cookie": a_session(server)} for _ in range(2))

    with Stream(server, path, mine) as ended, Stream(server, path, other) as stays:
        first = next(ended.events()), next(stays.events())
        sign_out(server, mine["cookie"])
        list(ended.events())
        job.notes(1)
        more = next(stays.events())

    assert all(first)
    assert more


@pytest.mark.parametrize("path", ["{run}/ws", "/api/ws?watch={id}"])
def test_the_sockets_of_a_session_end_with_it(server: Running, path: str) -> None:
    job = a_job(server)
    headers = {"Authorization": "", "cookie": a_session(server), "origin": server.url}

    with websocket(server, path.format(run=job.path, id=job.id), **headers) as connection:
        next(frames_of(connection))
        sign_out(server, headers["cookie"])
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                connection.recv()

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, "Signed out.")


def test_a_poll_that_waits_is_told_that_its_session_has_ended(server: Running) -> None:
    job, cookie = a_job(server), a_session(server)
    is_waiting = waits_for(server, job.id)

    with ThreadPoolExecutor(1) as pool, server.stranger(headers={"cookie": cookie}) as browser:
        polling = pool.submit(browser.get, f"{job.path}/events?after={job.run.head}&wait=20")
        until(server, is_waiting)
        sign_out(server, cookie)
        answer = polling.result(10)

    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "Signed out.")


def waits_for(server: Running, run_id: str) -> Callable[[], bool]:
    """Whether somebody waits for news of a run."""
    return lambda: run_id in server.server.context.engine.doorbell._ears
