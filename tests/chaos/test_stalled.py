"""G9: readers that stall, and clients that come and go, leave the server and the other watchers as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.served import Counts
from tests.chaos.stalled import Cycled, Stalled, prove_cycles, prove_stalled

STALLED = "G9: readers that take nothing, over every transport"
CYCLED = "G9: clients that come and go, over every transport"
HELD_MIB_EACH = 2.0
GROWN_MIB = 25.0 if scale.IS_LONG else 75.0  # the long form begins with warm caches
LONG = pytest.mark.timeout(scale.LONG_SECONDS if scale.IS_LONG else 120)


def change(before: Counts, after: Counts, name: str) -> str:
    """Two counts side by side."""
    return f"{getattr(before, name)} → {getattr(after, name)}"


@LONG
def test_a_hundred_readers_that_stall_are_released_and_harm_nobody(tmp_path: Path, add_row: AddRow) -> None:
    readers = scale.times(100, 12)
    patience = 30 if scale.IS_LONG else 5

    proof = prove_stalled(
        tmp_path, readers=readers, events=scale.times(20_000, 1_000), stall_seconds=patience
    )

    add_row(STALLED, **row_of(proof))
    assert proof.held.full >= readers, "they were not there, or given up too early"
    assert (proof.after.connections, proof.after.watchers, proof.after.tails) == (0, 0, 0)
    assert proof.after.descriptors <= proof.before.descriptors + 8
    assert proof.after.tasks <= proof.before.tasks + 2
    assert proof.after.rss_mib <= proof.before.rss_mib + GROWN_MIB
    assert proof.peak_mib <= proof.before.rss_mib + GROWN_MIB + readers * HELD_MIB_EACH
    assert proof.release_seconds <= patience * 2 + 10


def row_of(proof: Stalled) -> dict[str, object]:
    """The row of the summary."""
    return {
        "readers": sum(proof.readers.values()),
        "events": proof.events,
        "memory MiB": f"{proof.before.rss_mib} → {proof.peak_mib} → {proof.after.rss_mib}",
        "descriptors": change(proof.before, proof.after, "descriptors"),
        "tasks": change(proof.before, proof.after, "tasks"),
        "full": change(proof.held, proof.after, "full"),
        "released after": f"{proof.release_seconds} s",
        "p50/p99 of the others": f"{proof.without} · {proof.among} · {proof.again} ms",
    }


@LONG
def test_thousands_who_come_and_go_leave_nothing_behind(tmp_path: Path, add_row: AddRow) -> None:
    proof = prove_cycles(tmp_path, 1, cycles=scale.times(5_000, 400))

    add_row(CYCLED, **cycles_of(proof))
    assert (proof.after.connections, proof.after.watchers, proof.after.tails) == (0, 0, 0)
    assert proof.after.descriptors <= proof.before.descriptors + 8
    assert proof.after.tasks <= proof.before.tasks + 2
    assert proof.after.rss_mib <= proof.before.rss_mib + GROWN_MIB


def cycles_of(proof: Cycled) -> dict[str, object]:
    """The row of the summary."""
    return {
        "cycles": proof.cycles,
        "closed": proof.did["close"],
        "reset": proof.did["reset"],
        "memory MiB": change(proof.before, proof.after, "rss_mib"),
        "descriptors": change(proof.before, proof.after, "descriptors"),
        "tasks": change(proof.before, proof.after, "tasks"),
        "seconds": proof.seconds,
    }
