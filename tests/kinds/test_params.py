"""Params are checked before a run exists, and every message says the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pilothouse.kinds import builtin
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.config import load_cases, load_params
from pilothouse.kinds.template import fill, placeholders
from tests.kinds.conftest import params


def problems(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Params.model_validate(params() | changes)
    return [(".".join(map(str, error["loc"])), error["msg"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"prompts": []}, "prompts", "add at least one prompt"),
        ({"cases": []}, "cases", "add at least one case"),
        ({"models": []}, "models", "pick at least one model"),
        (
            {"prompts": [{"name": "a", "template": "{coed}"}]},
            "prompts.0.template",
            "prompt a: {coed} is filled by no case; the cases have code, id",
        ),
        (
            {"prompts": [{"name": "a", "template": "{vote}"}]},
            "prompts.0.template",
            "prompt a: {vote} would tell the model the true vote; {votes} lists what it may choose from",
        ),
        (
            {"cases": [{"id": "x", "vote": "REAL", "code": ""}, {"id": "x", "vote": "REAL"}]},
            "cases.1.id",
            "'x' is used twice; give each of the cases its own id",
        ),
        (
            {"cases": [{"id": "x", "code": ""}]},
            "cases.0",
            "case x has no vote; add a field vote with the true vote",
        ),
        ({"cases": [{"vote": "REAL"}]}, "cases.0", "this case has no id; give every case an id of its own"),
        (
            {"cases": [{"id": "x", "code": "", "vote": "REEL"}]},
            "cases.0.vote",
            "case x has the vote 'REEL', declared are REAL, WEAKNESS, FALSE_POSITIVE; "
            "correct the case, or declare it under votes",
        ),
        (
            {"models": [{"name": "m"}, {"name": "m"}]},
            "models.1.name",
            "'m' is used twice; give each of the models its own name",
        ),
        (
            {"models": [{"name": "m", "base_url": "example.com"}]},
            "models.0.base_url",
            "'example.com' is no address; use one such as http://127.0.0.1:8000/v1, or offline",
        ),
        (
            {"models": [{"name": "m", "api_key_env": "sk-123"}]},
            "models.0.api_key_env",
            "give the name of an environment variable, such as OPENAI_API_KEY, never the key",
        ),
        (
            {"equal": [["REAL", "NOPE"]]},
            "equal.0",
            "'NOPE' is not among the votes: REAL, WEAKNESS, FALSE_POSITIVE",
        ),
        ({"votes": [{"name": "A"}, "a"]}, "votes", "'a' stands for both A and a; use different words"),
        ({"models": [{"name": "a|b"}]}, "models.0.name", "'a|b' holds a bar (|); use another sign"),
    ],
)
def test_a_message_names_the_field_the_item_and_the_way_out(
    changes: dict[str, Any], field: str, message: str
) -> None:
    assert (field, message) in problems(**changes)


def test_a_vote_may_be_a_number_also_zero() -> None:
    cases = [{"id": 1, "vote": 0, "code": ""}, {"id": 2, "vote": 1, "code": ""}]

    checked = Params.model_validate(params() | {"cases": cases, "votes": [0, 1]})

    assert [case.vote for case in checked.cases] == [vote.name for vote in checked.votes] == ["0", "1"]


def test_of_very_many_problems_the_first_are_told() -> None:
    cases = [{"id": str(n // 2), "vote": "REEL", "code": ""} for n in range(10_000)]

    found = problems(cases=cases)

    assert len(found) == 100
    assert found[0][1] == "'0' is used twice; give each of the cases its own id"


def test_all_problems_are_told_at_once() -> None:
    found = problems(
        prompts=[{"name": "a", "template": "{x}"}, {"name": "b", "template": "{y}"}],
        models=[{"name": "m"}, {"name": "m"}],
    )

    assert [field for field, _ in found] == ["models.1.name", "prompts.0.template", "prompts.1.template"]


def test_without_votes_the_votes_of_the_cases_are_taken() -> None:
    checked = Params.model_validate(params() | {"votes": []})

    assert [vote.name for vote in checked.votes] == ["WEAKNESS", "REAL"]


def test_votes_of_cases_that_differ_in_their_spelling_only_are_one() -> None:
    cases = [
        {"id": str(n), "vote": vote, "code": ""} for n, vote in enumerate(("Not real", "not_real", "REAL"))
    ]

    checked = Params.model_validate(params() | {"votes": [], "cases": cases})

    assert [vote.name for vote in checked.votes] == ["Not real", "REAL"]


def test_checked_params_stay_as_they_are_when_checked_again() -> None:
    once = Params.model_validate(params()).model_dump(mode="json")

    assert Params.model_validate(once).model_dump(mode="json") == once


def test_a_template_fills_names_and_leaves_json_alone() -> None:
    template = 'Say {"vote": {"a": 1}} for {code}, {{code}}, {missing}.'

    assert placeholders(template) == ["code", "missing"]
    assert fill(template, {"code": "x = {y}"}) == 'Say {"vote": {"a": 1}} for x = {y}, {code}, .'


def test_every_field_of_the_form_has_a_title_and_a_default_or_is_required() -> None:
    schema = Params.model_json_schema()

    for name, field in schema["properties"].items():
        assert field.get("title"), name
        assert name in schema["required"] or "default" in field, name
    assert schema["required"] == ["prompts", "cases", "models"]


def test_the_declaration_names_only_what_the_job_reports() -> None:
    kind = builtin()["benchmark"]
    metrics = {metric.name for metric in kind.metrics}

    assert kind.headline in metrics
    assert kind.total is not None
    assert kind.total(kind.validate(params(repeats=3))) == 6 * 2 * 2 * 3


# Files


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.jsonl", '{"id": 1}\nnope\n', "c.jsonl line 2: not JSON: Expecting value"),
        ("c.jsonl", "[1]\n", 'c.jsonl line 1: each line holds one object, such as {"id": …}'),
        ("c.csv", "id,vote\n1,REAL,x\n", "c.csv line 2: not 2 cells, as the heading has"),
        ("c.csv", "id,vote\n1\n", "c.csv line 2: not 2 cells, as the heading has"),
        ("c.json", "[1]", "c.json: record 1 is not an object"),
        ("c.xlsx", "", "c.xlsx: cases are read from .jsonl, .csv and .json files"),
    ],
)
def test_a_bad_file_of_cases_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(ValueError) as caught:
        load_cases(tmp_path / name)

    assert str(caught.value) == message


def test_cases_are_read_from_jsonl_csv_and_json(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"id": "1", "code": "a\\nb"}\n\n')
    (tmp_path / "c.csv").write_text('\ufeffid,code\n1,"a\nb"\n', encoding="utf-8")
    (tmp_path / "c.json").write_text('[{"id": "1", "code": "a\\nb"}]')

    assert [load_cases(tmp_path / f"c.{ext}") for ext in ("jsonl", "csv", "json")] == [
        [{"id": "1", "code": "a\nb"}]
    ] * 3


def test_a_cell_may_hold_what_some_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    code = "a\x0cb\u2028c\x85d"
    (tmp_path / "c.csv").write_text(f"id,code\n1,{code}\n2,x\n", encoding="utf-8")

    assert load_cases(tmp_path / "c.csv") == [{"id": "1", "code": code}, {"id": "2", "code": "x"}]


def test_an_address_is_taken_without_the_spaces_around_it_and_with_none_inside() -> None:
    checked = Params.model_validate(params() | {"models": [{"name": "m", "base_url": " http://a/v1/ "}]})

    assert checked.models[0].base_url == "http://a/v1"
    assert problems(models=[{"name": "m", "base_url": "http://a b"}])[0][0] == "models.0.base_url"


def test_a_config_takes_in_the_files_it_names(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        'cases = "@c.jsonl"\nnote = "@@home"\n[[prompts]]\nname = "p"\ntemplate = "@p.md"\n'
    )
    (tmp_path / "c.jsonl").write_text('{"id": "1"}\n')
    (tmp_path / "p.md").write_text("Ask.")

    assert load_params(tmp_path / "a.toml") == {
        "cases": [{"id": "1"}],
        "note": "@home",
        "prompts": [{"name": "p", "template": "Ask."}],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"prompts": [{"template": "@gone.md"}]}', "prompts.0.template: {folder}/gone.md: cannot be read"),
        ('{"cases": "@bad.jsonl"}', "cases: bad.jsonl line 1: not JSON"),
        ('{"cases": ', "{folder}/a.json line 1: not JSON"),
        ("[]", "{folder}/a.json: params are an object"),
    ],
)
def test_a_config_that_cannot_be_read_names_key_and_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "bad.jsonl").write_text("nope")

    with pytest.raises(ValueError) as caught:
        load_params(tmp_path / "a.json")

    assert str(caught.value).startswith(message.format(folder=tmp_path))
