"""How the demo's packages are installed: pip's words, and a bar of the packages that have arrived."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pilothouse.cli.demo.install import Installation, main
from pilothouse.kinds.bars import read_bar

SAYS_NOTHING_ELSE = "import sys; print('Collecting', *sys.argv[1:])\n"


def pip(then: str) -> list[str]:
    """A program that says what it is asked for, and then does something."""
    return [sys.executable, "-c", SAYS_NOTHING_ELSE + then]


def test_the_bar_counts_packages_while_pip_is_silent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen = tmp_path / "seen"
    work = f"""import os, time
print('Installing collected packages: a, b', flush=True)
while not os.path.exists({str(seen)!r}): time.sleep(0.05)"""

    def is_there(name: str) -> bool:
        seen.touch()
        return name == "a"

    code = Installation(["a"], is_there, pip(work)).run()

    bars = [bar for line in capfd.readouterr().out.splitlines() if (bar := read_bar(line))]
    assert code == 0
    assert [(bar.done, bar.total) for bar in bars] == [(0, 2), (1, 2), (2, 2)]


def test_a_version_that_cannot_be_had_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    code = main(["torch==0", "torch"], pip("sys.exit('torch==0' in sys.argv)"))

    assert code == 0
    assert "Collecting torch\n" in capfd.readouterr().out


def test_without_a_network_it_fails_at_once_with_the_exit_code_of_pip(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = main(["torch==0", "torch"], pip("print('(from versions: none)'); sys.exit(1)"))

    assert code == 1
    assert capfd.readouterr().out.count("Collecting") == 1
