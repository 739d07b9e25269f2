"""Takes over what processes that have gone could not send.

A killed or cut-off process leaves its spool in the run's folder. The next attempt
makes those events its own, before it begins anything: each old file is written
anew under new numbers, and the new file names the one it stands for, so that a
kill in the midst of it neither loses nor doubles an event. Facts about the old
attempt itself (paused, completed) are left out. Of an attempt that left while a later
one was under way, only what stands by itself is told: results, lines and notes. Its
states, metrics and beginnings are of a past that the later one has done anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse import failpoint
from pilothouse.sdk import record
from pilothouse.sdk.encoding import dump
from pilothouse.sdk.marks import hold, read_left
from pilothouse.sdk.spool import Spool, marks_name, remove

_FILE = re.compile(r"spool-(\d+)-([a-z0-9-]+?)(?:-(\d+)\.jsonl|\.marks)")
_OWN_FACT = b'{"type":"run.'
_ITEM = b'{"type":"item.'
_STATE = b'{"type":"state.saved"'
_TIMELESS = (b'{"type":"item.finished"', b'{"type":"log"', b'{"type":"note"')
_HEADER = 0
DYING_SECONDS = 5.0
LOOK_SECONDS = 0.02


@dataclass(slots=True)
class Recovered:
    """What earlier processes of the run left behind.

    Attributes:
        events: How many events are sent again.
        finished: Keys of the items whose results are among them.
        begun: Keys of the items that were begun, among them or by the marks; oldest first.
        saved_state: The latest saved state among them, None without one.
    """

    events: int = 0
    finished: set[str] = field(default_factory=set)
    begun: dict[str, None] = field(default_factory=dict)
    saved_state: dict[str, Any] | None = None

    def in_flight(self, finished: Collection[str]) -> list[str]:
        """Items that were begun and have no result, neither here nor among `finished`."""
        known = self.finished.union(finished)
        return [key for key in self.begun if key not in known]

    def read(self, event: bytes, *, is_past: bool = False) -> bytes | None:
        """Look at an event that was not acknowledged; None when it is not sent again."""
        if event.startswith(_OWN_FACT):
            return None
        if event.startswith(_ITEM):
            told = self._read_item(event)
            return None if is_past and not event.startswith(_TIMELESS) else told
        if is_past and not event.startswith(_TIMELESS):
            return None
        if event.startswith(_STATE):
            self.saved_state = json.loads(event)["data"]["state"]
        return event

    def _read_item(self, event: bytes) -> bytes:
        told = json.loads(event)
        key = told["data"].get("key", "")
        if told["type"] == "item.finished":
            self.finished.add(key)
            return event
        self.begun[key] = None
        told["data"]["ask"] = False
        return dump(told)


def complete(assignment: dict[str, Any], spool: Spool, *, is_heir: bool = False) -> dict[str, Any]:
    """An assignment as it would be, had the server got all that earlier processes said; see `recover`."""
    finished, in_flight = assignment["finished"], assignment.get("in_flight", ())
    recovered = recover(spool, finished, in_flight, assignment.get("acked"), is_heir=is_heir)
    recovered.begun = dict.fromkeys(in_flight) | recovered.begun
    return assignment | {
        "finished": [*finished, *recovered.finished],
        "in_flight": recovered.in_flight(finished),
        "saved_state": recovered.saved_state or assignment["saved_state"],
    }


@dataclass(slots=True)
class Gone:
    """The files of one process."""

    attempt: int
    writer: str
    marks: Path
    segments: dict[int, Path] = field(default_factory=dict)

    def paths(self) -> list[Path]:
        """Its segments in order."""
        return [path for _, path in sorted(self.segments.items())]


def recover(
    spool: Spool,
    finished: Collection[str] = (),
    in_flight: Collection[str] = (),
    acked: Mapping[str, int] | None = None,
    *,
    is_late: bool = False,
    is_heir: bool = False,
) -> Recovered:
    """Put what other processes of this run could not send into `spool`.

    Processes that still live keep what is theirs; one of an earlier attempt has to
    leave, so it is waited for a little. Nothing here fails the job: what
    the disk does not give back stays where it is.

    Args:
        spool: The new process's spool.
        finished: Keys that the server knows as finished.
        in_flight: Keys that the server knows as begun and not finished.
        acked: The last number that the server has, by `<attempt>/<writer>`, of this attempt and
            those before it: a process may be killed between the server's commit and its answer.
        is_late: The attempt is at its end: what an earlier one had begun, it has done itself.
        is_heir: The files are another run's, so that their attempts may have higher numbers.
    """
    recovered = Recovered()
    if spool.folder is None:
        return recovered
    marked: dict[str, None] = {}
    taken: list[Path] = []
    others = _others(spool, spool.folder, is_heir)
    latest = 0 if is_heir else _latest(spool, others, acked or {}, is_late=is_late)
    for gone in others:
        patience = DYING_SECONDS if gone.attempt < spool.attempt else 0.0
        with contextlib.suppress(OSError), held(gone.marks, patience) as is_held, spool.changed:
            if is_held:
                left = read_left(gone.marks)
                stored = (acked or {}).get(f"{gone.attempt}/{gone.writer}", 0)
                for path in gone.paths():
                    _take_over(spool, path, max(left.acked, stored), recovered, is_past=gone.attempt < latest)
                marked |= dict.fromkeys(left.keys)
                taken.append(gone.marks)
    untold = marked.keys() - recovered.begun.keys() - set(in_flight) - recovered.finished - set(finished)
    recovered.begun |= marked
    if untold and not is_late:
        spool.add([dump({"type": "item.started", "data": {"key": key}}) for key in marked if key in untold])
    for path in taken:
        spool.remove_after(path)
    return recovered


def _others(spool: Spool, folder: Path, is_heir: bool) -> list[Gone]:
    """The other processes of this and earlier attempts; an heir's are those of all attempts."""
    return [
        gone
        for gone in find(folder)
        if (is_heir or gone.attempt <= spool.attempt)
        and (gone.attempt, gone.writer) != (spool.attempt, spool.writer)
    ]


