"""The samples that are kept: one SQLite file, of one batch or shared by several.

A batch reserves a place before it asks a model, and a kept sample takes the place. Both are one
transaction each, so kept samples and reservations together never exceed the target, however many
processes of this machine share the file. The places of a process that died are free again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilothouse.errors import PilothouseError
from pilothouse.kinds.generation.holder import Holder, is_alive, remove_dead
from pilothouse.kinds.generation.similarity import bands, digest, resemblance, shingles

WAIT_SECONDS = 60.0
_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, name TEXT NOT NULL,
    digest TEXT NOT NULL, text TEXT NOT NULL, record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_digest ON entries (digest);
CREATE TABLE IF NOT EXISTS bands (value INTEGER NOT NULL, entry INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS bands_value ON bands (value);
CREATE TABLE IF NOT EXISTS reservations (id TEXT PRIMARY KEY, holder TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS size (one INTEGER PRIMARY KEY CHECK (one = 1), kept INTEGER NOT NULL);
INSERT OR IGNORE INTO size SELECT 1, count(*) FROM entries;
CREATE TRIGGER IF NOT EXISTS entry_came AFTER INSERT ON entries BEGIN UPDATE size SET kept = kept + 1; END;
CREATE TRIGGER IF NOT EXISTS entry_went AFTER DELETE ON entries BEGIN UPDATE size SET kept = kept - 1; END;
COMMIT;
"""
_KEPT = "SELECT kept FROM size"  # to count the entries anew takes as long as there are entries


