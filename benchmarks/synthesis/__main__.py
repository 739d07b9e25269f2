"""`python -m benchmarks.synthesis`: our GAN and copula against the package `ctgan`, same tables, same epochs.

The package is installed in a virtual environment of its own (`--venv`) and never
together with ours; its licence is none that we could depend on. Both sides learn
the same rows and are measured by the same code.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.synthesis.moved import moved
from benchmarks.synthesis.rows import load, reread, write
from pilothouse.kinds.synthesis import average, gan
from pilothouse.kinds.synthesis.backend import Learner, RealBackend
from pilothouse.kinds.synthesis.gauge import GAUGES
from pilothouse.kinds.synthesis.measure import measure
from pilothouse.kinds.synthesis.params import Method
from pilothouse.kinds.synthesis.plan import Step
from pilothouse.kinds.synthesis.table import Table

TABLES = ("iris", "wine", "breast_cancer")
OURS: tuple[Method, ...] = ("ctgan", "copula")
HOLDOUT = 0.2
MOVED = {"moved": 0.0, "moved and smoothed": 0.6}
PARTS = {"moments": (gan, "MOMENTS_WEIGHT", 0.0), "average": (average, "DECAY", 0.0)}


def ours(method: Method, learned: Table, epochs: int, batch: int, seed: int) -> tuple[Learner, Table, float]:
    """What has learned, a table of it, and the CPU seconds to learn and make that."""
    began = time.process_time()
    learner = RealBackend().learner(Step(method, 1 if method == "copula" else epochs, batch), learned, seed)
    for _ in range(learner.epochs):
        learner.epoch()
    return learner, learner.sample(learned.rows, seed), time.process_time() - began


def theirs(python: Path, learned: Table, epochs: int, batch: int, seed: int) -> tuple[Table, float]:
    """A table of the package's, and the CPU seconds to learn and make it, without the start of Python."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "learned.csv"), Path(folder, "made.csv")
        write(learned, source)
        categories = ",".join(column.name for column in learned.learned if column.is_category)
        script = Path(__file__).with_name("package.py")
        command = [
            str(python),
            str(script),
            str(source),
            str(made),
            categories,
            str(epochs),
            str(batch),
            str(seed),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return reread(made, learned), float(done.stdout.split()[-1])


def figures(args: argparse.Namespace, name: str, seed: int) -> list[dict[str, Any]]:
    """One row for each method."""
    learned, held_out = load(name).split(HOLDOUT, seed)
    batch = max(10, min(500, learned.rows // 2 // 10 * 10))
    made: dict[str, tuple[Table, float]] = {}
    for method in OURS:
        learner, table, seconds = ours(method, learned, args.epochs, batch, seed)
        made[f"our {method}"] = table, seconds
        if args.moved and method == "ctgan":
            for name_of_it, bandwidth in MOVED.items():
                made[f"our {method}, {name_of_it}"] = moved(learner, learned, table, seed, bandwidth), seconds
    if args.venv:
        made["package ctgan"] = theirs(args.venv / "bin" / "python", learned, args.epochs, batch, seed)
    made["a copy of the rows"] = learned, 0.0
    return [
        {
            "table": name,
            "method": method,
            "seed": seed,
            "epochs": args.epochs,
            "batch": batch,
            **measure(learned, held_out, table, seed),
            "cpu_seconds": round(seconds, 2),
        }
        for method, (table, seconds) in made.items()
    ]


def summary(rows: list[dict[str, Any]]) -> str:
    """The means over the seeds as a table."""
    lines = [
        "| table | method | KS mean | corr delta | MIA AUC | duplicates | CPU seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((row["table"], row["method"]) for row in rows):
        same = [row for row in rows if (row["table"], row["method"]) == key]
        values = [statistics.mean(row[name] for row in same) for name in (*GAUGES, "cpu_seconds")]
        ks, corr, mia, dup, seconds = values
        lines.append(
            f"| {key[0]} | {key[1]} | {ks:.3f} | {corr:.3f} | {mia:.3f} | {dup:.1%} | {seconds:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, keep the raw figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthesis", description=__doc__)
    parser.add_argument(
        "--venv", type=Path, help="virtual environment with the package ctgan; empty: ours only"
    )
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", nargs="*", default=TABLES)
    parser.add_argument(
        "--without",
        nargs="*",
        choices=PARTS,
        default=(),
        help="leave a part of our GAN out, to see what it is for",
    )
    parser.add_argument(
        "--moved", action="store_true", help="also with numbers moved to the table's own distribution"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/synthesis.json"))
    args = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    for part in args.without:
        setattr(*PARTS[part])
    rows = []
    for name in args.tables:
        for seed in range(1, args.seeds + 1):
            found = figures(args, name, seed)
            print(*map(json.dumps, found), sep="\n", flush=True)
            rows += found
    print(summary(rows))
    about = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "load": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    args.out.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
