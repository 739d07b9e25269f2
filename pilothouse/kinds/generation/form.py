"""The form of a sample: how it is asked for, and how it is read out of a reply.

Three forms: an object that meets a JSON Schema, a text with required sections, or a plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pilothouse.kinds.generation.schema import Schema, violation
from pilothouse.kinds.replies import objects, without_thinking

_HEADING = r"^[ \t]*(?:#{1,6}[ \t]*|\*\*)?(?P<name>%s)[ \t*]*(?::[ \t*]*|$)"
_TEXT = "text"

Fields = dict[str, Any]


class Unfit(ValueError):
    """A reply that is no sample of this form; the message says why."""


class Form:
    """What a sample looks like.

    Args:
        schema: JSON Schema of an object, or None.
        sections: Names of the sections that a text must have; empty with a schema, or for a plain text.
    """

    def __init__(self, schema: Schema | None, sections: Sequence[str]) -> None:
        self._schema = schema
        self._sections = {section.casefold(): section for section in sections}
        names = "|".join(re.escape(section) for section in sorted(sections, key=len, reverse=True))
        self._heading = re.compile(_HEADING % names, re.IGNORECASE | re.MULTILINE)

    @property
    def request(self) -> str:
        """What to write below the instructions; empty for a plain text."""
        if self._schema is not None:
            schema = json.dumps(self._schema, ensure_ascii=False)
            return (
                f"Answer with one JSON object that meets this JSON Schema, and with nothing else:\n{schema}"
            )
        if self._sections:
            headings = "\n".join(f"## {section}" for section in self._sections.values())
            return f"Write these sections, each below its heading:\n{headings}"
        return ""

    @property
    def response_format(self) -> dict[str, Any] | None:
        """What to ask of the endpoint, None where the text alone must do."""
        if self._schema is None:
            return None
        return {"type": "json_schema", "json_schema": {"name": "sample", "schema": dict(self._schema)}}

    def read(self, reply: str) -> Fields:
        """The fields of the sample in a reply.

        Raises:
            Unfit: There is none of this form.
        """
        said = without_thinking(reply)[0].strip()
        if not said:
            raise Unfit("the reply is empty")
        if self._schema is not None:
            return _clean(self._object(said, self._schema))
        return _clean(self._read_sections(said) if self._sections else {_TEXT: said})

    def _object(self, said: str, schema: Schema) -> Fields:
        found = objects(said)
        if not found:
            raise Unfit("the reply holds no JSON object")
        wrong = [violation(each, schema) for each in found]
        if None not in wrong:
            raise Unfit(str(wrong[-1]))
        return found[wrong.index(None)]

    def _read_sections(self, said: str) -> Fields:
        headings = list(self._heading.finditer(said))
        ends = [*(heading.start() for heading in headings[1:]), len(said)]
        fields: Fields = {}
        for heading, end in zip(headings, ends, strict=False):
            fields.setdefault(self._sections[heading["name"].casefold()], said[heading.end() : end].strip())
        for section in self._sections.values():
            if section not in fields:
                raise Unfit(f"the section {section} is missing")
            if not fields[section]:
                raise Unfit(f"the section {section} is empty")
        return {section: fields[section] for section in self._sections.values()}


def _clean(fields: Fields) -> Fields:
    """The fields as every reader of JSON and UTF-8 can read them.

    Raises:
        Unfit: They hold NaN or Infinity, or are nested too deep.
    """
    try:
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise Unfit("it holds NaN or Infinity, which JSON does not know") from None
    except RecursionError:
        raise Unfit("it is nested too deep") from None
    clean: Fields = json.loads(text.encode("utf-8", "replace"))
    return clean


def text_of(fields: Mapping[str, Any]) -> str:
    """A sample as plain text, for people and for comparing: each field below its name."""
    if list(fields) == [_TEXT]:
        return str(fields[_TEXT])
    return "\n\n".join(f"{name}: {_words(value)}" for name, value in fields.items())


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
