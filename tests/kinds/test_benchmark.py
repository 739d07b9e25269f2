"""The loop: rows, resume, finishing early, budget, models that cannot be asked."""

from __future__ import annotations

import threading
import tracemalloc
from itertools import islice
from typing import Any

import pytest

from pilothouse.kinds.benchmark.backend import DeterministicBackend
from pilothouse.kinds.benchmark.job import Benchmark, run
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.benchmark.plan import Plan, Test
from pilothouse.kinds.chat import rate_limits
from pilothouse.kinds.models import Model
from pilothouse.kinds.patience import NoModelLeft
from pilothouse.llm.client import Answer
from pilothouse.llm.errors import KeyRejected, ModelError, RateLimited, TimedOut
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import Fenced
from tests.kinds.conftest import Begin, params
from tests.sdk.link_server import LinkServer


class Chosen(DeterministicBackend):
    """Some tests end in an error; some answers are given."""

    def __init__(
        self, errors: dict[str, ModelError] | None = None, answers: dict[str, str] | None = None
    ) -> None:
        super().__init__(right=100)
        self.errors = errors or {}
        self.answers = answers or {}
        self.asked: list[str] = []

    def ask(self, test: Test) -> Answer:
        self.asked.append(test.key)
        for part, error in self.errors.items():
            if part in test.key:
                raise error
        for part, text in self.answers.items():
            if part in test.key:
                return Answer(text, tokens_in=10, tokens_out=5, seconds=0.002)
        return super().ask(test)


def perform(handle: RunHandle, backend: DeterministicBackend) -> None:
    try:
        Benchmark(handle, Params.model_validate(handle.params), backend).run()
        handle.settle()
    finally:
        handle._link.flush(30)


def rows(server: LinkServer) -> dict[str, Any]:
    return {body.key: body for body in server.bodies("item.finished")}


def notes(server: LinkServer, feed: str) -> list[str]:
    return [body.text for body in server.bodies("note") if body.feed == feed]


def test_every_prompt_meets_every_case_of_every_model(begin: Begin, server: LinkServer) -> None:
    perform(begin(params(repeats=2)), Chosen())

    found = rows(server)
    assert len(found) == 6 * 2 * 2 * 2
    assert server.log.run.progress.groups["m1"].total == 24
    assert server.log.run.metrics["accuracy"] == 1.0
    assert server.log.run.metrics["evidence"] == 1.0
    assert notes(server, "planned") == [
        "48 tests (2 prompts × 6 cases × 2 models × 2 repeats), one after another"
    ]


def test_tests_go_case_by_case_so_that_all_pairs_advance_alike() -> None:
    keys = [test.key for test in Plan(Params.model_validate(params()))]

    assert keys[:5] == ["m0|p0|c0|1", "m1|p0|c0|1", "m0|p1|c0|1", "m1|p1|c0|1", "m0|p0|c1|1"]


