"""What a dead process left is sent in its own name, with its own numbers, before its end is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pilothouse.sdk.handover import hand_over
from pilothouse.sdk.recovery import complete
from pilothouse.sdk.spool import Spool
from tests.sdk.link_server import LinkServer


def item(key: str) -> bytes:
    return json.dumps({"type": "item.finished", "data": {"key": key, "seconds": 1}}).encode()


def log(text: str) -> bytes:
    return json.dumps({"type": "log", "data": {"text": text}}, separators=(",", ":")).encode()


@pytest.fixture
def dead(tmp_path: Path, server: LinkServer) -> Path:
    """The folder of a job that was killed after the server had stored its first two events."""
    spool = Spool(tmp_path)
    spool.mark("b")
    spool.add([log("first"), item("a"), log("last words"), item("c"), b'{"type":"run.paused","data":{}}'])
    events = [json.loads(event) for event in (log("first"), item("a"))]
    server.take("run_1", {"attempt": 1, "writer": "job", "client_seq": 1, "events": events})
    spool.close()
    return tmp_path


def give(server: LinkServer, folder: Path) -> bool:
    return hand_over(server.url, "secret", "run_1", 1, folder)


def test_the_last_words_of_a_killed_job_arrive_and_nothing_arrives_twice(
    server: LinkServer, dead: Path
) -> None:
    assert give(server, dead)

    assert [body.text for body in server.bodies("log")] == ["first", "last words"]
    assert server.keys("item.finished") == ["a", "c"]
    assert server.status() == "running"
    assert list(dead.glob("*.jsonl")) == []


def test_the_next_attempt_finds_nothing_to_send_but_what_was_in_hand(server: LinkServer, dead: Path) -> None:
    give(server, dead)
    server.next_attempt()

    given = complete(server.log.assignment(), spool := Spool(dead, 2))

    assert given["in_flight"] == ["b"]
    assert [json.loads(event)["type"] for _, event in spool.batch()] == ["item.started"]
    spool.close()


def test_one_event_that_the_server_refuses_does_not_keep_back_the_rest(
    server: LinkServer, dead: Path
) -> None:
    server.is_bad = lambda body: getattr(body, "text", None) == "last words"

    assert give(server, dead)

    first, line = server.bodies("log")
    assert (first.text, line.level) == ("first", "error")
    assert '"text":"last words"' in line.text
    assert server.keys("item.finished") == ["a", "c"]
    assert list(dead.glob("*.jsonl")) == []


def test_a_server_that_refuses_everything_leaves_it_to_the_next_attempt(
    server: LinkServer, dead: Path
) -> None:
    server.is_bad = lambda body: True

    assert give(server, dead)

    assert server.keys("item.finished") == ["a"]
    assert list(dead.glob("*.jsonl")) != []


def test_a_server_that_is_away_is_tried_again(server: LinkServer, dead: Path) -> None:
    server.stop()
    refused = give(server, dead)
    server.start()

    assert not refused
    assert give(server, dead)
    assert server.keys("item.finished") == ["a", "c"]


def test_a_settled_attempt_says_nothing_more(server: LinkServer, dead: Path) -> None:
    server.next_attempt()

    assert give(server, dead)

    assert server.keys("item.finished") == ["a"]


def test_thousands_of_events_go_out_in_several_batches(server: LinkServer, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add([item(str(number)) for number in range(2_500)])
    spool.close()

    assert give(server, tmp_path)

    assert server.keys("item.finished") == [str(number) for number in range(2_500)]
    assert [count for _, count in server.batches] == [1_000, 1_000, 500]


def test_what_the_disk_does_not_let_go_holds_nobody_up(server: LinkServer, dead: Path) -> None:
    (dead / "spool-1-job-2.tmp").mkdir()  # a file that cannot be removed

    assert give(server, dead)

    assert server.keys("item.finished") == ["a", "c"]
