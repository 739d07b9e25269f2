"""What all tests share."""

from __future__ import annotations

import pytest

from tests.chaos.summary import Summary


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the tables of the chaos tests are written down."""
    parser.addoption("--chaos-json", help="write the tables of the chaos tests to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Print the tables of the chaos tests at the end."""
    config.pluginmanager.register(Summary(config.getoption("--chaos-json")))


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"
