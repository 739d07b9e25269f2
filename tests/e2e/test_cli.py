"""The command line against a real server: what it prints, and the exit codes that scripts rely on."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.xdist_group("cli")


def start(up: Stack, *arguments: str) -> dict[str, Any]:
    done = up.cli("run", "counting", "--detach", "--json", *arguments)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def ended(run: dict[str, Any]) -> bool:
    return run["ended_at"] is not None


def test_an_attached_run_tells_its_story_and_exits_with_its_end(up: Stack) -> None:
    done = up.cli("run", "counting", "--set", "count=5", "--name", "five")

    assert done.returncode == 0
    assert "five   Completed" in done.stdout
    assert "5/5 numbers" in done.stdout


def test_a_run_is_paused_resumed_and_cancelled_by_number_or_at_last(up: Stack) -> None:
    run = start(up, "--set", "count=5000", "--set", "speed=50")
    up.wait(run["id"], lambda now: now["progress"]["done"] > 5, "some items")

    paused = up.cli("pause", str(run["number"]), "--reason", "lunch")
    status = up.run(run["id"])["status"]
    resumed = up.cli("resume", "@last")
    cancelled = up.cli("cancel", run["id"][:22], "-y")

    assert status == "paused"
    assert ": lunch (" in paused.stderr
    assert "Resumed" in resumed.stderr
    assert "Cancelled at" in cancelled.stderr
    assert up.run(run["id"])["status"] == "cancelled"


def test_cancel_asks_first_and_without_a_terminal_it_wants_a_yes(up: Stack) -> None:
    run = start(up, "--set", "count=5000", "--set", "speed=50")

    refused = up.cli("cancel", run["id"], check=False)

    assert refused.returncode == 2
    assert "-y" in refused.stderr
    assert up.run(run["id"])["pending"] is None
    up.cli("cancel", run["id"], "-y")


def test_lists_and_runs_are_json_on_request(up: Stack) -> None:
    run = start(up, "--set", "count=3", "--name", "listed", "--tag", "seen")
    up.wait(run["id"], ended, "the end")

    listed = json.loads(up.cli("ls", "--json", "--tag", "seen").stdout)
    shown = json.loads(up.cli("show", "listed", "--json").stdout)

    assert [each["id"] for each in listed] == [run["id"]]
    assert shown["progress"]["done"] == 3


@pytest.mark.rows("S1.84", "S1.85")
@pytest.mark.parametrize("format_", ["csv", "json", "jsonl"])
def test_results_are_exported_in_every_format(up: Stack, format_: str, tmp_path: Path) -> None:
    run = start(up, "--set", "count=4", "--set", "bad=[2]")
    up.wait(run["id"], ended, "the end")
    target = tmp_path / f"out.{format_}"

    up.cli("export", run["id"], "--format", format_, "-o", str(target))

    text = target.read_text()
    readers: dict[str, Any] = {
        "csv": lambda: list(csv.DictReader(io.StringIO(text))),
        "json": lambda: json.loads(text)["items"],
        "jsonl": lambda: [json.loads(line) for line in text.splitlines()],
    }
    rows = readers[format_]()
    assert sorted(int(row["key"]) for row in rows) == [0, 1, 2, 3]
    assert [row["error"] for row in rows if row["state"] == "failed"] == ["ValueError: 2 is bad"]


def test_a_retry_reuses_what_is_finished(up: Stack) -> None:
    run = start(up, "--set", "count=6", "--set", "bad=[1, 4]")
    up.wait(run["id"], ended, "the end")

    done = up.cli("retry", run["id"], "--failed-only")

    assert "2 numbers to do, 4 finished numbers" in done.stderr


def test_watch_as_json_prints_every_event_once(up: Stack) -> None:
    run = start(up, "--set", "count=20", "--set", "speed=200")

    done = up.cli("watch", run["id"], "--json")

    seqs = [json.loads(line)["seq"] for line in done.stdout.splitlines()]
    assert seqs == list(range(1, seqs[-1] + 1))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "nothing-like-it"], 7, "nothing-like-it"),
        (["run", "juggling", "--detach"], 2, "there is no kind 'juggling'"),
        (["run", "counting", "--detach", "--set", "count=many"], 2, "count:"),
        (["run", "counting", "--detach", "--set", "cuont=3"], 2, "cuont: there is no such field"),
        (["run", "counting", "--detach", "-c", "missing.toml"], 2, "missing.toml"),
        (["export", "@last", "--format", "xlsx"], 2, "xlsx"),
        (["retry", "@last", "--all", "--remaining"], 2, "exclude each other"),
    ],
)
def test_bad_input_is_named_and_has_its_exit_code(
    up: Stack, arguments: list[str], code: int, said: str
) -> None:
    done = up.cli(*arguments, check=False)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_done_now_says_so(up: Stack) -> None:
    run = start(up, "--set", "count=1")
    up.wait(run["id"], ended, "the end")

    done = up.cli("pause", run["id"], check=False)

    assert done.returncode == 8
    assert "can no longer be paused" in done.stderr


def test_without_a_server_the_way_out_is_told(up: Stack, tmp_path: Path) -> None:
    done = up.cli("--server", "http://127.0.0.1:9", "ls", check=False)

    assert done.returncode == 6
    assert "pilothouse up" in done.stderr


def test_a_wrong_token_is_not_allowed_in(up: Stack, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0" * 64)

    done = up.cli("--server", up.url, "--data", str(tmp_path), "ls", check=False)

    assert done.returncode == 10


def test_a_real_benchmark_runs_from_a_file(up: Stack, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text(
        "\n".join(
            json.dumps({"id": f"c{n}", "code": code, "vote": vote})
            for n, (code, vote) in enumerate(
                [("eval(input())", "REAL"), ("x = 1", "FP"), ("os.system(cmd)", "REAL")]
            )
        )
    )
    (tmp_path / "bench.toml").write_text(
        'prompts = [{ name = "p", template = "Is it real? {code} Answer with one of: {votes}. {answer}" }]\n'
        'cases = "@cases.jsonl"\n'
        'models = [{ name = "offline", base_url = "offline" }]\n'
        'votes = [{ name = "REAL" }, { name = "FALSE_POSITIVE", synonyms = ["FP"] }]\n'
    )

    done = up.cli("run", "benchmark", "-c", str(tmp_path / "bench.toml"), "--name", "tiny")

    assert "3/3 tests" in done.stdout
    run = json.loads(up.cli("show", "tiny", "--json").stdout)
    assert run["metrics"]["errors"] == 0
    rows = list(csv.DictReader(io.StringIO(up.cli("export", "tiny", "-o", "-").stdout)))
    assert {row["predicted"] for row in rows} <= {"REAL", "FALSE_POSITIVE"}


def test_an_unreachable_model_is_named_with_a_way_out_and_keeps_the_run_alive(
    up: Stack, tmp_path: Path
) -> None:
    (tmp_path / "bench.json").write_text(
        json.dumps(
            {
                "prompts": [{"name": "p", "template": "{code} {votes} {answer}"}],
                "cases": [{"id": f"c{n}", "code": "x", "vote": "REAL"} for n in range(8)],
                "models": [{"name": "gone", "base_url": "http://127.0.0.1:9/v1", "model": "m"}],
                "votes": [{"name": "REAL"}, {"name": "FALSE_POSITIVE"}],
                "retries": 0,
            }
        )
    )

    done = up.cli("run", "benchmark", "-c", str(tmp_path / "bench.json"), "--name", "nobody", check=False)

    assert done.returncode == 3
    assert "127.0.0.1:9" in done.stdout
    failed = up.api("GET", "/api/runs/nobody/items?state=failed")["items"]
    assert len(failed) == 5, "after five alike the rest is left for a retry"
