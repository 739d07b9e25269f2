"""Signing in: the token file, one-time codes, the cookie, and that no secret leaks."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest

from pilothouse.web.access import Access, read_or_make_token
from tests.web.clients import Stream, a_job
from tests.web.serving import Running, running


def sign_in(server: Running, **body: str) -> str:
    """The Set-Cookie header of a sign-in."""
    with server.stranger() as stranger:
        answer = stranger.post("/api/sign-in", json=body)
    assert answer.status_code == 204, answer.text
    return str(answer.headers["set-cookie"])


def reads_with(server: Running, cookie: str) -> int:
    """The status of a read with this cookie."""
    with server.stranger(headers={"cookie": cookie}) as browser:
        return browser.get("/api/runs").status_code


def new_code(server: Running) -> str:
    """A one-time code."""
    with server.client() as client:
        answer = client.post("/api/sign-in-codes")
    assert answer.status_code == 201
    return str(answer.json()["code"])


def test_the_cookie_is_for_our_pages_alone_and_its_name_carries_the_port(server: Running) -> None:
    cookie = sign_in(server, token=server.token)

    name, _, rest = cookie.partition("=")
    flags = {part.strip().lower() for part in rest.split(";")[1:]}
    assert name == f"pilothouse_{server.url.rpartition(':')[2]}"
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert not any(flag.startswith("domain") for flag in flags)
    assert server.token not in cookie


def test_a_cookie_opens_the_api(server: Running) -> None:
    cookie = sign_in(server, token=server.token).partition(";")[0]

    assert reads_with(server, cookie) == 200
    assert reads_with(server, f"other=1; {cookie}; more=2") == 200


@pytest.mark.parametrize("odd", ['a={"x":1}', "a b=1", "flag", 'a="x', "=1", "x=\xe9"])
def test_an_odd_cookie_of_another_program_on_this_host_signs_nobody_out(odd: str) -> None:
    access = Access("secret", 8765)

    assert access.session_in(f"{odd}; {access.cookie}={access.new_cookie()}")
    assert not access.session_in(f"{odd}; {access.cookie}=a.b")


def test_a_forged_cookie_opens_nothing(server: Running) -> None:
    name, _, value = sign_in(server, token=server.token).partition(";")[0].partition("=")
    issued, session, signature = value.split(".")
    forged = [
        f"{name}={issued}.{session}.{signature[:-1]}0{signature[-1]}",
        f"{name}={issued}.{'0' * len(session)}.{signature}",
        f"{name}={int(issued) + 1}.{session}.{signature}",
        f"{name}={session}.{signature}",
        f"{name}={issued}.{session}.",
        f"{name}={issued}.{session}",
        f"{name}=..",
        f"{name}=.",
        f"{name}=",
        f"pilothouse_1={value}",
        f"{name}={server.token}",
        "=;=;,",
    ]

    assert [reads_with(server, cookie) for cookie in forged] == [401] * len(forged)


def test_a_code_signs_in_once(server: Running) -> None:
    code = new_code(server)

    cookie = sign_in(server, code=code).partition(";")[0]

    with server.stranger() as stranger:
        again = stranger.post("/api/sign-in", json={"code": code})
    assert reads_with(server, cookie) == 200
    assert again.status_code == 401
    assert again.json()["error"]["message"] == "The code is used up or too old."
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize(
    "body", [{}, {"code": ""}, {"code": None}, {"token": ""}, {"token": "x"}, {"code": "x", "token": "y"}]
)
def test_nothing_else_signs_in(server: Running, body: dict[str, str | None]) -> None:
    with server.stranger() as stranger:
        answer = stranger.post("/api/sign-in", json=body)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_only_a_few_codes_are_open_at_a_time() -> None:
    access = Access("secret", 1)

    codes = [access.new_code() for _ in range(150)]

    assert not access.takes_code(codes[0])
    assert access.takes_code(codes[-1])


def test_signing_out_clears_the_cookie(server: Running) -> None:
    cookie = sign_in(server, token=server.token).partition(";")[0]

    with server.stranger(headers={"cookie": cookie, "origin": server.url}) as browser:
        answer = browser.post("/api/sign-out")

    assert answer.status_code == 204
    assert "max-age=0" in answer.headers["set-cookie"].lower()


def test_a_browser_stays_signed_in_when_the_server_starts_again(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        cookie = sign_in(first, token=first.token).partition(";")[0]
        port = int(first.url.rpartition(":")[2])

    again = Access(read_or_make_token(tmp_path), port)
    other = Access(read_or_make_token(tmp_path / "other"), port)

    assert again.session_in(cookie)
    assert not other.session_in(cookie)


def test_the_token_is_for_its_owner_alone(server: Running) -> None:
    file = server.data / "token"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(server.token) == 64
    assert int(server.token, 16)


def test_a_new_data_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    token = read_or_make_token(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert read_or_make_token(folder) == token


def test_an_empty_token_file_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "token").touch()

    token = read_or_make_token(tmp_path)

    assert len(token) == 64
    assert not Access(token, 8420).knows_token("")
    assert read_or_make_token(tmp_path) == token
    assert [file.name for file in tmp_path.iterdir()] == ["token"]
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_no_answer_and_no_log_tells_the_token(
    server: Running, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    job = a_job(server)
    told: list[str] = []

    with server.client() as client:
        paths = [
            "/api/runs",
            "/api/kinds",
            "/api/stats",
            "/api/hosts",
            "/api/openapi.json",
            job.path,
            f"{job.path}/export",
            f"{job.path}/audit",
            "/",
            "/api/nothing",
        ]
        for path in paths:
            answer = client.get(path)
            told += [answer.text, json.dumps(dict(answer.headers))]
        told.append(client.post("/api/runs", json={"kind": server.token[:8]}).text)
        told.append(client.post("/api/sign-in-codes").text)
    with Stream(server, f"{job.path}/events") as stream:
        told.append(str(next(iter(stream))))

    out, err = capfd.readouterr()
    assert not [text for text in [*told, out, err, caplog.text] if server.token in text]
