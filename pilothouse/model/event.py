"""The facts a log can hold, one class each.

A body is what somebody says (`type` and its fields); the store turns it into
an event by giving it a run, a `seq` and a time. On the wire an event is a
*frame*: `{"run_id", "seq", "type", "time", "data"}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import to_json

from pilothouse.errors import Invalid
from pilothouse.model.aside import Delivery as Delivery  # noqa: PLC0414
from pilothouse.model.aside import ItemJudged as ItemJudged  # noqa: PLC0414
from pilothouse.model.aside import RunNotified as RunNotified  # noqa: PLC0414
from pilothouse.model.aside import Verdict as Verdict  # noqa: PLC0414
from pilothouse.model.body import Body as Body  # noqa: PLC0414 - its readers know it from here
from pilothouse.model.body import check_time
from pilothouse.model.number import name_non_finite
from pilothouse.model.run import Control, Strength

Feed = Literal["planned", "training", "metrics", "error", "backup", "control", "file"]
Level = Literal["debug", "info", "warning", "error"]
Number = float | Literal["NaN", "Infinity", "-Infinity"] | None


class RunQueued(Body):
    """A run exists and waits for a slot. Always the first event of a log.

    `attached`: the process that made it executes it; no host claims it.
    """

    type: Literal["run.queued"] = "run.queued"
    number: int
    kind: str
    name: str
    owner: str = "local"
    params: dict[str, Any] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()
    priority: int = 0
    retry_of: str | None = None
    epoch: str
    attached: bool = False


class RunStarted(Body):
    """A host claimed the run; `attempt` is the new write fence.

    `instance`: which of several hosts of this name has it.
    """

    type: Literal["run.started"] = "run.started"
    attempt: int = Field(ge=1)
    host: str | None = None
    instance: str | None = None


class RunPaused(Body):
    """No item is in hand and none will start.

    `unclean`: the process died before it could say so. `unasked`: the job paused itself,
    because of a limit of its own. `until`: an ISO time at which the pause ends by itself.
    """

    type: Literal["run.paused"] = "run.paused"
    strength: Strength = Strength.HOLD
    actor: str | None = None
    unclean: bool = False
    unasked: bool = False
    reason: str | None = None
    until: str | None = None

    _check_until = field_validator("until")(check_time)


class RunResumed(Body):
    """A held run goes on; a released one is queued for a new attempt."""

    type: Literal["run.resumed"] = "run.resumed"
    actor: str
    reason: str | None = None


class RunCompleted(Body):
    """The job did all it had to do."""

    type: Literal["run.completed"] = "run.completed"
    message: str | None = None


class RunFailed(Body):
    """The run ended without doing its work; what was finished is kept."""

    type: Literal["run.failed"] = "run.failed"
    reason: str = "crash"
    message: str
    hint: str | None = None
    where: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    tail: str | None = None


class RunCancelled(Body):
    """A cancel was obeyed; `confirmed_dead` says that the process tree is gone."""

    type: Literal["run.cancelled"] = "run.cancelled"
    by: str
    confirmed_dead: bool = True
    partial: bool = True
    reason: str | None = None


class RunInterrupted(Body):
    """The attempt ended without a last word; the run is queued again.

    `crash` is False when its host was told to stop: that is not the job's doing.
    `in_flight`: keys of items that were in hand and will be done again, the newest 100 at the most.
    `wait_seconds`: back-off before the next attempt begins.
    """

    type: Literal["run.interrupted"] = "run.interrupted"
    reason: str
    crash: bool = True
    in_flight: tuple[str, ...] = ()
    wait_seconds: float = Field(default=0.0, ge=0)


class RunStuck(Body):
    """No item, metric or phase came for longer than the kind's limit."""

    type: Literal["run.stuck"] = "run.stuck"
    seconds: float = Field(ge=0)
    cause: str | None = None


class RunRecovered(Body):
    """A stuck run moves again."""

    type: Literal["run.recovered"] = "run.recovered"


class RunCancelOverdue(Body):
    """A cancelled job will not die; the run stays pending until it does."""

    type: Literal["run.cancel_overdue"] = "run.cancel_overdue"
    survivors: int = Field(ge=0)


class RunEdited(Body):
    """A user changed the run's name or tags."""

    type: Literal["run.edited"] = "run.edited"
    actor: str
    name: str | None = None
    tags: tuple[str, ...] | None = None


class ControlRequested(Body):
    """Somebody asked for a pause or a cancel.

    `deadline`: when the process is ended though it has not obeyed. `until`: when the pause ends by itself.
    """

    type: Literal["control.requested"] = "control.requested"
    control: Literal[Control.PAUSE, Control.CANCEL]
    actor: str
    reason: str | None = None
    strength: Strength = Strength.HOLD
    force: bool = False
    deadline: str | None = None
    until: str | None = None

    _check_until = field_validator("until")(check_time)


class ControlWithdrawn(Body):
    """A pause was taken back before the job obeyed it."""

    type: Literal["control.withdrawn"] = "control.withdrawn"
    actor: str


