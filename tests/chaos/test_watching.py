"""G2: behind a bad network, with the server killed, every watcher sees every event once and in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.proxy import Proxy, fate_of
from tests.chaos.served import Served
from tests.chaos.watching import Address, Deadline, Watcher, Writer, judged, prove, sum_of
from tests.web.clients import Stream

TABLE = "G2: watchers behind a proxy that cuts, stalls, splits and refuses"
SEEDS = [1, 2, 3] if scale.IS_LONG else [1]


@pytest.mark.timeout(scale.LONG_SECONDS if scale.IS_LONG else 120)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_watcher_sees_every_event_once_and_in_order(seed: int, tmp_path: Path, add_row: AddRow) -> None:
    kills, watchers = (3, 5) if scale.IS_LONG else (1, 3)

    proof = prove(tmp_path, seed, watchers=watchers, events=scale.times(20_000, 1_500), kills=kills)

    network = proof.network
    add_row(
        TABLE,
        seed=seed,
        watchers=proof.watchers,
        events=proof.events,
        kills=proof.kills,
        connections=network["connections"],
        cut=network.get("cut", 0) + network.get("reset", 0),
        stalled=network.get("stall", 0) + network.get("vanish", 0),
        split=network.get("split", 0),
        refused=network.get("refuse", 0) + network.get("server away", 0),
        gaps=proof.gaps,
        resets=proof.resets,
        lost=proof.lost,
        doubled=proof.doubled,
        disordered=proof.out_of_order,
        altered=proof.altered,
        seconds=proof.seconds,
    )
    assert proof.is_kept, proof
    assert (proof.gaps, proof.resets) == (0, 0), "nothing was trimmed or replaced"
    assert len(proof.transports) == 6, "not every transport was used"
    assert min(network.get(each, 0) for each in ("cut", "reset", "stall", "refuse", "split")) > 0


@dataclass
class Quiet:
    """A network in which nothing happens."""

    did: Counter[str] = field(default_factory=Counter)


LOG = [{"seq": seq, "data": {"n": seq}} for seq in range(1, 6)]


def a_watcher(seqs: list[int], gaps: list[tuple[int, int]] | None = None) -> Watcher:
    """One that has seen these places."""
    watcher = Watcher(Address("", ""), "r", Random(1))
    watcher.seen, watcher.gaps = seqs, gaps or []
    watcher.sums = [sum_of({"n": seq}) for seq in seqs]
    return watcher


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        ([1, 2, 4, 5], "lost"),
        ([1, 2, 3, 3, 4, 5], "doubled"),
        ([1, 3, 2, 4, 5], "out_of_order"),
    ],
)
def test_the_judge_finds_every_fault(seen: list[int], fault: str) -> None:
    network: Any = Quiet()

    proof = judged(1, LOG, [a_watcher([1, 2, 3, 4, 5]), a_watcher(seen)], network, 0, 0.0)

    assert not proof.is_kept
    assert getattr(proof, fault) == 1


def test_the_judge_finds_what_was_altered_and_pardons_what_was_told() -> None:
    network: Any = Quiet()
    altered, told = a_watcher([1, 2, 3, 4, 5]), a_watcher([4, 5], [(1, 3)])
    altered.sums[2] += 1

    proofs = [judged(1, LOG, [watcher], network, 0, 0.0) for watcher in (altered, told)]

    assert (proofs[0].altered, proofs[0].is_kept, proofs[1].is_kept) == (1, False, True)


def test_a_fate_follows_from_the_seed_and_the_number_alone() -> None:
    fates = [[fate_of(seed, number) for number in range(200)] for seed in (1, 1, 2)]

    assert fates[0] == fates[1] != fates[2]
    assert {fate.kind for fate in fates[0]} == {"refuse", "cut", "reset", "stall", "vanish", "spare"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Writer]]:
    """A server with one log of 53 events."""
    with Served(tmp_path_factory.mktemp("data")) as served:
        writer = Writer(served, Random(1))
        writer.write(50, [Watcher(Address("", ""), writer.run, Random(1), place=50)], Deadline(30))
        yield served, writer


@pytest.mark.parametrize(("kind", "is_cut"), [("cut", True), ("reset", True), ("spare", False)])
def test_the_proxy_does_what_the_fate_says(written: tuple[Served, Writer], kind: str, is_cut: bool) -> None:
    served, writer = written

    def fits(seed: int) -> bool:
        return fate_of(seed, 0).kind == kind and fate_of(seed, 0).after < 3_000

    seed = next(seed for seed in range(10_000) if fits(seed))
    with Proxy(served.port, seed) as proxy:
        address = Address(f"http://127.0.0.1:{proxy.port}", served.token)
        seen = seqs_until_cut(lambda: Stream(address, f"/api/runs/{writer.run}/events", None, 5.0))

    assert (len(seen) < 53) is is_cut
    assert seen == list(range(1, len(seen) + 1))


def seqs_until_cut(connect: Callable[[], Stream]) -> list[int]:
    """The places that one connection brings."""
    seen: list[int] = []
    with suppress(OSError, HTTPException), connect() as stream:
        for frame in stream:
            seen += [frame.seq] if frame.seq else []
    return seen
