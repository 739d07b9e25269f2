"""Steering several runs from a terminal."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

import pytest
from typer.testing import CliRunner, Result

from pilothouse.cli import steer
from pilothouse.cli.client import NO_SUCH_RUN, CliError
from pilothouse.cli.main import app, main
from pilothouse.model import event as e
from tests.web.clients import Job, a_job, a_run, until
from tests.web.serving import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server without a host."""
    with running(tmp_path_factory.mktemp("data"), lease_seconds=600) as server:
        yield server


def pilothouse(server: Running, *words: str) -> Result:
    """What a command comes to."""
    return CliRunner().invoke(app, ["--server", server.url, "--data", str(server.data), *words])


@contextmanager
def meanwhile(server: Running, *words: str) -> Iterator[Future[Result]]:
    """A command that waits for what the block does."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(pilothouse, server, *words)


def asked(server: Running, jobs: list[Job], control: str) -> None:
    """Wait until a control is pending for all of them."""
    store = server.server.context.store
    until(server, lambda: all(store._logs[job.id].entry.run.pending == control for job in jobs))  # type: ignore[attr-defined]


def test_several_runs_are_asked_to_pause_before_one_is_waited_for(server: Running) -> None:
    jobs = [a_job(server), a_job(server)]

    with meanwhile(server, "pause", *(job.id for job in jobs)) as pausing:
        try:
            asked(server, jobs, "pause")
        finally:
            for job in jobs:
                job.say(e.RunPaused())
        said = pausing.result(20)

    assert said.exit_code == 0
    assert said.stderr.count("Paused") == 2


def test_several_runs_are_asked_to_end_before_one_is_waited_for(server: Running) -> None:
    jobs = [a_job(server), a_job(server)]

    with meanwhile(server, "cancel", "-y", *(job.id for job in jobs)) as cancelling:
        try:
            asked(server, jobs, "cancel")
        finally:
            for job in jobs:
                job.say(e.RunCancelled(by="ana"))
        said = cancelling.result(20)

    assert said.exit_code == 0
    assert said.stderr.count("Cancelled at") == 2


@pytest.mark.parametrize("command", [["show"], ["pause"], ["cancel", "-y"], ["ls"]])
def test_no_name_of_a_run_moves_the_cursor(server: Running, command: list[str]) -> None:
    job = a_run(server, name="sly \x1b[2J\x9b2J run")

    said = pilothouse(server, *command, *([] if command == ["ls"] else [job.id]))

    assert not {"\x1b", "\x9b"} & set(said.stdout + said.stderr)


def test_no_refusal_moves_the_cursor(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    same = "same \x9b2J"
    a_run(server, name=same)
    a_run(server, name=same)
    words = ["pilothouse", "--server", server.url, "--data", str(server.data), "show", same]
    monkeypatch.setattr(sys, "argv", words)

    with pytest.raises(SystemExit):
        main()

    said = capsys.readouterr().err
    assert "fits several runs" in said
    assert "\x9b" not in said


def test_a_run_is_found_by_a_name_with_slashes(server: Running) -> None:
    job, twins = a_run(server, name="python scripts/train.py"), [a_run(server, name="a/b") for _ in "12"]

    shown = pilothouse(server, "show", "python scripts/train.py", "--json")
    unclear = pilothouse(server, "show", "a/b")
    unknown = pilothouse(server, "show", "scripts/train.py")

    assert json.loads(shown.stdout)["id"] == job.id
    assert isinstance(unclear.exception, CliError)
    assert isinstance(unknown.exception, CliError)
    assert sorted(unclear.exception.lines[1:]) == sorted(job.id for job in twins)
    assert unclear.exception.exit_code == unknown.exception.exit_code == NO_SUCH_RUN


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_terminal_of_few_letters_ends_no_command(
    server: Running, monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    a_run(server, name="käse – 猫")
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "argv", ["", "--server", server.url, "--data", str(server.data), "ls", *option])

    with pytest.raises(SystemExit) as ended:
        main()

    screen.flush()
    said = screen.buffer.getvalue().decode("ascii")
    assert not ended.value.code
    assert ("käse – 猫" in [run["name"] for run in json.loads(said)]) if option else ("k?se ? ?" in said)


def test_items_are_judged_by_their_keys(server: Running) -> None:
    job = a_job(server)
    job.say(e.ItemFinished(key="a", seconds=1), e.ItemFinished(key="b", seconds=1))

    dropped = pilothouse(server, "judge", job.id, "a", "b", "--drop")
    cleared = pilothouse(server, "judge", job.id, "b", "--clear")
    unclear = pilothouse(server, "judge", job.id, "a", "--keep", "--drop")
    unknown = pilothouse(server, "judge", job.id, "z", "--keep")

    exported = pilothouse(server, "export", job.id, "-o", "-").stdout
    assert (dropped.exit_code, cleared.exit_code) == (0, 0)
    assert "2 items" in dropped.stderr
    assert [row["judged"] for row in csv.DictReader(exported.splitlines())] == ["drop", ""]
    assert "one of --keep, --drop, --flag and --clear" in str(unclear.exception)
    assert "No item 'z' has finished" in str(unknown.exception)


def test_a_time_of_day_is_told_by_the_clock_of_its_own_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    eve = datetime(2026, 3, 28, 20, 0)  # the clock goes forward in the night

    moments = [steer._moment(until, eve) for until in ("20:30", "07:00")]
    monkeypatch.undo()
    time.tzset()

    assert moments == ["2026-03-28T20:30:00+01:00", "2026-03-29T07:00:00+02:00"]
