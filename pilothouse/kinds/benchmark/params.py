"""What a benchmark is told: prompts, cases, models, votes.

Every message names the field and the item, and says the way out. The JSON
Schema of `Params` draws the form: titles, descriptions, defaults, and `x-` hints.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from pilothouse.kinds.benchmark.parts import Case, Prompt, Vote
from pilothouse.kinds.benchmark.votes import Ballot, plain
from pilothouse.kinds.fields import advanced
from pilothouse.kinds.models import Model, problem
from pilothouse.kinds.template import placeholders

BUILT_IN = frozenset({"votes", "answer"})
MOST_PROBLEMS = 100
Place = tuple[str | int, ...]


def _at(place: Place, message: str) -> InitErrorDetails:
    return InitErrorDetails(type=problem(message), loc=place, input=None)


class Params(BaseModel):
    """All prompts are asked for all cases of all models."""

    model_config = ConfigDict(extra="forbid", title="Benchmark")

    prompts: list[Prompt] = Field(
        title="Prompts",
        description="The ways to ask that are compared.",
        json_schema_extra={"x-widget": "prompts", "minItems": 1},
    )
    cases: list[Case] = Field(
        title="Cases",
        description="Each has an id, the true vote and fields for the placeholders. JSONL, CSV or pasted.",
        json_schema_extra={"x-widget": "records", "minItems": 1},
    )
    models: list[Model] = Field(
        title="Models",
        description="Any OpenAI-compatible endpoint, or the offline model.",
        json_schema_extra={"x-widget": "models", "minItems": 1},
    )
    votes: list[Vote] = Field(
        default_factory=list,
        title="Votes",
        description="The labels to choose from. Empty: the votes that the cases have.",
        json_schema_extra={"x-widget": "votes", "default": []},
    )
    equal: list[list[str]] = Field(
        default_factory=list,
        title="Votes that count as equal",
        description="Groups of votes, such as [FALSE_POSITIVE, WEAKNESS].",
        json_schema_extra=advanced("groups", default=[]),
    )
    answer_format: Literal["marker", "json", "schema"] = Field(
        default="marker",
        title="Answer format",
        description="marker: *VOTE: X · json: an object with vote · schema: the same, enforced by the endpoint.",
        json_schema_extra=advanced(),
    )
    concurrency: int = Field(
        default=1,
        ge=1,
        le=256,
        title="Concurrency",
        description="Tests side by side; 1 is one after another.",
        json_schema_extra=advanced(),
    )
    temperature: float = Field(
        default=0.0,
        ge=0,
        le=2,
        title="Temperature",
        description="0 gives the likeliest answer; higher is more varied.",
        json_schema_extra=advanced(),
    )
    seed: int = Field(
        default=7,
        title="Seed",
        description="Sent with every request; repeats count up from it.",
        json_schema_extra=advanced(),
    )
    retries: int = Field(
        default=3,
        ge=0,
        le=20,
        title="Retries",
        description="Further tries after a 429, a server error or a time-out.",
        json_schema_extra=advanced(),
    )
    timeout_seconds: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        title="Time-out",
        description="Seconds to wait for one answer.",
        json_schema_extra=advanced(unit="s"),
    )
    max_tokens: int = Field(
        default=1024,
        ge=1,
        le=200_000,
        title="Longest answer",
        description="Tokens; a longer answer is cut.",
        json_schema_extra=advanced(unit="tokens"),
    )
    repeats: int = Field(
        default=1,
        ge=1,
        le=100,
        title="Repeats",
        description="How often each case is asked.",
        json_schema_extra=advanced(),
    )
    budget: float | None = Field(
        default=None,
        gt=0,
        title="Budget",
        description="Money that this run may spend, in dollars. The run pauses there; raise it and resume.",
        json_schema_extra=advanced(unit="$"),
    )
    prices: str | None = Field(
        default=None,
        title="Price table",
        description="JSON file with own prices; empty: the table that ships here.",
        json_schema_extra=advanced(),
    )
    stop_when_decided: bool = Field(
        default=False,
        title="Stop when decided",
        description="Ends the run when the tests left cannot change the winner. "
        "Switched on while the run goes on, it ends the run after the tests in hand.",
        json_schema_extra=advanced(),
    )

    @field_validator("votes", mode="before")
    @classmethod
    def _may_be_names(cls, votes: Any) -> Any:
        """A vote without synonyms may be given by its name alone, also by a number."""
        if not isinstance(votes, list):
            return votes
        return [{"name": vote} if isinstance(vote, str | int | float) else vote for vote in votes]

    @field_validator("prompts", "cases", "models")
    @classmethod
    def _is_not_empty(cls, items: list[Any], info: Any) -> list[Any]:
        if not items:
            raise problem(_EMPTY[info.field_name])
        return items

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self.votes:
            spellings: dict[str, str] = {}
            for case in self.cases:
                spellings.setdefault(plain(case.vote), case.vote)
            self.votes = [Vote(name=name) for name in spellings.values()]
        found = list(islice(chain(self._names(), self._votes(), self._fields()), MOST_PROBLEMS))
        if found:
            raise ValidationError.from_exception_data("Params", found)
        return self

    def ballot(self) -> Ballot:
        """The votes with their synonyms and groups."""
        return Ballot.of([(vote.name, vote.synonyms) for vote in self.votes], self.equal)

    def _names(self) -> Iterable[InitErrorDetails]:
        """Names and ids make an item's key, so they must be unique and hold no bar."""
        named: list[tuple[str, str, Sequence[str]]] = [
            ("prompts", "name", [prompt.name for prompt in self.prompts]),
            ("cases", "id", [case.id for case in self.cases]),
            ("models", "name", [model.name for model in self.models]),
        ]
        for field, part, names in named:
            known: set[str] = set()
            for number, name in enumerate(names):
                if name in known:
                    yield _at(
                        (field, number, part),
                        f"{name!r} is used twice; give each of the {field} its own {part}",
                    )
                known.add(name)
                if "|" in name:
                    yield _at((field, number, part), f"{name!r} holds a bar (|); use another sign")

    def _votes(self) -> Iterable[InitErrorDetails]:
        try:
            ballot = self.ballot()
        except ValueError as error:
            yield _at(("votes",), str(error))
            return
        names = ", ".join(ballot.names)
        for number, group in enumerate(self.equal):
            for name in group:
                if ballot.find(name) is None:
                    yield _at(("equal", number), f"{name!r} is not among the votes: {names}")
        for number, case in enumerate(self.cases):
            if ballot.find(case.vote) is None:
                way = "correct the case, or declare it under votes"
                yield _at(
                    ("cases", number, "vote"),
                    f"case {case.id} has the vote {case.vote!r}, declared are {names}; {way}",
                )

    def _fields(self) -> Iterable[InitErrorDetails]:
        fields = {"id", *(name for case in self.cases for name in case.model_extra or {})}
        listed, filled = ", ".join(sorted(fields)), fields | BUILT_IN
        for number, prompt in enumerate(self.prompts):
            for name in placeholders(prompt.template):
                if name == "vote":
                    text = "would tell the model the true vote; {votes} lists what it may choose from"
                elif name not in filled:
                    text = f"is filled by no case; the cases have {listed}"
                else:
                    continue
                where = ("prompts", number, "template")
                yield _at(where, f"prompt {prompt.name}: {{{name}}} {text}")


_EMPTY = {
    "prompts": "add at least one prompt",
    "cases": "add at least one case",
    "models": "pick at least one model",
}
