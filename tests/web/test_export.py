"""Exports: every item, in three formats, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.model import event as e
from pilothouse.web import export
from pilothouse.web.export import Export, Format, cell
from tests.web.clients import Job, a_job, call
from tests.web.serving import Running, running

FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"]


@pytest.fixture(scope="module")
def job(server: Running) -> Job:
    """A run with plain, failed and hostile items."""
    job = a_job(server)
    job.say(
        e.ItemFinished(key="a", seconds=0.5, data={"word": "one", "square": 4, "more": [1, 2]}),
        e.ItemFinished(key="b", seconds=1, ok=False, error='broke, "twice"\nhere', data={"word": "two"}),
        e.ItemFinished(
            key="c",
            seconds=1,
            possible_duplicate=True,
            data={"word": "ü→", "square": -3, "key": "hidden", "yes": True},
        ),
    )
    for formula in FORMULAS:
        job.say(e.ItemFinished(key=formula, seconds=0, data={"word": formula, formula: 1}))
    job.say(e.ItemStarted(key="open"))
    return job


def rows(text: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.rows("S1.84")
def test_csv_has_the_declared_columns_first_and_every_finished_item(api: httpx2.Client, job: Job) -> None:
    answer = api.get(f"{job.path}/export")

    read = rows(answer.text)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{job.id}.csv"'
    assert list(read[0])[:5] == ["key", "state", "seconds", "error", "possible_duplicate"]
    assert list(read[0])[5:8] == ["word", "square", "more"]
    assert [row["possible_duplicate"] for row in read[:3]] == ["false", "false", "true"]
    assert [row["key"] for row in read[:3]] == ["a", "b", "c"]
    assert (read[0]["word"], read[0]["square"], read[0]["more"]) == ("one", "4", "[1,2]")
    assert (read[1]["state"], read[1]["error"]) == ("failed", 'broke, "twice"\nhere')
    assert (read[2]["word"], read[2]["square"], read[2]["yes"]) == ("ü→", "-3", "true")
    assert len(read) == 3 + len(FORMULAS)


def test_no_cell_of_a_csv_is_a_formula_its_header_included(api: httpx2.Client, job: Job) -> None:
    cells = [
        text
        for row in csv.reader(io.StringIO(api.get(f"{job.path}/export").text, newline=""))
        for text in row
    ]

    for text in cells:
        assert not text.startswith(("=", "+", "@", "\t", "\r")), text
        assert not text.startswith("-") or float(text) == -3


@pytest.mark.rows("S1.85")
@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_json_holds_every_finished_item_as_one_flat_object(
    api: httpx2.Client, job: Job, format_: str
) -> None:
    text = api.get(f"{job.path}/export?format={format_}").text

    whole = format_ == "json"
    items = json.loads(text)["items"] if whole else [json.loads(line) for line in text.splitlines()]
    assert [item["key"] for item in items] == ["a", "b", "c", *FORMULAS]
    assert items[0] == {
        "word": "one",
        "square": 4,
        "more": [1, 2],
        "key": "a",
        "state": "done",
        "seconds": 0.5,
        "error": None,
        "possible_duplicate": False,
    }
    assert items[2]["possible_duplicate"] is True
    assert not whole or json.loads(text)["run"]["id"] == job.id


def test_an_empty_run_exports_an_empty_table(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    texts = [api.get(f"{job.path}/export?format={name}").text for name in ("csv", "json", "jsonl")]

    assert texts[0] == "key,state,seconds,error,possible_duplicate,word,square\r\n"
    assert json.loads(texts[1])["items"] == []
    assert texts[2] == ""


def test_thousands_of_items_come_whole_and_in_order(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    for start in range(0, 4500, 500):
        job.say(*(e.ItemFinished(key=f"k{n}", seconds=0) for n in range(start, start + 500)))

    read = rows(api.get(f"{job.path}/export").text)

    assert [row["key"] for row in read] == [f"k{n}" for n in range(4500)]


def test_a_field_that_only_the_last_item_has_is_a_column_of_all(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    for start in range(0, 2000, 500):
        job.say(*(e.ItemFinished(key=f"k{n}", seconds=0) for n in range(start, start + 500)))
    job.say(e.ItemFinished(key="last", seconds=0, data={"late": 7}))

    read = rows(api.get(f"{job.path}/export").text)

    assert (len(read), read[0]["late"], read[-1]["late"]) == (2001, "", "7")


@pytest.mark.parametrize("format_", ["csv", "json", "jsonl"])
def test_what_finishes_while_a_file_is_sent_is_left_out(server: Running, format_: Format) -> None:
    job = a_job(server)
    job.say(*(e.ItemFinished(key=f"k{n}", seconds=0) for n in range(900)))
    file = Export(server.server.context, job.run, {})

    async def sent() -> bytes:
        chunks = file.chunks(format_)
        first = await anext(chunks)
        for turn in range(3):
            late = (e.ItemFinished(key=f"late{turn}-{n}", seconds=0) for n in range(900))
            await server.server.context.engine.append(job.id, *late)
        return first + b"".join([chunk async for chunk in chunks])

    text = call(server, sent()).decode()

    assert "k899" in text
    assert "late" not in text
    assert format_ != "json" or len(json.loads(text)["items"]) == 900


def test_a_file_takes_the_memory_of_a_few_pages_however_long_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_PAGE", 50)
    with running(tmp_path, database=f"sqlite:///{tmp_path}/p.db", lease_seconds=600) as server:
        job = a_job(server)
        for start in range(0, 1_000, 200):
            data = {"text": "x" * 10_000}
            job.say(*(e.ItemFinished(key=f"k{n}", seconds=0, data=data) for n in range(start, start + 200)))
        file = Export(server.server.context, job.run, {})

        async def measured(format_: Format) -> tuple[int, int]:
            size = 0
            tracemalloc.start()
            try:
                async for chunk in file.chunks(format_):
                    size += len(chunk)
                return size, tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        found = {name: call(server, measured(name)) for name in ("csv", "json", "jsonl")}

    assert all(size > 10_000_000 for size, _ in found.values())
    assert all(peak < 5_000_000 for _, peak in found.values()), found


def test_an_unknown_format_is_refused(api: httpx2.Client, job: Job) -> None:
    answer = api.get(f"{job.path}/export?format=xlsx")

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "format"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_whatever_a_job_says_no_cell_is_a_formula(value: Any) -> None:
    written = io.StringIO()
    csv.writer(written).writerow([cell(value), "end"])

    read = next(csv.reader(io.StringIO(written.getvalue(), newline="")))
    if isinstance(value, int | float) and not isinstance(value, bool):
        assert read[0] == str(value)
    else:
        assert not read[0].startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text())
def test_a_quoted_cell_keeps_its_text(text: str) -> None:
    assert cell(text) in (text, "'" + text)
