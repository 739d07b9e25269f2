"""A script that is a run: `python examples/script/track.py`, or `pilothouse run -- python examples/script/track.py`.

Pause it, cancel it, kill it, stop the server meanwhile. `python examples/script/track.py @last` does what is left.
"""

from __future__ import annotations

import hashlib
import sys
import time

import pilothouse as ph

TEXT = "watch any long job live and steer it so that nothing is ever lost not even by a crash"


def work(word: str) -> str:
    """Something that takes a while: a hash of a hash of a hash."""
    digest = word.encode()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        digest = hashlib.sha256(digest).digest()
    return digest.hex()


def main(resume: str | None) -> None:
    """Hash every word once."""
    with ph.run("track", tags=["example"], resume=resume) as run:
        for number, word in enumerate(run.track(TEXT.split(), key=str)):
            print(f"{word:<8} {work(word)[:12]}")
            run.metric(words=number + 1)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
