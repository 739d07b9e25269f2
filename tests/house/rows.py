"""The rows of the reference documents and the tests that prove them: `python -m tests.house.rows`.

`rows.txt` lists the rows. A test of Python names those that it proves by
`@pytest.mark.rows("S1.4", "S1.5")`, a test of the UI by a comment in the line
above it: `// rows: S1.4 S1.5`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.markup import table

ROOT = Path(__file__).parents[2]
LISTED = Path(__file__).with_name("rows.txt")
_ROW = re.compile(r"^(S[1-5]\.\d+) (~ )?(.+)$")
_COMMENT = re.compile(
    r"^[ \t]*// rows: (?P<rows>.+)\n(?:[ \t]*//.*\n)*"
    r"[ \t]*(?:test|it)(?:\.each(?:<[^>]*>)?\([\s\S]*?\))?\(\s*(?P<quote>[\"'`])(?P<name>.*?)(?P=quote)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Row:
    """One row: `asks` in a few words. There is nothing to prove where `is_told_only`."""

    number: str
    asks: str
    is_told_only: bool

    @property
    def document(self) -> str:
        """`S1` to `S5`."""
        return self.number.partition(".")[0]


@dataclass(frozen=True)
class Proof:
    """A test and the rows that it names."""

    path: Path
    name: str
    rows: tuple[str, ...]


def listed() -> list[Row]:
    """Every row, in order."""
    found = (_ROW.match(line) for line in LISTED.read_text().splitlines())
    return [Row(match[1], match[3], bool(match[2])) for match in found if match]


def documents() -> dict[str, str]:
    """The documents' titles by their letter and number."""
    return dict(re.findall(r"^## (S\d) (.+)$", LISTED.read_text(), re.MULTILINE))


def proofs() -> list[Proof]:
    """Every test that names rows."""
    found = [proof for path in sorted((ROOT / "tests").rglob("test_*.py")) for proof in in_python(path)]
    for path in sorted((ROOT / "ui" / "src").rglob("*.test.ts*")):
        found += in_typescript(path)
    return found


def in_python(path: Path) -> Iterator[Proof]:
    """The tests of a module that name rows.

    Raises:
        ValueError: A marker that is not made of plain texts.
    """
    source = path.read_text()
    if "mark.rows" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        rows = [row for mark in node.decorator_list for row in _rows_of(mark, path)]
        if rows:
            yield Proof(path, node.name.removeprefix("test_").replace("_", " "), tuple(rows))


def _rows_of(mark: ast.expr, path: Path) -> list[str]:
    if not isinstance(mark, ast.Call) or not ast.unparse(mark.func).endswith("mark.rows"):
        return []
    values = [each.value if isinstance(each, ast.Constant) else None for each in mark.args]
    if not values or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{path}:{mark.lineno}: rows are plain texts, one each")
    return [str(value) for value in values]


def in_typescript(path: Path) -> Iterator[Proof]:
    """The tests of a module of the UI that name rows."""
    for found in _COMMENT.finditer(path.read_text()):
        yield Proof(path, found["name"], tuple(found["rows"].split()))


def proven() -> dict[str, list[Proof]]:
    """The proofs of each row that has some."""
    by_row: dict[str, list[Proof]] = {}
    for proof in proofs():
        for row in proof.rows:
            by_row.setdefault(row, []).append(proof)
    return by_row


def missing() -> list[Row]:
    """The rows that ask for something and have no proof."""
    by_row = proven()
    return [row for row in listed() if not row.is_told_only and row.number not in by_row]


def counts() -> str:
    """How many rows of each document are proven."""
    unproven, lines = {row.number for row in missing()}, []
    for document, title in documents().items():
        rows = [row for row in listed() if row.document == document]
        asking = [row for row in rows if not row.is_told_only]
        done = sum(row.number not in unproven for row in asking)
        lines.append((document, title, str(len(rows)), str(len(asking)), str(done)))
    return table(("", "document", "rows", "ask for something", "proven"), lines)


def checklist() -> str:
    """Every row with the tests that prove it."""
    by_row, parts = proven(), [counts()]
    for document, title in documents().items():
        rows = []
        for row in listed():
            if row.document == document:
                told = "*tells of the original*" if row.is_told_only else "**none**"
                tests = "<br>".join(_link(proof) for proof in by_row.get(row.number, []))
                rows.append((row.number, row.asks, tests or told))
        parts.append(f"## {document} {title}\n\n" + table(("row", "asks for", "proven by"), rows))
    return "\n\n".join(parts)


def _link(proof: Proof) -> str:
    """A test as a link from docs/reference to its file."""
    return f"[{re.sub(r'[][|]', ' ', proof.name)}](../../{proof.path.relative_to(ROOT).as_posix()})"


def main() -> None:
    """Print the rows without a proof, and how many there are."""
    for row in missing():
        print(f"{row.number:7} {row.asks}")
    print(f"\n{counts()}")


if __name__ == "__main__":
    main()
