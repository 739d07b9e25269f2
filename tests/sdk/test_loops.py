"""`run.map` and `run.track`: pause, resume and cancel are exact, and nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from pilothouse.model.run import Strength
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.signals import Cancelled, Fenced, ItemFailed, Released
from tests.sdk.conftest import Connect
from tests.sdk.link_server import LinkServer


def in_thread(job: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=job, daemon=True)
    thread.start()
    return thread


# map


@pytest.mark.parametrize("concurrency", [1, 7])
def test_map_does_every_item_once_and_yields_it(
    run: RunHandle, link: Link, server: LinkServer, concurrency: int
) -> None:
    done = list(run.map(lambda n: {"square": n * n}, range(40), key=str, concurrency=concurrency))

    assert link.flush(30)
    assert {d.key: d.data["square"] for d in done} == {str(n): n * n for n in range(40)}
    assert sorted(server.keys("item.finished"), key=int) == [str(n) for n in range(40)]
    assert server.log.run.progress.total == 40
    assert all(body.ask for body in server.bodies("item.started"))


def test_map_works_on_as_many_items_at_a_time_as_it_may(run: RunHandle) -> None:
    together = threading.Barrier(4)

    done = list(run.map(lambda n: {"place": together.wait(30)}, range(8), key=str, concurrency=4))

    assert sorted(d.data["place"] for d in done) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_failing_item_is_reported_and_the_run_goes_on(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    def work(n: int) -> dict[str, Any]:
        if n == 0:
            raise ValueError("broken")
        if n == 1:
            raise ItemFailed("no vote in the answer", raw="?")
        if n == 2:
            raise SystemExit(3)
        return {"raw": "!"}

    done = list(run.map(work, range(4), key=str, describe=lambda n: {"n": n}))

    assert link.flush(30)
    assert [(d.ok, d.error, d.data) for d in done] == [
        (False, "ValueError: broken", {"n": 0}),
        (False, "no vote in the answer", {"n": 1, "raw": "?"}),
        (False, "SystemExit: 3", {"n": 2}),
        (True, None, {"n": 3, "raw": "!"}),
    ]
    assert [body.error for body in server.bodies("item.finished")] == [d.error for d in done]


def test_groups_and_their_totals_are_told(run: RunHandle, link: Link, server: LinkServer) -> None:
    list(run.map(lambda n: None, range(5), key=str, group=lambda n: "odd" if n % 2 else "even"))

    assert link.flush(30)
    assert server.bodies("progress")[0].groups == {"even": 3, "odd": 2}
    assert [body.group for body in server.bodies("item.finished")] == ["even", "odd", "even", "odd", "even"]


def test_finished_items_of_an_earlier_attempt_are_skipped(
    run: RunHandle, connect: Connect, links: list[Link], server: LinkServer
) -> None:
    for done in run.map(lambda n: None, range(10), key=str):
        if done.key == "3":
            break
    run.settle()
    assert links[0].flush(30)
    before = server.keys("item.finished")
    server.next_attempt()

    later = connect(attempt=2)
    again = [d.key for d in later.map(lambda n: None, range(10), key=str)]

    assert before + again == [str(n) for n in range(10)]
    assert links[1].flush(30)
    assert len(set(server.keys("item.finished"))) == len(server.keys("item.finished")) == 10
    assert [d.key for d in later.finished()] == server.keys("item.finished")


@pytest.mark.rows("S1.12", "S1.15", "S1.34")
@pytest.mark.parametrize("concurrency", [1, 4])
def test_no_item_starts_after_a_pause_was_accepted(
    run: RunHandle, server: LinkServer, concurrency: int
) -> None:
    begun: list[int] = []

    def work(n: int) -> None:
        begun.append(n)
        if n == 10:
            server.pause()

    def job() -> None:
        home = RunHandle(run._link, id="run_1", name="", attempt=1, params={}, folder=run.folder)
        deque_of(home.map(work, range(30), key=str, concurrency=concurrency))

    in_thread(job)
    server.wait_for(lambda: server.status() == "paused")
    types = [event.body.type for event in server.log.events]
    asked = types.index("control.requested")
    at_pause = len(begun)

    assert "item.started" not in types[asked:]
    assert types.count("item.started") == types.count("item.finished") == at_pause
    server.resume()
    server.wait_for(lambda: len(server.log.finished) == 30)
    assert len(begun) == 30
    assert len(set(begun)) == 30


def deque_of(items: Any) -> None:
    for _ in items:
        pass


def test_a_pause_that_is_withdrawn_lets_the_job_go_on(run: RunHandle, server: LinkServer) -> None:
    hold = threading.Event()

    def job() -> None:
        home = RunHandle(run._link, id="run_1", name="", attempt=1, params={}, folder=run.folder)
        deque_of(home.map(lambda n: {"was_held": hold.wait(30)}, range(5), key=str))

    in_thread(job)
    server.wait_for(lambda: server.keys("item.started"))
    server.pause()
    server.resume()
    hold.set()

    server.wait_for(lambda: len(server.log.finished) == 5)
    assert server.bodies("run.paused") == []


def test_a_run_may_be_paused_many_times(run: RunHandle, server: LinkServer) -> None:
    def job() -> None:
        home = RunHandle(run._link, id="run_1", name="", attempt=1, params={}, folder=run.folder)
        deque_of(home.map(lambda n: None, range(200), key=str, concurrency=3))

    thread = in_thread(job)
    for _ in range(8):
        server.pause()
        server.wait_for(lambda: server.status() == "paused" or not thread.is_alive())
        server.resume()
    thread.join(30)

    assert not thread.is_alive()
    server.wait_for(lambda: len(server.log.finished) == 200)


def test_cancel_does_not_wait_for_an_item_that_hangs(run: RunHandle, server: LinkServer) -> None:
    for_ever = threading.Event()
    keys: list[str] = []

    def work(n: int) -> None:
        if n == 3:
            server.cancel()
            for_ever.wait()

    with pytest.raises(Cancelled):
        for done in run.map(work, range(10), key=str, concurrency=2):
            keys.append(done.key)

    assert "3" not in keys
    for_ever.set()


def test_a_released_pause_unwinds_the_job(run: RunHandle, server: LinkServer) -> None:
    def work(n: int) -> None:
        if n == 2:
            server.pause(strength=Strength.RELEASE)

    with pytest.raises(Released):
        deque_of(run.map(work, range(10), key=str))

    assert server.log.run.strength == "release"
    assert server.keys("item.finished") == ["0", "1", "2"]


def test_a_held_pause_is_released_when_somebody_asks_for_it(run: RunHandle, server: LinkServer) -> None:
    def steer() -> None:
        server.pause()
        with server.changed:
            assert server.changed.wait_for(lambda: server.log.run.status == "paused", 30)
        server.pause(strength=Strength.RELEASE)

    with pytest.raises(Released):
        for done in run.map(lambda n: None, range(10), key=str):
            if done.key == "2":
                in_thread(steer)
                with server.changed:
                    assert server.changed.wait_for(lambda: server.log.run.pending is not None, 30)

    assert (server.log.run.status, server.log.run.strength) == ("paused", "release")
    assert [body.strength for body in server.bodies("run.paused")] == ["hold", "release"]
    assert server.keys("item.finished")[-1] in ("2", "3")


def test_a_fenced_attempt_starts_nothing_more(run: RunHandle, server: LinkServer) -> None:
    begun: list[int] = []

    def work(n: int) -> None:
        begun.append(n)
        if n == 2:
            server.next_attempt()

    with pytest.raises(Fenced):
        deque_of(run.map(work, range(10), key=str))

    assert begun == [0, 1, 2]


def test_items_start_without_leave_while_the_server_is_away(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    def work(n: int) -> None:
        if n == 5:
            server.stop()
        if n == 15:
            server.start()

    done = list(run.map(work, range(30), key=str, concurrency=1))

    assert len(done) == 30
    assert link.flush(30)
    assert server.keys("item.finished") == [str(n) for n in range(30)]
    assert any(not body.ask for body in server.bodies("item.started"))


def test_an_endless_source_is_read_as_needed_and_left_at_will(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    def numbers() -> Any:
        n = 0
        while True:
            yield n
            n += 1

    for done in run.map(lambda n: None, numbers(), key=str, concurrency=3):
        if int(done.key) >= 20:
            break
    run.settle()

    assert link.flush(30)
    assert len(server.keys("item.started")) == len(server.keys("item.finished")) <= 24
    assert server.bodies("progress") == []


def test_a_map_inside_a_map_is_not_held_up_by_a_pause(run: RunHandle, link: Link, server: LinkServer) -> None:
    def work(n: str) -> dict[str, Any]:
        server.pause()
        link.wait_until(lambda: link.state.pending == "pause", 30)
        return {"inner": len(list(run.map(lambda m: None, range(3), key=lambda m: f"{n}.{m}")))}

    mapped = run.map(work, ["a"], key=str)

    assert next(mapped).data == {"inner": 3}


def test_nonsense_is_refused_at_once(run: RunHandle) -> None:
    with pytest.raises(ValueError, match="concurrency must be at least 1"):
        run.map(lambda n: None, [1], key=str, concurrency=0)
    with pytest.raises(ValueError, match="1 to 512 characters"):
        list(run.map(lambda n: None, [1], key=lambda n: ""))


# track


def test_every_pass_of_a_tracked_loop_is_an_item(run: RunHandle, link: Link, server: LinkServer) -> None:
    seen = list(run.track(["a", "b", "c"]))

    assert link.flush(30)
    assert seen == ["a", "b", "c"]
    assert server.keys("item.finished") == ["0", "1", "2"]
    assert server.log.run.progress.total == 3


def test_two_loops_without_keys_do_not_share_names(run: RunHandle, link: Link, server: LinkServer) -> None:
    deque_of(run.track("ab"))
    deque_of(run.track("ab"))

    assert link.flush(30)
    assert server.keys("item.finished") == ["0", "1", "2/0", "2/1"]
    assert server.log.run.progress.total == 4


def test_a_loop_inside_a_loop_reports_no_items_of_its_own(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    for _ in run.track("ab"):
        deque_of(run.track(range(100)))

    assert link.flush(30)
    assert server.keys("item.finished") == ["0", "1"]
    assert server.log.run.progress.total == 2


def test_an_exception_in_the_body_fails_its_item_and_goes_on_upwards(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    with pytest.raises(KeyError) as caught:
        for letter in run.track("abc", key=str):
            if letter == "b":
                raise KeyError(letter)
    run.settle(caught.value)

    assert link.flush(30)
    assert [(i.key, i.ok, i.error) for i in server.bodies("item.finished")] == [
        ("a", True, None),
        ("b", False, "KeyError: 'b'"),
    ]


def test_a_loop_left_by_break_finishes_its_last_item(run: RunHandle, link: Link, server: LinkServer) -> None:
    for letter in run.track("abc", key=str):
        if letter == "b":
            break
    run.settle()

    assert link.flush(30)
    assert [(i.key, i.ok) for i in server.bodies("item.finished")] == [("a", True), ("b", True)]


@pytest.mark.rows("S1.36")
def test_a_tracked_loop_pauses_between_two_passes(run: RunHandle, server: LinkServer) -> None:
    def job() -> None:
        home = RunHandle(run._link, id="run_1", name="", attempt=1, params={}, folder=run.folder)
        for n in home.track(range(10)):
            if n == 4:
                server.pause()
                home._link.wait_until(lambda: home._link.asked, 30)

    thread = in_thread(job)
    server.wait_for(lambda: server.status() == "paused")

    assert server.keys("item.finished") == ["0", "1", "2", "3", "4"]
    server.resume()
    thread.join(30)
    server.wait_for(lambda: len(server.log.finished) == 10)


@pytest.mark.rows("S1.35", "S3.57")
def test_a_tracked_loop_is_cancelled_at_its_next_pass(run: RunHandle, link: Link, server: LinkServer) -> None:
    passes = 0

    with pytest.raises(Cancelled):
        for _ in run.track(range(1_000_000)):
            passes += 1
            if passes == 3:
                server.cancel()
                link.wait_until(lambda: link.asked, 30)

    assert passes == 3
