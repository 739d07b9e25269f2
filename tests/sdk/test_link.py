"""The link over a real socket: order, no loss, no double, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.signals import CutOff, Fenced
from tests.sdk.conftest import Connect
from tests.sdk.link_server import LinkServer


def test_events_arrive_in_the_order_in_which_they_were_said(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    for number in range(500):
        run.item(str(number), seconds=0.1, n=number)

    assert link.flush(30)
    assert server.keys("item.finished") == [str(number) for number in range(500)]


def test_what_gathers_while_a_batch_is_under_way_goes_out_together(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    with server.changed:  # the server is busy
        for number in range(3_000):
            run.item(str(number))

    assert link.flush(30)
    assert len(server.batches) <= 8
    assert max(count for _, count in server.batches) <= 1_000


def test_a_restart_of_the_server_amid_500_items_loses_and_doubles_nothing(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    for number in range(500):
        run.item(str(number))
        if number in (150, 300):
            least = number - 100
            server.wait_for(lambda: len(server.log.finished) > least)  # noqa: B023
            server.stop()
        if number in (250, 400):
            server.start()

    assert link.flush(30)
    assert server.keys("item.finished") == [str(number) for number in range(500)]


def test_a_batch_whose_answer_got_lost_is_sent_again_and_stored_once(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    server.outages = [0, 503, 0, 0, 0]

    for number in range(20):
        run.log(f"line {number}")

    assert link.flush(30)
    assert [body.text for body in server.bodies("log")] == [f"line {number}" for number in range(20)]
    assert len({seq for seq, _ in server.batches}) < len(server.batches)


def test_a_bad_event_is_dropped_alone_and_the_log_says_so(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    server.is_bad = lambda body: getattr(body, "key", None) == "42"

    with server.changed:
        for number in range(100):
            run.item(str(number))

    assert link.flush(30)
    assert server.keys("item.finished") == [str(number) for number in range(100) if number != 42]
    (line,) = server.bodies("log")
    assert line.level == "error"
    assert '"key":"42"' in line.text


def test_nan_and_infinity_arrive_as_words(run: RunHandle, link: Link, server: LinkServer) -> None:
    run.metric(1, loss=math.nan, lr=math.inf)
    run.item("a", low=-math.inf, deep={"list": [math.nan, 1.5]})

    assert link.flush(30)
    assert server.bodies("metric")[0].values == {"loss": "NaN", "lr": "Infinity"}
    assert server.bodies("item.finished")[0].data == {"low": "-Infinity", "deep": {"list": ["NaN", 1.5]}}


def test_values_that_json_does_not_know_arrive_as_text(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    run.item("a", path=ValueError("odd"), keys={(1, 2): {3}}, lone="\ud800")

    assert link.flush(30)
    assert server.bodies("item.finished")[0].data == {"path": "odd", "keys": {"(1, 2)": [3]}, "lone": "?"}


def test_a_value_that_the_job_changes_later_is_sent_as_it_was(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    history = [1]
    with server.changed:
        run.item("a", history=history)
        history.append(2)

    assert link.flush(30)
    assert server.bodies("item.finished")[0].data == {"history": [1]}


@pytest.mark.parametrize("text", ["x" * 200_000, "ä\n" * 100_000, "\x00" * 70_000])
def test_an_event_above_64_kb_is_cut_and_says_so(
    run: RunHandle, link: Link, server: LinkServer, text: str
) -> None:
    run.item("big", answer=text, vote="REAL")

    assert link.flush(30)
    (item,) = server.bodies("item.finished")
    assert item.data["vote"] == "REAL"
    assert item.data["answer"].startswith(text[:1000])
    assert "characters left out" in item.data["answer"]
    (line,) = server.bodies("log")
    assert line.text.startswith("item.finished 'big': cut to 64 KB (answer)")


def test_thousands_of_small_fields_are_cut_too(run: RunHandle, link: Link, server: LinkServer) -> None:
    fields: dict[str, Any] = {f"field{n}": "x" * 50 for n in range(3_000)}

    run.item("wide", **fields)

    assert link.flush(30)
    (item,) = server.bodies("item.finished")
    assert item.data["field0"] == "x" * 50
    assert "fields" in server.bodies("log")[0].text


def test_an_outdated_attempt_is_fenced(run: RunHandle, link: Link, server: LinkServer) -> None:
    server.next_attempt()

    run.item("late")
    link.wait_until(lambda: link.is_fenced, 30)

    with pytest.raises(Fenced):
        run.safepoint()
    assert server.keys("item.finished") == []


def test_a_heartbeat_goes_out_though_the_job_says_nothing(connect: Connect, server: LinkServer) -> None:
    connect(heartbeat_seconds=0.01)

    server.wait_for(lambda: server.heartbeats >= 3)


def test_a_job_that_is_cut_off_for_too_long_has_to_leave(
    connect: Connect, links: list[Link], server: LinkServer
) -> None:
    run = connect(heartbeat_seconds=0.01, orphan_seconds=0.2)
    server.wait_for(lambda: server.heartbeats)
    server.stop()

    links[0].wait_until(lambda: links[0].is_cut_off, 30)

    with pytest.raises(CutOff):
        run.safepoint()


def test_live_params_change_in_place(run: RunHandle, link: Link, server: LinkServer) -> None:
    params = run.params

    server.set_live(finish_early=True)

    assert link.wait_until(lambda: params.get("finish_early") is True, 30)


def test_a_control_reaches_the_job_though_it_says_nothing(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    server.pause()

    assert link.wait_until(lambda: link.state.pending == "pause", 30)


def test_the_control_wire_comes_back_after_an_outage(run: RunHandle, link: Link, server: LinkServer) -> None:
    server.stop()
    server.start()
    server.cancel()

    assert link.wait_until(lambda: link.state.pending == "cancel", 30)
