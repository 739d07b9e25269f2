"""Files keep their size, their names and their opening lines."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.house.pages import ROOT

MAX_LINES = 400
PYTHON = ("pilothouse", "tests", "benchmarks", "scripts")
SOURCES = {**dict.fromkeys(PYTHON, ("py",)), "ui/src": ("ts", "tsx", "css")}
VAGUE = frozenset(
    {"utils", "util", "helpers", "helper", "common", "manager", "managers", "service", "services"}
)
# Service frames are a term of the wire.
NAMED = frozenset({"pilothouse/transports/service.py"})


def sources(*roots: str) -> list[Path]:
    """The source files below some of the roots."""
    return [
        path
        for root in roots
        for suffix in SOURCES[root]
        for path in sorted((ROOT / root).rglob(f"*.{suffix}"))
    ]


def too_long(files: Iterable[Path]) -> list[str]:
    """Files above the cap, with their lines."""
    counted = ((path, len(path.read_text().splitlines())) for path in files)
    return [f"{path.name}: {lines} lines" for path, lines in counted if lines > MAX_LINES]


def test_no_file_is_longer_than_the_cap() -> None:
    assert too_long(sources(*SOURCES)) == []


def test_a_file_above_the_cap_is_found(tmp_path: Path) -> None:
    (tmp_path / "full.py").write_text("x = 1\n" * MAX_LINES)
    (tmp_path / "long.py").write_text("x = 1\n" * (MAX_LINES + 1))

    assert too_long(sorted(tmp_path.iterdir())) == ["long.py: 401 lines"]


def vague(files: Iterable[Path], root: Path) -> list[str]:
    """Files whose own name, or a folder's, says nothing."""
    paths = [path.relative_to(root) for path in files]
    return [
        str(p)
        for p in paths
        if VAGUE & {*p.parts[:-1], p.name.partition(".")[0].lower()} and str(p) not in NAMED
    ]


def test_every_module_is_named_after_what_it_holds() -> None:
    assert vague(sources(*SOURCES), ROOT) == []


def test_a_vague_name_is_found(tmp_path: Path) -> None:
    files = [
        tmp_path / "utils.py",
        tmp_path / "helpers" / "dates.py",
        tmp_path / "Manager.tsx",
        tmp_path / "tail.py",
    ]

    assert vague(files, tmp_path) == ["utils.py", "helpers/dates.py", "Manager.tsx"]


def relative_imports(source: str) -> list[int]:
    """The lines of relative imports."""
    return [
        node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.level
    ]


def test_no_import_is_relative() -> None:
    found = {path: relative_imports(path.read_text()) for path in sources(*PYTHON)}

    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_relative_import_is_found() -> None:
    assert relative_imports("import os\nfrom . import model\nfrom ..model import run\n") == [2, 3]


def test_every_module_says_what_it_is() -> None:
    files = sources(*PYTHON)
    silent = [
        str(path.relative_to(ROOT)) for path in files if not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def test_every_package_is_one() -> None:
    folders = {
        path.parent for path in sources("pilothouse") if "migrations" not in path.parts
    }  # Alembic's own

    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


# Names

GLOSSARY = frozenset(
    {
        "workflow", "workflows", "subscriber", "subscribers", "broadcaster", "broadcast", "broker", "hub", "succeeded",
        "cursor", "offset", "stage", "stages", "manager", "helper", "helpers", "util", "utils", "sweeper", "zombie",
    }
)  # fmt: skip


def public_names(source: str) -> set[str]:
    """Names of functions, classes, fields and arguments that do not begin with `_`; tests are sentences."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.arg(arg=name):
                names.add(name)
            case _:
                pass
    return {name for name in names if not name.startswith(("_", "test_"))}


def replaced(names: Iterable[str]) -> set[str]:
    """Names that hold a word for which the glossary has another."""
    return {
        name
        for name in names
        if GLOSSARY & {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    }


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in sources("pilothouse")}), ids=lambda p: p.name
)
def test_public_names_use_the_words_of_the_glossary(folder: Path) -> None:
    for path in folder.glob("*.py"):
        assert not replaced(public_names(path.read_text())), path


def test_a_replaced_word_in_a_name_is_found() -> None:
    source = "class EventBroker:\n    last_offset: int\n    def pause(self, subscriber): ...\n    def _hub(self): ...\n"

    assert replaced(public_names(source)) == {"EventBroker", "last_offset", "subscriber"}


# The repository

REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.",
    "yarn" + "pkg.com",
    "conda" + ".anaconda.org",
)
REGISTRY_URL = re.compile(
    "|".join(map(re.escape, REGISTRIES)) + r"|--(?:extra-)?index-url|/simple/|artifactory|jfrog"
)
SOMEBODYS_PATH = re.compile(r"(?<![\w.])/(?:home/[a-z]\w*|Users/[A-Za-z]\w*|root|work)/|[A-Z]:\\Users\\")


def tracked() -> list[Path]:
    """Every text file that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout.decode()
    files = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in files if path.is_file() and path != Path(__file__) and is_text(path)]


def is_text(path: Path) -> bool:
    """Whether a file is text."""
    return b"\0" not in path.read_bytes()[:8192]


@pytest.mark.parametrize("pattern", [REGISTRY_URL, SOMEBODYS_PATH], ids=["registries", "paths"])
def test_the_repository_names_no_registry_and_nobodys_folders(pattern: re.Pattern[str]) -> None:
    found = [
        str(path.relative_to(ROOT)) for path in tracked() if pattern.search(path.read_text(errors="replace"))
    ]

    assert found == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRY_URL, "resolved: https://registry." + "npm" + "js.org/react"),
        (REGISTRY_URL, "pip install --index-url https://mirror/"),
        (SOMEBODYS_PATH, "open('/home/" + "ada/notes')"),
        (SOMEBODYS_PATH, "cd /Users/" + "Ada/code"),
    ],
)
def test_a_registry_or_a_folder_is_found(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
