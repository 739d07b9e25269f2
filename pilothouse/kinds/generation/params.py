"""What a batch of samples is told.

Every message names the field and says the way out. The JSON Schema of `Params` draws the form.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from pilothouse.errors import PilothouseError
from pilothouse.kinds.fields import advanced
from pilothouse.kinds.generation.circuit import FAILURES, SECONDS
from pilothouse.kinds.generation.form import Form
from pilothouse.kinds.generation.mix import Mix
from pilothouse.kinds.generation.rules import Rule
from pilothouse.kinds.generation.schema import faults
from pilothouse.kinds.models import Model, problem
from pilothouse.kinds.template import placeholders
from pilothouse.llm.prices import Prices

BUILT_IN = ("topic", "difficulty", "type", "number")
Name = Annotated[str, Field(min_length=1, max_length=200)]
Place = tuple[str | int, ...]


class Params(BaseModel):
    """Models write samples until the target is reached."""

    model_config = ConfigDict(extra="forbid", title="Generation")

    models: list[Model] = Field(
        title="Models",
        description="Asked in this order: the next one when the one before does not answer.",
        json_schema_extra={"x-widget": "models", "minItems": 1},
    )
    instructions: str = Field(
        min_length=1,
        max_length=100_000,
        title="Instructions",
        description="What to write; {topic}, {difficulty}, {type} and {number} are filled in.",
        json_schema_extra={"x-widget": "textarea"},
    )
    target: int | None = Field(
        default=100,
        le=10_000_000,
        title="Target",
        description="Samples to keep. Empty: endless, until budget, time or the dataset's target ends it.",
    )
    sections: list[Name] = Field(
        default_factory=list,
        title="Required sections",
        description="Headings that every sample has, such as Question and Answer.",
        json_schema_extra={"default": []},
    )
    sample_schema: dict[str, Any] | None = Field(
        default=None,
        title="JSON Schema",
        description="Every sample is an object that meets it; in place of sections.",
    )
    topics: list[Name] = Field(
        default_factory=list,
        title="Topics",
        description="Kept samples are spread evenly over them.",
        json_schema_extra={"default": []},
    )
    difficulties: list[Name] = Field(
        default_factory=list,
        title="Difficulties",
        description="Spread evenly as well.",
        json_schema_extra={"default": []},
    )
    types: list[Name] = Field(
        default_factory=list,
        title="Sample types",
        description="Spread evenly as well.",
        json_schema_extra={"default": []},
    )
    weights: dict[str, float] = Field(
        default_factory=dict,
        title="Weights",
        description="Of topics, difficulties or types that shall come more or less often than 1, by name.",
        json_schema_extra=advanced(default={}),
    )
    near_duplicate: float | None = Field(
        default=0.8,
        ge=0.5,
        le=1,
        title="Near duplicates",
        description="Samples that share so much of their word triples are duplicates. Empty: only equal ones.",
        json_schema_extra=advanced(),
    )
    rules: list[Rule] = Field(
        default_factory=list,
        title="Keep rules",
        description="A sample is kept when it meets all of them.",
        json_schema_extra=advanced(default=[]),
    )
    dataset: str | None = Field(
        default=None,
        max_length=60,
        title="Shared dataset",
        description="Batches that name the same one share its samples: no duplicates, one target.",
    )
    dataset_target: int | None = Field(
        default=None,
        le=10_000_000,
        title="Dataset target",
        description="Samples of the shared dataset at which this batch ends; name it alike in every batch.",
    )
    concurrency: int = Field(
        default=4,
        ge=1,
        le=256,
        title="Concurrency",
        description="Samples side by side.",
        json_schema_extra=advanced(),
    )
    tries: int = Field(
        default=3,
        ge=1,
        le=20,
        title="Tries",
        description="How often one sample is asked for before it counts as not kept.",
        json_schema_extra=advanced(),
    )
    breaker_failures: int = Field(
        default=FAILURES,
        ge=1,
        le=100,
        title="Failures that close a topic",
        description="Samples of a topic that were not kept in a row, after which it is left alone.",
        json_schema_extra=advanced(),
    )
    breaker_seconds: float = Field(
        default=SECONDS,
        gt=0,
        le=86_400,
        title="Topic closed for",
        description="Seconds until a closed topic, or a model that fails, is tried again.",
        json_schema_extra=advanced(unit="s"),
    )
    give_up_after: int = Field(
        default=30,
        ge=1,
        le=100_000,
        title="Give up after",
        description="Samples in a row that were not kept, after which the batch stops asking.",
        json_schema_extra=advanced(),
    )
    temperature: float = Field(
        default=0.9,
        ge=0,
        le=2,
        title="Temperature",
        description="0 gives the likeliest text; higher is more varied.",
        json_schema_extra=advanced(),
    )
    seed: int = Field(
        default=7,
        ge=0,
        le=2**31,
        title="Seed",
        description="Each try sends a seed of its own, made from this one.",
        json_schema_extra=advanced(),
    )
    retries: int = Field(
        default=3,
        ge=0,
        le=20,
        title="Retries",
        description="Further requests within one try after a 429, a server error or a time-out.",
        json_schema_extra=advanced(),
    )
    timeout_seconds: float = Field(
        default=120.0,
        gt=0,
        le=3600,
        title="Time-out",
        description="Seconds to wait for one reply.",
        json_schema_extra=advanced(unit="s"),
    )
    max_tokens: int = Field(
        default=2048,
        ge=1,
        le=200_000,
        title="Longest reply",
        description="Tokens; a longer reply is cut, and a cut sample is not kept.",
        json_schema_extra=advanced(unit="tokens"),
    )
    budget: float | None = Field(
        default=None,
        gt=0,
        title="Budget",
        description="Money that this run may spend, in dollars. The run pauses there; raise it and resume.",
        json_schema_extra={"x-unit": "$"},
    )
    time_limit_seconds: float | None = Field(
        default=None,
        gt=0,
        title="Time limit",
        description="Seconds of work, pauses left out. The run pauses there; raise it and resume.",
        json_schema_extra={"x-unit": "s"},
    )
    prices: str | None = Field(
        default=None,
        title="Price table",
        description="JSON file with own prices; empty: the table that ships here.",
        json_schema_extra=advanced(),
    )
    stuck_seconds: float = Field(
        default=180.0,
        gt=0,
        le=86_400,
        title="Stuck after",
        description="Seconds without a sample after which the run counts as stuck.",
        json_schema_extra=advanced(unit="s"),
    )

    @field_validator("models")
    @classmethod
    def _has_a_model(cls, models: list[Model]) -> list[Model]:
        if not models:
            raise problem("pick at least one model")
        return models

    @field_validator("target", "dataset_target")
    @classmethod
    def _is_a_target(cls, target: int | None) -> int | None:
        if target is not None and target < 1:
            raise problem(f"a target of {target} asks for nothing; name at least 1, or leave it empty")
        return target

    @field_validator("dataset")
    @classmethod
    def _is_a_name(cls, name: str | None) -> str | None:
        if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise problem(f"{name!r} cannot name a dataset; use letters, digits, dashes and underscores")
        return name or None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        found = [*self._names(), *self._form(), *self._fillings(), *self._weights(), *self._limits()]
        if found:
            raise ValidationError.from_exception_data("Params", found)
        return self

    def form(self) -> Form:
        """What a sample looks like."""
        return Form(self.sample_schema, self.sections)

    def mix(self) -> Mix:
        """Which sample comes next."""

        def weighted(names: list[str]) -> dict[str, float]:
            return {name: self.weights.get(name, 1.0) for name in names}

        return Mix(weighted(self.topics), weighted(self.difficulties), weighted(self.types))

    def _names(self) -> Iterable[InitErrorDetails]:
        """Names that stand in one list are told apart, whatever their case."""
        lists = {name: getattr(self, name) for name in ("topics", "difficulties", "types", "sections")}
        lists["models"] = [model.name for model in self.models]
        for field, names in lists.items():
            count = Counter(name.casefold() for name in names)
            for number, name in enumerate(names):
                if count[name.casefold()] > 1 and number:
                    yield _at((field, number), f"{name!r} is named twice; leave one out")
                    break

    def _form(self) -> Iterable[InitErrorDetails]:
        """The sample's form can be met."""
        schema = self.sample_schema
        if schema is not None and self.sections:
            yield _at(("sections",), "sections and a JSON Schema exclude each other; leave one of them empty")
        if schema is not None and (schema.get("type") != "object" or not schema.get("properties")):
            yield _at(("sample_schema",), "must describe an object: {type: object, properties: {…}}")
        for place, words in faults(schema) if schema is not None else ():
            yield _at(("sample_schema",), f"{place}: {words}" if place else words)
        properties = (schema or {}).get("properties")
        fields = properties if isinstance(properties, dict) and properties else self.sections
        for number, rule in enumerate(self.rules):
            if rule.field and rule.field not in fields:
                known = ", ".join(fields) or "none; leave it empty for the whole text"
                yield _at(
                    ("rules", number, "field"), f"samples have no field {rule.field!r}; they have {known}"
                )

    def _fillings(self) -> Iterable[InitErrorDetails]:
        """The instructions' placeholders are filled by something."""
        lists = {"topic": "topics", "difficulty": "difficulties", "type": "types"}
        for name in placeholders(self.instructions):
            if name not in BUILT_IN:
                known = ", ".join(f"{{{each}}}" for each in BUILT_IN)
                yield _at(("instructions",), f"{{{name}}} is filled by nothing; there are {known}")
            elif name in lists and not getattr(self, lists[name]):
                yield _at(("instructions",), f"{{{name}}} needs {lists[name]}; add some, or leave it out")

    def _weights(self) -> Iterable[InitErrorDetails]:
        for name, weight in self.weights.items():
            if name not in {*self.topics, *self.difficulties, *self.types}:
                yield _at(("weights", name), f"there is no topic, difficulty or type {name!r}")
            elif not 0 < weight < 1e6:
                yield _at(("weights", name), "must be above 0; leave a name out that shall not come at all")

    def _limits(self) -> Iterable[InitErrorDetails]:
        """A batch comes to an end."""
        if self.dataset_target and not self.dataset:
            yield _at(("dataset_target",), "needs the name of a shared dataset; fill in dataset as well")
        if self.target or self.dataset_target or self.time_limit_seconds:
            return
        if self.budget is None:
            text = "an endless batch needs a limit: name a budget, a time limit or a dataset target"
            yield _at(("target",), text)
        elif unpriced := self._unpriced():
            text = f"an endless batch never spends it: {unpriced} has no price"
            yield _at(("budget",), f"{text}; name prices, a time limit or a target")

    def _unpriced(self) -> str | None:
        """A model that costs nothing as far as is known. A table that only the host can read is left to it."""
        try:
            prices = Prices.load(self.prices)
        except PilothouseError:  # told by the run, where the file is read
            return None
        for model in self.models:
            price = prices.find("offline" if model.base_url == "offline" else model.model or model.name)
            if price is None or not (price.tokens_in or price.tokens_out):
                return model.name
        return None


def _at(place: Place, message: str) -> InitErrorDetails:
    return InitErrorDetails(type=problem(message), loc=place, input=None)
