"""Totals survive a crash: what a run counts of tokens, money and time goes on where it was."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.stack import Stack, until
from tests.e2e.test_pauses import jobs
from tests.e2e.test_survival import done, ended, log

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("survival")]


def test_a_killed_benchmark_goes_on_with_its_tokens_its_cost_and_its_time(up: Stack) -> None:
    kind = next(kind for kind in up.api("GET", "/api/kinds")["kinds"] if kind["name"] == "benchmark")
    demo = next(example for example in kind["examples"] if example["name"] == "demo")
    params = demo["params"] | {"cases": demo["params"]["cases"][:8]}
    run_id = up.api("POST", "/api/runs", {"kind": "benchmark", "params": params})["id"]
    up.wait(run_id, done(10), "10 tests")

    victims = [process.pid for process in jobs(run_id)]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    run = up.wait(run_id, lambda run: run["attempt"] == 2 or ended(run), "the next attempt")
    run = up.wait(run_id, ended, "the end")

    finished = [event["data"] for event in log(up, run_id) if event["type"] == "item.finished"]
    tokens = sum(each["data"].get("tokens_in", 0) + each["data"].get("tokens_out", 0) for each in finished)
    assert victims
    assert (run["status"], run["attempt"], run["crashes"]) == ("completed", 2, 1)
    assert len(finished) == run["progress"]["total"] == len({each["key"] for each in finished})
    assert run["metrics"]["tokens"] == tokens > 0
    assert run["active_seconds"] > 0
    until(lambda: not jobs(run_id), "the end of its processes")
