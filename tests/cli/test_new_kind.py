"""`pilothouse new-kind NAME`: what it writes works at once, and it writes over nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.cli.client import CliError
from pilothouse.cli.new_kind import check

ROOT = Path(__file__).parents[2]


def new_kind(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user types it in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "pilothouse.cli.main", "new-kind", name],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> dict[str, str]:
    """The files of a folder and what they hold."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_the_example_in_the_repository_is_exactly_what_it_writes(tmp_path: Path) -> None:
    done = new_kind(tmp_path, "my_kind")

    assert done.returncode == 0
    assert files(tmp_path / "my_kind") == files(ROOT / "examples" / "my_kind")


def test_it_says_how_to_start_run_and_prove_the_kind(tmp_path: Path) -> None:
    said = new_kind(tmp_path, "word_count").stderr.splitlines()

    assert said == [
        "✓ word_count/   README.md  __init__.py  job.py  test_word_count.py",
        '  Start:  PYTHONPATH="$PWD" PILOTHOUSE_KINDS=word_count:KIND pilothouse up',
        "  Run:    pilothouse run word_count",
        "  Prove:  python -m pytest word_count",
    ]


def test_nothing_of_the_sample_s_name_is_left(tmp_path: Path) -> None:
    new_kind(tmp_path, "word_count")

    written = files(tmp_path / "word_count")
    assert 'title="Word count"' in written["__init__.py"]
    assert [name for name, text in written.items() if "my_kind" in text + name or "My kind" in text] == []


@pytest.mark.long
def test_what_it_wrote_keeps_the_promises_of_every_kind(tmp_path: Path) -> None:
    new_kind(tmp_path, "word_count")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "word_count"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "word_count").mkdir()
    (tmp_path / "word_count" / "job.py").write_text("mine")

    done = new_kind(tmp_path, "word_count")

    assert done.returncode == 8
    assert done.stderr.startswith("✕ word_count is there already, and nothing is written over it")
    assert files(tmp_path / "word_count") == {"job.py": "mine"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Word-Count", "✕ Word-Count: must be lower-case letters, digits and _"),
        ("../up", "✕ ../up: must be"),
        ("x", "✕ x: must be"),
        ("", "✕ : must be"),
        ("class", "✕ class is a word of Python itself"),
        ("json", "✕ json is a module of this Python"),
        ("pydantic", "✕ pydantic is a module of this Python"),
        ("benchmark", "✕ benchmark is a kind of Pilothouse"),
    ],
)
def test_a_name_that_would_not_do_is_refused_with_the_reason(tmp_path: Path, name: str, said: str) -> None:
    done = new_kind(tmp_path, name)

    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert list(tmp_path.iterdir()) == []


def test_what_is_installed_in_a_folder_below_this_one_is_a_module_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / ".venv" / "lib"
    (packages / "widgets").mkdir(parents=True)
    (packages / "widgets" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(packages)

    with pytest.raises(CliError, match="widgets is a module of this Python"):
        check("widgets")


def test_a_name_that_almost_does_is_mended_in_the_hint(tmp_path: Path) -> None:
    done = new_kind(tmp_path, "Word Count!")

    assert done.stderr.splitlines()[1] == "  pilothouse new-kind word_count"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    done = new_kind(tmp_path, "word_count")

    tmp_path.chmod(0o700)
    assert done.returncode == 1
    assert f"{tmp_path}/word_count cannot be written: Permission denied" in done.stderr