def test_a_million_tests_are_planned_one_by_one_and_known_by_their_keys() -> None:
    plan = Plan(Params.model_validate(params(cases=5000, models=2, prompts=2, repeats=50)))

    tracemalloc.start()
    begun = list(islice(plan, 1000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(plan) == sum(plan.pairs().values()) == 1_000_000
    assert most < 2_000_000
    assert all(test.key in plan for test in begun)
    others = ("m0|p0|c5000|1", "m0|p0|c0|51", "m0|p2|c0|1", "m2|p0|c0|1", "m0|p0|c0", "m0|p0|c0|01", "")
    assert [key for key in others if key in plan] == []


def test_what_a_retry_reuses_of_cases_that_are_left_out_counts_nowhere(
    begin: Begin, server: LinkServer
) -> None:
    perform(begin(params(cases=6, models=1, prompts=1)), Chosen(answers={"c5": "*VOTE: none"}))
    again = begin()
    again.params = Params.model_validate(params(cases=3, models=1, prompts=1)).model_dump(mode="json")

    perform(again, Chosen())

    assert notes(server, "planned")[-1].endswith(", 3 of them are done")
    assert server.log.run.metrics["accuracy"] == 1.0
    assert not any("Finished early" in text for text in notes(server, "metrics"))


def test_a_row_holds_what_was_asked_answered_and_read(begin: Begin, server: LinkServer) -> None:
    backend = Chosen(
        answers={"c0": "It is safe. CONFIDENCE: 0.9\n*VOTE: false positive", "c1": "I do not know."}
    )

    perform(begin(params(cases=2, models=1, prompts=1, equal=[["FALSE_POSITIVE", "WEAKNESS"]])), backend)

    row = rows(server)["m0|p0|c0|1"].data
    assert row["predicted"] == "FALSE_POSITIVE"
    assert row["expected"] == "WEAKNESS"
    assert row["correct"] is True
    assert row["confidence"] == 0.9
    assert row["reasoning"].startswith("It is safe.")
    assert row["input"].startswith("line 0 One of: REAL, WEAKNESS, FALSE_POSITIVE. End with")
    unread = rows(server)["m0|p0|c1|1"].data
    assert unread["predicted"] is None
    assert unread["correct"] is False
    assert unread["parse_error"] == "no marker *VOTE: in the answer"
    assert server.log.run.metrics["parse_rate"] == 0.5


def test_a_bad_test_is_a_row_with_its_error_and_the_run_goes_on(begin: Begin, server: LinkServer) -> None:
    backend = Chosen(errors={"c3": TimedOut("example.com did not answer within 60 s.")})

    perform(begin(params()), backend)

    bad = rows(server)["m0|p1|c3|1"]
    assert not bad.ok
    assert bad.error == "example.com did not answer within 60 s."
    assert bad.data["expected"] == "WEAKNESS"
    assert len(rows(server)) == 24
    assert server.log.run.metrics["errors"] == 4
    assert len(notes(server, "error")) == 2  # one for each model


def test_a_later_attempt_does_nothing_twice_and_counts_everything(begin: Begin, server: LinkServer) -> None:
    first = begin(params(concurrency=1))

    class Dies(Chosen):
        def ask(self, test: Test) -> Answer:
            if len(self.asked) == 10:
                server.next_attempt()
            return super().ask(test)

    with pytest.raises(Fenced):
        perform(first, Dies())
    finished = len(rows(server))
    backend = Chosen()
    perform(begin(), backend)

    assert len(backend.asked) == 24 - finished
    assert len(rows(server)) == 24
    assert server.bodies("metric")[-1].step == 24
    assert f", {finished} of them are done" in notes(server, "planned")[-1]


@pytest.mark.rows("S1.34")
def test_several_tests_run_side_by_side(begin: Begin, server: LinkServer) -> None:
    together = threading.Barrier(4)

    class Meets(Chosen):
        def ask(self, test: Test) -> Answer:
            together.wait(30)
            return super().ask(test)

    perform(begin(params(concurrency=4)), Meets())

    assert len(rows(server)) == 24


@pytest.mark.rows("S1.33")
def test_tests_run_one_after_the_other_unless_told_otherwise(begin: Begin, server: LinkServer) -> None:
    in_hand, most = 0, 0

    class Counts(Chosen):
        def ask(self, test: Test) -> Answer:
            nonlocal in_hand, most
            in_hand += 1
            most = max(most, in_hand)
            answer = super().ask(test)
            in_hand -= 1
            return answer

    perform(begin(params()), Counts())

    assert (most, len(rows(server))) == (1, 24)


# Finishing early


def test_the_run_stops_when_the_winner_is_decided(begin: Begin, server: LinkServer) -> None:
    backend = Chosen(answers={"|p1|": "*VOTE: none"})

    perform(begin(params(cases=20, models=1, stop_when_decided=True)), backend)

    assert len(rows(server)) == 21  # 11 of 11 against 0 of 10, with 10 left
    assert server.log.run.metrics["evidence"] == 1.0
    assert notes(server, "metrics")[-2:] == [
        "m0 × p0 has won: 11 right, no other can get more than 10.",
        "Finished early: 19 tests not needed.",
    ]


def test_a_decided_winner_is_told_once_and_the_run_goes_on_unless_told_otherwise(
    begin: Begin, server: LinkServer
) -> None:
    perform(begin(params(cases=20, models=1)), Chosen(answers={"|p1|": "*VOTE: none"}))

    assert len(rows(server)) == 40
    assert sum("has won" in text for text in notes(server, "metrics")) == 1
    assert "You may finish early." in " ".join(notes(server, "metrics"))


def test_the_switch_turned_on_in_mid_run_ends_it_after_the_tests_in_hand(
    begin: Begin, server: LinkServer
) -> None:
    handle = begin(params(cases=20))

    class Switches(Chosen):
        def ask(self, test: Test) -> Answer:
            if len(self.asked) == 6:
                handle.params["stop_when_decided"] = True
            return super().ask(test)

    perform(handle, Switches())

    assert len(rows(server)) == 7
    assert notes(server, "metrics")[-1] == "Finished early: 73 tests not needed."


# Limits


def test_a_spent_budget_pauses_the_run_until_it_is_raised(begin: Begin, server: LinkServer) -> None:
    handle = begin(params(budget=0.001))
    seen: list[tuple[int, str | None]] = []

    def raise_it() -> None:
        server.wait_for(lambda: server.status() == "paused")
        seen.append((len(rows(server)), server.log.run.notice))
        server.set_live(budget=100.0)
        server.resume()

    raising = threading.Thread(target=raise_it, daemon=True)
    raising.start()
    perform(handle, Chosen())

    ((paused_at, notice),) = seen
    assert 0 < paused_at < 24
    assert notice == (
        f"Paused at your limit of $0.001 ({paused_at} of 24 tests done). Raise the budget and resume, or cancel."
    )
    assert [body.rule for body in server.bodies("guard.tripped")] == ["budget"]
    assert len(rows(server)) == 24
    assert server.log.run.notice is None


def test_a_retry_does_not_pay_for_what_it_reuses(begin: Begin, server: LinkServer) -> None:
    class Leaves(Chosen):
        def ask(self, test: Test) -> Answer:
            if len(self.asked) == 10:
                server.next_attempt()
            return super().ask(test)

    with pytest.raises(Fenced):
        perform(begin(params(budget=100.0)), Leaves())
    spent = sum(body.data["cost"] for body in server.bodies("item.finished"))
    server.log.saved_state = None  # a retry is a new run that starts with finished items

    again = begin()
    again.params["budget"] = 2 * spent
    perform(again, Chosen())

    assert len(rows(server)) == 24
    assert server.bodies("guard.tripped") == []


def test_a_spent_budget_pauses_nothing_when_no_test_is_left(begin: Begin, server: LinkServer) -> None:
    perform(begin(params(budget=100.0)), Chosen())
    again = begin()
    again.params["budget"] = 1e-9

    perform(again, Chosen())

    assert server.bodies("guard.tripped") == []


def test_what_a_budget_cannot_count_is_told_before_it_is_spent(begin: Begin, server: LinkServer) -> None:
    class Unpriced(Chosen):
        def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
            return None if model == "m1" else super().cost(model, tokens_in, tokens_out)

    perform(begin(params(budget=100.0)), Unpriced())

    assert notes(server, "error") == [
        "The budget does not count m1: no price is known. Name a price table under prices."
    ]


def test_a_budget_raised_in_mid_run_is_obeyed(begin: Begin, server: LinkServer) -> None:
    handle = begin(params(budget=0.0001))

    class Raises(Chosen):
        def ask(self, test: Test) -> Answer:
            handle.params["budget"] = 100.0
            return super().ask(test)

    perform(handle, Raises())

    assert len(rows(server)) == 24


def test_a_model_that_rejects_the_key_is_given_up_and_the_others_go_on(
    begin: Begin, server: LinkServer
) -> None:
    error = KeyRejected("Provider example.com rejected the API key (HTTP 401).", hint="Set KEY.")
    backend = Chosen(errors={"m1|": error})

    perform(begin(params()), backend)

    assert sum(key.startswith("m1|") for key in rows(server)) == 5
    assert sum(key.startswith("m0|") for key in rows(server)) == 12
    assert [body.rule for body in server.bodies("guard.tripped")] == ["gave_up"]
    assert "m1 is asked no more. Provider example.com rejected" in " ".join(notes(server, "error"))


def test_the_run_fails_when_no_model_is_left(begin: Begin, server: LinkServer) -> None:
    error = KeyRejected("Provider example.com rejected the API key (HTTP 401).", hint="Set KEY.")

    with pytest.raises(NoModelLeft) as caught:
        perform(begin(params()), Chosen(errors={"|": error}))

    assert str(caught.value).startswith(
        "Provider example.com rejected the API key (HTTP 401). 10 of 24 tests"
    )
    assert caught.value.hint == "Set KEY."


def test_errors_that_may_pass_do_not_give_a_model_up(begin: Begin, server: LinkServer) -> None:
    perform(begin(params()), Chosen(errors={"m1|": RateLimited("429 from m1.")}))

    assert len(rows(server)) == 24
    assert notes(server, "error") == [
        "m1: 429 from m1.",
        "m1: 10 tests have failed so far, the last with: 429 from m1.",
    ]


def test_models_without_their_key_are_not_asked_at_all(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    model = {"name": "m", "base_url": "http://127.0.0.1:9/v1", "api_key_env": "NO_SUCH_KEY"}

    with pytest.raises(NoModelLeft, match="NO_SUCH_KEY is not set") as caught:
        run(begin(params() | {"models": [model]}))

    assert rows(server) == {}
    assert "NO_SUCH_KEY" in (caught.value.hint or "")


def test_models_of_one_endpoint_share_the_lowest_rate_limit() -> None:
    models = [Model(name=str(n), base_url="http://a/v1", rpm=rpm) for n, rpm in enumerate((None, 60, 30))]

    limits = rate_limits([*models, Model(name="x")])

    assert set(limits) == {"http://a/v1", "offline"}


def test_models_of_one_endpoint_share_its_limit_of_tokens() -> None:
    models = [Model(name=str(n), base_url="http://a/v1", tpm=tpm) for n, tpm in enumerate((None, 6000, 600))]
    limit = rate_limits(models)["http://a/v1"]

    limit.spend(1, limit.take_turn())

    assert limit._token_seconds == 60 / 600
