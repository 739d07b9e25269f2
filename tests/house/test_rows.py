"""The markers name rows that exist, and the readers of markers find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.rows import Proof, in_python, in_typescript, listed, proofs


def test_the_rows_are_numbered_without_gaps() -> None:
    numbers = [row.number for row in listed()]

    counts = {"S1": 92, "S2": 102, "S3": 116, "S4": 102, "S5": 87}
    assert numbers == [f"{name}.{n}" for name, count in counts.items() for n in range(1, count + 1)]


def test_every_marker_names_a_row_that_asks_for_something() -> None:
    asking = {row.number for row in listed() if not row.is_told_only}

    wrong = [(proof.name, row) for proof in proofs() for row in proof.rows if row not in asking]

    assert wrong == []


def test_no_test_names_a_row_twice() -> None:
    assert [proof for proof in proofs() if len(set(proof.rows)) < len(proof.rows)] == []


def test_markers_of_python_are_found(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(
        '@pytest.mark.rows("S1.1", "S1.2")\nasync def test_it_works() -> None: ...\ndef test_more(): ...\n'
    )

    assert list(in_python(path)) == [Proof(path, "it works", ("S1.1", "S1.2"))]


def test_a_marker_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text("@pytest.mark.rows(*ROWS)\ndef test_it() -> None: ...\n")

    with pytest.raises(ValueError, match=r"test_it\.py:1: rows are plain texts"):
        list(in_python(path))


def test_comments_of_typescript_are_found(tmp_path: Path) -> None:
    path = tmp_path / "it.test.ts"
    path.write_text(
        '  // rows: S1.1 S1.2\n  // why\n  it("works, it\'s so", async () => {\n'
        '// rows: S1.3\ntest.each<[number, string]>([\n  [1, "(a)"],\n])("of %s", () => {\n'
        "// rows: S1.4\nconst no = 1\n"
    )

    assert list(in_typescript(path)) == [
        Proof(path, "works, it's so", ("S1.1", "S1.2")),
        Proof(path, "of %s", ("S1.3",)),
    ]
