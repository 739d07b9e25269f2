"""A link server, and handles that are connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.sdk.assignment import make_handle
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.recovery import complete
from pilothouse.sdk.spool import Spool
from tests.sdk.link_server import LinkServer

Connect = Callable[..., RunHandle]


@pytest.fixture
def server() -> Iterator[LinkServer]:
    server = LinkServer()
    server.add_run()
    yield server
    server.stop()


@pytest.fixture
def links() -> Iterator[list[Link]]:
    links: list[Link] = []
    yield links
    for link in links:
        link.close()


@pytest.fixture
def connect(server: LinkServer, links: list[Link], tmp_path: Path) -> Connect:
    """Makes the handle of an attempt, as the child process does."""

    def connect(attempt: int = 1, **options: Any) -> RunHandle:
        log = server.log
        spool: Spool = options.pop("spool") if "spool" in options else Spool(tmp_path, attempt)
        given = complete(log.assignment(), spool)
        link = Link(server.url, "secret", "run_1", attempt, spool=spool, **options)
        links.append(link)
        handle = make_handle(link, given, dict(log.run.params), tmp_path)
        link.start(on_live=handle.params.update)
        return handle

    return connect


@pytest.fixture
def run(connect: Connect) -> RunHandle:
    return connect()


@pytest.fixture
def link(run: RunHandle, links: list[Link]) -> Link:
    return links[0]
