"""No route is open unless it is on the list; a route that is added tomorrow is walked too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from websockets.exceptions import InvalidStatus

from pilothouse.model import event as e
from pilothouse.model.run import Control
from tests.web.clients import Stream, a_job, call, websocket
from tests.web.serving import Running

OPEN = {("GET", "/api/health"), ("HEAD", "/api/health")}  # and POST /api/sign-in: 401 by itself
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def walk(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    """Every route, those of included routers too."""
    for route in routes:
        router: Any = getattr(route, "original_router", None)
        if router is not None:
            yield from walk(router.routes)
        else:
            yield route


def routes_of(server: Running) -> list[BaseRoute]:
    """Every route of the app behind the guard."""
    app: Any = server.server.app
    return list(walk(app._app.routes))


def filled(path: str, run: str = "@last") -> str:
    """A path with something in each of its places."""
    return re.sub(r"{[^}]*}", run, path)


def http_paths(server: Running) -> list[str]:
    """Every HTTP path of the app, with its places filled."""
    return sorted({filled(route.path) for route in routes_of(server) if isinstance(route, Route)})


def test_the_walk_meets_every_kind_of_route(server: Running) -> None:
    routes = routes_of(server)

    paths = {getattr(route, "path", "") for route in routes}

    assert {"/api/runs", "/api/stream", "/api/ws", "/tuning/runs/{run_id}/stream"} <= paths
    assert all(isinstance(route, Route | WebSocketRoute | Mount) for route in routes)
    assert len(routes) > 35


@pytest.mark.rows("S3.51")
@pytest.mark.parametrize("authorization", [None, "x", "Bearer", "Bearer wrong", "Basic x"])
def test_no_route_answers_a_stranger(server: Running, authorization: str | None) -> None:
    a_job(server)
    headers = {"authorization": authorization} if authorization else {}
    answered = set()

    with server.stranger(headers=headers) as stranger:
        for path in http_paths(server):
            for method in METHODS:
                if stranger.request(method, path, json={}).status_code not in (401, 403):
                    answered.add((method, path))
        signing_in = stranger.post("/api/sign-in", json={"token": "wrong"})

    assert answered == OPEN
    assert signing_in.status_code == 401
    assert signing_in.json()["error"]["message"] == "That is not the token."


@pytest.mark.rows("S4.95")
def test_no_websocket_opens_for_a_stranger(server: Running) -> None:
    a_job(server)
    paths = [filled(route.path) for route in routes_of(server) if isinstance(route, WebSocketRoute)]

    for path in [*paths, "/api/nothing", "/nothing"]:
        for token in ("", "Bearer wrong"):
            with pytest.raises(InvalidStatus) as refusal, websocket(server, path, Authorization=token):
                pass
            assert refusal.value.response.status_code == 401, path

    assert len(paths) >= 2


def test_unsafe_methods_are_closed_even_where_there_is_nothing(server: Running) -> None:
    with server.stranger() as stranger:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for path in ("/", "/runs", "/assets/x.js", "/nowhere"):
                assert stranger.request(method, path).status_code == 401, (method, path)


def test_a_path_written_oddly_opens_nothing(server: Running) -> None:
    odd = [
        "//api/runs",
        "/./api/runs",
        "/x/../api/runs",
        "/%61pi/runs",
        "/api%2fruns",
        "/API/runs",
        "/api/./runs",
    ]

    with server.stranger(follow_redirects=False) as stranger:
        answers = [stranger.send(httpx2.Request("GET", server.url + path)) for path in odd]

    for path, answer in zip(odd, answers, strict=True):
        assert b'"runs"' not in answer.content, path


def test_no_get_changes_anything(server: Running) -> None:
    job = a_job(server)
    pause = e.ControlRequested(control=Control.PAUSE, actor="ada")
    job.say(pause, e.RunPaused())
    before = job.run
    queries = ("", "?attempt=1", "?format=json", "?after=0&limit=10")
    streams = {"/api/stream", "/api/generate/batch/stream", "/api/runs/@last/controls"}

    with server.client() as client:
        for path in http_paths(server):
            for method in ("GET", "HEAD"):
                for query in queries:
                    if path in streams:
                        Stream(server, path + (query or "?attempt=1")).close()
                    else:
                        client.request(method, path + query, timeout=5)

    after = job.run
    assert after == before
    assert call(server, server.server.context.store.resolve("@last")) == before


def test_an_unknown_path_of_the_api_is_not_the_page(api: httpx2.Client) -> None:
    missing = api.get("/api/nothing")

    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/runs"), ("DELETE", "/api/health"), ("POST", "/api/stats")]
)
def test_a_method_that_a_path_does_not_take_is_told_so(api: httpx2.Client, method: str, path: str) -> None:
    answer = api.request(method, path)

    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_head_of_a_stream_comes_to_an_end(api: httpx2.Client) -> None:
    assert api.head("/api/stream").status_code == 405


def test_every_answer_has_the_security_headers_and_an_id(server: Running) -> None:
    with server.client() as client, server.stranger() as stranger:
        answers = [
            client.get("/api/runs"),
            client.get("/api/nothing"),
            client.post("/api/runs", json={"kind": 3}),
            stranger.get("/api/runs"),
            stranger.get("/api/health"),
            stranger.get("/"),
        ]

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff", answer.url
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert len(answer.headers["x-request-id"]) == 16


def test_an_error_carries_the_id_of_its_request(server: Running) -> None:
    with server.stranger() as stranger:
        answer = stranger.get("/api/runs")

    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]
    assert answer.json()["error"]["hint"]


def test_the_openapi_document_names_every_route(server: Running, api: httpx2.Client) -> None:
    document = api.get("/api/openapi.json").json()

    described = {re.sub(r"{[^}]*}", "{}", path) for path in document["paths"]}
    served = {
        re.sub(r"{[^}]*}", "{}", route.path)
        for route in routes_of(server)
        if isinstance(route, Route) and route.path.startswith("/api") and "openapi" not in route.path
    }
    assert served <= described
