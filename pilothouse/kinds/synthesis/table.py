"""A table with typed columns: read from CSV, Parquet, params or an example; split; written as CSV.

CSV needs the standard library and numpy only; Parquet needs pyarrow, some of the
examples scikit-learn.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from pilothouse.errors import InvalidParams
from pilothouse.kinds.synthesis.column import Column, Ints, detect
from pilothouse.kinds.synthesis.params import Params
from pilothouse.kinds.synthesis.sheet import read_csv, read_csv_text

MIN_ROWS = 20
MAX_ROWS = 2_000_000
MAX_COLUMNS = 500
PREVIEW_ROWS, PREVIEW_COLUMNS, PREVIEW_CHARACTERS = 20, 30, 40


class BadTable(InvalidParams):
    """A table that cannot be learned from; `field` names the param it came from."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length, in order."""

    columns: tuple[Column, ...]

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.columns[0].rows if self.columns else 0

    @property
    def learned(self) -> tuple[Column, ...]:
        """The columns that hold something to learn."""
        return tuple(column for column in self.columns if column.is_numeric or column.is_category)

    def take(self, places: Ints) -> Table:
        """The rows at these places."""
        return Table(tuple(column.take(places) for column in self.columns))

    def split(self, share: float, seed: int) -> tuple[Table, Table]:
        """The rows to learn from and the rows held out, by lot.

        Args:
            share: Of rows held out, 0 to 1; at least five rows are.
            seed: Of the lot.
        """
        order = np.random.default_rng(seed).permutation(self.rows)
        held = max(5, round(self.rows * share))
        return self.take(np.sort(order[held:])), self.take(np.sort(order[:held]))

    def fingerprint(self) -> str:
        """Another one as soon as a column, a type or a value to learn is another."""
        mark = sha256()
        for column in self.columns:
            head = (column.name, column.type, column.rows, column.levels, column.decimals)
            mark.update(repr(head).encode())
            for values in (column.numbers, column.codes):
                mark.update(b"" if values is None else values.tobytes())
        return mark.hexdigest()

    def records(self, columns: Sequence[Column] | None = None) -> list[tuple[str, ...]]:
        """Rows as tuples of cells."""
        return list(zip(*(column.cells() for column in columns or self.columns), strict=True))

    def preview(self) -> list[dict[str, str]]:
        """The first rows, by column; of a wide table the first columns, of a long text its begin."""
        head = Table(self.columns[:PREVIEW_COLUMNS]).take(np.arange(min(PREVIEW_ROWS, self.rows)))
        names = [column.name for column in head.columns]
        return [
            {name: cell[:PREVIEW_CHARACTERS] for name, cell in zip(names, record, strict=True)}
            for record in head.records()
        ]

    def described(self) -> list[dict[str, Any]]:
        """Name, type, missing share and what was noticed, for each column."""
        return [
            {
                "column": column.name,
                "type": column.type,
                "missing": round(column.missing, 4),
                "levels": len(column.levels) if column.is_category else None,
                "hint": column.hint,
            }
            for column in self.columns
        ]

    def write(self, path: Path) -> None:
        """Write it as CSV with a heading, whole or not at all."""
        part = path.with_name(path.name + ".part")
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([column.name for column in self.columns])
            writer.writerows(self.records())
        part.replace(path)


def read(params: Params) -> Table:
    """The table that the params name, with its types.

    Raises:
        BadTable: It cannot be read or learned from.
    """
    if params.path:
        return checked("path", _file(Path(params.path)))
    if params.rows:
        return checked("rows", columns_of(params.rows))
    return checked("example", _example(str(params.example)))


def checked(field: str, cells: Mapping[str, Sequence[Any]]) -> Table:
    """A table from its cells, with types found.

    Raises:
        BadTable: Too few rows, too many rows or columns, or nothing to learn.
    """
    rows = max((len(values) for values in cells.values()), default=0)
    if rows < MIN_ROWS:
        raise _bad(
            field,
            f"the table has {_count(rows, 'row')}",
            f"Give one with at least {MIN_ROWS} rows, better 200.",
        )
    _check_size(field, rows, len(cells))
    table = Table(tuple(detect(name, values) for name, values in cells.items()))
    if not table.learned:
        hints = "; ".join(f"{column.name}: {column.hint}" for column in table.columns[:10])
        message = f"no column holds anything to learn ({hints})"
        raise _bad(field, message, "Give a table with at least one column of numbers or categories.")
    return table


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns from rows; a row that lacks a column has a missing value there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [row.get(name) for row in rows] for name in names}


def _check_size(field: str, rows: int, columns: int) -> None:
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        message = f"the table has more than {MAX_ROWS:,} rows or {MAX_COLUMNS:,} columns"
        raise _bad(field, message, "Give a sample of it.")


def _file(path: Path) -> dict[str, Sequence[Any]]:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise _bad("path", f"{path} is no regular file", "Give a CSV or Parquet file.")
        if path.suffix.lower() in (".parquet", ".pq"):
            return _parquet(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            heading, lines = read_csv(file, MAX_ROWS)
        return dict(zip(heading, zip(*lines, strict=True), strict=True))
    except OSError as error:
        raise _bad("path", f"{path}: {error.strerror or error}", "It is read on the host.") from None
    except UnicodeDecodeError as error:
        raise _bad(
            "path", f"{path} is no CSV in UTF-8: {error}", "Save it as CSV (UTF-8) or Parquet."
        ) from None
    except (ValueError, NotImplementedError) as error:  # no CSV, or no Parquet that can be read
        raise _bad("path", f"{path}: {error}", "Give a CSV file with a heading, or a Parquet file.") from None


def _parquet(path: Path) -> dict[str, Sequence[Any]]:
    import pyarrow
    from pyarrow import parquet

    about = parquet.read_metadata(path)
    _check_size("path", about.num_rows, about.num_columns)
    read: dict[str, Sequence[Any]] = {}
    table = parquet.read_table(path)
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = column.to_pylist()
        if pyarrow.types.is_float16(column.type) or pyarrow.types.is_float32(column.type):
            values = [value if value is None else str(np.float32(value)) for value in values]
        read[name] = values
    return read


def _example(name: str) -> dict[str, list[Any]]:
    """An example table. Those of scikit-learn come with it; nothing is downloaded."""
    if name == "customers":
        text = files("pilothouse.kinds.synthesis.example").joinpath("customers.csv").read_text("utf-8")
        return columns_of(read_csv_text(text))
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(**({"scaled": False} if name == "diabetes" else {}))
    cells = {
        str(title).replace(" (cm)", "").replace(" ", "_"): bunch.data[:, number].tolist()
        for number, title in enumerate(bunch.feature_names)
    }
    names = getattr(bunch, "target_names", None)
    target = [str(names[code]) for code in bunch.target] if names is not None else bunch.target.tolist()
    return _integral(cells) | {"target": target}


def _integral(cells: dict[str, list[float]]) -> dict[str, list[Any]]:
    """Columns of whole numbers as such."""
    return {
        name: [int(value) for value in values] if all(value == int(value) for value in values) else values
        for name, values in cells.items()
    }


def _bad(field: str, message: str, hint: str) -> BadTable:
    return BadTable(f"{field}: {message}.", hint=hint, field=field)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number:,} {word}s"
