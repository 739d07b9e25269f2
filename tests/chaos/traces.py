"""What is left behind on this machine and in files: marked processes, and the lines of a ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

MARKERS = (b"PILOTHOUSE_RUN_ID=", b"PILOTHOUSE_ATTEMPT=", b"PILOTHOUSE_FOLDER=")
Marked = dict[int, tuple[str, int, str]]


def marked() -> Marked:
    """Every process with a run's marker in its environment: pid to (run id, attempt, folder)."""
    found: Marked = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (marks := _marks(entry)):
            found[int(entry.name)] = marks
    return found


def _marks(entry: Path) -> tuple[str, int, str] | None:
    try:
        lines = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    values = [next((line[len(m) :] for line in lines if line.startswith(m)), None) for m in MARKERS]
    run_id, attempt, folder = values
    if run_id is None or attempt is None or folder is None or not _is_alive(entry):
        return None
    return run_id.decode(), int(attempt), folder.decode()


def _is_alive(entry: Path) -> bool:
    """False for a process that has ended and waits for its parent to notice."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def executions(ledger: Path) -> Counter[str]:
    """How often each item was executed. A line that a crash cut short counts too."""
    return Counter(ledger.read_text().split()) if ledger.exists() else Counter()
