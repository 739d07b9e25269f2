"""The parts of a benchmark's params: a prompt, a case, a model, a vote."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

OFFLINE = "offline"


def problem(message: str) -> PydanticCustomError:
    """A validation error with exactly this message."""
    return PydanticCustomError("benchmark", message)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class Prompt(_Part):
    """A way to ask, with a `{placeholder}` for each field of a case."""

    name: str = Field(min_length=1, max_length=120, title="Name", description="Short, such as strict.")
    template: str = Field(
        min_length=1,
        max_length=100_000,
        title="Template",
        description="The text with {placeholders}: fields of the cases, {votes}, and {answer}.",
        json_schema_extra={"x-widget": "textarea"},
    )


class Case(_Part):
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
        if not str(data.get("vote") or "").strip():
            raise problem(f"case {name} has no vote; add a field vote with the true vote")
        return data


class Model(_Part):
    """An OpenAI-compatible endpoint and a model that it serves."""

    name: str = Field(min_length=1, max_length=120, title="Name", description="The name in the results.")
    base_url: str = Field(
        default=OFFLINE,
        title="Base URL",
        description="Such as https://api.openai.com/v1, or offline: the small model that ships here.",
    )
    api_key_env: str | None = Field(
        default=None,
        title="API key variable",
        description="Name of the environment variable that holds the key; empty without a key.",
    )
    model: str | None = Field(
        default=None, title="Model id", description="What the endpoint calls it; the name when empty."
    )
    rpm: float | None = Field(
        default=None,
        gt=0,
        title="Requests per minute",
        description="At most so many, together with all other models of this endpoint.",
    )

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if url != OFFLINE and not re.match(r"https?://[^/\s]+", url):
            raise problem(f"{url!r} is no address; use one such as http://127.0.0.1:8000/v1, or offline")
        return url.rstrip("/")

    @field_validator("api_key_env")
    @classmethod
    def _is_variable(cls, name: str | None) -> str | None:
        if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise problem("give the name of an environment variable, such as OPENAI_API_KEY, never the key")
        return name or None


class Vote(_Part):
    """A label that a model may give."""

    name: str = Field(min_length=1, max_length=80, title="Name")
    synonyms: list[str] = Field(
        default_factory=list, title="Synonyms", description="Other words for the same vote, such as FP."
    )
