"""`pilothouse demo` as a newcomer starts it, and starts it again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds import builtin
from pilothouse.testing.stack import Stack, stopped, until
from tests.chaos import scale

CORE = {"benchmark", "generation", "autotune"}
KINDS = CORE | {"synthesis", "training"}
BARE = 'import sys\nsys.modules["torch"] = None  # as where it is not installed\n'
SERVICE = "Serve the trained model"
LONGEST_SECONDS = 1_500.0


class DemoStack(Stack):
    """Pilothouse with its demo."""

    words = ("demo",)


def runs(up: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = up.api("GET", "/api/runs?tag=demo&limit=50")["runs"]
    return found


@pytest.mark.long
def test_a_bare_install_shows_results_at_once_and_goes_on_with_them_after_a_stop(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BARE)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", str(Path.cwd()))]))
    more = {"PYTHONPATH": path, "PILOTHOUSE_SLOTS": "3"}

    with stopped(DemoStack(tmp_path / "data", more)) as up:
        until(lambda: len([run for run in runs(up) if run["progress"]["done"]]) == len(CORE), "first results")
        said = up.cli("demo", "--no-open").stderr
        first = runs(up)
    with stopped(DemoStack(tmp_path / "data", more)) as up:
        again = until(lambda: [run for run in runs(up) if run["attempt"] == 2], "runs that go on")
        together = runs(up)

    interrupted = {run["id"] for run in again}
    assert "The demo runs already" in said and len(first) == len(CORE)
    assert {run["kind"] for run in first} == CORE
    assert interrupted <= {run["id"] for run in first}
    assert sum(run["kind"] == again[0]["kind"] for run in together) == 1
    assert all(run["progress"]["done"] >= 1 for run in again)


@pytest.mark.skipif(
    not scale.IS_LONG, reason="trains and serves a model: minutes where others take the processor"
)
@pytest.mark.timeout(2 * LONGEST_SECONDS)
def test_the_whole_demo_has_all_five_kinds_live_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    if lacking := [kind.name for kind in builtin().values() if kind.extra and kind.extra.missing()]:
        pytest.skip(f"needs the packages of {', '.join(lacking)}")

    with stopped(DemoStack(tmp_path / "data")) as up:
        until(lambda: _live(up) >= KINDS, "five kinds live at once", LONGEST_SECONDS)
        until(
            lambda: {run["name"] for run in runs(up) if not run["ended_at"]} == {SERVICE},
            "the end",
            LONGEST_SECONDS,
        )
        ended = runs(up)

    assert {run["status"] for run in ended if run["name"] != SERVICE} == {"completed"}
    judged = next(run for run in ended if run["name"].startswith("Who takes a ticket"))
    assert judged["metrics"]["accuracy"] > 0.4  # five teams: chance would be 0.2


def _live(up: Stack) -> set[str]:
    return {run["kind"] for run in runs(up) if run["status"] == "running"}
