"""What a kind declares about itself; the server and the UI read it, and never its job code.

A declaration is plain data: unit word, phases, columns of a finished item,
metrics and *panels* from a small vocabulary that the UI knows how to draw. A
new kind needs no TypeScript. Standard library only; params are any class with
pydantic's `model_json_schema` and `model_validate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from pilothouse.errors import PilothouseError
from pilothouse.sdk.panels import Format, Goal, Panel


class MissingExtra(PilothouseError):
    """The job needs packages that are not installed where it runs; the hint says what installs them."""

    code = "missing_extra"


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
class Extra:
    """Packages that a kind's job needs beside the core.

    Attributes:
        name: The extra of the package, as in `pip install 'pilothouse[train]'`.
        modules: What the extra brings, by the names that are imported.
    """

    name: str
    modules: tuple[str, ...]

    @property
    def command(self) -> str:
        """What installs it."""
        return f"pip install 'pilothouse[{self.name}]'"

    def missing(self) -> tuple[str, ...]:
        """The modules that this Python lacks; nothing is imported."""
        return tuple(module for module in self.modules if find_spec(module) is None)

    def require(self, what: str) -> None:
        """Go on only if nothing is missing.

        Args:
            what: What needs it, as the begin of a sentence.

        Raises:
            MissingExtra: A module cannot be found.
        """
        if missing := self.missing():
            text = f"{what} needs {', '.join(missing)}, which is not installed where the host runs."
            raise MissingExtra(text, hint=f"Install it there: {self.command}")


@dataclass(frozen=True, slots=True)
class Keep:
    """Which files of a group stay while the run goes on: the newest, and the best one always.

    The files whose names begin with `prefix` are a group. What follows, up to the next
    slash, names one member: `checkpoints/step-500/model.safetensors` and
    `checkpoints/step-500/optimizer.pt` stay or go together.

    Attributes:
        prefix: The begin of the files' names, such as `checkpoints/`.
        newest: How many members stay, at least 1. Where a member has several files, the newest one
            may still be growing and stays beside these.
        metric: Metric at the step in a member's name (`…step-500…`) that tells which one is best; None: none is.
        goal: Whether a high or a low value is good.
    """

    prefix: str
    newest: int = 3
    metric: str | None = None
    goal: Goal = "min"


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
        phases_of_items: Every item goes through the phases: the screen shows the one in hand, and the
            activity feed leaves them out.
        headline: Metric shown as the result in lists.
        live_params: Params that may be changed while the run goes on.
        stuck_seconds: Without item, metric or phase for longer, a run is stuck.
        total: Counts the items of given params, so that the form can say "= 500 tests".
        max_attempts: How often a run may crash before it fails with `worker_lost`.
        backoff_seconds: Wait before the attempt after a first crash; it doubles with each one.
        can_release: Whether its job may leave during a pause and come back as a new attempt.
        examples: Called when examples are asked for; may read package data.
        extra: Packages that the job needs beside the core.
        keep: Which of the saved files stay; those that no rule names all do.
        ends_at: Field of a finished item that says at which unit it ended, such as `step`. For kinds
            whose items are stretches of units, one after the other: a run of such a kind goes on
            behind any of them, and what is kept and left is counted in units.
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
    phases_of_items: bool = False
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
    extra: Extra | None = None
    keep: tuple[Keep, ...] = ()
    ends_at: str | None = None

    @property
    def cost_metric(self) -> str | None:
        """The metric that counts money, if there is one."""
        return next((metric.name for metric in self.metrics if metric.format == "money"), None)

    def stuck_after(self, params: dict[str, Any]) -> float:
        """Seconds without movement after which a run counts as stuck.

        A param `stuck_seconds` above 0 outranks the kind's; one that is no such number is ignored.
        """
        try:
            own = float(params.get("stuck_seconds") or 0)
        except (TypeError, ValueError, OverflowError):
            own = 0.0
        return own if own > 0 else self.stuck_seconds

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
            "phases_of_items": self.phases_of_items,
            "columns": [asdict(column) for column in self.columns],
            "metrics": [asdict(metric) for metric in self.metrics],
            "panels": [{"type": type(panel).__name__, **asdict(panel)} for panel in self.panels],
            "headline": self.headline,
            "live_params": list(self.live_params),
            "stuck_seconds": self.stuck_seconds,
            "can_release": self.can_release,
            "params_schema": self.params.model_json_schema(),
            "extra": self._extra(),
            "keep": [asdict(rule) for rule in self.keep],
            "ends_at": self.ends_at,
            "examples": [asdict(example) for example in (self.examples() if self.examples else ())],
        }

    def _extra(self) -> dict[str, Any] | None:
        if self.extra is None:
            return None
        return {
            "name": self.extra.name,
            "command": self.extra.command,
            "missing": list(self.extra.missing()),
        }
