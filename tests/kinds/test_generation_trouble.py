"""A batch meets its limits, and models, topics and schemas that fail."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.generation.backend import Request
from pilothouse.kinds.generation.job import NothingKept, run
from pilothouse.kinds.generation.params import Params
from pilothouse.kinds.patience import NoModelLeft
from pilothouse.llm.client import Answer
from pilothouse.llm.errors import KeyRejected, ModelError, RequestRefused, ServerFault
from tests.kinds.batches import Written, batch, kept_lines, notes, rows, verdicts, work
from tests.kinds.conftest import Begin
from tests.sdk.link_server import LinkServer

# Limits


def pause_and_raise(server: LinkServer, **live: Any) -> tuple[threading.Thread, list[tuple[int, str | None]]]:
    """Wait for the pause, look, raise a limit and resume."""
    seen: list[tuple[int, str | None]] = []

    def raise_it() -> None:
        server.wait_for(lambda: server.status() == "paused")
        seen.append((len(rows(server)), server.log.run.notice))
        server.set_live(**live)
        server.resume()

    raising = threading.Thread(target=raise_it, daemon=True)
    raising.start()
    return raising, seen


def test_a_spent_budget_pauses_the_batch_until_it_is_raised(begin: Begin, server: LinkServer) -> None:
    handle = begin(batch(budget=0.001, concurrency=1), Params)
    _, seen = pause_and_raise(server, budget=100.0)

    work(handle)

    ((paused_at, notice),) = seen
    assert 0 < paused_at < 12
    assert notice == (
        f"Paused at your limit of $0.001 ({paused_at} of 12 samples kept). Raise the budget and resume, or cancel."
    )
    assert [body.rule for body in server.bodies("guard.tripped")] == ["budget"]
    assert verdicts(server) == {"kept": 12}


def test_a_budget_that_the_last_sample_spends_pauses_nothing(begin: Begin, server: LinkServer) -> None:
    work(begin(batch(budget=1e-9, target=1), Params))

    assert server.bodies("guard.tripped") == []
    assert verdicts(server) == {"kept": 1}


def test_spent_time_pauses_the_batch_and_only_work_counts(begin: Begin, server: LinkServer) -> None:
    handle = begin(batch(time_limit_seconds=1e-9, concurrency=1), Params)
    _, seen = pause_and_raise(server, time_limit_seconds=3600.0)

    work(handle)

    assert [body.rule for body in server.bodies("guard.tripped")] == ["time"]
    assert 0 < seen[0][0] < 12
    assert "Raise the time limit and resume" in (seen[0][1] or "")
    spent = sum(body.seconds for body in rows(server).values())
    assert 0 < server.bodies("state.saved")[-1].state["seconds"] <= spent


# What fails


def test_the_next_model_is_asked_when_one_does_not_answer(begin: Begin, server: LinkServer) -> None:
    errors: dict[str, ModelError] = {"first": ServerFault("first has a fault (HTTP 500).")}

    backend = work(begin(batch(concurrency=1), Params), errors=errors)

    assert verdicts(server) == {"kept": 12}
    assert {body.data["model"] for body in rows(server).values()} == {"second"}
    assert sum(request.model == "first" for request in backend.asked) == 3
    assert notes(server, "backup") == [
        "first is left alone for 300 s, others are asked: first has a fault (HTTP 500)."
    ]


def test_a_model_that_was_left_alone_is_tried_again(begin: Begin, server: LinkServer) -> None:
    class Recovers(Written):
        def ask(self, request: Request) -> Answer:
            if len(self.asked) == 5:
                self.errors = {}
            return super().ask(request)

    backend = work(
        begin(batch(concurrency=1), Params),
        Recovers,
        is_timed=True,
        errors={"first": ServerFault("first has a fault (HTTP 500).")},
    )

    assert verdicts(server) == {"kept": 12}
    assert [request.model for request in backend.asked] == [
        *["first", "second"] * 3, "second", "second", *["first"] * 7,
    ]  # fmt: skip


def test_with_every_model_left_alone_the_batch_waits_and_goes_on(begin: Begin, server: LinkServer) -> None:
    class Recovers(Written):
        def ask(self, request: Request) -> Answer:
            if len(self.asked) == 6:
                self.errors = {}
            return super().ask(request)

    work(
        begin(batch(concurrency=1, breaker_seconds=0.3), Params),
        Recovers,
        errors={"any": ServerFault("a fault (HTTP 500).")},
    )

    assert verdicts(server) == {"kept": 12, "failed": 1}
    assert rows(server)["1"].error == "a fault (HTTP 500)."
    assert any(
        text.startswith("Every model is left alone; the next try is in") for text in notes(server, "backup")
    )


def test_a_model_that_rejects_the_key_is_given_up_and_the_next_goes_on(
    begin: Begin, server: LinkServer
) -> None:
    error = KeyRejected("Provider a.com rejected the API key (HTTP 401).", hint="Set KEY.")

    backend = work(begin(batch(concurrency=1), Params), errors={"first": error})

    assert verdicts(server) == {"kept": 12}
    assert sum(request.model == "first" for request in backend.asked) == 5
    assert [body.rule for body in server.bodies("guard.tripped")] == ["gave_up"]


def test_the_run_fails_when_no_model_is_left_and_keeps_what_it_has(begin: Begin, server: LinkServer) -> None:
    class Stops(Written):
        def ask(self, request: Request) -> Answer:
            if len(self.asked) == 4:
                self.errors = {"any": KeyRejected("The key was rejected.", hint="Set KEY.")}
            return super().ask(request)

    with pytest.raises(NoModelLeft) as caught:
        work(begin(batch(concurrency=1), Params), Stops)

    assert str(caught.value) == "The key was rejected. 4 of 12 samples kept, the rest was not tried."
    assert caught.value.hint == "Set KEY."
    assert len(kept_lines(server)) == 4


def test_a_form_that_every_endpoint_refuses_ends_the_run_soon(begin: Begin, server: LinkServer) -> None:
    error = RequestRefused("a.com refused the request (HTTP 400): no response_format.")

    with pytest.raises(NoModelLeft, match="no response_format"):
        work(begin(batch(concurrency=1), Params), errors={"any": error})

    assert len(rows(server)) <= 5


def test_models_without_their_key_are_not_asked_at_all(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    model = {"name": "m", "base_url": "http://127.0.0.1:9/v1", "api_key_env": "NO_SUCH_KEY"}

    with pytest.raises(NoModelLeft, match="NO_SUCH_KEY is not set"):
        run(begin(batch(models=[model]), Params))

    assert rows(server) == {}


def test_a_topic_that_fails_three_times_is_left_alone_and_the_others_go_on(
    begin: Begin, server: LinkServer
) -> None:
    backend = work(begin(batch(concurrency=1), Params), says={"about tort": "I cannot."})

    asked = Counter(request.text.split("about ")[1].split(".")[0] for request in backend.asked)
    assert asked["tort"] == 9
    assert verdicts(server) == {"kept": 12, "failed": 3}
    assert notes(server, "backup") == ["tort is left alone for 300 s: the section Question is missing"]


def test_with_every_topic_left_alone_the_batch_waits_and_tries_again(
    begin: Begin, server: LinkServer
) -> None:
    class Recovers(Written):
        def ask(self, request: Request) -> Answer:
            if 4 <= len(self.asked) < 4 + 27:
                self.asked.append(request)
                return Answer("I cannot.", tokens_in=1, tokens_out=1)
            return super().ask(request)

    work(begin(batch(concurrency=1, breaker_seconds=0.3), Params), Recovers)

    assert verdicts(server) == {"kept": 12, "failed": 9}
    assert any(text.startswith("Every topic is left alone") for text in notes(server, "backup"))


def test_a_model_is_told_what_was_wrong_with_its_reply_and_nothing_of_its_faults(
    begin: Begin, server: LinkServer
) -> None:
    class Trips(Written):
        def ask(self, request: Request) -> Answer:
            if len(self.asked) == 0:
                self.asked.append(request)
                return Answer("I cannot.", tokens_in=1, tokens_out=1)
            self.errors = {"any": ServerFault("a fault (HTTP 500).")} if 1 <= len(self.asked) < 3 else {}
            return super().ask(request)

    backend = work(begin(batch(target=1, concurrency=1), Params), Trips)

    again = ["Your last reply was not taken" in request.text for request in backend.asked]
    assert again == [False, True, True, False]
    assert not any("a fault" in request.text for request in backend.asked)


def test_a_sample_that_cannot_be_kept_is_paid_for_and_stays_in_the_log(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    class Full(Written):
        def ask(self, request: Request) -> Answer:
            with closing(sqlite3.connect(tmp_path / "dataset.db")) as database:
                database.execute("DROP TRIGGER IF EXISTS full")
                if not self.asked:
                    refuse = "BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
                    database.execute(f"CREATE TRIGGER full {refuse}")
            return super().ask(request)

    work(begin(batch(target=1, concurrency=1), Params), Full)

    lost = rows(server)["1"]
    assert verdicts(server) == {"kept": 1, "failed": 1}
    assert "disk is full" in lost.error
    assert lost.data["cost"] > 0
    assert lost.data["sample"]["Question"]


def test_a_schema_that_no_sample_meets_ends_the_run_with_the_reason(begin: Begin, server: LinkServer) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "minLength": 10_000}},
        "required": ["a"],
    }

    with pytest.raises(NothingKept) as caught:
        work(begin(batch(sections=[], sample_schema=schema), Params))

    assert str(caught.value).startswith("None of ")
    assert server.log.run.metrics["failed"] == len(rows(server)) == server.log.run.progress.done
    assert "fewer than 10000" in str(caught.value)
    assert "retry with the new params" in (caught.value.hint or "")


def test_a_batch_that_keeps_nothing_any_more_pauses_and_says_why(begin: Begin, server: LinkServer) -> None:
    class Dries(Written):
        def ask(self, request: Request) -> Answer:
            if server.status() == "running" and len(self.asked) >= 5 and not server.bodies("guard.tripped"):
                self.asked.append(request)
                return Answer("I cannot.", tokens_in=1, tokens_out=1)
            return super().ask(request)

    handle = begin(batch(topics=[], instructions="Write {number}.", concurrency=1, give_up_after=4), Params)
    _, seen = pause_and_raise(server)
    work(handle, Dries)

    assert seen[0][1] and seen[0][1].startswith(
        "4 samples in a row were not kept, the last because: the section"
    )
    assert verdicts(server) == {"kept": 12, "failed": 4}