def _latest(spool: Spool, others: list[Gone], acked: Mapping[str, int], *, is_late: bool) -> int:
    """The latest attempt that has said something by now: what an earlier one left is of the past.

    An attempt takes over what there is before it says anything. What it had to leave, because
    its process lived on, it has done anew.
    """
    spoken = [gone.attempt for gone in others if gone.segments]
    spoken += [int(name.partition("/")[0]) for name, number in acked.items() if number and "/" in name]
    return spool.attempt if is_late else max((one for one in spoken if one <= spool.attempt), default=0)


def find(folder: Path) -> list[Gone]:
    """All processes that left files in a run's folder, oldest attempt first."""
    found: dict[tuple[int, str], Gone] = {}
    names: dict[str, Path] = {}
    with contextlib.suppress(OSError):
        names = {path.name: path for path in folder.glob("spool-*")}
    for name in [stood_for for path in names.values() if (stood_for := _stands_for(path))]:
        if path := names.pop(name, None):
            remove(path)
    for name, path in names.items():
        if path.suffix == ".tmp":  # of a process that was killed while it took over
            remove(path)
        elif match := _FILE.fullmatch(name):
            attempt, writer = int(match[1]), match[2]
            marks = folder / marks_name(attempt, writer)
            gone = found.setdefault((attempt, writer), Gone(attempt, writer, marks))
            if match[3]:
                gone.segments[int(match[3])] = path
    return [found[process] for process in sorted(found)]


def _stands_for(path: Path) -> str | None:
    """The name of the file that this one was written instead of."""
    if path.suffix != ".jsonl":
        return None
    with contextlib.suppress(OSError, ValueError, KeyError), path.open("rb") as file:
        first = record.parse(file.readline(10_000).rstrip(b"\n"))
        if first and first[0] == _HEADER:
            return str(json.loads(first[1])["instead_of"])
    return None


@contextlib.contextmanager
def held(path: Path, seconds: float) -> Iterator[bool]:
    """Hold a process's marks; False when that process lives and does not leave for so long."""
    if not path.exists():
        yield True
        return
    descriptor = os.open(path, os.O_RDWR)
    try:
        end = time.monotonic() + seconds
        while not (is_held := hold(descriptor)) and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
        yield is_held
    finally:
        os.close(descriptor)


def _take_over(spool: Spool, path: Path, acked: int, recovered: Recovered, *, is_past: bool) -> None:
    """Make the events of one file the spool's own, in one step that cannot be cut in two."""
    events: list[bytes] = []
    for number, event in record.read(path.read_bytes()):
        if number > acked and (told := recovered.read(event, is_past=is_past)):
            acked = number
            events.append(told)
    recovered.events += len(events)
    if events and not _write_anew(spool, path, events):
        spool.add(events)
        spool.remove_after(path)
    else:
        path.unlink(missing_ok=True)


def _write_anew(spool: Spool, old: Path, events: list[bytes]) -> bool:
    """Write a segment of the spool that stands for an old one; False when the disk does not take it."""
    if not spool.is_written:
        return False
    path = spool.next_path()
    temporary = path.with_suffix(".tmp")
    lines = [record.line(number, event) for number, event in enumerate(events, spool.last + 1)]
    header = record.line(_HEADER, dump({"instead_of": old.name}))
    try:
        temporary.write_bytes(header + b"".join(lines))
        failpoint.reach("sdk.recover.before")
        temporary.replace(path)
        failpoint.reach("sdk.recover.after")
    except OSError:
        temporary.unlink(missing_ok=True)
        return False
    spool.adopt(path, spool.last + len(events), len(events))
    return True
