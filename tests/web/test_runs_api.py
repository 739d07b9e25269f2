"""Make, check, read, list, edit and delete runs over HTTP."""

from __future__ import annotations

import httpx2
import pytest

from pilothouse.model import event as e
from tests.web.clients import Json, a_job, a_run
from tests.web.serving import Running


def test_a_new_run_is_whole_with_its_defaults(api: httpx2.Client) -> None:
    answer = api.post("/api/runs", json={"kind": "counting", "name": "n", "tags": ["a"], "priority": 2})

    run = answer.json()
    assert answer.status_code == 201
    assert run["id"].startswith("count_")
    assert run["params"] == {"count": 3, "word": "one", "speed": 1.0}
    assert (run["name"], run["tags"], run["priority"], run["status"]) == ("n", ["a"], 2, "queued")
    assert (run["head"], run["attempt"], run["pending"], run["request"]) == (1, 0, None, None)


def test_a_dry_run_checks_and_makes_nothing(api: httpx2.Client) -> None:
    before = api.get("/api/runs").json()["total"]

    answer = api.post("/api/runs?dry_run=1", json={"kind": "counting", "params": {"count": 7}})

    assert answer.status_code == 200
    assert answer.json() == {
        "params": {"count": 7, "word": "one", "speed": 1.0},
        "total": 7,
        "unit": "step",
        "units": "steps",
    }
    assert api.get("/api/runs").json()["total"] == before


def test_the_same_idempotency_key_answers_the_same_run(api: httpx2.Client) -> None:
    body, headers = {"kind": "counting"}, {"Idempotency-Key": "once"}

    first = api.post("/api/runs", json=body, headers=headers)
    second = api.post("/api/runs", json=body, headers=headers)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


