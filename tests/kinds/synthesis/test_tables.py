"""Tables: types, bad ones, and what is said of each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from pilothouse.kinds.synthesis import table
from pilothouse.kinds.synthesis.column import Column, detect
from pilothouse.kinds.synthesis.params import EXAMPLES, Params
from pilothouse.kinds.synthesis.table import BadTable, Table, checked, read
from tests.kinds.synthesis.conftest import a_table, records


def made_anew(column: Column) -> list[str]:
    """The cells of a column that is taken over as it is."""
    return column.filled(column.rows, column.numbers, column.codes).cells()


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        ([str(number) for number in range(40, 0, -2)] * 2, "integer"),
        (["1.5", "2.25", "", "NA"] * 10, "number"),
        (["1e-3", "2E4"] * 10, "number"),
        ([0, 1] * 20, "category"),
        ([True, False, None] * 10, "category"),
        (["yes", "no", "?"] * 10, "category"),
        (["2026-01-31", "2025-12-01"] * 10, "date"),
        ([f"u-{number}" for number in range(40)], "id"),
        (list(range(1000, 1040)), "id"),
        (["x"] * 30, "constant"),
        (["", None, float("nan"), "N/A"] * 10, "empty"),
        (["1", "2", "three"] * 10, "category"),
        (["0.0", "1.0", ""] * 10, "category"),
        ([*(f"{number}.0" for number in range(30, 90, 2)), ""], "integer"),
        ([f"name {number}" for number in range(30)] + [""] * 20, "id"),
        ([*range(1000, 1040), None], "id"),
    ],
)
def test_a_type_is_found_by_the_values(cells: list[Any], type_: str) -> None:
    assert detect("column", cells).type == type_


def test_cells_are_written_as_they_were_read() -> None:
    columns = {
        "price": ["1.50", "2.25", "", "-0.25"] * 10,
        "when": ["2026-01-31", "2025-12-01"] * 20,
        "moment": ["2026-01-31T10:20:30", "2025-12-01T00:00:01"] * 20,
        "colour": ["red", "blue", ""] * 13 + ["red"],
        "same": ["x"] * 40,
        "nothing": [""] * 40,
    }

    table = checked("rows", columns)

    assert {column.name: made_anew(column) for column in table.columns} == columns


def test_very_small_numbers_keep_their_digits() -> None:
    cells = [f"{number}.25e-20" for number in range(1, 31)]

    column = detect("charge", cells)

    assert [float(cell) for cell in made_anew(column)] == [float(cell) for cell in cells]


def test_numbers_too_large_to_compute_with_are_missing_and_it_is_said() -> None:
    cells = ["1.5", "2.5", "1e999", "1.7e308", "-Infinity", "3.5"] * 10

    column = detect("speed", cells)

    assert made_anew(column)[:6] == ["1.5", "2.5", "", "", "", "3.5"]
    assert column.hint == "20 values beyond 1e+100; they are taken as missing"


def test_dates_at_both_ends_of_time_are_written_as_such() -> None:
    cells = ["0001-01-01T00:00:00.500000", "9999-12-31T23:59:59.997000", "0001-01-01T00:00:00+05:00"]

    found = [detect("until", [cell, "2026-01-31T10:20:30"] * 10) for cell in cells]

    assert [column.type for column in found] == ["date", "date", "category"]
    assert [made_anew(column)[0] for column in found[:2]] == ["0001-01-01T00:00:00", "9999-12-31T23:59:59"]


def test_numbers_and_words_mixed_are_words_and_it_is_said() -> None:
    column = detect("mixed", ["12", "13.5", "unknown-x", "14"] * 10)

    assert column.hint == "numbers and words are mixed (30 of 40 are numbers); learned as words"


def test_of_many_categories_the_rare_ones_become_one() -> None:
    cells = [f"town {number % 70}" for number in range(140)] + ["town 1"] * 60

    column = detect("town", cells)

    assert len(column.levels) == 50
    assert column.levels[-1] == "(other)"
    assert "70 different values; all but the 49 most frequent become (other)" in column.hint


def test_missing_values_stay_missing_beside_many_categories() -> None:
    cells = [f"town {number % 70}" for number in range(140)] + [""]

    column = detect("town", cells)

    assert made_anew(column)[-1] == ""
    assert len(column.levels) == 50


def test_ids_are_made_anew_and_never_copied() -> None:
    column = detect("user_id", [f"secret-{number * 7}" for number in range(30)])

    assert column.filled(3).cells() == ["user_id-1", "user_id-2", "user_id-3"]


def test_a_column_that_is_missing_in_places_keeps_its_share() -> None:
    table = a_table(120, gap=([None] * 30) + [float(number) + 0.5 for number in range(90)])

    assert table.columns[3].missing == 0.25


def test_two_parts_are_the_whole_and_the_same_every_time() -> None:
    table = a_table(100)

    parts = table.split(0.2, 7)

    assert (parts[0].rows, parts[1].rows) == (80, 20)
    assert sorted(parts[0].records() + parts[1].records()) == sorted(table.records())
    assert [part.records() for part in table.split(0.2, 7)] == [part.records() for part in parts]


# Where tables come from


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_at_hand(name: str) -> None:
    table = read(Params.model_validate({"example": name}))

    assert table.rows >= 150
    assert len(table.learned) >= 5


def test_a_file_may_be_csv_or_parquet(tmp_path: Path) -> None:
    table = a_table(50)
    table.write(tmp_path / "table.csv")
    columns = {key: [record[key] for record in records(50)] for key in ("size", "weight", "kind")}
    parquet.write_table(pa.table(columns), tmp_path / "table.parquet")

    found = [read(Params(path=str(tmp_path / name))) for name in ("table.csv", "table.parquet")]

    assert [each.records() for each in found] == [table.records()] * 2


def test_a_csv_text_is_taken_as_rows() -> None:
    params = Params.model_validate({"rows": "a,b\n1,x\n2\n"})

    assert params.rows == [{"a": "1", "b": "x"}, {"a": "2", "b": ""}]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_by_the_heading(separator: str) -> None:
    text = '\ufeff\r\n"the a, b; c"|size\r\nx|1\r\n"y"|2\r\n'.replace("|", separator)

    params = Params.model_validate({"rows": text})

    assert params.rows == [{"the a, b; c": "x", "size": "1"}, {"the a, b; c": "y", "size": "2"}]


def test_with_semicolons_a_comma_may_be_a_decimal_point(tmp_path: Path) -> None:
    path = tmp_path / "preise.csv"
    path.write_text("Preis;Ort\n" + "".join(f"{n},25;Ort {n % 3}, Nord\n" for n in range(40)), "utf-8-sig")

    price, place = read(Params(path=str(path))).columns

    assert (price.type, price.cells()[:2]) == ("number", ["0.25", "1.25"])
    assert place.levels[0] == "Ort 0, Nord"


def test_a_parquet_file_may_hold_short_floats_and_every_other_type(tmp_path: Path) -> None:
    path, rows = tmp_path / "table.parquet", 40
    columns = {
        "tenth": pa.array(np.arange(rows) / 10, pa.float32()),
        "word": pa.array(["a", None] * 20).dictionary_encode(),
        "moment": pa.array(range(rows), pa.timestamp("s", "Europe/Berlin")),
        "list": pa.array([[1], [2, 3]] * 20),
    }
    parquet.write_table(pa.table(columns), path)

    found = {column.name: column for column in read(Params(path=str(path))).columns}

    assert found["tenth"].cells()[:3] == ["0.0", "0.1", "0.2"]
    assert [column.type for column in found.values()] == ["number", "category", "date", "category"]


def test_a_table_that_is_too_large_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_table(50).write(tmp_path / "table.csv")
    parquet.write_table(pa.table({"n": list(range(50))}), tmp_path / "table.parquet")
    monkeypatch.setattr(table, "MAX_ROWS", 30)

    for name in ("table.csv", "table.parquet"):
        with pytest.raises(BadTable, match="more than 30 rows"):
            read(Params(path=str(tmp_path / name)))


def test_a_pipe_is_no_table(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")

    with pytest.raises(BadTable, match="no regular file"):
        read(Params(path=str(tmp_path / "pipe.csv")))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "there is no table: give an example, a path or rows"),
        ({"example": "iris", "path": "/t.csv"}, "there are several tables (example, path)"),
        ({"rows": "a,a\n1,2"}, "the heading names 'a' twice"),
        ({"rows": "a,b\n1,2,3"}, "row 1 has 3 cells, the heading has 2"),
        ({"rows": "a,b"}, "no rows below its heading"),
        ({"rows": 'a,b\n1,"x\n2,y\n'}, "line 3 is no CSV: unexpected end of data"),
        ({"rows": "a,b\n1," + "x" * 200_000}, "line 2 is no CSV: field larger than field limit"),
        ({"example": "moon"}, "example"),
        ({"example": "iris", "backups": 9}, "backups"),
        ({"example": "iris", "epochs": 0}, "epochs"),
        ({"example": "iris", "colour": 1}, "colour"),
        (
            {"example": "iris", "corr_delta_limit": 0.5},
            "corr_delta_warn 0.15 lies below corr_delta_limit 0.5",
        ),
    ],
)
def test_bad_params_are_refused_by_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Params.model_validate(given)

    assert said in str(caught.value)


def test_two_rows_are_too_few() -> None:
    with pytest.raises(BadTable, match=r"rows: the table has 2 rows\.") as caught:
        read(Params.model_validate({"rows": "a,b\n1,x\n2,y"}))

    assert caught.value.hint == "Give one with at least 20 rows, better 200."
    assert caught.value.details == {"field": "rows"}


def test_a_table_with_nothing_to_learn_is_refused_with_each_reason() -> None:
    columns: dict[str, list[Any]] = {"id": list(range(30)), "empty": [""] * 30, "same": ["x"] * 30}

    with pytest.raises(BadTable, match="no column holds anything to learn") as caught:
        checked("path", columns)

    assert "empty: every value is missing" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.csv", None, "No such file"),
        ("folder.csv", "folder", "Is a directory"),
        ("binary.csv", b"\xff\xfe\x00a", "no CSV in UTF-8"),
        ("ragged.csv", b"a,b\n1,2,3\n", "row 1 has 3 cells"),
        ("empty.csv", b"", "no rows below its heading"),
        ("text.parquet", b"a,b\n1,2\n", "text.parquet"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, name: str, content: Any, said: str) -> None:
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)

    with pytest.raises(BadTable, match=r"^path: ") as caught:
        read(Params(path=str(path)))

    assert said in str(caught.value)


def test_a_preview_has_twenty_rows_and_the_columns_their_types() -> None:
    table: Table = a_table(60, id=list(range(60)))

    assert len(table.preview()) == 20
    assert [told["type"] for told in table.described()] == ["number", "number", "category", "id"]


def test_rows_are_told_apart_by_places() -> None:
    table = a_table(30)

    assert table.take(np.array([2, 0])).records() == [table.records()[2], table.records()[0]]
