"""A batch in a process of its own, for tests: takes places in a dataset and keeps samples.

`python -m tests.kinds.sharing FILE TARGET NAME [hang]` begins with a line of its input; with `hang` it takes a
place and waits to be killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pilothouse.kinds.generation.dataset import Dataset, Full, Sample


def main(file: str, target: str, name: str, *how: str) -> None:
    """Keep samples until there is no place left; print how many."""
    dataset = Dataset(Path(file))
    kept = tried = 0
    print("ready", flush=True)
    sys.stdin.readline()
    if how:
        print("reserved", dataset.reserve(f"{name} 0", int(target)), flush=True)
        time.sleep(600)
    while dataset.reserve(f"{name} {tried}", int(target)):
        try:
            sample = Sample(f"{name} {tried}", f"{name} #{tried}", f"text {name} {tried}", {"of": name})
            kept += dataset.keep(sample, int(target)) is None
        except Full:
            break
        tried += 1
    print(kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
