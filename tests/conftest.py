"""What all tests share."""

from __future__ import annotations

import os
import signal
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.chaos.summary import Summary

ROOT = Path(__file__).parent
LEARNING = ("torch", "transformers", "accelerate", "peft")
TABLES = ("torch", "scipy", "sklearn", "pandas")
NEEDS = {
    "kinds/synthesis": TABLES,
    "web/test_synthesis_dialect.py": TABLES,
    "kinds/test_training_real.py": LEARNING,
    "kinds/test_training_exactness.py": LEARNING,
    "kinds/test_autotune_transformers.py": LEARNING,
    "e2e/test_training.py": LEARNING,
}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what needs an extra that is not here; never in CI."""
    return True if collection_path.relative_to(ROOT).as_posix() in left_out() else None


@cache
def left_out() -> list[str]:
    """The tests that need packages which are missing."""
    without = [name for name, modules in NEEDS.items() if not all(map(find_spec, modules))]
    if without and os.environ.get("CI"):
        raise pytest.UsageError(f"the extras are missing in CI, for {', '.join(without)}")
    return without


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests, unless they are asked for, as a whole or by name."""
    if is_short(config):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


def is_short(config: pytest.Config) -> bool:
    """Whether the long tests are left out."""
    return not config.getoption("--long") and not any("::" in argument for argument in config.args)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say it loudly."""
    if is_short(config):
        terminalreporter.write_line("LEFT OUT: the long tests (make test LONG=1 runs them, as CI does)")
    for name in left_out():
        terminalreporter.write_line(f"SKIPPED: tests/{name} needs the machine-learning extras (make ml)")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much is run, and where the tables of the chaos tests are written down."""
    parser.addoption("--chaos-json", help="write the tables of the chaos tests to this file")
    parser.addoption("--long", action="store_true", help="run the long tests too")


def pytest_configure(config: pytest.Config) -> None:
    """Print the tables of the chaos tests at the end; let Ctrl+C reach what a suite in the background starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Summary(config.getoption("--chaos-json")))


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"
