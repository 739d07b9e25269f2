"""The params of a model that a kind asks, and how the kinds' params say what is wrong."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

OFFLINE = "offline"


def problem(message: str) -> PydanticCustomError:
    """A validation error with exactly this message."""
    return PydanticCustomError("params", message)


class Part(BaseModel):
    """A part of a kind's params: an unknown field is an error, and a number may be a name."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class Model(Part):
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

    tpm: float | None = Field(
        default=None,
        gt=0,
        title="Tokens per minute",
        description="Tokens in and out, at most so many, together with all other models of this endpoint.",
    )

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        url = url.strip()
        if url != OFFLINE and not re.fullmatch(r"https?://[^/\s]\S*", url):
            raise problem(f"{url!r} is no address; use one such as http://127.0.0.1:8000/v1, or offline")
        return url.rstrip("/")

    @field_validator("api_key_env")
    @classmethod
    def _is_variable(cls, name: str | None) -> str | None:
        if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise problem("give the name of an environment variable, such as OPENAI_API_KEY, never the key")
        return name or None
