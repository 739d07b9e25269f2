"""Read progress bars as tqdm draws them: ` 42%|████ | 420/1000 [00:12<00:17, 33.1it/s, loss=0.23]`.

The format is tqdm's default `bar_format`: a description, the share, the bar, the
counts with an optional unit prefix (`1.2k/5.0k`), times, pace and the postfix of
`set_postfix`. Rich's and other bars are read where they say `420/1000` beside a share.
A command may write anything: nothing here raises, and a line takes time in proportion to its length.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_COUNT = r"(\d{1,16}(?:\.\d{1,6})?)([kKMGT]?)"
_BAR = re.compile(rf"(?:^|[:\s])\d{{1,3}}%\s*\|[^|]*\|\s*{_COUNT}\s*/\s*{_COUNT}([^\[]*(?:\[([^\]]*)\])?)")
_RICH = re.compile(r"[━╸╺─]")
_RICH_COUNTS = re.compile(rf"(?<!\d)\d{{1,3}}%[^%]{{0,80}}?(?<![\d.]){_COUNT}/\s{{0,9}}{_COUNT}(.*)")
_TQDM_BYTES = re.compile(r"[\d?][kKMGTPE]?i?B/s|s/[kKMGTPE]?i?B(?![A-Za-z])")
_RICH_BYTES = re.compile(r"\s(?:[kKMGTPE]i?B|bytes)\b")
_POSTFIX = re.compile(r"([A-Za-z_][\w./-]*)\s*=\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?=$|[\s,])")
_POWER = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LONGEST_LINE = 2_000
LARGEST = 2**53
TELL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Bar:
    """One state of a bar.

    Attributes:
        done: Units done.
        total: Units in all.
        numbers: What the postfix says, such as `{"loss": 0.23}`.
        is_bytes: Whether the units are bytes, as those of a download.
    """

    done: int
    total: int
    numbers: dict[str, float] = field(default_factory=dict)
    is_bytes: bool = False


def read_bar(line: str, *, is_whole: bool = True) -> Bar | None:
    """The bar that a line draws; of several on top of each other the newest, None where there is none.

    Args:
        is_whole: False where the line may go on: counts at its very end are then not read, since
            `1/10` may become `1/1000`.
    """
    if "%" not in line:
        return None
    line = _ESCAPE.sub("", line[-LONGEST_LINE:]).rstrip("\r\n").rpartition("\r")[2]
    match = _BAR.search(line)
    tail = (match[6] or "") if match else ""
    is_bytes = _TQDM_BYTES.search(tail) is not None
    if match is None and (drawn := _RICH.search(line)):
        match = _RICH_COUNTS.search(line, drawn.end())
        is_bytes = bool(match and _RICH_BYTES.match(match[5]))
    if match is None or not (is_whole or match[5]):
        return None
    done, total = _number(match[1], match[2]), _number(match[3], match[4])
    if not 1 <= total <= LARGEST or done > total:
        return None
    return Bar(done, total, {name: float(value) for name, value in _POSTFIX.findall(tail)}, is_bytes)


class Bars:
    """The main bar of a program that may draw several: the first that counts items, until a larger one follows.

    A bar of bytes (a download, an upload) never counts, not even while it is the only one: the count of a
    run never goes back, so the bytes of a model would hide the steps that come after them.
    A bar within a bar (batches of an epoch, an evaluation) would make the progress jump;
    it is passed over. Once the main bar is full, a longer one takes its place, as that of a
    training does after that of loading its model; a shorter one does not, for the same reason.
    """

    def __init__(self) -> None:
        self._total = 0
        self._is_full = True
        self._rest = ""

    def feed(self, text: str) -> Bar | None:
        """Take output as it comes, in pieces of any size; the main bar's newest state, if there is news."""
        pieces = re.split(r"[\r\n]", self._rest + text)
        self._rest = pieces[-1][-LONGEST_LINE:]
        newest: Bar | None = None
        for number, piece in enumerate(pieces, 1):
            if (bar := read_bar(piece, is_whole=number < len(pieces))) is not None:
                newest = self._kept(bar) or newest
        return newest

    def _kept(self, bar: Bar) -> Bar | None:
        if bar.is_bytes:
            return None
        if self._is_full:
            self._total = max(self._total, bar.total)
        if bar.total != self._total:
            return None
        self._is_full = bar.done == bar.total
        return bar


class BarReader:
    """Tells the main bar of a command's streams as it moves, at most four times a second.

    Args:
        tell: Called in the thread that hears the output.
        clock: Monotonic seconds.
    """

    def __init__(self, tell: Callable[[Bar], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._bars: dict[str, Bars] = {}
        self._last: Bar | None = None
        self._held: Bar | None = None
        self._told_at = float("-inf")

    def hear(self, text: str, source: str) -> None:
        """Output of one stream; streams are told apart by `source`."""
        bar = self._bars.setdefault(source, Bars()).feed(text)
        if bar is None or bar == self._last:
            return
        self._held = bar
        if bar.done == bar.total or self._clock() - self._told_at >= TELL_SECONDS:
            self.finish()

    def finish(self) -> None:
        """Tell what was held back; call it at the end, which may come before the bar is full."""
        bar, self._held = self._held, None
        if bar is not None:
            self._last, self._told_at = bar, self._clock()
            self._tell(bar)


def _number(digits: str, prefix: str) -> int:
    return round(float(digits) * _POWER[prefix])
