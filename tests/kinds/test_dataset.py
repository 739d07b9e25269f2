"""A dataset that several processes fill: never too much, nothing twice, no place lost with its process."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pilothouse.kinds.generation.dataset import Alike, Dataset, DatasetBroken, Full, Sample
from pilothouse.kinds.generation.similarity import bands, resemblance, shingles

Open = Callable[..., Dataset]
LEASE = "The tenant pays the rent on the first day of every month and the landlord keeps the roof in repair."


@pytest.fixture
def open_(tmp_path: Path) -> Iterator[Open]:
    """Opens the same dataset once more."""
    opened: list[Dataset] = []

    def open_(near: float | None = None) -> Dataset:
        opened.append(Dataset(tmp_path / "set.db", near))
        return opened[-1]

    yield open_
    for dataset in opened:
        dataset.close()


def sample(name: str, text: str | None = None) -> Sample:
    return Sample(name, f"batch #{name}", text or f"text of {name}", {"name": name})


def process(path: Path, target: int, name: str, *how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.kinds.sharing", str(path), str(target), name, *how]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert started.stdout and started.stdout.readline() == "ready\n"
    return started


def go(*processes: subprocess.Popen[str]) -> None:
    for each in processes:
        assert each.stdin
        each.stdin.write("go\n")


def test_several_processes_never_overshoot_a_target_and_reach_it(open_: Open, tmp_path: Path) -> None:
    dataset = open_()

    batches = [process(tmp_path / "set.db", 300, f"b{number}") for number in range(4)]
    go(*batches)
    kept = [int(batch.communicate(timeout=100)[0]) for batch in batches]

    assert sum(kept) == dataset.count == 300
    assert sum(count > 0 for count in kept) >= 2
    assert all(batch.returncode == 0 for batch in batches)
    assert dataset.room(300, own=0) == 0


def test_the_place_of_a_killed_process_is_free_again(open_: Open, tmp_path: Path) -> None:
    dataset = open_()
    hanging = process(tmp_path / "set.db", 1, "hangs", "hang")
    go(hanging)
    assert hanging.stdout and hanging.stdout.readline() == "reserved True\n"

    before = dataset.reserve("mine", 1)
    hanging.kill()
    hanging.communicate(timeout=20)
    after = dataset.reserve("mine", 1)
    open_()

    assert (before, after) == (False, True)
    assert len(list((tmp_path / "set.holders").iterdir())) == 2  # the dead one's is gone


def test_places_count_until_they_are_given_back(open_: Open) -> None:
    one, other = open_(), open_()

    assert one.reserve("a", 2)
    assert other.reserve("b", 2)
    assert not one.reserve("c", 2)
    other.release("b")
    other.release("a")  # not its own

    assert one.room(2, own=1) == 1
    assert one.reserve("c", 2)


def test_who_has_lost_its_place_keeps_nothing_beyond_the_target(open_: Open) -> None:
    slow, quick = open_(), open_()
    slow.reserve("late", 1)
    slow.release("late")  # as if it had been taken for dead
    quick.reserve("soon", 1)
    quick.keep(sample("soon"), 1)

    with pytest.raises(Full):
        slow.keep(sample("late"), 1)

    assert quick.count == 1


def test_a_sample_is_kept_once_however_often_it_is_brought(open_: Open) -> None:
    dataset = open_()
    dataset.keep(sample("a"))

    again = open_().keep(sample("a", "another text of the same sample"))

    assert again is None
    assert dataset.count == 1
    assert dataset.find("a") == {"name": "a"}
    assert dataset.find("b") is None


def test_the_same_words_are_a_duplicate_whatever_their_signs(open_: Open) -> None:
    dataset = open_()
    dataset.keep(sample("a", LEASE))

    alike = dataset.keep(sample("b", LEASE.upper().replace(" ", "\n  ") + "!"))

    assert alike == Alike("batch #a", 1.0)
    assert dataset.count == 1


def test_nearly_the_same_is_a_duplicate_from_the_limit_on(open_: Open) -> None:
    changed = LEASE.replace("roof", "wall")
    share = resemblance(shingles(LEASE), shingles(changed))
    exact, loose, strict = open_(), open_(0.6), open_(0.8)
    exact.keep(sample("a", LEASE))

    alike = loose.keep(sample("b", changed))
    other = loose.keep(sample("c", "A judge may hear a case without a jury if both sides agree to it."))

    assert 0.6 < share < 0.8
    assert alike == Alike("batch #a", share)
    assert other is None
    assert strict.keep(sample("d", changed)) is None


def test_alike_texts_meet_in_a_band_as_often_as_the_book_says() -> None:
    dice = random.Random(7)
    met = 0
    for _ in range(60):
        common = [f"w{dice.randrange(10**6)}" for _ in range(60)]
        one, other = " ".join(common), " ".join([*common, *(f"x{dice.randrange(10**6)}" for _ in range(30))])
        met += bool(set(bands(shingles(one))) & set(bands(shingles(other))))

    assert met >= 57  # resemblance is 0.66: 0.9985 of them are expected


def test_records_come_back_oldest_first_by_pages(open_: Open) -> None:
    dataset = open_()
    for number in range(510):
        dataset.keep(sample(str(number)))

    assert [record["name"] for record in dataset.records()] == [str(number) for number in range(510)]


def test_nothing_is_counted_by_reading_all_samples(open_: Open) -> None:
    dataset = open_()
    dataset.keep(sample("a"))
    looked_at: set[str | None] = set()

    def look(_: int, table: str | None, *__: str | None) -> int:
        looked_at.add(table)
        return sqlite3.SQLITE_OK

    dataset._database.set_authorizer(look)
    dataset.reserve("b", 2)
    dataset.release("b")
    room, count = dataset.room(2, own=0), dataset.count
    dataset._database.set_authorizer(None)

    assert (room, count) == (1, 1)
    assert "size" in looked_at
    assert "entries" not in looked_at


def test_samples_of_an_older_file_and_those_that_somebody_removes_are_counted(
    open_: Open, tmp_path: Path
) -> None:
    older = open_()
    older._database.executescript("DROP TRIGGER entry_came; DROP TRIGGER entry_went; DROP TABLE size")
    insert = "INSERT INTO entries (id, name, digest, text, record) VALUES (?, '', '', '', '{}')"
    older._database.executemany(insert, [("a",), ("b",), ("c",)])

    newer = open_()
    before = newer.count
    older._database.execute("DELETE FROM entries WHERE id = 'b'")

    assert (before, newer.count) == (3, 2)


def test_a_place_that_could_not_be_given_back_is_free_for_the_next(open_: Open, tmp_path: Path) -> None:
    dataset = open_()
    dataset._database.execute("PRAGMA busy_timeout = 0")
    dataset.reserve("a", 1)

    with closing(sqlite3.connect(tmp_path / "set.db", isolation_level=None)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        dataset.release("a")

    assert dataset.reserve("b", 1)


def test_a_thread_that_is_late_finds_it_closed(open_: Open) -> None:
    dataset = open_()
    dataset.close()

    with pytest.raises(DatasetBroken, match="it is closed"):
        dataset.find("a")


def test_a_file_that_is_no_dataset_is_named(tmp_path: Path) -> None:
    (tmp_path / "set.db").write_text("these are not samples " * 100)

    with pytest.raises(DatasetBroken, match=r"set\.db cannot be used: file is not a database") as caught:
        Dataset(tmp_path / "set.db")

    assert "moved away" in (caught.value.hint or "")
