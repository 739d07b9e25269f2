"""Tables to the package and back, as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from pilothouse.kinds.synthesis.params import Params
from pilothouse.kinds.synthesis.table import Table, read


def load(name: str) -> Table:
    """An example table."""
    return read(Params.model_validate({"example": name}))


def write(table: Table, path: Path) -> None:
    """The learned columns as CSV."""
    Table(table.learned).write(path)


def reread(path: Path, like: Table) -> Table:
    """A CSV file with the columns and levels of another table."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = []
    for column in like.columns:
        cells = [row.get(column.name, "") for row in rows]
        if column.is_numeric:
            columns.append(column.filled(len(rows), numbers=np.array([float(cell) for cell in cells])))
        elif column.is_category:
            columns.append(column.filled(len(rows), codes=np.array([column.levels.index(c) for c in cells])))
        else:
            columns.append(column.filled(len(rows)))
    return Table(tuple(columns))
