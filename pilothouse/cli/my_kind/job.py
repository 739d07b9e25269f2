"""The job code of `my_kind`: one function that gets a handle."""

from __future__ import annotations

import math
import time
from random import Random

from pilothouse import ItemFailed, RunHandle


def run(run: RunHandle) -> None:
    """Throw every batch once, also after a pause, a crash or a resume."""
    darts, seed = run.params["darts"], run.params["seed"]
    earlier = [done.data["inside"] for done in run.finished() if done.ok]
    inside, batches = sum(earlier), len(earlier)

    def throw(batch: int) -> dict[str, float]:
        found = hits(Random(f"{seed}/{batch}"), darts)
        if found == 0:
            raise ItemFailed(f"none of {darts} darts hit; take more")
        time.sleep(run.params["wait_seconds"])  # a live param: `run.params` changes while the job runs
        return {"batch": batch, "inside": found, "estimate": 4 * found / darts}

    for done in run.map(throw, range(run.params["batches"]), key=str):
        if done.ok:
            inside, batches = inside + done.data["inside"], batches + 1
            pi = 4 * inside / (batches * darts)
            run.metric(pi=pi, error=abs(pi - math.pi))


def hits(random: Random, darts: int) -> int:
    """How many darts, thrown at a square of side 1, land within the quarter of a circle of radius 1."""
    return sum(random.random() ** 2 + random.random() ** 2 <= 1 for _ in range(darts))
