"""Host, Origin, content type and size: what is refused before any route is asked."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from tests.web.clients import a_job, frames_of, raw, websocket
from tests.web.serving import Running

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
MIB = 1024 * 1024


@pytest.fixture
def cookie(server: Running) -> str:
    """The cookie of a signed-in browser, as a header."""
    with server.stranger() as stranger:
        answer = stranger.post("/api/sign-in", json={"token": server.token})
    return str(answer.headers["set-cookie"]).partition(";")[0]


@pytest.fixture
def browser(server: Running, cookie: str) -> Iterator[httpx2.Client]:
    """A client with the cookie and nothing else."""
    with server.stranger(headers={"cookie": cookie}) as client:
        yield client


def port(server: Running) -> str:
    """The server's port."""
    return server.url.rpartition(":")[2]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:{port}",
        "169.254.1.1",
        "[::2]",
        "",
        "localhost.",
        "0",
    ],
)
@pytest.mark.parametrize("path", ["/", "/favicon.svg", "/api/health", "/api/runs", "/api/stream"])
def test_a_foreign_host_is_refused_everywhere(server: Running, host: str, path: str) -> None:
    with server.client(headers={"host": host.format(port=port(server))}) as client:
        answer = client.get(path)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:{port}", "[::1]"]
)
def test_the_names_of_this_machine_are_answered(server: Running, host: str) -> None:
    with server.client(headers={"host": host.format(port=port(server))}) as client:
        assert client.get("/api/runs").status_code == 200


def test_a_request_without_a_host_is_refused(server: Running) -> None:
    answer = raw(server, b"GET /api/health HTTP/1.0\r\n\r\n")

    assert b" 403 " in answer.partition(b"\r\n")[0]


ORIGINS = [
    "null",
    "http://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "https://127.0.0.1:{port}",
    "http://localhost:{port}",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}/",
    "http://evil@127.0.0.1:{port}",
    "http://127.0.0.1:{port}, http://evil.example",
    "",
]


@pytest.mark.rows("S1.79")
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("method", UNSAFE)
def test_another_site_changes_nothing(
    server: Running, browser: httpx2.Client, origin: str, method: str
) -> None:
    headers = {"origin": origin.format(port=port(server))}

    answer = browser.request(method, "/api/runs", json={"kind": "counting"}, headers=headers)

    assert answer.status_code == 403


def test_another_site_changes_nothing_even_with_the_token(api: httpx2.Client) -> None:
    answer = api.post("/api/runs", json={"kind": "counting"}, headers={"origin": "http://evil.example"})

    assert answer.status_code == 403


@pytest.mark.parametrize("method", UNSAFE)
def test_a_cookie_without_an_origin_steers_nothing(browser: httpx2.Client, method: str) -> None:
    answer = browser.request(method, "/api/runs", json={"kind": "counting"})

    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "A cookie alone does not steer: the request names no origin."


def test_a_page_of_our_own_may_steer(server: Running, browser: httpx2.Client) -> None:
    answer = browser.post("/api/runs", json={"kind": "counting"}, headers={"origin": server.url})

    assert answer.status_code == 201


def test_a_cookie_reads_without_an_origin(browser: httpx2.Client) -> None:
    assert browser.get("/api/runs").status_code == 200


def test_a_token_needs_no_origin(api: httpx2.Client) -> None:
    assert api.post("/api/runs", json={"kind": "counting"}).status_code == 201


@pytest.mark.rows("S1.79")
def test_a_cross_site_read_gets_no_leave_from_us(browser: httpx2.Client) -> None:
    answer = browser.get("/api/runs", headers={"origin": "http://evil.example"})
    asked = browser.request(
        "OPTIONS",
        "/api/runs",
        headers={"origin": "http://evil.example", "access-control-request-method": "POST"},
    )

    for each in (answer, asked):
        assert not [name for name in each.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("origin", [None, *ORIGINS])
def test_a_websocket_of_another_site_does_not_open(server: Running, cookie: str, origin: str | None) -> None:
    a_job(server)
    headers = {"cookie": cookie} | ({} if origin is None else {"origin": origin.format(port=port(server))})

    for path in ("/api/ws", "/api/runs/@last/ws"):
        with (
            pytest.raises(InvalidStatus) as refusal,
            websocket(server, path, Authorization="", **headers),
        ):
            pass
        assert refusal.value.response.status_code == 403


def test_a_websocket_of_our_own_page_opens(server: Running, cookie: str) -> None:
    job = a_job(server)
    path = f"{job.path}/ws"

    with websocket(server, path, Authorization="", cookie=cookie, origin=server.url) as connection:
        assert next(frames_of(connection)).type == "hello"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonx",
        "text/plain; application/json",
    ],
)
@pytest.mark.parametrize("method", UNSAFE)
def test_what_a_form_can_send_is_not_taken(api: httpx2.Client, content_type: str, method: str) -> None:
    body = json.dumps({"kind": "counting"})

    answer = api.request(method, "/api/runs", content=body, headers={"content-type": content_type})

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "content-type"


def test_json_with_a_charset_is_json(api: httpx2.Client) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}

    assert api.post("/api/runs", content='{"kind": "counting"}', headers=headers).status_code == 201


def test_a_control_without_a_body_needs_no_content_type(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    assert api.post(f"{job.path}/pause").status_code == 202


def test_a_body_that_says_it_is_too_long_is_not_read(server: Running) -> None:
    head = (
        f"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 200000000\r\n\r\n"
    )

    answer = raw(server, head.encode())

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()
    assert b'"too_large"' in answer


def test_a_body_that_does_not_say_how_long_it_is_costs_no_memory(server: Running) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 * MIB:
            sent += 64 * 1024
            yield b" " * (64 * 1024)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with server.client(headers={"content-type": "application/json"}) as client:
        try:
            answer = client.post("/api/runs", content=chunks())
            assert answer.status_code == 413
            assert answer.json()["error"]["code"] == "too_large"
        except httpx2.TransportError:
            pass  # the server closed while we still sent
        alive = client.get("/api/health")

    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert alive.status_code == 200
    assert grown_kib < 20 * 1024


def test_a_chunked_body_just_above_the_limit_is_told_so(api: httpx2.Client) -> None:
    body = iter([b'{"kind": "counting", "name": "', b"x" * (2 * MIB), b'"}'])

    answer = api.post("/api/runs", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    "path", ["/api/hosts/artifacts/claim", "/api/runs/artifacts/pause", "/tuning/artifacts/x"]
)
def test_a_word_in_a_path_makes_no_upload_of_it(server: Running, api: httpx2.Client, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"

    long = raw(server, (head + "Content-Length: 200000000\r\n\r\n").encode())
    form = api.post(path, content="{}", headers={"content-type": "text/plain"})

    assert long.startswith(b"HTTP/1.1 413")
    assert (form.status_code, form.json()["error"]["field"]) == (422, "content-type")


def test_a_chunked_body_within_the_limit_is_taken(api: httpx2.Client) -> None:
    body = iter([b'{"kind": ', b'"counting"}'])

    assert (
        api.post("/api/runs", content=body, headers={"content-type": "application/json"}).status_code == 201
    )