class ParamsChanged(Body):
    """A user changed params that the kind lets one change while it runs."""

    type: Literal["params.changed"] = "params.changed"
    actor: str
    values: dict[str, Any]


class PhaseStarted(Body):
    """A named stretch of the run begins; `index` counts from 1."""

    type: Literal["phase.started"] = "phase.started"
    name: str
    index: int | None = None
    of: int | None = None


class PhaseFinished(Body):
    """A named stretch of the run is over."""

    type: Literal["phase.finished"] = "phase.finished"
    name: str
    index: int | None = None
    of: int | None = None


class ItemStarted(Body):
    """An item is in hand.

    With `ask` the job waits for leave: while a control is pending the event is
    refused and the item is not begun. Without it the item has begun already.
    """

    type: Literal["item.started"] = "item.started"
    key: str = Field(min_length=1, max_length=512)
    label: str | None = None
    ask: bool = False


class ItemFinished(Body):
    """One unit of work is done. `key` makes it idempotent across attempts.

    `reused`: the result came from the run that this one retries; no time was spent here.
    `possible_duplicate`: an earlier attempt had it in hand when it ended, so what it does
    outside may have happened twice.
    """

    type: Literal["item.finished"] = "item.finished"
    reused: bool = False
    possible_duplicate: bool = False
    key: str = Field(min_length=1, max_length=512)
    ok: bool = True
    seconds: float = Field(ge=0, allow_inf_nan=False)
    error: str | None = None
    group: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class Metric(Body):
    """One point of one or several metrics at integer x `step`."""

    type: Literal["metric"] = "metric"
    step: int
    values: dict[str, Number]

    @field_validator("values", mode="before")
    @classmethod
    def _speak_json(cls, values: Any) -> Any:
        """NaN and Infinity become their names: bare ones are not JSON."""
        return {k: name_non_finite(v) for k, v in values.items()} if isinstance(values, dict) else values


class ProgressTold(Body):
    """The job tells its total, its groups, or a count of its own where it has no items."""

    type: Literal["progress"] = "progress"
    done: int | None = Field(default=None, ge=0)
    total: int | None = Field(default=None, ge=0)
    groups: dict[str, int] = Field(default_factory=dict)


class Note(Body):
    """A line of the activity feed."""

    type: Literal["note"] = "note"
    feed: Feed
    text: str


class Log(Body):
    """A line of console output."""

    type: Literal["log"] = "log"
    level: Level = "info"
    source: str = "job"
    text: str


class ArtifactSaved(Body):
    """A file of the run, by name beneath its folder."""

    type: Literal["artifact.saved"] = "artifact.saved"
    name: str
    bytes: int = Field(ge=0)
    sha256: str


class ArtifactRemoved(Body):
    """A file of the run was removed, by a rule or by hand; its name, size and hash stay in the log."""

    type: Literal["artifact.removed"] = "artifact.removed"
    name: str
    reason: str


class StateSaved(Body):
    """The small JSON that lets the job go on after a crash."""

    type: Literal["state.saved"] = "state.saved"
    state: dict[str, Any]


class GuardTripped(Body):
    """A limit of the run was reached, in words."""

    type: Literal["guard.tripped"] = "guard.tripped"
    rule: str
    value: Any = None
    text: str | None = None


AnyBody = Annotated[
    RunQueued
    | RunStarted
    | RunPaused
    | RunResumed
    | RunCompleted
    | RunFailed
    | RunCancelled
    | RunInterrupted
    | RunStuck
    | RunRecovered
    | RunCancelOverdue
    | RunEdited
    | RunNotified
    | ControlRequested
    | ControlWithdrawn
    | ParamsChanged
    | PhaseStarted
    | PhaseFinished
    | ItemStarted
    | ItemFinished
    | ItemJudged
    | Metric
    | ProgressTold
    | Note
    | Log
    | ArtifactSaved
    | ArtifactRemoved
    | StateSaved
    | GuardTripped,
    Field(discriminator="type"),
]

BODIES: dict[str, type[Body]] = {
    body.model_fields["type"].default: body for body in get_args(get_args(AnyBody)[0])
}
_ADAPTER: TypeAdapter[AnyBody] = TypeAdapter(AnyBody)


@dataclass(frozen=True, slots=True)
class Event:
    """A body with its place in a log."""

    run_id: str
    seq: int
    time: str
    body: Body

    def frame(self) -> bytes:
        """The event as one JSON object on one line, UTF-8."""
        return to_json(
            {
                "run_id": self.run_id,
                "seq": self.seq,
                "type": self.body.type,
                "time": self.time,
                "data": {k: v for k, v in self.body.__dict__.items() if k != "type"},
            },
            inf_nan_mode="strings",
        )


def parse_body(type_: str, data: dict[str, Any]) -> Body:
    """Check one body that came from outside.

    Raises:
        Invalid: Unknown type, missing or malformed field; `field` names it.
    """
    try:
        return _ADAPTER.validate_python({**data, "type": type_})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or "type"
        raise Invalid(f"event {type_!r}: {field}: {first['msg']}", field=field) from None
