"""The spool's files: whatever is cut, what comes back is in order, undoubled and without a hole."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.sdk import record
from pilothouse.sdk.marks import Marks, read_left
from pilothouse.sdk.recovery import complete, recover
from pilothouse.sdk.spool import Spool

UNSENT: dict[str, Any] = {"finished": [], "in_flight": [], "saved_state": None}


def line(number: int) -> bytes:
    return b'{"type":"log","data":{"text":"%d %s"}}' % (number, b"x" * (number % 90))


def item(key: str, type_: str = "item.finished") -> bytes:
    return json.dumps({"type": type_, "data": {"key": key}}, separators=(",", ":")).encode()


def small(folder: Path | None, attempt: int = 1) -> Spool:
    """A spool that uses all its ways with few events."""
    return Spool(folder, attempt, segment_bytes=600, warm_bytes=200)


def drain(spool: Spool) -> list[bytes]:
    """Send everything."""
    sent: list[bytes] = []
    while batch := spool.batch():
        assert [number for number, _ in batch] == list(range(batch[0][0], batch[0][0] + len(batch)))
        sent += [event for _, event in batch]
        spool.acknowledge(batch[-1][0])
    return sent


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("spool-*.jsonl"), key=lambda path: int(path.stem.rpartition("-")[2]))


def test_events_come_out_in_the_order_in_which_they_went_in(tmp_path: Path) -> None:
    spool = small(tmp_path)
    for number in range(200):
        spool.add([line(number)])

    sent = drain(spool)

    assert sent == [line(number) for number in range(200)]
    spool.close(is_run_over=True)
    assert list(tmp_path.iterdir()) == []


def test_files_go_as_soon_as_the_server_has_what_is_in_them(tmp_path: Path) -> None:
    spool = small(tmp_path)
    spool.add([line(number) for number in range(20)])
    spool.add([line(number) for number in range(20, 40)])
    before = len(segments(tmp_path))

    spool.acknowledge(25)

    assert before == 2
    assert len(segments(tmp_path)) == 1
    assert drain(spool) == [line(number) for number in range(25, 40)]
    assert [path.stat().st_size for path in segments(tmp_path)] == [0]
    spool.close()


Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 12)),
        st.tuples(st.just("ack"), st.integers(1, 20)),
        st.tuples(st.just("crash"), st.integers(0, 2_000)),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=150)
@given(steps=STEPS)
def test_whatever_is_cut_what_comes_back_is_the_beginning_of_what_was_said(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as root:
        life = Life(Path(root))
        for name, amount in steps:
            getattr(life, name)(amount)

        rest = drain(life.spool)

        assert rest == life.waiting
        life.spool.close()


class Life:
    """A spool and what must be in it: numbered lines, oldest first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.attempt = 0
        self.waiting: list[bytes] = []
        self.said = 0
        self.folder = root / "0"
        self.folder.mkdir()
        self.spool = small(self.folder)

    def add(self, count: int) -> None:
        events = [line(self.said + place) for place in range(count)]
        self.said += count
        self.waiting += events
        self.spool.add(events)

    def ack(self, count: int) -> None:
        batch = self.spool.batch()[:count]
        assert [event for _, event in batch] == self.waiting[: len(batch)]
        if batch:
            self.spool.acknowledge(batch[-1][0])
            del self.waiting[: len(batch)]

    def crash(self, cut: int) -> None:
        """The process dies as it writes: the newest file lacks its last bytes. The next one takes over."""
        self.attempt += 1
        dead, self.folder = self.folder, self.root / str(self.attempt)
        shutil.copytree(dead, self.folder)
        self.spool.close()
        if newest := segments(self.folder)[-1:]:
            size = newest[0].stat().st_size
            with newest[0].open("rb+") as file:
                file.truncate(max(0, size - cut))
            lost = newest[0].stat().st_size < size
        else:
            lost = False
        self.spool = small(self.folder, self.attempt + 1)
        recovered = recover(self.spool)
        if lost:
            assert recovered.events <= len(self.waiting)
            del self.waiting[recovered.events :]
        assert recovered.events == len(self.waiting)


def test_a_kill_in_the_midst_of_taking_over_neither_loses_nor_doubles(tmp_path: Path) -> None:
    first = small(tmp_path)
    first.add([line(number) for number in range(10)])
    first.close()
    backup = tmp_path / "backup"
    backup.mkdir()
    for path in segments(tmp_path):
        shutil.copy(path, backup)
    recover(second := small(tmp_path, 2))
    second.close()
    for path in segments(backup):  # it was killed before it could remove the old file
        shutil.copy(path, tmp_path)

    recover(third := small(tmp_path, 3))

    assert drain(third) == [line(number) for number in range(10)]
    third.close()


