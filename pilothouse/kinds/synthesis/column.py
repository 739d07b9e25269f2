"""One column of a table: what type it is, its values as numbers or codes, and its cells as text.

A column is learned as a number or as a category. Ids, constants and empty
columns hold nothing to learn: they are made anew when a table is written.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Type = Literal["number", "integer", "date", "category", "id", "constant", "empty"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "nil", "?", "-", "#n/a"})
INFINITE = frozenset(sign + word for sign in ("", "+", "-") for word in ("inf", "infinity"))
LARGEST = 1e100  # squares and sums of larger numbers are none
SIGNIFICANT = 12
MOST_DECIMALS = 300
OTHER = "(other)"
MAX_LEVELS = 50
FEW_VALUES = 10
MANY_ROWS = 20
ID_SHARE = 0.95
DAY_SECONDS = 86_400.0
_ID_NAME = re.compile(r"(^|[_\s])(id|uuid|guid|key|index)$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its values.

    Attributes:
        numbers: Shape `(rows,)`, NaN where missing; dates as seconds since 1970. None unless numeric.
        codes: Shape `(rows,)`, places in `levels`. None unless a category.
        levels: The categories, the most frequent first; None is the missing one.
        decimals: Places behind the point when a number is written.
        hint: What was noticed about the column, in words; empty when nothing was.
    """

    name: str
    type: Type
    rows: int
    numbers: Floats | None = None
    codes: Ints | None = None
    levels: tuple[str | None, ...] = ()
    decimals: int = 0
    hint: str = ""
    is_whole_days: bool = field(default=False)

    @property
    def is_numeric(self) -> bool:
        """Learned as numbers."""
        return self.numbers is not None

    @property
    def is_category(self) -> bool:
        """Learned as a category."""
        return self.codes is not None

    @property
    def values(self) -> Floats:
        """The numbers that are there. Empty unless numeric."""
        return np.empty(0) if self.numbers is None else self.numbers[~np.isnan(self.numbers)]

    @property
    def missing(self) -> float:
        """Share of missing values, 0 to 1."""
        if self.numbers is not None:
            return float(np.isnan(self.numbers).mean()) if self.rows else 0.0
        if self.codes is not None and None in self.levels:
            return float((self.codes == self.levels.index(None)).mean()) if self.rows else 0.0
        return 1.0 if self.type == "empty" else 0.0

    def take(self, places: Ints) -> Column:
        """The rows at these places."""
        numbers = None if self.numbers is None else self.numbers[places]
        codes = None if self.codes is None else self.codes[places]
        return replace(self, rows=len(places), numbers=numbers, codes=codes)

    def filled(self, rows: int, numbers: Floats | None = None, codes: Ints | None = None) -> Column:
        """The same column with other values; numbers are rounded as the column is written."""
        if numbers is not None:
            step = DAY_SECONDS if self.is_whole_days else 1.0
            numbers = (
                np.round(numbers / step, 0 if self.is_whole_days else self.decimals) * step + 0.0
            )  # no -0
        return replace(self, rows=rows, numbers=numbers, codes=codes)

    def cells(self) -> list[str]:
        """Every value as the text of a cell; a missing one is empty."""
        if self.numbers is not None:
            return [self._text(value) for value in self.numbers.tolist()]
        if self.codes is not None:
            return [self.levels[code] or "" for code in self.codes.tolist()]
        if self.type == "id":
            start = "" if self.levels == ("integer",) else f"{self.name}-"
            return [f"{start}{number}" for number in range(1, self.rows + 1)]
        return [(self.levels[0] or "") if self.levels else ""] * self.rows

    def _text(self, value: float) -> str:
        if math.isnan(value):
            return ""
        if self.type == "date":
            moment = datetime.fromtimestamp(value, UTC).replace(tzinfo=None)
            return (moment.date() if self.is_whole_days else moment).isoformat()
        return f"{value:.{self.decimals}f}"


def detect(name: str, cells: Sequence[Any]) -> Column:
    """Find a column's type and take its values over.

    Args:
        name: Its heading.
        cells: Text as a CSV file has it, or values as a Parquet file has them.
    """
    texts = [_cell(cell) for cell in cells]
    present = [text for text in texts if text is not None]
    distinct, rows = set(present), len(texts)
    if not present:
        return Column(name, "empty", rows, hint="every value is missing; it stays empty")
    if len(distinct) == 1 and len(present) == rows:
        return Column(name, "constant", rows, levels=(present[0],), hint="one value only; it is repeated")
    if all(_NUMBER.fullmatch(text) for text in distinct):
        if whole := _whole(texts, distinct):
            texts, distinct = whole, {text for text in whole if text is not None}
        return _numeric(name, texts, distinct)
    if moments := _moments(distinct):
        return _dates(name, texts, moments)
    return _words(name, texts, present, distinct)


