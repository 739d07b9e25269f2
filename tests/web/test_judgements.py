"""Keep, drop, flag: what people say of items by hand is in the log, in the items and in the exports."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx2
import pytest

from pilothouse.model import event as e
from tests.web.clients import Job, a_job
from tests.web.serving import Running


@pytest.fixture
def job(server: Running) -> Job:
    """A run that has ended with three items."""
    job = a_job(server)
    job.say(*(e.ItemFinished(key=key, seconds=1, data={"word": key}) for key in ("a", "b/ü", "c")))
    job.say(e.ItemStarted(key="open"), e.RunCompleted())
    return job


def judge(api: httpx2.Client, job: Job, verdict: str | None, *keys: str) -> httpx2.Response:
    return api.post(f"{job.path}/judgements", json={"keys": keys, "verdict": verdict})


def judged(api: httpx2.Client, job: Job) -> dict[str, Any]:
    items = api.get(f"{job.path}/items").json()["items"]
    return {item["key"]: item["judged"] and item["judged"]["verdict"] for item in items}


def test_the_last_word_on_an_item_counts_also_after_the_end(api: httpx2.Client, job: Job) -> None:
    before = api.get(job.path).json()
    judge(api, job, "keep", "a", "b/ü")
    judge(api, job, "flag", "b/ü", "c")
    said = judge(api, job, None, "c")

    assert judged(api, job) == {"a": "keep", "b/ü": "flag", "c": None, "open": None}
    run = api.get(job.path).json()
    assert said.json()["seq"] == run["head"]
    assert (run["status"], run["progress"], run["ended_at"]) == (
        "completed",
        before["progress"],
        before["ended_at"],
    )


def test_the_log_says_who_judged_what(api: httpx2.Client, job: Job) -> None:
    judge(api, job, "drop", "a")

    last = api.get(f"{job.path}/audit").json()["events"][-1]

    assert (last["type"], last["data"]["key"], last["data"]["verdict"]) == ("item.judged", "a", "drop")
    assert last["data"]["actor"]


def test_exports_have_the_judgements_once_there_are_some(api: httpx2.Client, job: Job) -> None:
    plain = api.get(f"{job.path}/export").text
    judge(api, job, "drop", "a")

    rows = list(csv.DictReader(io.StringIO(api.get(f"{job.path}/export").text, newline="")))
    lines = api.get(f"{job.path}/export", params={"format": "jsonl"}).text.splitlines()

    assert "judged" not in plain
    assert [row["judged"] for row in rows] == ["drop", "", ""]
    assert rows[0]["judged_by"]
    assert '"judged":"drop"' in lines[0]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"keys": [], "verdict": "keep"}, 422, "keys"),
        ({"keys": ["a"], "verdict": "good"}, 422, "verdict"),
        ({"keys": ["a"]}, 422, "verdict"),
        ({"keys": ["a", "open"], "verdict": "keep"}, 404, "No item 'open' has finished"),
        ({"keys": [str(number) for number in range(1001)], "verdict": "keep"}, 422, "1 to 1000"),
    ],
)
def test_what_cannot_be_judged_is_refused_and_nothing_is_written(
    api: httpx2.Client, job: Job, body: dict[str, Any], status: int, said: str
) -> None:
    answer = api.post(f"{job.path}/judgements", json=body)

    assert answer.status_code == status
    assert said in str(answer.json()["error"])
    assert set(judged(api, job).values()) == {None}