def test_what_the_server_has_is_not_sent_again(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.add([line(number) for number in range(10)])
    first.acknowledge(7)
    first.close()

    recovered = recover(second := Spool(tmp_path, 2))

    assert recovered.events == 3
    assert drain(second) == [line(number) for number in (7, 8, 9)]
    second.close()


def test_results_are_recovered_and_last_words_are_not(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.add([item("a"), b'{"type":"state.saved","data":{"state":{"epoch":3}}}', item("b", "item.started")])
    first.add([b'{"type":"run.paused","data":{}}', b'{"type":"run.completed","data":{}}'])
    first.close()

    given = complete(UNSENT, second := Spool(tmp_path, 2))

    assert (given["finished"], given["in_flight"], given["saved_state"]) == (["a"], ["b"], {"epoch": 3})
    assert [json.loads(event)["type"] for event in drain(second)] == [
        "item.finished",
        "state.saved",
        "item.started",
    ]
    second.close()


def test_the_marks_tell_what_was_begun_and_not_finished(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    for key in ("a", "b", "ü" * 500, "d"):
        first.mark(key)
    first.add([item("b")])
    first.close()

    given = complete(UNSENT | {"finished": ["a"]}, second := Spool(tmp_path, 2))

    assert given["in_flight"] == ["ü" * 500, "d"]
    told = [json.loads(event) for event in drain(second)]
    assert [event["data"]["key"] for event in told if event["type"] == "item.started"] == ["ü" * 500, "d"]
    second.close()


def test_what_the_server_stored_and_could_not_say_any_more_is_not_sent_again(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.add([item("a"), item("b"), item("c")])
    first.close()

    complete(UNSENT | {"acked": {"1/job": 2, "1/rank-1": 3}}, second := Spool(tmp_path, 2))

    assert [json.loads(event)["data"]["key"] for event in drain(second)] == ["c"]
    second.close()


def test_marks_that_are_found_at_the_end_begin_nothing(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.mark("a")
    first.add([item("b")])
    first.close()

    recover(second := Spool(tmp_path, 2), is_late=True)

    told = [json.loads(event) for event in drain(second)]
    assert [(event["type"], event["data"]["key"]) for event in told] == [("item.finished", "b")]
    second.close()


PAST = [
    item("c", "item.started"),
    b'{"type":"metric","data":{"step":3,"values":{"loss":2}}}',
    b'{"type":"state.saved","data":{"state":{"epoch":3}}}',
    b'{"type":"phase.started","data":{"name":"warm-up"}}',
    item("c"),
    line(1),
]
TIMELESS = ["item.finished", "log"]


def test_of_an_attempt_that_left_under_a_later_one_only_what_stands_by_itself_is_told(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.add(PAST)
    first.close()

    recover(second := Spool(tmp_path, 2), is_late=True)

    assert [json.loads(event)["type"] for event in drain(second)] == TIMELESS
    second.close()


def test_a_state_that_an_earlier_attempt_left_is_older_than_that_of_a_later_one(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.add(PAST)
    first.close()
    assignment = UNSENT | {"acked": {"1/job": 0, "2/job": 9}, "saved_state": {"epoch": 7}}

    given = complete(assignment, third := Spool(tmp_path, 3))

    assert (given["finished"], given["in_flight"], given["saved_state"]) == (["c"], [], {"epoch": 7})
    assert [json.loads(event)["type"] for event in drain(third)] == TIMELESS
    third.close()


def test_a_state_is_taken_over_through_an_attempt_that_died_before_it_said_anything(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.add(PAST)
    first.close()
    Spool(tmp_path, 2).close()

    given = complete(UNSENT | {"acked": {"1/job": 0}}, third := Spool(tmp_path, 3))

    assert given["saved_state"] == {"epoch": 3}
    assert len(drain(third)) == len(PAST)
    third.close()


def test_the_marks_keep_the_newest_keys(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks")
    for number in range(20_000):
        marks.note(f"item-{number}")

    keys = read_left(tmp_path / "marks").keys

    assert keys[-1] == "item-19999"
    assert len(keys) > 1_000
    assert list(keys) == [f"item-{number}" for number in range(20_000 - len(keys), 20_000)]
    marks.close(is_over=True)


def test_a_process_that_lives_keeps_its_spool(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pilothouse.sdk.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 1, 'script'); spool.add([b'{\"type\":\"log\"}'])\n"
        "print(1, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdout
        living.stdout.readline()
        spool = Spool(tmp_path, 1)

        while_it_lives = recover(spool).events
        living.communicate()

        assert while_it_lives == 0
        assert recover(spool).events == 1
        spool.close()


def test_a_damaged_record_is_left_out_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add([line(0), line(1), line(2)])
    spool.close()
    (path,) = segments(tmp_path)
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"1 x"', b'"1 y"'))

    records = [event for _, event in record.read(path.read_bytes())]

    assert records == [line(0), line(2)]


FULL_DISK = """
import resource, sys
from pathlib import Path
from pilothouse.sdk.spool import Spool
spool = Spool(Path(sys.argv[1]), memory_bytes=300_000)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, hard))
said = [b'{"type":"log","data":{"text":"%06d"}}' % number for number in range(4_000)]
for event in said:
    spool.add([event])
full = spool.pressure
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
sent = []
while batch := spool.batch():
    sent += [event for _, event in batch]
    spool.acknowledge(batch[-1][0])
print(sent == said, 0.1 < full < 1.0, len(spool))
spool.close()
"""


def test_a_full_disk_loses_nothing_while_memory_lasts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "True", "0"]


def test_without_a_folder_everything_stays_in_memory() -> None:
    spool = small(None)
    spool.add([line(number) for number in range(100)])

    assert drain(spool) == [line(number) for number in range(100)]
    spool.close()


def test_an_earlier_attempt_that_is_just_leaving_is_waited_for(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pilothouse.sdk.spool import Spool\n"
        'spool = Spool(Path(sys.argv[1])); spool.add([b\'{"type":"log"}\']); print(1, flush=True)\n'
        "time.sleep(0.3)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as leaving:
        assert leaving.stdout
        leaving.stdout.readline()

        recovered = recover(spool := Spool(tmp_path, 2))

        assert recovered.events == 1
        spool.close()


@pytest.mark.parametrize("writer", ["job", "script-2", "p-12"])
def test_every_writer_of_an_attempt_is_recovered(tmp_path: Path, writer: str) -> None:
    other = Spool(tmp_path, 1, writer)
    other.add([item("a")])
    other.close()

    recovered = recover(spool := Spool(tmp_path, 2))

    assert recovered.finished == {"a"}
    spool.close()
