"""What a job does while the server is away, and what the next attempt makes of it."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.outbox import SYSTEM, Outbox, encoded_event
from pilothouse.sdk.signals import CutOff
from pilothouse.sdk.spool import Spool
from pilothouse.sdk.wire import Waits
from tests.sdk.conftest import Connect
from tests.sdk.link_server import LinkServer


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def go_away(server: LinkServer, link: Link) -> None:
    server.stop()
    link.put("log", {"level": "info", "source": "job", "text": "is anybody there?"})
    assert link.wait_until(lambda: link.is_away, 30)


def flood(run: RunHandle, count: int) -> float:
    """Results and log lines as fast as they can be said; the longest that one of them took."""
    longest = 0.0
    for number in range(count):
        began = time.perf_counter()
        run.item(str(number), n=number)
        run.log(f"chatter {number}")
        longest = max(longest, time.perf_counter() - began)
    return longest


def test_an_outage_is_spooled_to_the_disk_and_sent_in_order_afterwards(
    run: RunHandle, link: Link, server: LinkServer, tmp_path: Path
) -> None:
    go_away(server, link)
    for number in range(5_000):
        run.item(str(number))
    assert link.wait_until(lambda: not len(link._outbox), 30)
    spooled = sum(path.stat().st_size for path in tmp_path.glob("spool-1-job-*.jsonl"))

    server.start()

    assert link.flush(30)
    assert spooled > 100_000
    assert server.keys("item.finished") == numbers(5_000)
    link.close()
    assert list(tmp_path.glob("spool-*.jsonl")) == []


def test_log_lines_and_progress_are_left_out_before_results_and_the_log_says_how_many(
    connect: Connect, links: list[Link], server: LinkServer, tmp_path: Path
) -> None:
    run = connect(spool=Spool(tmp_path, limit_bytes=200_000))
    go_away(server, links[0])
    for number in range(1_000):
        run.item(str(number))
        run.log("chatter " * 10)
        run.total(1_000 + number)

    server.start()

    assert links[0].flush(30)
    assert server.keys("item.finished") == numbers(1_000)
    lines = [body.text for body in server.bodies("log")]
    (said,) = [line for line in lines if "left out" in line]
    missing = 1_000 - sum(line.startswith("chatter") for line in lines)
    assert missing > 100
    assert f"{missing:,} log and" in said
    assert "No result is missing" in said


def test_what_the_disk_lost_is_told_before_the_last_word(
    connect: Connect, links: list[Link], server: LinkServer, tmp_path: Path
) -> None:
    run, link = connect(spool=Spool(tmp_path, warm_bytes=200)), links[0]
    go_away(server, link)
    for number in range(1_000):
        run.item(str(number))
    assert link.wait_until(lambda: not len(link._outbox) and not link._scribe.is_writing, 30)
    for path in tmp_path.glob("*.jsonl"):
        path.unlink()

    server.start()

    assert link.flush(30)
    lost = 1_000 - len(server.keys("item.finished"))
    assert lost > 500
    assert [body.text for body in server.bodies("log")][-1] == f"The disk did not give back {lost:,} events."


def test_metrics_are_thinned_before_results_are_in_danger(
    connect: Connect, links: list[Link], server: LinkServer, tmp_path: Path
) -> None:
    run = connect(spool=Spool(tmp_path, limit_bytes=100_000))
    go_away(server, links[0])
    for number in range(2_000):
        run.metric(number, loss=1 / (number + 1))
    run.item("the result")

    server.start()

    assert links[0].flush(30)
    assert server.keys("item.finished") == ["the result"]
    steps = [body.step for body in server.bodies("metric")]
    assert 500 < len(steps) < 1_800
    assert steps[:500] == list(range(500))
    assert steps[-1] > 1_900
    assert any("metric events were left out" in body.text for body in server.bodies("log"))


def test_results_alone_fill_the_bound_and_the_job_stops_with_nothing_lost(
    connect: Connect, links: list[Link], server: LinkServer, tmp_path: Path
) -> None:
    run = connect(spool=Spool(tmp_path, limit_bytes=50_000))
    go_away(server, links[0])

    with pytest.raises(CutOff):
        for number in range(100_000):
            run.item(str(number), text="x" * 400)
            run.safepoint()
    links[0].close()
    server.start()
    server.next_attempt()
    again = connect(attempt=2)

    assert links[1].flush(30)
    kept = server.keys("item.finished")
    assert kept == numbers(number)[: len(kept)]
    assert len(kept) > 100
    assert again._finished == frozenset(kept)
    assert any("there is no room for more results" in body.text for body in server.bodies("log"))


def test_what_tells_of_the_machine_is_left_out_before_other_metrics() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.put(SYSTEM, encoded_event(SYSTEM, {"step": number, "values": {"system/cpu_percent": 1.0}}))
        outbox.put("metric", {"step": number, "values": {"loss": 0.5}})

    eased = outbox.take(pressure=1)

    assert [json.loads(event)["data"]["values"] for event in eased.events] == [{"loss": 0.5}] * 3
    assert "3 system events were left out" in outbox.take_dropped()


def test_what_tells_of_the_machine_never_waits_for_room() -> None:
    outbox = Outbox(1, longest_wait_seconds=30)
    outbox.put("item.finished", {"key": "a"})

    began = time.monotonic()
    outbox.put(SYSTEM, encoded_event(SYSTEM, {"step": 1, "values": {}}))

    assert time.monotonic() - began < 10
    assert len(outbox) == 1


def test_nothing_that_is_said_takes_long_while_the_server_is_away(
    connect: Connect, links: list[Link], server: LinkServer, tmp_path: Path
) -> None:
    run = connect(spool=Spool(tmp_path, limit_bytes=4_000_000), outbox=Outbox(500))
    go_away(server, links[0])

    longest = flood(run, 20_000)
    server.start()

    assert longest < 2.0
    assert links[0].flush(60)
    assert server.keys("item.finished") == numbers(20_000)


def test_a_job_waits_for_room_no_longer_than_the_bound_and_then_has_to_leave() -> None:
    outbox = Outbox(10, longest_wait_seconds=0.05)
    stalled = threading.Event()
    outbox.on_stall = stalled.set

    began = time.monotonic()
    for number in range(100):
        outbox.put("item.finished", {"key": str(number)})
        outbox.put("log", {"text": "left out"})

    assert time.monotonic() - began < 3.0
    assert stalled.is_set()


def test_the_next_attempt_does_not_repeat_what_the_server_never_heard(
    run: RunHandle, connect: Connect, links: list[Link], server: LinkServer
) -> None:
    go_away(server, links[0])
    for number in run.track(range(10), key=str):
        if number == 6:
            break
    run._link.close()
    server.start()
    server.next_attempt()

    again = connect(attempt=2)
    repeated = list(again.track(range(10), key=str))

    assert links[1].flush(30)
    assert repeated == [6, 7, 8, 9]
    assert sorted(server.keys("item.finished")) == numbers(10)
    flagged = [body.key for body in server.bodies("item.finished") if body.possible_duplicate]
    assert flagged == ["6"]
    assert "6" in server.keys("item.started")


def test_a_long_item_that_was_in_hand_is_flagged_too(
    run: RunHandle, connect: Connect, links: list[Link], server: LinkServer
) -> None:
    for done in run.map(lambda n: {"n": n}, range(3), key=str):
        if done.key == "1":
            break
    links[0].put("item.started", {"key": "2"})
    assert links[0].flush(30)
    server.next_attempt()

    again = connect(attempt=2)
    list(again.map(lambda n: {"n": n}, range(3), key=str))

    assert links[1].flush(30)
    assert {body.key: body.possible_duplicate for body in server.bodies("item.finished")} == {
        "0": False,
        "1": False,
        "2": True,
    }


def test_what_is_finished_is_told_with_what_an_earlier_attempt_left_behind(
    run: RunHandle, connect: Connect, links: list[Link], server: LinkServer
) -> None:
    go_away(server, links[0])
    run.item("a", n=1)
    run.save_state({"epoch": 3})
    links[0].close()
    server.start()
    server.next_attempt()

    again = connect(attempt=2)

    assert [done.key for done in again.finished()] == ["a"]
    assert again.saved_state == {"epoch": 3}


def test_an_item_does_not_wait_until_the_server_has_heard_of_a_long_outage(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    gate = threading.Event()
    server.is_bad = lambda body: getattr(body, "text", "") == "line 4000" and not gate.wait(30)
    go_away(server, link)
    for number in range(5_000):
        run.log(f"line {number}")
    server.start()
    assert link.wait_until(lambda: not link.is_away, 30)

    answers = [link.ask("item.started", {"key": str(number), "ask": True}) for number in range(3)]

    assert answers == [True, True, True]
    assert not link.is_away  # else they had waited for a time-out
    gate.set()
    assert link.flush(30)
    assert server.keys("item.started") == numbers(3)


def test_an_idempotency_key_is_the_same_in_every_attempt_and_retry_and_for_no_other_item(
    connect: Connect, server: LinkServer, tmp_path: Path
) -> None:
    first = connect()
    server.next_attempt()
    second = connect(attempt=2)
    retry = RunHandle(
        first._link, id="run_2", name="again", attempt=1, params={}, folder=tmp_path, root="run_1"
    )

    keys = {run.idempotency_key("order-7") for run in (first, second, retry)}

    assert len(keys) == 1
    assert first.idempotency_key("order-8") not in keys


def test_waits_grow_and_are_never_the_same() -> None:
    runs = [[waits.next() for _ in range(12)] for waits in (Waits() for _ in range(200))]

    longest = [max(tries) for tries in zip(*runs, strict=True)]

    assert longest[0] <= 0.1
    assert 1.0 < longest[-1] <= 2.0
    assert len({tries[5] for tries in runs}) == 200
