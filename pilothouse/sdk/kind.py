"""What a kind declares about itself; the server and the UI read it, and never its job code.

A declaration is plain data: unit word, phases, columns of a finished item,
metrics and *panels* from a small vocabulary that the UI knows how to draw. A
new kind needs no TypeScript. Standard library only; params are any class with
pydantic's `model_json_schema` and `model_validate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Format = Literal[
    "text", "number", "integer", "percent", "seconds", "milliseconds", "money", "bytes", "boolean", "json"
]
Goal = Literal["max", "min"]


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a finished item's `data`, as a column of the results table.

    Attributes:
        name: Key in the item's `data`.
        label: Heading.
        format: How the value is written.
        shown: False puts it only into the item's drawer and into exports.
        filter: True offers its values as a filter.
    """

    name: str
    label: str
    format: Format = "text"
    shown: bool = True
    filter: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that the job reports, with its unit and which way is good.

    Attributes:
        limit: Where a pass ends; None without a limit.
        warn: Where a warning ends and a fail begins; None: no warning range.
    """

    name: str
    label: str
    format: Format = "number"
    goal: Goal | None = None
    limit: float | None = None
    warn: float | None = None


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
class Example:
    """Params to start from, offered by the form and by `pilothouse demo`."""

    name: str
    title: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A workload that the server can start.

    Attributes:
        name: Short lower-case name, such as `benchmark`.
        title: The name on screen.
        prefix: First part of its run ids, such as `bench`.
        entry: Job code as `module:function`; imported by the child process only.
        params: Class with `model_json_schema()` and `model_validate()`.
        unit, units: What one item and several are called.
        headline: Metric shown as the result in lists.
        live_params: Params that may be changed while the run goes on.
        stuck_seconds: Without item, metric or phase for longer, a run is stuck.
        total: Counts the items of given params, so that the form can say "= 500 tests".
        max_attempts: How often a run may crash before it fails with `worker_lost`.
        backoff_seconds: Wait before the attempt after a first crash; it doubles with each one.
        can_release: Whether its job may leave during a pause and come back as a new attempt.
        examples: Called when examples are asked for; may read package data.
    """

    name: str
    title: str
    prefix: str
    entry: str
    params: Any
    summary: str
    unit: str
    units: str
    phases: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    metrics: tuple[Metric, ...] = ()
    panels: tuple[Panel, ...] = ()
    headline: str | None = None
    live_params: tuple[str, ...] = ()
    stuck_seconds: float = 180.0
    max_attempts: int = 3
    backoff_seconds: float = 0.5
    can_release: bool = True
    total: Callable[[dict[str, Any]], int | None] | None = None
    examples: Callable[[], Sequence[Example]] | None = None

    @property
    def cost_metric(self) -> str | None:
        """The metric that counts money, if there is one."""
        return next((metric.name for metric in self.metrics if metric.format == "money"), None)

    def stuck_after(self, params: dict[str, Any]) -> float:
        """Seconds without movement after which a run counts as stuck; a param `stuck_seconds` outranks the kind's."""
        return float(params.get("stuck_seconds") or self.stuck_seconds)

    def validate(self, params: dict[str, Any]) -> dict[str, Any]:
        """Check params and fill in defaults.

        Raises:
            ValueError: pydantic's `ValidationError`; its `errors()` name the fields.
        """
        checked: dict[str, Any] = self.params.model_validate(params).model_dump(mode="json")
        return checked

    def declaration(self) -> dict[str, Any]:
        """The declaration as JSON-ready data, as `GET /api/kinds` serves it."""
        return {
            "name": self.name,
            "title": self.title,
            "prefix": self.prefix,
            "summary": self.summary,
            "unit": self.unit,
            "units": self.units,
            "phases": list(self.phases),
            "columns": [asdict(column) for column in self.columns],
            "metrics": [asdict(metric) for metric in self.metrics],
            "panels": [{"type": type(panel).__name__, **asdict(panel)} for panel in self.panels],
            "headline": self.headline,
            "live_params": list(self.live_params),
            "stuck_seconds": self.stuck_seconds,
            "can_release": self.can_release,
            "params_schema": self.params.model_json_schema(),
            "examples": [asdict(example) for example in (self.examples() if self.examples else ())],
        }
