"""One server for each module, and a client with its token."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.web.serving import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real server on the memory store, shared by the tests of a module."""
    with running(tmp_path_factory.mktemp("data"), lease_seconds=600) as server:
        yield server


@pytest.fixture
def api(server: Running) -> Iterator[httpx2.Client]:
    """A client with the token."""
    with server.client() as client:
        yield client
