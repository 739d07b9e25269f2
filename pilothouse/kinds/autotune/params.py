"""What an autotune is told: target, parameter space, strategy, objectives, limits, load.

Every message names the field and the way out. pydantic and the standard library
only: the server reads this at its start.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from pilothouse.kinds.autotune import space as spaces
from pilothouse.kinds.autotune.parts import Load, Parameter, Slo, Target, problem
from pilothouse.kinds.fields import advanced

Objective = Literal["latency", "ttft", "tpot", "throughput", "goodput"]
MOST_EXPERIMENTS = 99_999  # the dialect numbers an experiment by run × 100,000 + n
LARGEST_POINT_BYTES = 10_000  # it is saved, and stands three times in its row


class Params(BaseModel):
    """Each experiment starts the server with other settings, measures it under load, and stops it."""

    model_config = ConfigDict(extra="forbid", title="Autotune")

    target: Target = Field(default_factory=Target, title="Target", description="The server that is tuned.")
    space: list[Parameter] = Field(
        title="Parameter space",
        description="The settings that are tried, each with its values.",
        json_schema_extra={"minItems": 1},
    )
    strategy: Literal["grid", "random", "tpe"] = Field(
        default="random",
        title="Strategy",
        description="grid: all in turn · random: by chance, none twice · tpe: learns from what was measured "
        "(Optuna, pip install 'pilothouse[tune]').",
    )
    experiments: int = Field(
        default=20,
        ge=1,
        le=MOST_EXPERIMENTS,
        title="Experiments",
        description="At most so many; it may be raised or lowered while the run goes on.",
    )
    objectives: list[Objective] = Field(
        default=["throughput"],
        min_length=1,
        max_length=3,
        title="Objectives",
        description="latency, ttft (first token) and tpot (each further token) shall be low, throughput "
        "and goodput high. With several, the best compromises are sought; the score is the first one's.",
    )
    percentile: Literal[50, 95, 99] = Field(
        default=95,
        title="Percentile",
        description="Of latency, ttft and tpot.",
        json_schema_extra=advanced(),
    )
    slo: list[Slo] = Field(
        default_factory=list,
        max_length=20,
        title="Promises",
        description="Limits that a good setting keeps; one that breaks them has a worse score.",
        json_schema_extra={"default": []},
    )
    load: Load = Field(default_factory=Load, title="Load", description="How each setting is measured.")
    stop_hopeless: float | None = Field(
        default=3.0,
        gt=1,
        le=1000,
        title="Stop the hopeless",
        description="An experiment that is so many times worse than the best one is stopped early. Empty: never.",
        json_schema_extra=advanced(),
    )
    experiment_seconds: float = Field(
        default=600.0,
        gt=0,
        le=86_400,
        title="Time for an experiment",
        description="Seconds, the start of the server included; one that takes longer has failed.",
        json_schema_extra=advanced(**{"x-unit": "s"}),
    )
    seed: int = Field(
        default=7,
        ge=0,
        lt=2**31,
        title="Seed",
        description="Of the strategy and of requests.",
        json_schema_extra=advanced(),
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        found = [*self._space_faults(), *self._objective_faults()]
        if found:
            raise ValidationError.from_exception_data("Params", found)
        return self

    def total(self, outside: int = 0, others: int = 0) -> int:
        """How many experiments there will be at most.

        Args:
            outside: Of these are no points of the space.
            others: Of these do not count, since they were measured otherwise.
        """
        points, limit = spaces.size(self.space), self.experiments + others
        return limit if points is None else min(limit, points + outside)

    @property
    def basis(self) -> str:
        """What scores depend on beside the point: only those of one basis can be compared."""
        named = {"target", "objectives", "percentile", "slo", "load"}
        return hashlib.sha256(self.model_dump_json(include=named).encode()).hexdigest()[:12]

    def _space_faults(self) -> list[InitErrorDetails]:
        if not self.space:
            return [_at(("space",), "there is nothing to tune; add a parameter with at least two values")]
        faults = []
        for number, parameter in enumerate(self.space):
            if parameter.name in [other.name for other in self.space[:number]]:
                faults.append(_at(("space", number, "name"), f"{parameter.name!r} is there twice; keep one"))
            if self.strategy == "grid" and spaces.choices(parameter) is None:
                text = f"a grid needs steps; give {parameter.name} a count or a step, or choose random or tpe"
                faults.append(_at(("space", number), text))
            if self.target.server == "url" and parameter.apply == "environment":
                text = f"{parameter.name}: a server that runs already takes no variables; give it as a flag"
                faults.append(_at(("space", number, "apply"), text))
        if not faults and spaces.size(self.space) == 1:
            text = "there is one point only, so nothing to compare; give a parameter a second value"
            faults.append(_at(("space",), text))
        longest = [max((len(json.dumps(value)) for value in each.values), default=0) for each in self.space]
        if sum(longest) + sum(len(each.name) for each in self.space) > LARGEST_POINT_BYTES:
            text = f"the settings of one experiment are longer than {LARGEST_POINT_BYTES:,} bytes; name files instead"
            faults.append(_at(("space",), text))
        return faults

    def _objective_faults(self) -> list[InitErrorDetails]:
        if len(set(self.objectives)) < len(self.objectives):
            return [_at(("objectives",), "an objective is there twice; keep one of the two")]
        return []


def _at(place: tuple[str | int, ...], message: str) -> InitErrorDetails:
    return InitErrorDetails(type=problem(message), loc=place, input=None)


def total(params: dict[str, Any]) -> int:
    """How many experiments validated params make at most."""
    return Params.model_validate(params).total()
