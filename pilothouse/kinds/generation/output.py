"""The files of a batch: `samples.jsonl` as it grows, and at the end CSV and, with pyarrow, Parquet.

A row is the sample's fields and then what is known of it; a field keeps its name, and a
fact of the same name gets a line below. Files that grow are sent by a thread of their own, so
that a server that is away holds nothing up; what could not be sent is sent with the next one.
"""

from __future__ import annotations

import csv
import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from pilothouse.errors import PilothouseError

FACTS = ("number", "topic", "difficulty", "type", "model")
FIRST_SENT = 10
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Send = Callable[[Path, str], None]
Row = dict[str, Any]


class Output:
    """Writes the kept samples.

    Args:
        folder: Where the files are written.
        send: Uploads a file under a name.
    """

    def __init__(self, folder: Path, send: Send) -> None:
        self._folder = folder
        self._send = send
        self._path = folder / "samples.jsonl"
        self._file: IO[str] | None = None
        self._count = 0
        self._sending: threading.Thread | None = None
        self._next_sent = FIRST_SENT

    def begin(self) -> None:
        """Begin the file anew; what a dead attempt has left in it is replaced."""
        self._file = self._path.open("w", encoding="utf-8")

    def restore(self, record: Mapping[str, Any]) -> None:
        """Write a sample that an earlier attempt has kept; nothing is sent, since that attempt has sent more."""
        assert self._file
        self._file.write(_line(record))
        self._file.flush()
        self._count += 1

    def add(self, record: Mapping[str, Any]) -> None:
        """Write a kept sample; after 10, 20, 40 … the file is sent."""
        self.restore(record)
        if self._count >= self._next_sent and not (self._sending and self._sending.is_alive()):
            self._next_sent = 2 * self._count
            with suppress(OSError):  # as on a full disk; the next one brings all of it
                copy = self._copy()
                self._sending = threading.Thread(target=self._send_quietly, args=(copy,), daemon=True)
                self._sending.start()

    def close(self) -> None:
        """Close the file; nothing is sent."""
        if self._file:
            self._file.close()
            self._file = None

    def end(self, shared: Iterable[Mapping[str, Any]] | None = None) -> None:
        """Send all files; nothing is sent of an empty batch.

        Args:
            shared: The samples of the shared dataset, if there is one, those of other batches included.

        Raises:
            OSError, PilothouseError: A file cannot be written or sent.
        """
        self.close()
        if not self._count:
            return
        if self._sending:
            self._sending.join()  # else the part that it sends might come last, in place of the whole
        self._send(self._path, "samples.jsonl")
        table = self._folder / "samples.csv"
        write_csv(table, self._rows)
        self._send(table, "samples.csv")
        if find_spec("pyarrow"):
            table = self._folder / "samples.parquet"
            write_parquet(table, self._rows())
            self._send(table, "samples.parquet")
        if shared is not None:
            whole = self._folder / "dataset.jsonl"
            with whole.open("w", encoding="utf-8") as file:
                file.writelines(map(_line, shared))
            self._send(whole, "dataset.jsonl")

    def _rows(self) -> Iterator[Row]:
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def _copy(self) -> Path:
        copy = self._path.with_suffix(".sent")
        shutil.copyfile(self._path, copy)
        return copy

    def _send_quietly(self, path: Path) -> None:
        try:
            self._send(path, "samples.jsonl")
        except (OSError, PilothouseError):
            return  # the next one brings all of it
        finally:
            path.unlink(missing_ok=True)


def row_of(record: Mapping[str, Any]) -> Row:
    """A flat row of a sample's columns."""
    sample = record.get("sample")
    fields: Row = dict(sample) if isinstance(sample, dict) else {"text": sample}
    facts = {name: record.get(name) for name in FACTS if record.get(name) not in (None, "")}
    return fields | {name if name not in fields else f"{name}_": fact for name, fact in facts.items()}


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(row_of(record), ensure_ascii=False) + "\n"


def write_csv(path: Path, rows: Callable[[], Iterator[Row]]) -> None:
    """Write a table with the columns of all rows; no cell is one that a spreadsheet runs."""
    columns = list(dict.fromkeys(name for row in rows() for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(map(_cell, columns))
        for row in rows():
            writer.writerow([_cell(row.get(name)) for name in columns])


def write_parquet(path: Path, rows: Iterable[Row]) -> None:
    """Write a table; where the values of a column are of several types, or objects without fields, all are JSON."""
    pa: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    listed = list(rows)
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for row in listed for name in row):
        values = [row.get(name) for row in listed]
        try:
            columns[name] = pa.array(values)
            if "struct<>" in str(columns[name].type):
                raise pa.ArrowNotImplementedError("Parquet has no objects without fields")
        except (pa.ArrowException, OverflowError):
            columns[name] = pa.array([json.dumps(value, ensure_ascii=False) for value in values])
    parquet.write_table(pa.table(columns), path)


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list | bool):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
