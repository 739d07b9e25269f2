"""A second chance, in CI only: a test that failed beside others is run once more, alone, and named as unsteady.

Thousands of tests that kill processes and drive browsers share two cores with whoever else
is there. One that fails alone as well fails the whole; more than a few are no accident.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

FAILED = Path(".pytest_cache/v/cache/lastfailed")
MOST = 3  # tests that may be looked at again
GROUP = re.compile(r"@[^\]@]*$")  # pytest-xdist's, behind the test's name


def main() -> int:
    """0: all that failed passes alone."""
    failed = (
        sorted({GROUP.sub("", name) for name in json.loads(FAILED.read_text())}) if FAILED.exists() else []
    )
    if not 0 < len(failed) <= MOST:
        return 1
    print(f"ONCE MORE, ALONE: {', '.join(failed)}", flush=True)
    code = subprocess.run([sys.executable, "-m", "pytest", "--long", *failed], check=False).returncode
    if code == 0:
        print(f"UNSTEADY, to be mended: {', '.join(failed)}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
