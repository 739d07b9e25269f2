"""`python -m benchmarks`: measure everything, print the table, keep the raw figures."""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import agreement, appends, clicks, commands, crowd, fanout, job, reading
from benchmarks.report import Report

SECTIONS: dict[str, Callable[[Report], None]] = {
    "fanout": fanout.run,
    "crowd": crowd.run,
    "appends": appends.run,
    "reading": reading.run,
    "job": job.run,
    "autotune": agreement.run,
    "cli": commands.run,
    "clicks": clicks.run,
}


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def main() -> None:
    """Run the chosen sections."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute or two instead of ten")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="this section; may be repeated")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"), help="folder of the raw figures")
    chosen = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    about, report = machine(), Report(chosen.quick)
    began = time.monotonic()
    for name in chosen.only or SECTIONS:
        SECTIONS[name](report)
    about["seconds"] = time.monotonic() - began
    missed = [row for row in report.rows if row.is_missed]
    print(f"\n{len(report.rows)} figures, {len(missed)} goals missed, {about['seconds']:.0f} s")
    name = "-".join(chosen.only or ["all"]) + ("-quick" if chosen.quick else "")
    print(report.save(chosen.out, f"{name}.json", about))


if __name__ == "__main__":
    main()
