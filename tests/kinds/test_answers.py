"""Votes are read out of whatever a model writes, and nothing it writes breaks the reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kinds.benchmark.answers import AnswerFormat, parse, response_format
from pilothouse.kinds.benchmark.votes import Ballot
from pilothouse.kinds.replies import objects, without_thinking

VOTES = [("REAL", ["TP"]), ("FALSE_POSITIVE", ["FP"]), ("WEAKNESS", []), ("NEEDS_VERIFIED", ["VERIFY"])]
BALLOT = Ballot.of(VOTES, [["FALSE_POSITIVE", "WEAKNESS"]])


@pytest.mark.parametrize(
    ("text", "vote"),
    [
        ("*VOTE: REAL", "REAL"),
        ("It is safe.\n*VOTE: FP", "FALSE_POSITIVE"),
        ("**VOTE:** False positive", "FALSE_POSITIVE"),
        ("VOTE = needs-verified.", "NEEDS_VERIFIED"),
        ("*VOTE: `REAL` because of line 3", "REAL"),
        ("I first thought *VOTE: REAL\nbut no.\n*VOTE: WEAKNESS", "WEAKNESS"),
        ("<think>*VOTE: REAL</think>*VOTE: FP", "FALSE_POSITIVE"),
        ("long thoughts, *VOTE: REAL</think>\n*VOTE: FP", "FALSE_POSITIVE"),
        ("*vote: tp\r\n", "REAL"),
    ],
)
def test_a_marker_names_the_vote(text: str, vote: str) -> None:
    parsed = parse(text, BALLOT)

    assert (parsed.vote, parsed.error) == (vote, None)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "the answer is empty"),
        ("REAL", "no marker *VOTE: in the answer"),
        ("*VOTE: MAYBE", "'MAYBE' is none of the votes"),
        ("*VOTE:", "nothing follows the marker *VOTE:"),
        ("<think>it goes on and on *VOTE: REAL", "the answer ends within its thinking"),
    ],
)
def test_an_answer_without_a_vote_says_why(text: str, error: str) -> None:
    parsed = parse(text, BALLOT)

    assert (parsed.vote, parsed.error) == (None, error)


def test_a_marker_answer_keeps_reasons_and_confidence() -> None:
    parsed = parse("The value is bound.\nCONFIDENCE: 85 %\n*VOTE: FP", BALLOT)

    assert parsed.reasoning.startswith("The value is bound.")
    assert parsed.confidence == 0.85


@pytest.mark.parametrize(
    ("text", "vote", "confidence"),
    [
        ('{"vote": "REAL", "confidence": 0.9}', "REAL", 0.9),
        (
            'Sure:\n```json\n{"reasoning": "x", "verdict": "fp", "confidence": "70%"}\n```',
            "FALSE_POSITIVE",
            0.7,
        ),
        ('{"note": {"vote": "REAL"}} {"vote": "WEAKNESS", "confidence": 95}', "WEAKNESS", 0.95),
        ('{broken {"Vote": "tp"}', "REAL", None),
    ],
)
def test_an_object_names_the_vote(text: str, vote: str, confidence: float | None) -> None:
    parsed = parse(text, BALLOT, "json")

    assert (parsed.vote, parsed.confidence, parsed.error) == (vote, confidence, None)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("no object", "no JSON object in the answer"),
        ('{"a": 1}', "the JSON object holds no vote"),
        ('{"vote": ["REAL"]}', "\"['REAL']\" is none of the votes"),
    ],
)
def test_an_object_without_a_vote_says_why(text: str, error: str) -> None:
    assert parse(text, BALLOT, "schema").error == error


@given(
    text=st.text(alphabet=st.sampled_from('{}[]":,*VOTE vote<>think/REAL09.%\n\\u')),
    form=st.sampled_from(["marker", "json", "schema"]),
)
def test_parsing_never_raises(text: str, form: AnswerFormat) -> None:
    parsed = parse(text, BALLOT, form)

    assert (parsed.vote is None) == (parsed.error is not None)
    assert parsed.confidence is None or 0 <= parsed.confidence <= 1


@pytest.mark.parametrize(
    "text", ['{"a":' * 20_000, "<think>" * 50_000, "{" * 100_000, '{"confidence": ' + "9" * 5000 + "}"]
)
@pytest.mark.parametrize("form", ["marker", "json"])
@pytest.mark.timeout(5)
def test_a_hostile_answer_neither_breaks_nor_stalls_the_reader(text: str, form: AnswerFormat) -> None:
    assert parse(text, BALLOT, form).vote is None


@given(said=st.lists(st.text(alphabet="abc \n"), min_size=1), thought=st.text(alphabet="xyz *VOTE:"))
def test_thinking_is_taken_out_wherever_it_stands(said: list[str], thought: str) -> None:
    text = f"<think>{thought}</think>".join(said)

    assert without_thinking(text)[0] == "".join(said)


def test_an_object_behind_hundreds_of_braces_is_found() -> None:
    said = "void f() { g(); }\n" * 500

    assert objects(said + '{"vote": "REAL"}') == [{"vote": "REAL"}]


def test_the_schema_allows_the_votes_and_nothing_else() -> None:
    asked = response_format("schema", BALLOT)

    assert asked is not None
    assert asked["json_schema"]["schema"]["properties"]["vote"]["enum"] == list(BALLOT.names)
    assert json.dumps(asked)
    assert response_format("marker", BALLOT) is None


def test_equal_votes_are_one_group_and_no_vote_is_equal_to_nothing() -> None:
    assert BALLOT.same("WEAKNESS", "FALSE_POSITIVE")
    assert not BALLOT.same("REAL", "FALSE_POSITIVE")
    assert not BALLOT.same(None, None)


def test_groups_that_share_a_vote_become_one() -> None:
    ballot = Ballot.of([(name, ()) for name in "ABCD"], [["B", "A"], ["C", "B"]])

    assert ballot.same("A", "C")
    assert not ballot.same("A", "D")


def test_one_word_cannot_stand_for_two_votes() -> None:
    with pytest.raises(ValueError, match="'yes' stands for both A and B"):
        Ballot.of([("A", ["YES"]), ("B", ["yes"])])


def test_a_vote_that_is_a_number_may_be_answered_as_one() -> None:
    ballot = Ballot.of((name, ()) for name in ("0", "1"))

    assert parse('{"vote": 0}', ballot, "json").vote == "0"
    assert parse('{"vote": true}', ballot, "json").vote is None
