"""The link over a real socket: order, no loss, no double, and what is refused."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

from pilothouse.errors import TooLarge
from pilothouse.sdk.encoding import DEEPEST
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.signals import CutOff, Fenced
from pilothouse.web.link import _depth
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


def test_a_server_that_refuses_even_the_line_about_a_bad_event_counts_as_away(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    server.is_bad = lambda body: True
    run.item("a")
    assert link.wait_until(lambda: link.is_away, 30)

    server.is_bad = lambda body: body.type == "item.finished"

    assert link.flush(30)
    (line,) = server.bodies("log")
    assert '"key":"a"' in line.text


def test_an_answer_that_is_not_the_servers_takes_nothing_off_the_spool(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    server.outages = [200, 200]

    run.item("a")

    assert link.flush(30)
    assert server.keys("item.finished") == ["a"]


def test_a_handle_that_is_used_after_its_end_does_not_wait_for_ever(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    link.close()

    done = list(run.track(range(3), key=str))

    assert done == [0, 1, 2]
    assert server.keys("item.finished") == []


def test_who_still_asks_when_the_link_is_closed_gets_an_answer(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    answers: list[bool] = []
    server.stop()
    asking = threading.Thread(
        target=lambda: answers.append(link.ask("run.paused", {"strength": "hold"}, patient=True))
    )
    asking.start()
    assert link.wait_until(lambda: link.is_away, 30)

    link.close()
    asking.join(30)

    assert answers == [False]


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


def nested(times: int) -> Any:
    """A list in a list, and so on."""
    value: Any = "end"
    for _ in range(times):
        value = [value]
    return value


def test_what_is_nested_deeper_than_the_server_takes_arrives_as_text(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    run.item("deep", tree=nested(DEEPEST - 1), vote="REAL")
    run.item("just right", tree=nested(DEEPEST - 2))

    assert link.flush(30)
    deep, right = server.bodies("item.finished")
    assert (deep.data["vote"], right.data["tree"]) == ("REAL", nested(DEEPEST - 2))
    assert _depth(deep.model_dump(mode="json")) <= DEEPEST
    assert [line.text for line in server.bodies("log")] == [
        "item.finished 'deep': nested deeper than 16; what lies deeper is kept as text"
    ]


def test_a_saved_state_that_the_server_would_not_take_is_refused_at_once(run: RunHandle) -> None:
    run.save_state({"tree": nested(DEEPEST - 2)})

    with pytest.raises(TooLarge, match="nested"):
        run.save_state({"tree": nested(DEEPEST - 1)})


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
