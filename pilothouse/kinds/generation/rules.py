"""Keep or reject: what a sample must be like beside its form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from pilothouse.kinds.generation.form import text_of
from pilothouse.kinds.models import Part, problem


class Rule(Part):
    """One condition of one field, or of the whole text."""

    field: str | None = Field(
        default=None, title="Field", description="Property or section; empty: the whole text."
    )
    min_words: int | None = Field(default=None, ge=1, title="At least", json_schema_extra={"x-unit": "words"})
    max_words: int | None = Field(default=None, ge=1, title="At most", json_schema_extra={"x-unit": "words"})
    must_match: str | None = Field(
        default=None, title="Must hold", description="Regular expression, case left aside."
    )
    must_not_match: str | None = Field(
        default=None, title="Must not hold", description="Regular expression, such as as an AI."
    )

    @field_validator("must_match", "must_not_match")
    @classmethod
    def _is_an_expression(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise problem(f"{pattern!r} is no regular expression: {error}") from None
        return pattern or None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Rule:
        if self.min_words and self.max_words and self.min_words > self.max_words:
            raise problem(f"at least {self.min_words} and at most {self.max_words} words: nothing is both")
        if not any((self.min_words, self.max_words, self.must_match, self.must_not_match)):
            raise problem("this rule asks for nothing; fill in one of its conditions, or remove it")
        return self

    def broken_by(self, fields: Mapping[str, Any]) -> str | None:
        """Why a sample does not meet this rule, None when it does."""
        text = text_of(fields if self.field is None else {"text": fields.get(self.field, "")})
        said, count = self.field or "the text", len(text.split())
        if self.min_words and count < self.min_words:
            return f"{said} has {count} words, fewer than {self.min_words}"
        if self.max_words and count > self.max_words:
            return f"{said} has {count} words, more than {self.max_words}"
        if self.must_match and not re.search(self.must_match, text, re.IGNORECASE):
            return f"{said} holds nothing like {self.must_match!r}"
        if self.must_not_match and (found := re.search(self.must_not_match, text, re.IGNORECASE)):
            return f"{said} holds {found[0]!r}"
        return None
