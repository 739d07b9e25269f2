"""What job code says through its handle, as the server hears it; and what importing it costs."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pilothouse.errors import Conflict, NotFound, TooLarge
from pilothouse.sdk.handle import RunHandle, _Measured
from pilothouse.sdk.link import Link
from pilothouse.testing.stack import until
from tests.sdk.conftest import Connect
from tests.sdk.link_server import LinkServer


@pytest.mark.rows("S4.6", "S4.7")
def test_threads_and_tasks_of_several_loops_may_tell_at_once(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    together = threading.Barrier(6)

    def plain(name: str) -> None:
        together.wait(30)
        for number in range(50):
            run.item(f"{name}-{number}")

    def looping(name: str) -> None:
        async def one(number: int) -> None:
            await asyncio.sleep(0)
            run.item(f"{name}-{number}")

        async def all_of_them() -> None:
            await asyncio.gather(*map(one, range(50)))

        together.wait(30)
        asyncio.run(all_of_them())

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: (plain if name < "d" else looping)(name), "abcdef"))

    assert link.flush(30)
    keys = server.keys("item.finished")
    assert len(keys) == 300
    for name in "abc":  # each thread's in its own order
        mine = [key for key in keys if key.startswith(name)]
        assert mine == [f"{name}-{number}" for number in range(50)]
    assert {key for key in keys if key[0] in "def"} == {f"{n}-{k}" for n in "def" for k in range(50)}


def test_metrics_count_their_own_steps(run: RunHandle, link: Link, server: LinkServer) -> None:
    run.metric(loss=3.0)
    run.metric(loss=2.0)
    run.metric(accuracy=0.5)
    run.metric(10, loss=1.0)
    run.metric(loss=0.5)

    assert link.flush(30)
    assert [(body.step, dict(body.values)) for body in server.bodies("metric")] == [
        (1, {"loss": 3.0}),
        (2, {"loss": 2.0}),
        (1, {"accuracy": 0.5}),
        (10, {"loss": 1.0}),
        (11, {"loss": 0.5}),
    ]


def test_a_later_attempt_goes_on_counting_steps(
    run: RunHandle, connect: Connect, links: list[Link], server: LinkServer
) -> None:
    run.metric(loss=3.0)
    run.metric(loss=2.0)
    assert links[0].flush(30)
    server.next_attempt()

    connect(attempt=2).metric(loss=1.0, new=1.0)

    assert links[1].flush(30)
    assert server.bodies("metric")[-1].step == 3


def test_small_facts_arrive(run: RunHandle, link: Link, server: LinkServer) -> None:
    with run.phase("Train", 1, 2):
        run.log("hello", level="warning")
        run.note("planned", "three steps")
        run.guard("max_cost", "Cost limit of 5 reached", 5.2)
        run.total(7, {"a": 3, "b": 4})

    assert link.flush(30)
    types = [event.body.type for event in server.log.events[2:]]
    assert types == ["phase.started", "log", "note", "guard.tripped", "progress", "phase.finished"]
    assert server.log.run.progress.total == 7
    assert server.log.run.notice == "Cost limit of 5 reached"


def test_units_smaller_than_items_are_counted_exactly(run: RunHandle, link: Link, server: LinkServer) -> None:
    run.progress(0, 20)
    for step in range(1, 21):
        if step % 10:
            run.progress(step)
        else:
            run.progress(step - 1)
            run.item(f"step-{step}")

    assert link.flush(30)
    progress = server.log.run.progress
    assert (progress.done, progress.total, len(server.log.finished)) == (20, 20, 2)


def test_a_job_can_see_what_it_will_be_asked_to_obey(run: RunHandle, server: LinkServer) -> None:
    before = run.pending
    server.pause()
    until(lambda: run.pending == "pause", "the pause")
    server.resume()
    until(lambda: run.pending is None, "the resume")
    server.cancel()
    until(lambda: run.pending == "cancel", "the cancel")

    assert before is None


def test_a_total_that_the_job_tells_is_not_changed_by_its_loops(
    run: RunHandle, link: Link, server: LinkServer
) -> None:
    run.total(100)
    list(run.track(range(3)))

    assert link.flush(30)
    assert server.log.run.progress.total == 100


def test_saved_state_is_there_for_the_next_attempt(
    run: RunHandle, connect: Connect, link: Link, server: LinkServer
) -> None:
    run.save_state({"epoch": 3})
    assert link.flush(30)
    server.next_attempt()

    assert connect(attempt=2).saved_state == {"epoch": 3}


def test_a_saved_state_is_never_cut(run: RunHandle) -> None:
    with pytest.raises(TooLarge, match="at most"):
        run.save_state({"weights": "x" * 100_000})


def test_an_artifact_is_uploaded_whole_also_across_an_outage(
    run: RunHandle, server: LinkServer, tmp_path: Path
) -> None:
    path = tmp_path / "report ü.html"
    path.write_bytes(b"<p>" * 100_000)
    run.artifact(path)
    run.artifact(str(path), name="deep/report.html")

    assert server.log.files == {
        "report ü.html": path.read_bytes(),
        "deep/report.html": path.read_bytes(),
    }


class Growing(io.BytesIO):
    """Reads as a file does that somebody goes on writing."""

    name = "growing.log"


@pytest.mark.parametrize("more", [b"", b"a line that came later"])
def test_a_file_is_sent_as_long_as_it_was_when_it_was_measured(more: bytes) -> None:
    body = _Measured(Growing(b"0123456789" + more), 10)

    assert (body.read(6), body.read(6), body.read(6)) == (b"012345", b"6789", b"")


def test_a_file_that_shrinks_while_it_is_uploaded_is_refused() -> None:
    body = _Measured(Growing(b"0123"), 10)
    body.read(6)

    with pytest.raises(Conflict, match=r"growing\.log became shorter"):
        body.read(6)


def test_a_refused_call_says_why(link: Link) -> None:
    with pytest.raises(NotFound):
        link.call("GET", "/nothing")


def test_finished_reads_all_pages(
    run: RunHandle, link: Link, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilothouse.sdk.tracking.PAGE_ITEMS", 3)
    for n in range(10):
        run.item(str(n), ok=n != 4, error="E: x" if n == 4 else None, seconds=0.5, n=n)
    assert link.flush(30)

    done = run.finished()

    assert [d.key for d in done] == [str(n) for n in range(10)]
    assert (done[4].ok, done[4].error, done[4].data, done[4].seconds) == (False, "E: x", {"n": 4}, 0.5)


LOADED = """
import sys
before = set(sys.modules)
{statement}
names = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(sorted(names - set(sys.stdlib_module_names) - {{"pilothouse"}}), len(set(sys.modules) - before))
"""


@pytest.mark.parametrize(
    "statement",
    [
        "import pilothouse",
        "from pilothouse import Cancelled, Done, ItemFailed, Kind, RunHandle",
        "import pilothouse.sdk.link",
        "import pilothouse.worker.child",
    ],
)
def test_importing_loads_the_standard_library_only(statement: str) -> None:
    code = LOADED.format(statement=statement)

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert out.startswith("[] ")


def test_importing_the_handle_does_not_load_the_network() -> None:
    code = "import sys; from pilothouse import RunHandle; print(*sorted({'http', 'ssl', 'socket'} & set(sys.modules)))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert out == "\n"


def test_the_public_names_are_all_there() -> None:
    code = "import pilothouse as p; print(all(hasattr(p, n) for n in dir(p)), hasattr(p, 'nonsense'))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert out == "True False\n"
