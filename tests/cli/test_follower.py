"""Following a run from a terminal: across lost connections, and told of what is gone."""

from __future__ import annotations

import io
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pilothouse.cli import watch
from pilothouse.cli.client import NO_SUCH_RUN, OK, Client, CliError
from pilothouse.cli.follower import Follower, loss_sentence, wait_seconds
from pilothouse.cli.watch import _block, follow
from pilothouse.model import event as e
from tests.web.clients import Job, a_job, call
from tests.web.serving import Running, running

CAPS = [1, 3, 5, 10, 20, 30]


def test_the_waits_grow_to_thirty_seconds_and_there_is_always_another() -> None:
    longest = [wait_seconds(tries, lambda: 1.0) for tries in (*range(1, 9), 100, 1_000_000)]

    assert longest == [1, 3, 5, 10, 20, 30, 30, 30, 30, 30]


def test_the_waits_lie_anywhere_between_nothing_and_the_limit() -> None:
    chance = random.Random(5)

    for tries, cap in enumerate(CAPS, start=1):
        waits = [wait_seconds(tries, chance.random) for _ in range(2_000)]

        assert 0 <= min(waits) < 0.01 * cap
        assert 0.99 * cap < max(waits) <= cap
        assert sum(waits) / len(waits) == pytest.approx(cap / 2, rel=0.05)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (("gap", {"from": 1, "to": 500}), "Events 1–500 are no longer kept."),
        (("gap", {"from": 7, "to": 7}), "Event 7 is no longer kept."),
        (
            ("reset", {"reason": "the database was replaced"}),
            "The log is not the one it was: the database was replaced. It is read anew.",
        ),
    ],
)
def test_a_loss_is_a_sentence(frame: tuple[str, dict[str, Any]], sentence: str) -> None:
    assert loss_sentence({"type": frame[0], "data": frame[1]}) == sentence


def change(data: Path, statement: str, *values: object) -> None:
    """Change the database behind the server's back."""
    with closing(sqlite3.connect(data / "p.db", isolation_level=None)) as database:
        database.execute(statement, values)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """A server on a database file."""
    return {"database": f"sqlite:///{tmp_path}/p.db", "lease_seconds": 600}


@pytest.fixture
def server(tmp_path: Path, settings: dict[str, Any]) -> Iterator[Running]:
    """A server whose runs a test may trim."""
    with running(tmp_path, **settings) as server:
        yield server


@pytest.fixture
def trimmed(server: Running) -> Job:
    """A run that has ended, whose first hundred events are gone."""
    job = a_job(server)
    job.notes(150)
    job.say(e.RunCompleted())
    call(server, server.server.context.store.trim(job.id, 101))
    return job


@contextmanager
def client_of(server: Running) -> Iterator[Client]:
    """The command line's client."""
    client = Client(server.url, server.data)
    yield client
    client.close()


def test_plain_lines_say_which_events_are_gone(
    server: Running, trimmed: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    with client_of(server) as client:
        code = follow(client, client.run(trimmed.id))

    lines = capsys.readouterr().out.splitlines()
    assert code == OK
    assert [line.split(maxsplit=2)[2] for line in lines if trimmed.id in line] == [
        "Events 1–100 are no longer kept.",
        *[line.split(maxsplit=2)[2] for line in lines if trimmed.id in line][1:],
    ]


def test_json_passes_the_gap_through_and_every_event_that_is_left(
    server: Running, trimmed: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    with client_of(server) as client:
        follow(client, client.run(trimmed.id), as_json=True)

    gap, *events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert gap == {
        "type": "gap",
        "run_id": trimmed.id,
        "data": {"from": 1, "to": 100, "reason": "trimmed"},
    }
    assert [event["seq"] for event in events] == list(range(101, 154))


def test_json_tells_a_long_log_from_its_first_event(
    server: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    job = a_job(server)
    job.notes(700)
    job.say(e.RunCompleted())

    with client_of(server) as client:
        follow(client, client.run(job.id), as_json=True)

    seqs = [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()]
    assert seqs == list(range(1, 704))


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_server_that_comes_back_is_followed_on_and_a_replaced_log_from_its_beginning(
    tmp_path: Path, settings: dict[str, Any], is_replaced: bool
) -> None:
    told: list[dict[str, Any]] = []
    with running(tmp_path, **settings) as first:
        job = a_job(first)
        job.notes(50)
        with client_of(first) as client:
            follower = Follower(client, client.run(job.id))
            events = follower.events()
            while not told or told[-1].get("seq") != 52:
                told.append(next(events))
    if is_replaced:
        change(tmp_path, "UPDATE meta SET value = 'cafe' WHERE name = 'epoch'")
    with running(tmp_path, **settings) as second:
        again = Job(second, job.id)
        again.notes(5)
        again.say(e.RunCompleted())
        with client_of(second) as follower.client:
            told += list(events)

    seqs = [event["seq"] for event in told if "seq" in event]
    assert seqs == [*range(1, 53), *range(1 if is_replaced else 53, 59)]
    assert [event["type"] for event in told if event["type"] == "reset"] == ["reset"] * is_replaced
    assert (follower.note is not None) is is_replaced
    assert follower.run["status"] == "completed"


def test_the_block_that_renews_itself_notes_what_is_gone(server: Running, trimmed: Job) -> None:
    with client_of(server) as client:
        follower = Follower(client, client.run(trimmed.id))
        list(follower.events())
    screen = Console(file=io.StringIO(), width=120)

    screen.print(_block(follower, None))

    assert isinstance(screen.file, io.StringIO)
    assert "Events 1–100 are no longer kept." in screen.file.getvalue()


def test_a_run_that_is_no_longer_there_ends_the_watching(server: Running, trimmed: Job) -> None:
    with client_of(server) as client:
        follower = Follower(client, client.run(trimmed.id))
        client.call("DELETE", trimmed.path)

        with pytest.raises(CliError) as refused:
            list(follower.events())

    assert refused.value.exit_code == NO_SUCH_RUN


def test_nobody_waits_beyond_the_time_that_was_set(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        job = a_job(server)
        with client_of(server) as client:
            run = client.run(job.id)

    told = [event["type"] for event in Follower(client, run, timeout=0.3).events()]

    assert told
    assert set(told) == {"lost"}


def test_a_quiet_run_is_watched_no_longer_than_was_set(server: Running) -> None:
    job = a_job(server)
    with client_of(server) as client:
        told = [event["type"] for event in Follower(client, client.run(job.id), timeout=0.3).events()]

    assert "hello" in told
    assert "lost" not in told


def test_a_cancel_that_is_refused_is_not_called_one(
    server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = a_job(server)
    job.say(e.RunCompleted())

    def press(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pilothouse.cli.watch.time.sleep", press)
    with client_of(server) as client:
        watch._insists(client, job.id)

    said = capsys.readouterr().err
    assert "Cancelling" not in said
    assert "Not cancelled" in said
