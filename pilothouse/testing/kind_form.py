"""What a kind's declaration tells of its params and panels, for the contract of kinds."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pilothouse.sdk.kind import Kind
from pilothouse.sdk.panels import Panel, ParallelCoordinates

Json = dict[str, Any]
NONSENSE: tuple[tuple[str, Any], ...] = (
    ("string", "no such thing"),
    ("array", [[["no such thing"]]]),
    ("object", {"no such": "thing"}),
)


def nonsense(field: Json, schema: Json) -> Any:
    """A value of a type that a field of a JSON Schema does not take; None where it takes any."""
    types = json_types(field, schema)
    return next((value for type_, value in NONSENSE if types and type_ not in types), None)


def refused(kind: Kind, params: Json) -> set[str]:
    """The top fields of the params that the kind does not take."""
    try:
        kind.validate(params)
    except ValueError as error:
        listed: list[Any] = getattr(error, "errors", list)()
        return {str(each["loc"][0]) for each in listed if each["loc"]}
    return set()


def drawn_metrics(panel: Panel) -> set[str]:
    """The metrics that a panel draws."""
    found: set[str] = set()
    for field in fields(panel):
        value = getattr(panel, field.name)
        if field.name == "metrics":
            found |= set(value)
        elif field.name == "metric" and value:
            found.add(value)
    return found


def families_of(kind: Kind) -> tuple[str, ...]:
    """How the names of item fields begin that a panel takes by their beginning, such as `param_`."""
    fields_ = [
        field for panel in kind.panels if isinstance(panel, ParallelCoordinates) for field in panel.fields
    ]
    return tuple(field.removesuffix("*") for field in fields_ if field.endswith("*"))


def resolved(field: Json, schema: Json) -> list[Json]:
    """What a field of a JSON Schema may be, without references and choices."""
    if "$ref" in field:
        return resolved(schema["$defs"][field["$ref"].rpartition("/")[2]], schema)
    choices = [each for word in ("anyOf", "oneOf", "allOf") for each in field.get(word, ())]
    return [found for each in choices for found in resolved(each, schema)] if choices else [field]


def json_types(field: Json, schema: Json) -> set[str]:
    """The JSON types that a field takes; empty: any, or unknown."""
    found: set[str] = set()
    for each in resolved(field, schema):
        if "enum" in each or "const" in each:
            found.add("enum")
        elif "type" not in each:
            return set()
        else:
            found |= set(each["type"]) if isinstance(each["type"], list) else {each["type"]}
    return found


def is_explained(field: Json, schema: Json) -> bool:
    """Whether a field has a title and a description of its own or of its type."""
    described = [field, *resolved(field, schema)]
    return bool(field.get("title") or "$ref" in field) and any(each.get("description") for each in described)