def _cell(value: Any) -> str | None:
    """A value as text, None when it is missing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = str(value).strip()
    return None if text.lower() in MISSING or text.lower() in INFINITE else text


def _numeric(name: str, texts: list[str | None], distinct: set[str]) -> Column:
    rows = len(texts)
    numbers = np.array([math.nan if text is None else float(text) for text in texts], dtype=np.float64)
    is_integer = not any("." in text or "e" in text.lower() for text in distinct)
    if len(distinct) <= min(FEW_VALUES, max(2, rows // 10)) and is_integer:
        return _category(name, texts, "")
    if is_integer and len(distinct) >= MANY_ROWS and len(distinct) == np.count_nonzero(~np.isnan(numbers)):
        span = np.nanmax(numbers) - np.nanmin(numbers)
        if span == len(distinct) - 1 or _ID_NAME.search(name):
            hint = "every value is another; it is numbered anew and not learned"
            return Column(name, "id", rows, levels=("integer",), hint=hint)
    is_huge, hint = np.abs(numbers) > LARGEST, ""
    if is_huge.any():
        numbers[is_huge] = math.nan
        hint = f"{is_huge.sum():,} values beyond {LARGEST:g}; they are taken as missing"
    if is_integer:
        return Column(name, "integer", rows, numbers, hint=hint)
    return Column(name, "number", rows, numbers, decimals=_decimals(distinct, numbers), hint=hint)


def _whole(texts: list[str | None], distinct: set[str]) -> list[str | None] | None:
    """Whole numbers as such, where each ends in `.0` because it stood beside missing ones; else None."""
    if not all(text.endswith(".0") and text[:-2].lstrip("+-").isdigit() for text in distinct):
        return None
    return [text and text[:-2] for text in texts]


def _decimals(distinct: set[str], numbers: Floats) -> int:
    """Places behind the point: as many as were read, with twelve digits of the largest number at most."""
    read = 0
    for text in distinct:
        mantissa, _, exponent = text.lower().partition("e")
        read = max(read, len(mantissa.partition(".")[2]) - int(exponent or 0))
    largest = np.nanmax(np.abs(numbers), initial=0.0)
    zeros = max(0, -math.ceil(math.log10(largest))) if largest else 0
    return min(read, SIGNIFICANT + zeros, MOST_DECIMALS)


def _moments(distinct: set[str]) -> dict[str, float]:
    """Seconds since 1970 by text; empty unless all are dates."""
    found = {}
    for text in distinct:
        try:
            moment = datetime.fromisoformat(text)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return {}
        found[text] = float(math.floor(moment.timestamp()))  # none is written with more
    return found


def _dates(name: str, texts: list[str | None], moments: dict[str, float]) -> Column:
    numbers = np.array([math.nan if text is None else moments[text] for text in texts], dtype=np.float64)
    is_whole_days = all(moment % DAY_SECONDS == 0 for moment in moments.values())
    return Column(name, "date", len(texts), numbers, is_whole_days=is_whole_days)


def _words(name: str, texts: list[str | None], present: list[str], distinct: set[str]) -> Column:
    rows, numbers = len(texts), sum(bool(_NUMBER.fullmatch(text)) for text in present)
    if len(present) >= MANY_ROWS and len(distinct) >= ID_SHARE * len(present) and numbers == 0:
        return Column(
            name, "id", rows, hint="nearly every value is another; new ids are made, none is learned"
        )
    hint = ""
    if numbers:
        hint = f"numbers and words are mixed ({numbers:,} of {len(present):,} are numbers); learned as words"
    return _category(name, texts, hint)


def _category(name: str, texts: list[str | None], hint: str) -> Column:
    counts = Counter(texts)
    levels = [text for text, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0] or ""))]
    if len(levels) > MAX_LEVELS:
        kept = levels[: MAX_LEVELS - 1]
        if None in counts and None not in kept:
            kept[-1] = None
        words = f"{len(levels):,} different values; all but the {len(kept)} most frequent become {OTHER}"
        hint, levels = "; ".join(filter(None, (hint, words))), [*kept, OTHER]
    place = {level: number for number, level in enumerate(levels)}
    codes = np.array([place.get(text, len(levels) - 1) for text in texts], dtype=np.int64)
    return Column(name, "category", len(texts), codes=codes, levels=tuple(levels), hint=hint)