class DatasetBroken(PilothouseError):
    """The file of a dataset cannot be read or written."""

    code = "dataset"


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample that wants to be kept.

    Attributes:
        id: The same for every attempt to make it.
        name: What others call it, such as `batch_1760790379_deacb1b0 #12`.
        text: What is compared.
        record: The columns of its item, as JSON.
    """

    id: str
    name: str
    text: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alike:
    """What a sample is a duplicate of, and how alike they are: from the limit to 1."""

    name: str
    share: float


class Full(Exception):
    """Others have filled the dataset."""


class Dataset:
    """A file of samples. Thread-safe, and safe between the processes of one machine.

    Args:
        path: The SQLite file; made where there is none.
        near: Resemblance from which two samples are duplicates; None: only when they are equal.

    Raises:
        DatasetBroken: The file is no dataset, or cannot be opened.
    """

    def __init__(self, path: Path, near: float | None = None) -> None:
        self._path = path
        self._near = near
        self._lock = threading.Lock()
        self._is_closed = False
        self._unreleased: list[str] = []
        self._holders = path.with_suffix(".holders")
        with ExitStack() as opened:
            try:
                self._holder = opened.enter_context(closing(Holder(self._holders)))
                remove_dead(self._holders)
                connection = sqlite3.connect(
                    path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
                )
                self._database = opened.enter_context(closing(connection))
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.executescript(_TABLES)
            except (OSError, sqlite3.Error) as error:
                raise self._broken(error) from error
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Let the file and all places go; a thread that still uses it gets an error of its own."""
        with self._lock:
            self._is_closed = True
            self._opened.close()

    def reserve(self, id: str, most: int | None) -> bool:
        """Take a place for a sample; False when kept samples and places together are `most` already."""
        with self._writing() as database:
            for late in self._unreleased:
                self._release(database, late)
            if most is not None and self._taken(database, id) >= most:
                self._free_dead(database)
                if self._taken(database, id) >= most:
                    return False
            database.execute("INSERT OR REPLACE INTO reservations VALUES (?, ?)", (id, self._holder.name))
            return True

    def release(self, id: str) -> None:
        """Give a place back, if it cannot be done now then before the next one is taken; harmless without one."""
        try:
            with self._writing() as database:
                self._release(database, id)
        except DatasetBroken:
            self._unreleased.append(id)

    def _release(self, database: sqlite3.Connection, id: str) -> None:
        own = (id, self._holder.name)
        database.execute("DELETE FROM reservations WHERE id = ? AND holder = ?", own)

    def keep(self, sample: Sample, most: int | None = None) -> Alike | None:
        """Keep a sample in its place; one that is kept already is not kept again.

        Returns:
            None when it is kept; else what it is a duplicate of, and the place stays reserved.

        Raises:
            Full: It has lost its place, and there is no other.
        """
        found, key = shingles(sample.text), digest(sample.text)
        marks = bands(found)
        with self._writing() as database:
            if database.execute("SELECT 1 FROM entries WHERE id = ?", (sample.id,)).fetchone():
                return None
            if alike := self._alike(database, key, found, marks):
                return alike
            if most is not None and self._taken(database, sample.id) >= most:
                raise Full
            database.execute("DELETE FROM reservations WHERE id = ?", (sample.id,))
            record = json.dumps(sample.record, ensure_ascii=False)
            row = (sample.id, sample.name, key, sample.text, record)
            entry = database.execute(
                "INSERT INTO entries (id, name, digest, text, record) VALUES (?, ?, ?, ?, ?)", row
            ).lastrowid
            database.executemany("INSERT INTO bands VALUES (?, ?)", [(mark, entry) for mark in marks])
            return None

    def find(self, id: str) -> dict[str, Any] | None:
        """The record of a sample that was kept, None when it was not."""
        with self._reading() as database:
            row = database.execute("SELECT record FROM entries WHERE id = ?", (id,)).fetchone()
        return json.loads(row[0]) if row else None

    def records(self) -> Iterator[dict[str, Any]]:
        """The records of all samples, oldest first."""
        number = 0
        query = "SELECT number, record FROM entries WHERE number > ? ORDER BY number LIMIT 500"
        while True:
            with self._reading() as database:
                rows = database.execute(query, (number,)).fetchall()
            if not rows:
                return
            number = rows[-1][0]
            yield from (json.loads(record) for _, record in rows)

    def room(self, most: int, own: int) -> int:
        """Places that nobody has; those of the dead count as free.

        Args:
            own: Samples that this process has begun; they have their places, or are about to take them.
        """
        with self._writing() as database:
            self._free_dead(database)
            query = "SELECT count(*) FROM reservations WHERE holder <> ?"
            (others,) = database.execute(query, (self._holder.name,)).fetchone()
            (kept,) = database.execute(_KEPT).fetchone()
            return most - int(kept) - int(others) - own

    @property
    def count(self) -> int:
        """Samples that are kept."""
        with self._reading() as database:
            return int(database.execute(_KEPT).fetchone()[0])

    def _taken(self, database: sqlite3.Connection, but: str = "") -> int:
        """Kept samples and places, without the place of `but`, if it is ours."""
        (kept,) = database.execute(_KEPT).fetchone()
        query = "SELECT count(*) FROM reservations WHERE NOT (id = ? AND holder = ?)"
        (reserved,) = database.execute(query, (but, self._holder.name)).fetchone()
        return int(kept) + int(reserved)

    def _free_dead(self, database: sqlite3.Connection) -> None:
        holders = database.execute("SELECT DISTINCT holder FROM reservations").fetchall()
        for (name,) in holders:
            if name != self._holder.name and not is_alive(self._holders, name):
                database.execute("DELETE FROM reservations WHERE holder = ?", (name,))

    def _alike(
        self, database: sqlite3.Connection, key: str, found: frozenset[int], marks: list[int]
    ) -> Alike | None:
        """The kept sample that is most like this one, if one is alike."""
        equal = database.execute("SELECT name FROM entries WHERE digest = ? LIMIT 1", (key,)).fetchone()
        if equal:
            return Alike(equal[0], 1.0)
        if self._near is None:
            return None
        query = (
            "SELECT name, text FROM entries WHERE number IN "  # noqa: S608 - question marks only
            f"(SELECT entry FROM bands WHERE value IN ({', '.join('?' * len(marks))}))"
        )
        candidates = database.execute(query, marks).fetchall()
        ranked = [Alike(name, resemblance(found, shingles(text))) for name, text in candidates]
        best = max(ranked, key=lambda alike: alike.share, default=None)
        return best if best and best.share >= self._near else None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._is_closed:
                raise self._broken(ValueError("it is closed"))
            try:
                yield self._database
            except sqlite3.Error as error:
                raise self._broken(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that nobody else writes beside."""
        with self._reading() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")

    def _broken(self, error: Exception) -> DatasetBroken:
        return DatasetBroken(
            f"The dataset {self._path} cannot be used: {error}.",
            hint="Free disk space or let the host's user write there; a file that is no dataset has to be moved away.",
        )
