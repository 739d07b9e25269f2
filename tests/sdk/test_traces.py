"""What an attached process leaves for the job that started its command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pilothouse.sdk.traces import Traces


def test_a_script_that_attached_itself_is_there_until_it_leaves(tmp_path: Path) -> None:
    traces = Traces(tmp_path)
    traces.attach()
    was_attached = traces.is_attached

    traces.leave("ended")

    assert was_attached
    assert not traces.is_attached


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="nothing tells when a process began")
def test_another_process_of_the_same_number_has_not_attached_itself(tmp_path: Path) -> None:
    traces = Traces(tmp_path)
    traces.attach()

    (tmp_path / "command" / f"attached.{os.getpid()}").write_text("1")

    assert not traces.is_attached
