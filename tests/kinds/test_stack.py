"""The stack that ships for tests of kinds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pilothouse.testing.stack import Stack


def test_a_server_that_says_very_much_before_it_gives_up_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text(
        "#!/bin/sh\nhead -c 200000 /dev/zero | tr '\\0' 'x' >&2\necho the way out >&2\nexit 3\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))

    with pytest.raises(AssertionError, match="the way out"):
        Stack(tmp_path / "data")
