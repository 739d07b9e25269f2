"""The parts of a benchmark's params: a prompt, a case, a vote."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, model_validator

from pilothouse.kinds.models import Part, problem


class Prompt(Part):
    """A way to ask, with a `{placeholder}` for each field of a case."""

    name: str = Field(min_length=1, max_length=120, title="Name", description="Short, such as strict.")
    template: str = Field(
        min_length=1,
        max_length=100_000,
        title="Template",
        description="The text with {placeholders}: fields of the cases, {votes}, and {answer}.",
        json_schema_extra={"x-widget": "textarea"},
    )


class Case(Part):
    """A question with its true vote; further fields fill the placeholders."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    id: str = Field(min_length=1, max_length=200, title="Id")
    vote: str = Field(min_length=1, title="Vote", description="The true vote.")

    @model_validator(mode="before")
    @classmethod
    def _has_id_and_vote(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise problem("a case is an object such as {id, vote, code}")
        name = data.get("id")
        if name is None or str(name).strip() == "":
            raise problem("this case has no id; give every case an id of its own")
        vote = data.get("vote")
        if vote is None or str(vote).strip() == "":
            raise problem(f"case {name} has no vote; add a field vote with the true vote")
        return data


class Vote(Part):
    """A label that a model may give."""

    name: str = Field(min_length=1, max_length=80, title="Name")
    synonyms: list[str] = Field(
        default_factory=list, title="Synonyms", description="Other words for the same vote, such as FP."
    )
