"""Samples are read out of whatever a model writes, and checked against their schema."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kinds.generation.form import Form, Unfit, text_of
from pilothouse.kinds.generation.schema import faults, violation

QA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "minLength": 5},
        "answer": {"type": "string", "maxLength": 40},
        "level": {"enum": ["easy", "hard"]},
        "sources": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": True},
        "year": {"type": "integer", "minimum": 1900},
    },
    "required": ["question", "answer"],
    "additionalProperties": False,
}
GOOD = {"question": "Who pays?", "answer": "The tenant."}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"level": "easy", "sources": ["a", "b"], "year": 1999}, None),
        ({"year": 1999.0}, None),
        ({"answer": 5}, "answer is no string"),
        ({"question": "Who"}, "question has 3 characters, fewer than 5"),
        ({"answer": "x" * 41}, "answer has 41 characters, more than 40"),
        ({"level": "medium"}, "level is none of easy, hard"),
        ({"sources": ["a", "b", "c"]}, "sources has 3 entries, out of its limits"),
        ({"sources": ["a", "a"]}, "sources holds an entry twice"),
        ({"sources": ["a", 1]}, "sources[1] is no string"),
        ({"year": 1800}, "year is 1800, out of its limits"),
        ({"year": 1999.5}, "year is no integer"),
        ({"year": True}, "year is no integer"),
        ({"year": float("inf")}, "year is no integer"),
        ({"more": 1}, "more is not asked for"),
    ],
)
def test_a_sample_is_checked_against_its_schema(change: dict[str, Any], why: str | None) -> None:
    assert violation(GOOD | change, QA) == why


def test_what_is_required_and_missing_is_named() -> None:
    assert violation({"question": "Who pays?"}, QA) == "answer is missing"
    assert violation([], QA) == "the sample is no object"


@pytest.mark.parametrize(
    ("schema", "place", "why"),
    [
        ("text", "", "must be an object"),
        ({"anyOf": []}, "", "'anyOf' is not known here"),
        ({"type": "text"}, "", "there is no type 'text'"),
        ({"enum": []}, "", "enum must list at least one value"),
        ({"type": "string", "enum": [1, 2]}, "", "none of its values is of the type string"),
        ({"properties": {"a": {"minLength": 9, "maxLength": 3}}}, "a", "minLength 9 is above maxLength 3"),
        ({"properties": {"a": {"minLength": "9"}}}, "a", "minLength must be a whole number"),
        ({"properties": {"a": {"pattern": "("}}}, "a", "pattern is no regular expression"),
        ({"items": {"minimum": 2, "maximum": 1}}, "[]", "minimum 2 is above maximum 1"),
        (
            {"required": ["a"], "additionalProperties": False},
            "",
            "'a' is required, is none of the properties",
        ),
        ({"properties": []}, "", "properties must be an object"),
        ({"required": "a"}, "", "required must be a list"),
    ],
)
def test_a_schema_that_no_sample_can_meet_is_found(schema: Any, place: str, why: str) -> None:
    ((where, words),) = faults(schema)

    assert (where, why in words) == (place, True), words


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "text", "enum": ["a"]}, "there is no type 'text'"),
        ({"type": 5}, "type must be a name or a list of names"),
        ({"required": [{}], "additionalProperties": False}, "required must be a list of names"),
        ({"minLength": float("inf")}, "minLength must be a whole number"),
        ({"maxItems": float("nan")}, "maxItems must be a whole number"),
    ],
)
def test_a_schema_that_is_none_is_told_and_breaks_nothing(schema: Any, why: str) -> None:
    ((_, words),) = faults({"properties": {"a": schema}})

    assert why in words


keywords = st.sampled_from(
    [*QA, "items", "enum", "const", "pattern", "minLength", "maximum", "uniqueItems", "a"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["object", "string", "("]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keywords, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keywords, anything, max_size=5), anything)
def test_any_schema_is_refused_or_checks_any_sample(schema: dict[str, Any], sample: Any) -> None:
    if not list(faults(schema)):
        violation(sample, schema)


def test_a_sample_that_is_nested_too_deep_is_refused() -> None:
    depth = sys.getrecursionlimit() // 2
    reply = '{"a": ' * depth + "1" + "}" * depth

    for recursion in (depth, 10 * depth):
        reply = '{"a": ' * recursion + "1" + "}" * recursion
        with suppress(Unfit):
            Form({"type": "object", "properties": {"a": {}}}, ()).read(reply)


def test_a_schema_without_fault_has_none() -> None:
    assert list(faults(QA)) == []


@pytest.mark.parametrize(
    "reply",
    [
        json.dumps(GOOD),
        f"Here it is:\n```json\n{json.dumps(GOOD)}\n```\nI hope it helps.",
        f'<think>{{"question": 1}}</think>{json.dumps(GOOD)}',
        f'{{"note": 1}} {json.dumps(GOOD)}',
    ],
)
def test_the_object_that_meets_the_schema_is_taken(reply: str) -> None:
    assert Form(QA, ()).read(reply) == GOOD


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "the reply is empty"),
        ("<think>hm", "the reply is empty"),
        ("I would rather not.", "the reply holds no JSON object"),
        ('{"question": "Who pays?"}', "answer is missing"),
        ('{"question": "Who pays?", "answer": "The', "the reply holds no JSON object"),
    ],
)
def test_a_reply_without_a_sample_says_why(reply: str, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        Form(QA, ()).read(reply)


def test_what_json_or_utf8_does_not_know_gets_into_no_file() -> None:
    form = Form({"type": "object", "properties": {"a": {}}}, ())

    with pytest.raises(Unfit, match="NaN or Infinity"):
        form.read('{"a": [NaN]}')

    assert form.read('{"a": "half \\ud800 pair"}') == {"a": "half ? pair"}
    assert Form(None, ()).read("half \ud800 pair") == {"text": "half ? pair"}


@pytest.mark.parametrize(
    "reply",
    [
        "## Question\nWho pays?\n\n## Answer\nThe tenant.",
        "Sure!\n**Question:** Who pays?\n**Answer:** The tenant.",
        "question: Who pays?\nANSWER: The tenant.",
        "### Answer:\nThe tenant.\n### Question:\nWho pays?",
    ],
)
def test_sections_are_found_by_their_headings(reply: str) -> None:
    assert Form(None, ("Question", "Answer")).read(reply) == {
        "Question": "Who pays?",
        "Answer": "The tenant.",
    }


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("## Question\nWho pays?", "the section Answer is missing"),
        ("## Question\n## Answer\nThe tenant.", "the section Question is empty"),
        ("The question is who pays, the answer is the tenant.", "the section Question is missing"),
    ],
)
def test_a_missing_or_empty_section_is_named(reply: str, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        Form(None, ("Question", "Answer")).read(reply)


def test_without_schema_and_sections_the_whole_reply_is_the_sample() -> None:
    assert Form(None, ()).read(" A story. ") == {"text": "A story."}
    assert text_of({"text": "A story."}) == "A story."
    assert text_of({"q": "Why?", "n": [1]}) == "q: Why?\n\nn: [1]"


@given(st.text())
def test_whatever_a_model_writes_is_read_or_refused(reply: str) -> None:
    for form in (Form(QA, ()), Form(None, ("Question", "Answer")), Form(None, ())):
        try:
            assert form.read(reply)
        except Unfit as error:
            assert str(error)
