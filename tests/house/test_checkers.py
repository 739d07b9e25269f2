"""ruff and mypy are as strict as they claim: each rule we count on catches a deliberate violation."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.house.pages import ROOT

CONFIG = ROOT / "pyproject.toml"
HEAD = '"""A module."""\n\nfrom __future__ import annotations\n\n'


def tool(name: str) -> dict[str, Any]:
    """A tool's settings."""
    settings: dict[str, Any] = tomllib.loads(CONFIG.read_text())["tool"][name]
    return settings


def complain(tmp_path: Path, source: str, *, where: str = "pilothouse/sample.py") -> set[str]:
    """The codes of ruff's complaints about a source."""
    path = tmp_path / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    command = ["-m", "ruff", "check", "--no-cache", "--config", str(CONFIG), "--output-format", "json", where]
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    return {each["code"] for each in json.loads(done.stdout)}


BRANCHES = "".join(f"    if x == {number}:\n        return {number}\n" for number in range(11))


@pytest.mark.parametrize(
    ("code", "source"),
    [
        ("F401", HEAD + "import os\n"),
        ("I001", HEAD + "import sys\nimport os\n\nprint(os, sys)\n"),
        ("TID252", HEAD + "from . import run\n\nx = run\n"),
        ("D100", "x = 1\n"),
        ("D103", HEAD + "def shown():\n    return 1\n"),
        ("C901", HEAD + f'def branch(x: int) -> int:\n    """Branch."""\n{BRANCHES}    return 99\n'),
        ("T201", HEAD + 'print("talk")\n'),
        (
            "ASYNC251",
            HEAD + 'import time\n\n\nasync def sleep() -> None:\n    """Block."""\n    time.sleep(1)\n',
        ),
        ("S602", HEAD + 'import subprocess\n\nsubprocess.run("ls", shell=True, check=True)\n'),
        ("B006", HEAD + 'def add(items: list[int] = []) -> None:\n    """Add."""\n'),
    ],
)
def test_ruff_catches(tmp_path: Path, code: str, source: str) -> None:
    assert code in complain(tmp_path, source)


def test_ruff_has_nothing_against_a_clean_module(tmp_path: Path) -> None:
    source = HEAD + '\ndef double(x: int) -> int:\n    """Twice `x`."""\n    return 2 * x\n'

    assert complain(tmp_path, source) == set()


def test_ruff_covers_package_and_tests() -> None:
    settings = tool("ruff")

    assert settings["lint"]["mccabe"]["max-complexity"] <= 10
    assert settings["line-length"] <= 120
    assert not {"pilothouse", "tests"} & set(settings.get("extend-exclude", []))


def test_mypy_is_strict_for_package_and_tests() -> None:
    settings = tool("mypy")

    assert settings["strict"] is True
    assert {"pilothouse", "tests"} <= set(settings["files"])
    assert not any(
        "ignore_errors" in each or each.get("strict") is False for each in settings.get("overrides", [])
    )


def test_mypy_catches_what_strict_means(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text(
        HEAD + "from typing import Any\n\n\ndef bare(x):\n    return x\n\n\n"
        "def anything(values: list) -> int:\n    return values[0]\n\n\n"
        "def wrong() -> int:\n    return 'one'\n\n\n"
        "def given(value: Any) -> str:\n    return value\n"
    )
    command = ["-m", "mypy", "--config-file", str(CONFIG), "--cache-dir", str(tmp_path / "cache"), str(path)]

    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)

    for code in ("no-untyped-def", "type-arg", "return-value", "no-any-return"):
        assert f"[{code}]" in done.stdout, done.stdout


def test_a_warning_fails_a_test(tmp_path: Path) -> None:
    (tmp_path / "test_warned.py").write_text(
        "import warnings\n\n\ndef test_it():\n    warnings.warn('careful')\n"
    )
    command = [
        "-m",
        "pytest",
        "-c",
        str(CONFIG),
        "--rootdir",
        str(tmp_path),
        "-p",
        "no:cacheprovider",
        "test_warned.py",
    ]

    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "careful" in done.stdout
