"""The client against a real endpoint that misbehaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pilothouse.errors import Invalid
from pilothouse.llm import errors
from pilothouse.llm.client import ChatClient, Model, Retry
from pilothouse.llm.pace import RateLimit
from pilothouse.llm.prices import Prices
from tests.llm.provider import Provider, Said, bad, good

ASK = [{"role": "user", "content": "Real or not?"}]
Start = Callable[..., Provider]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an endpoint that says these answers."""
    started: list[Provider] = []

    def start(*script: Said) -> Provider:
        started.append(Provider(*script))
        return started[-1]

    yield start
    for provider in started:
        provider.stop()


class Waits(list[float]):
    """Notes how long one would have waited."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(provider: Provider, waits: Waits | None = None, **options: Any) -> ChatClient:
    wait = Waits() if waits is None else waits
    return ChatClient(Model("m", provider.base_url, **options.pop("model", {})), wait=wait, **options)


def test_an_answer_comes_with_the_servers_own_token_counts(start: Start) -> None:
    provider = start(good())

    answer = client(provider).ask(ASK, temperature=0.5, seed=7, max_tokens=9)

    assert (answer.text, answer.tokens_in, answer.tokens_out) == ("*VOTE: REAL", 11, 7)
    assert not answer.estimated
    assert answer.attempts == 1
    sent = provider.requests[0]
    assert (sent["temperature"], sent["seed"], sent["max_tokens"]) == (0.5, 7, 9)


def test_every_try_carries_the_same_idempotency_key(start: Start) -> None:
    provider = start(bad(503), good())

    client(provider).ask(ASK, idempotency_key="ph-1")
    client(provider).ask(ASK)

    assert provider.idempotency_keys == ["ph-1", "ph-1", None]


def test_tokens_are_counted_and_marked_when_the_server_does_not_count(start: Start) -> None:
    answer = client(start(good("one two three", usage=False))).ask(ASK)

    assert answer.estimated
    assert (answer.tokens_in, answer.tokens_out) == (4, 3)


def test_a_429_is_waited_out_as_long_as_the_provider_asks_and_told(start: Start) -> None:
    waits, retries = Waits(), list[Retry]()
    provider = start(bad(429, Retry_After="2"), bad(503), good())

    answer = client(provider, waits, on_retry=retries.append).ask(ASK)

    assert answer.attempts == 3
    assert 2.0 <= waits[0] <= 2.5
    assert 0 <= waits[1] <= 1.0
    assert retries[0].text == f"429 from m. Retry 1/3 in {waits[0]:.1f} s."
    assert retries[1].text.startswith("503 from m: ")


def test_after_the_last_retry_the_error_is_raised(start: Start) -> None:
    provider = start(bad(429, "slow down"))

    with pytest.raises(errors.RateLimited) as caught:
        client(provider, retries=2).ask(ASK)

    assert caught.value.attempts == len(provider.requests) == 3
    assert "slow down" in (caught.value.hint or "")


def test_a_wait_of_hours_is_not_waited(start: Start) -> None:
    waits = Waits()

    with pytest.raises(errors.RateLimited):
        client(start(bad(429, Retry_After="7200")), waits).ask(ASK)

    assert waits == []


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        (bad(401), errors.KeyRejected, "rejected the API key (HTTP 401)."),
        (bad(403), errors.KeyRejected, "rejected the API key (HTTP 403)."),
        (bad(404), errors.UnknownModel, "knows no model 'm' (HTTP 404)."),
        (bad(400, "bad schema"), errors.RequestRefused, "refused the request (HTTP 400): bad schema"),
        (
            Said(body=b"<html>hi</html>", headers={"Content-Type": "text/html"}),
            errors.BadResponse,
            "chat completion",
        ),
        (Said(body=b"{", headers={"Content-Type": "application/json"}), errors.BadResponse, "cannot be read"),
        (
            Said(body=b'{"choices": []}', headers={"Content-Type": "application/json"}),
            errors.BadResponse,
            "chat",
        ),
    ],
)
def test_an_error_that_will_not_pass_is_told_at_once_with_a_way_out(
    start: Start, said: Said, kind: type[errors.ModelError], message: str
) -> None:
    provider = start(said)

    with pytest.raises(kind) as caught:
        client(provider).ask(ASK)

    assert message in str(caught.value)
    assert caught.value.hint
    assert len(provider.requests) == 1


def test_an_endpoint_that_hangs_times_out(start: Start) -> None:
    with pytest.raises(errors.TimedOut, match=r"did not answer within 0\.2 s"):
        client(start(Said(hangs=True)), retries=1).ask(ASK, timeout=0.2)


def test_an_address_where_nobody_answers_is_named(start: Start) -> None:
    provider = start(good())
    url = provider.base_url
    provider.shutdown()
    provider.server_close()

    with pytest.raises(errors.Unreachable) as caught:
        ChatClient(Model("m", url), retries=1, wait=Waits()).ask(ASK)

    assert url in str(caught.value)
    assert caught.value.is_hopeless


class Restart:
    """An endpoint that goes away, and comes back at the same address after so many waits."""

    def __init__(self, start: Start, waits: int, seconds_each: float = 1.0) -> None:
        self.provider = start(good("first"))
        self.url = self.provider.base_url
        self.now, self.left, self.seconds_each = 0.0, waits, seconds_each

    def stop(self) -> None:
        self.provider.shutdown()
        self.provider.server_close()

    def wait(self, seconds: float) -> None:
        self.now += self.seconds_each
        self.left -= 1
        if self.left == 0:
            self.provider = Provider(good("second"), port=self.provider.server_address[1])


def test_a_model_that_has_answered_is_waited_for_while_its_server_restarts(start: Start) -> None:
    restart, retries = Restart(start, 9), list[Retry]()
    asker = ChatClient(
        Model("m", restart.url),
        retries=2,
        outage_seconds=60,
        on_retry=retries.append,
        wait=restart.wait,
        clock=lambda: restart.now,
    )
    asker.ask(ASK)
    restart.stop()
    restart.now += 3600  # a pause

    answer = asker.ask(ASK)
    restart.stop()

    assert (answer.text, answer.attempts) == ("second", 10)
    assert [retry.retries for retry in retries] == [2, 2, *[None] * 7]
    assert "It has answered before, and is waited for" in retries[-1].text


def test_a_model_that_stays_away_is_not_waited_for_for_ever(start: Start) -> None:
    restart = Restart(start, 0, seconds_each=10.0)
    asker = ChatClient(
        Model("m", restart.url), retries=2, outage_seconds=60, wait=restart.wait, clock=lambda: restart.now
    )
    asker.ask(ASK)
    restart.stop()

    with pytest.raises(errors.Unreachable) as caught:
        asker.ask(ASK)

    assert caught.value.attempts == 7


def test_a_model_that_answered_an_earlier_attempt_is_waited_for(start: Start) -> None:
    restart = Restart(start, 5)
    restart.stop()
    asker = ChatClient(
        Model("m", restart.url),
        retries=2,
        outage_seconds=60,
        has_answered=True,
        wait=restart.wait,
        clock=lambda: restart.now,
    )

    answer = asker.ask(ASK)
    restart.stop()

    assert (answer.text, answer.attempts) == ("second", 6)


def test_a_key_that_is_not_set_is_named_before_anybody_is_asked(start: Start) -> None:
    provider = start(good())
    asker = client(provider, model={"api_key_env": "MY_KEY"}, environ={"MY_KEY": " "})

    with pytest.raises(errors.MissingKey, match="MY_KEY is not set"):
        asker.check()
    with pytest.raises(errors.MissingKey):
        asker.ask(ASK)

    assert provider.requests == []


def test_the_key_is_sent_and_never_told(start: Start) -> None:
    provider = start(bad(401, "Incorrect API key provided: s3cret"))
    asker = client(provider, model={"api_key_env": "MY_KEY"}, environ={"MY_KEY": "s3cret"})

    with pytest.raises(errors.KeyRejected) as caught:
        asker.ask(ASK)

    assert provider.keys == ["Bearer s3cret"]
    assert "s3cret" not in str(caught.value) + str(caught.value.hint)
    assert "MY_KEY" in str(caught.value.hint)


@pytest.mark.parametrize("key", ["s3cret\nother", "s3cret“", "s3\x00cret"])
def test_a_key_that_no_request_can_carry_is_refused_and_never_told(start: Start, key: str) -> None:
    provider = start(good())
    asker = client(provider, model={"api_key_env": "MY_KEY"}, environ={"MY_KEY": key})

    with pytest.raises(errors.ModelError) as caught:
        asker.ask(ASK)

    assert isinstance(caught.value, errors.MissingKey)
    assert "MY_KEY" in str(caught.value)
    assert "s3" not in str(caught.value) + str(caught.value.hint)
    assert provider.requests == []


def test_models_that_renamed_the_limit_are_asked_with_the_new_name(start: Start) -> None:
    provider = start(bad(400, "Use 'max_completion_tokens' instead."), good())
    asker = client(provider)

    asker.ask(ASK, max_tokens=5)
    asker.ask(ASK, max_tokens=5)

    assert ["max_tokens" in sent for sent in provider.requests] == [True, False, False]
    assert provider.requests[2]["max_completion_tokens"] == 5


def test_a_renamed_limit_costs_no_request_of_those_that_went_out_together(start: Start) -> None:
    provider = start(bad(400, "Use 'max_completion_tokens' instead."))
    together = threading.Barrier(4)
    provider.before = lambda sent: together.wait(30) if "max_tokens" in sent else None
    provider.says = lambda sent: good() if "max_completion_tokens" in sent else None
    asker = client(provider)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: asker.ask(ASK, max_tokens=5), range(4)))

    assert [answer.text for answer in answers] == ["*VOTE: REAL"] * 4


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 11, "completion_tokens": "many"}, (11, 3)),
        ({"prompt_tokens": 11}, (11, 3)),
        ({"prompt_tokens": -1, "completion_tokens": 7}, (4, 7)),
        ({"prompt_tokens": True, "completion_tokens": 7.5}, (4, 3)),
        ([], (4, 3)),
    ],
)
def test_token_counts_that_are_none_lose_no_answer(start: Start, usage: Any, tokens: tuple[int, int]) -> None:
    said = good("one two three")
    said.body = json.dumps(json.loads(said.body) | {"usage": usage}).encode()

    answer = client(start(said), limit=RateLimit(None, 1e9)).ask(ASK)

    assert (answer.text, answer.tokens_in, answer.tokens_out) == ("one two three", *tokens)
    assert answer.estimated


# Prices


def test_a_price_is_found_with_vendor_and_date_and_never_guessed(tmp_path: Path) -> None:
    prices = Prices.load(environ={})

    assert prices.cost("gpt-4o-mini", 1_000_000, 1_000_000) == pytest.approx(0.75)
    assert prices.find("openai/gpt-4o-2024-08-06") == prices.find("gpt-4o")
    assert prices.cost("offline", 5, 5) == 0
    assert prices.cost("my-own", 5, 5) is None


def test_own_prices_come_on_top_and_a_bad_table_is_named(tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text('{"models": {"my-own": {"in": 1, "out": 2}}}')
    (tmp_path / "bad.json").write_text("[]")

    prices = Prices.load(environ={"PILOTHOUSE_PRICES": str(own)})

    assert prices.cost("my-own", 1_000_000, 0) == 1
    assert prices.find("gpt-4o")
    with pytest.raises(Invalid, match=r"bad\.json is no price table"):
        Prices.load(tmp_path / "bad.json")
    with pytest.raises(Invalid, match="cannot be read"):
        Prices.load(tmp_path / "gone.json")


@pytest.mark.parametrize(
    "text",
    [
        '{"models": {"m": {"in": NaN, "out": 1}}}',
        '{"models": {"m": {"in": -1, "out": 1}}}',
        '{"models": {"m": {"in": 1, "out": 1e999}}}',
        "[" * 100_000,
    ],
)
def test_prices_that_would_let_a_budget_never_end_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.json").write_text(text)

    with pytest.raises(Invalid, match=r"own\.json is no price table"):
        Prices.load(tmp_path / "own.json")


def test_prices_are_read_from_files_only_never_from_what_has_no_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(Invalid, match="is no price table"):
            Prices.load(path)


def test_importing_the_client_does_not_import_the_sdk() -> None:
    code = "import pilothouse.llm.client, pilothouse.kinds.benchmark.job, sys; print('openai' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
