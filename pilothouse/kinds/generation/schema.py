"""JSON Schema as far as samples need it: is a schema one that a sample can meet, does a sample meet it?

The meaning of each keyword is that of JSON Schema, draft 2020-12, "Validation". A keyword that
is not known here is refused and never passed over: a sample would be called valid that is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Fault = tuple[str, str]

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    ),
}
_NOTES = frozenset({"title", "description", "default", "examples", "format", "$schema", "$id", "$comment"})
_PAIRS = (("minLength", "maxLength"), ("minItems", "maxItems"), ("minimum", "maximum"))
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_KNOWN = frozenset(
    {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "pattern",
        "uniqueItems",
    }
) | {*_COUNTS, *_NUMBERS}
_DEEPEST = 8


def faults(schema: Any, place: str = "", depth: int = 0) -> Iterator[Fault]:
    """Why no sample can meet a schema, or what is not known of it: (place, words)."""
    if not isinstance(schema, Mapping):
        yield place, "must be an object such as {type: string}"
        return
    if depth > _DEEPEST:
        yield place, f"is nested deeper than {_DEEPEST}"
        return
    for keyword in schema.keys() - _KNOWN - _NOTES:
        yield place, f"the keyword {keyword!r} is not known here; known are {', '.join(sorted(_KNOWN))}"
    yield from _faults_of_values(schema, place)
    yield from _faults_of_limits(schema, place)
    yield from _faults_of_parts(schema, place, depth)


def _faults_of_values(schema: Schema, place: str) -> Iterator[Fault]:
    if not isinstance(schema.get("type", ""), str | list):
        yield place, f"type must be a name or a list of names; types are {', '.join(_TYPES)}"
        return
    types = _types(schema)
    if unknown := [name for name in types if name not in _TYPES]:
        yield place, f"there is no type {unknown[0]!r}; types are {', '.join(_TYPES)}"
        return
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        yield place, "enum must list at least one value"
        return
    values = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]
    if types and values and not any(_is_of(value, types) for value in values):
        yield place, f"none of its values is of the type {' or '.join(types)}"


def _faults_of_limits(schema: Schema, place: str) -> Iterator[Fault]:
    for name in _COUNTS:
        if name in schema and not (_is_of(schema[name], ("integer",)) and schema[name] >= 0):
            yield place, f"{name} must be a whole number from 0"
            return
    for name in _NUMBERS:
        if name in schema and not _TYPES["number"](schema[name]):
            yield place, f"{name} must be a number"
            return
    for least, most in _PAIRS:
        if least in schema and most in schema and schema[least] > schema[most]:
            yield place, f"{least} {schema[least]} is above {most} {schema[most]}; nothing can meet both"
    try:
        re.compile(schema.get("pattern", ""))
    except (re.error, TypeError) as error:
        yield place, f"pattern is no regular expression: {error}"


def _faults_of_parts(schema: Schema, place: str, depth: int) -> Iterator[Fault]:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    if not isinstance(properties, Mapping):
        yield place, "properties must be an object with a schema for each name"
        return
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        yield place, "required must be a list of names"
        return
    if schema.get("additionalProperties") is False:
        for name in required:
            if name not in properties:
                yield place, f"{name!r} is required, is none of the properties, and others are not allowed"
    for name, part in properties.items():
        yield from faults(part, f"{place}.{name}".lstrip("."), depth + 1)
    if "items" in schema:
        yield from faults(schema["items"], f"{place}[]", depth + 1)
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from faults(schema["additionalProperties"], f"{place}.*".lstrip("."), depth + 1)


def violation(value: Any, schema: Schema, place: str = "") -> str | None:
    """The first thing in which a value does not meet a schema, in words; None when it does."""
    return next(_violations(value, schema, place), None)


def _violations(value: Any, schema: Schema, place: str) -> Iterator[str]:
    said = place or "the sample"
    if (types := _types(schema)) and not _is_of(value, types):
        yield f"{said} is no {' or '.join(types)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{said} is none of {', '.join(map(str, schema['enum']))}"
    if "const" in schema and value != schema["const"]:
        yield f"{said} is not {schema['const']}"
    match value:
        case str():
            yield from _of_text(value, schema, said)
        case bool() | None:
            return
        case int() | float():
            yield from _of_number(value, schema, said)
        case list():
            yield from _of_list(value, schema, place, said)
        case dict():
            yield from _of_object(value, schema, place)


def _of_text(value: str, schema: Schema, said: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{said} has {len(value)} characters, fewer than {schema['minLength']}"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{said} has {len(value)} characters, more than {schema['maxLength']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{said} does not match {schema['pattern']}"


def _of_number(value: float, schema: Schema, said: str) -> Iterator[str]:
    if value < schema.get("minimum", value) or value > schema.get("maximum", value):
        yield f"{said} is {value}, out of its limits"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{said} is {value}, not above {schema['exclusiveMinimum']}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield f"{said} is {value}, not below {schema['exclusiveMaximum']}"


def _of_list(value: list[Any], schema: Schema, place: str, said: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
        yield f"{said} has {len(value)} entries, out of its limits"
    if schema.get("uniqueItems") and any(each in value[:number] for number, each in enumerate(value)):
        yield f"{said} holds an entry twice"
    for number, each in enumerate(value if "items" in schema else ()):
        yield from _violations(each, schema["items"], f"{place}[{number}]")


def _of_object(value: dict[str, Any], schema: Schema, place: str) -> Iterator[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{f'{place}.{name}'.lstrip('.')} is missing"
    for name, each in value.items():
        inner = f"{place}.{name}".lstrip(".")
        if name in properties:
            yield from _violations(each, properties[name], inner)
        elif others is False:
            yield f"{inner} is not asked for"
        elif isinstance(others, Mapping):
            yield from _violations(each, others, inner)


def _types(schema: Schema) -> tuple[str, ...]:
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(map(str, named))


def _is_of(value: Any, types: tuple[str, ...]) -> bool:
    try:
        return any(_TYPES[name](value) for name in types)
    except (OverflowError, ValueError):  # Infinity and NaN, which JSON does not know
        return "number" in types
