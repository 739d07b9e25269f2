"""The vocabulary of panels: what a kind may ask the UI to draw of its items, metrics and files.

A panel is plain data. It names item fields, metrics or files, and knows no kind;
the UI draws each of them live and of ended runs alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal[
    "text", "number", "integer", "percent", "seconds", "milliseconds", "money", "bytes", "boolean", "json"
]
Goal = Literal["max", "min"]


@dataclass(frozen=True, slots=True)
class Panel:
    """Base of all panels. `title` is its heading; `type` on the wire is the class name."""

    title: str


@dataclass(frozen=True, slots=True)
class Stats(Panel):
    """A row of numbers: the latest values of these metrics."""

    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heatmap(Panel):
    """Rows × columns of a share of true items, with counts and 95 % Wilson intervals.

    Attributes:
        rows, columns: Item fields that name the row and the column.
        value: Boolean item field; an item in error counts as not true and is also shown apart.
    """

    rows: str
    columns: str
    value: str


@dataclass(frozen=True, slots=True)
class Confusion(Panel):
    """Truth × prediction counts with precision, recall and F1.

    Attributes:
        truth, predicted: Item fields; an empty prediction is the column *none*.
        by: Item fields that narrow the matrix down (such as model and prompt).
        correct: Boolean item field that decides what counts as right (groups may count as equal).
    """

    truth: str
    predicted: str
    correct: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Breakdown(Panel):
    """One bar per value of `by`: the share of true `value`, lowest first when `hardest_first`."""

    by: str
    value: str
    hardest_first: bool = True


@dataclass(frozen=True, slots=True)
class Meter(Panel):
    """How near a decision is: `metric` runs from 0 to 1; at 1 the run may finish early.

    Attributes:
        metric: Metric between 0 and 1.
        finish_param: Live param that, set to true, ends the run at the next item.
    """

    metric: str
    finish_param: str | None = None


@dataclass(frozen=True, slots=True)
class Curve(Panel):
    """Lines of metrics over their steps."""

    metrics: tuple[str, ...]
    log: bool = False


@dataclass(frozen=True, slots=True)
class Distribution(Panel):
    """A histogram of a numeric item field with p50 and p95, one row per value of `by`."""

    value: str
    format: Format = "number"
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Gauges(Panel):
    """A ring per metric that fills towards its limit, with the word pass, warn or fail.

    Attributes:
        metrics: Metrics with a `limit`, and a `warn` where there is a warning range.
        groups: Headings and how many of the metrics stand below each, such as `(("Utility", 2), ("Privacy", 2))`.
        phase: The phase that measures them; while there is no value the panel says "After step 4: Metrics".
    """

    metrics: tuple[str, ...]
    groups: tuple[tuple[str, int], ...] = ()
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison(Panel):
    """Two distributions per column side by side, real against synthetic, worst first.

    Attributes:
        value: Item field of the newest item that has it: a list of objects with `column`,
            `ks`, `labels` (bins or categories), `real` and `synthetic` (shares, as long as
            `labels`), and optionally `real_mean`, `synthetic_mean`, `real_missing` and
            `synthetic_missing` (shares).
        phase: The phase that measures it; said while there is nothing to compare.
    """

    value: str
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Correlations(Panel):
    """How strongly columns hang together, pair by pair: real, synthetic, and the difference, as small heat maps.

    Attributes:
        value: Item field of the newest item that has it: an object with `columns` (names) and
            the square lists `real` and `synthetic` (-1 to 1).
        phase: The phase that measures it; said while there is nothing to compare.
    """

    value: str
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Plan(Panel):
    """What was planned and why: steps in order, how each went, and which one was kept.

    Attributes:
        value: Item field of the newest item that has it: an object with `steps` (objects with a
            `title` and an object of `settings`), and optionally `rationale` and `by`.
        step: Item field that says to which step an item belongs, from 1; a metric of that
            name says which one is in hand.
        verdict: Item field with `pass`, `warn` or `fail` of a step that was measured.
        detail: Item field with the reason in words; None without one.
        kept: Boolean item field, true on an item of the step that was kept; None: none is.
        phase: The phase that plans; said while there is no plan.
    """

    value: str
    step: str
    verdict: str
    detail: str | None = None
    kept: str | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class BestSoFar(Panel):
    """Every item's score by its number, and the line of the best one until then.

    Attributes:
        value: Numeric item field; items without it stand as failed below the plot.
        goal: Whether a high or a low value is good.
    """

    value: str
    goal: Goal = "min"


@dataclass(frozen=True, slots=True)
class Pareto(Panel):
    """Items by two of several numbers, and those that no other item beats in both.

    Attributes:
        axes: Item fields with their goals; the first two are shown until others are chosen.
        best: Boolean item field that is false where the item breaks a promised limit; None: none does.
        score: Numeric item field; an item without it was not measured whole, is marked, and never
            stands on the front. None: all were.
    """

    axes: tuple[tuple[str, Goal], ...]
    best: str | None = None
    score: str | None = None


@dataclass(frozen=True, slots=True)
class ParallelCoordinates(Panel):
    """A line per item through one axis per field; dragging on an axis filters.

    Attributes:
        fields: Item fields; a trailing `*` stands for all fields that begin so, such as `param_*`.
        value: Numeric item field that colours the lines.
        goal: Whether a high or a low value is good.
    """

    fields: tuple[str, ...]
    value: str
    goal: Goal = "min"


@dataclass(frozen=True, slots=True)
class Importances(Panel):
    """A bar per metric whose name begins alike: how much each param matters, the highest first.

    Attributes:
        prefix: The begin of the metrics' names, such as `importance/`; shares of 1.
    """

    prefix: str


@dataclass(frozen=True, slots=True)
class Counts(Panel):
    """A bar per value of an item field: how many items have it, and how many of these are true in `value`.

    Attributes:
        by: Item fields; one is shown at a time.
        value: Boolean item field; None counts items only.
    """

    by: tuple[str, ...]
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Samples(Panel):
    """The newest items as cards of plain text.

    Attributes:
        text: Item fields to read, the main one first.
        facts: Item fields for the line above the text.
        verdict: Item field with a short word, such as `kept`; None without one.
    """

    text: tuple[str, ...]
    facts: tuple[str, ...] = ()
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpoints(Panel):
    """The files whose names begin with `prefix`, newest first, the best one marked.

    Attributes:
        prefix: The begin of the files' names, such as `checkpoints/`.
        metric: Metric at the step in a file's name (`…step-500…`) that tells which one is best.
    """

    prefix: str
    metric: str | None = None
    goal: Goal = "min"


@dataclass(frozen=True, slots=True)
class Hardware(Panel):
    """Processor, memory and, where there is one, GPU of the job over time: the metrics under `system/`."""