MALFORMED: list[tuple[Json, str]] = [
    ({}, "kind"),
    ({"kind": "none"}, "kind"),
    ({"kind": 3}, "kind"),
    ({"kind": "counting", "params": {"count": -1}}, "count"),
    ({"kind": "counting", "params": {"count": "x"}}, "count"),
    ({"kind": "counting", "params": {"cuont": 1}}, "cuont"),
    ({"kind": "counting", "params": []}, "params"),
    ({"kind": "counting", "name": ""}, "name"),
    ({"kind": "counting", "name": "x" * 201}, "name"),
    ({"kind": "counting", "tags": [""]}, "tags.0"),
    ({"kind": "counting", "tags": ["t"] * 21}, "tags"),
    ({"kind": "counting", "priority": 101}, "priority"),
    ({"kind": "counting", "colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("body", "field"), MALFORMED)
def test_a_malformed_run_is_refused_by_the_name_of_its_field(
    api: httpx2.Client, body: Json, field: str
) -> None:
    answer = api.post("/api/runs", json=body)

    error = answer.json()["error"]
    assert answer.status_code == 422
    assert error["field"] == field
    assert error["message"].startswith(field)


@pytest.mark.parametrize("text", ["{", "", "[]", "null", '"x"', "nonsense", '{"kind": "counting"', "\x00"])
@pytest.mark.parametrize("path", ["/api/runs", "/api/controls", "/api/sign-in"])
def test_a_body_that_is_no_object_is_refused_in_words(api: httpx2.Client, path: str, text: str) -> None:
    answer = api.post(path, content=text, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "body"


HOSTILE = [
    '{"kind": "counting", "params": {"word": "\\ud800"}}',
    '{"kind": "counting", "name": "\\ud800"}',
    '{"kind": "counting", "params": ' + '{"a":' * 500 + "1" + "}" * 500 + "}",
    '{"kind": "counting", "params": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
    '{"kind": "counting", "params": {"count": ' + "9" * 5000 + "}}",
    '{"kind": "counting", "params": {"count": NaN}}',
    '{"kind": "counting", "priority": 1e999}',
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_json_is_refused_and_breaks_nothing(api: httpx2.Client, text: str) -> None:
    answer = api.post("/api/runs", content=text, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422), answer.text
    assert api.get("/api/health").status_code == 200


def test_params_above_their_limit_are_too_large(server: Running, api: httpx2.Client) -> None:
    large, job = {"word": "x" * 300_000}, a_run(server)

    answers = [
        api.post("/api/runs", json={"kind": "counting", "params": large}),
        api.patch(job.path, json={"params": large}),
        api.post("/tuning/runs", json={"prompts": [large], "models": []}),
    ]

    assert [answer.status_code for answer in answers] == [413] * 3
    assert [answer.json()["error"]["field"] for answer in answers] == ["params"] * 3


def test_a_run_is_found_by_id_beginning_number_and_name(server: Running, api: httpx2.Client) -> None:
    job = a_run(server, name="findable")
    number = job.run.number

    found = [
        api.get(f"/api/runs/{reference}").json()["id"]
        for reference in (job.id, job.id[:-3], str(number), f"%23{number}", "findable", "@last")
    ]

    assert found == [job.id] * 6


def test_a_reference_that_fits_several_runs_names_them(server: Running, api: httpx2.Client) -> None:
    jobs = [a_run(server, name="twin") for _ in range(2)]

    answer = api.get("/api/runs/twin")

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "ambiguous"
    assert all(job.id in answer.json()["error"]["message"] for job in jobs)


CALLS = [
    ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/cancel"),
    ("POST", "/retry"), ("GET", "/events"), ("GET", "/items"), ("GET", "/metrics"), ("GET", "/audit"),
    ("GET", "/watchers"), ("GET", "/artifacts"), ("GET", "/artifacts/x"), ("GET", "/export"),
    ("GET", "/assignment?attempt=1"), ("GET", "/controls?attempt=1"),
    ("POST", "/artifacts/x?attempt=1"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "reference", ["count_1_00000000", "999999", "nobody", "%20", "..%2f..", "%00", "'; --"]
)
def test_an_unknown_run_is_not_found(api: httpx2.Client, method: str, path: str, reference: str) -> None:
    body: Json | None = {} if method in ("POST", "PATCH") else None

    answer = api.request(method, f"/api/runs/{reference}{path}", json=body)

    assert answer.status_code == 404, answer.text
    assert answer.json()["error"]["code"] == "not_found"


def test_lists_are_newest_first_without_params_and_in_pages(server: Running, api: httpx2.Client) -> None:
    ids = [a_run(server, tags=["paged"]).id for _ in range(5)]

    seen: list[str] = []
    before, pages = None, 0
    while pages == 0 or before is not None:
        query = "/api/runs?tag=paged&limit=2" + (f"&before={before}" if before else "")
        page = api.get(query).json()
        seen += [run["id"] for run in page["runs"]]
        before, pages = page["before"], pages + 1
        assert page["total"] == 5
        assert all("params" not in run for run in page["runs"])

    assert seen == ids[::-1]
    assert pages == 3


def test_lists_are_filtered(server: Running, api: httpx2.Client) -> None:
    waiting = a_run(server, tags=["filtered"], name="needle in hay")
    done = a_job(server, tags=["filtered"])
    done.say(e.RunCompleted())

    def ids(query: str) -> list[str]:
        return [run["id"] for run in api.get(f"/api/runs?tag=filtered&{query}").json()["runs"]]

    assert ids("status=queued") == [waiting.id]
    assert ids("status=completed&status=failed") == [done.id]
    assert ids("q=needle") == [waiting.id]
    assert ids("kind=other") == []
    assert ids(f"owner={waiting.run.owner}") == [done.id, waiting.id]
    assert ids("owner=nobody") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "status=done",
        "before=x",
        "before=99999999999999999999999",
        "before=-1",
    ],
)
def test_a_malformed_filter_is_refused_by_name(api: httpx2.Client, query: str) -> None:
    answer = api.get(f"/api/runs?{query}")

    assert answer.status_code == 422
    assert answer.json()["error"]["field"].startswith(query.partition("=")[0])


def test_a_name_tags_and_live_params_are_changed_and_recorded(server: Running, api: httpx2.Client) -> None:
    job = a_job(server, tags=["x"])

    answer = api.patch(job.path, json={"name": "new", "tags": ["y", "z"], "params": {"speed": 2.5}})

    run = answer.json()
    assert answer.status_code == 200
    assert (run["name"], run["tags"], run["params"]["speed"]) == ("new", ["y", "z"], 2.5)
    audit = api.get(f"{job.path}/audit").json()["events"]
    assert [event["type"] for event in audit[-2:]] == ["params.changed", "run.edited"]
    assert all(event["data"]["actor"] == run["owner"] for event in audit[-2:])


def test_a_param_that_is_not_live_stays_and_nothing_else_changes(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    answer = api.patch(job.path, json={"name": "new", "params": {"count": 4}})

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "count"
    assert "speed" in answer.json()["error"]["hint"]
    assert job.run.head == 2


def test_nothing_to_change_writes_nothing(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    assert api.patch(job.path, json={}).status_code == 200

    assert job.run.head == 2


def test_only_an_ended_run_is_deleted_and_its_files_with_it(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    api.post(f"{job.path}/artifacts/a.txt?attempt=1", content=b"text")
    folder = server.server.context.folder(job.id)

    early = api.delete(job.path)
    job.say(e.RunCompleted())
    kept = folder.exists()
    late = api.delete(job.path)

    assert early.status_code == 409
    assert kept
    assert late.status_code == 204
    assert api.get(job.path).status_code == 404
    assert not folder.exists()


def test_kinds_declare_themselves(api: httpx2.Client) -> None:
    kinds = api.get("/api/kinds").json()["kinds"]

    assert [kind["name"] for kind in kinds] == ["counting"]
    assert kinds[0]["params_schema"]["properties"]["count"]["maximum"] == 100_000
    assert kinds[0]["live_params"] == ["speed"]
    assert kinds[0]["panels"] == [{"type": "Stats", "title": "Numbers", "metrics": ["sum"]}]


def test_stats_count_the_runs(server: Running, api: httpx2.Client) -> None:
    before = api.get("/api/stats").json()
    a_job(server)

    after = api.get("/api/stats").json()

    assert after["runs"]["running"] == before["runs"]["running"] + 1
    assert after["live"] == before["live"] + 1


def test_health_tells_nothing_but_health(server: Running) -> None:
    with server.stranger() as stranger:
        assert set(stranger.get("/api/health").json()) == {"status", "version"}
