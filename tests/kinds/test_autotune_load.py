"""The load generator: what it sends, what it measures, and that others measure the same."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import fmean, median
from typing import Any

import httpx2
import pytest

from pilothouse.kinds.autotune.load import Generator
from pilothouse.kinds.autotune.measurement import Sample, numbers
from pilothouse.kinds.autotune.parts import Load

Answer = Callable[["Handler", dict[str, Any]], None]
ABOUT = 0.4  # on a busy machine; `make bench` measures how near they are on a quiet one


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Fake

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.answer(self, body)

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def data(self, event: Any) -> None:
        text = event if isinstance(event, str) else json.dumps(event)
        self.wfile.write(f"data: {text}\n\n".encode())

    def token(self, text: str = "a", **delta: Any) -> None:
        self.data({"choices": [{"delta": {"content": text, **delta}}]})


class Fake(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.answer: Answer = lambda handler, body: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""


@pytest.fixture
def fake() -> Iterator[Fake]:
    server = Fake()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(server: Fake, answer: Answer, **load: Any) -> Sample:
    server.answer = answer
    generator = Generator(server.url, "m", Load.model_validate(load))
    try:
        return generator.ask(1)
    finally:
        generator.close()


def two_tokens(handler: Handler, body: dict[str, Any]) -> None:
    handler.begin()
    handler.data({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
    handler.token()
    handler.token()
    handler.data({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    handler.data({"choices": [], "usage": {"completion_tokens": 7}})
    handler.data("[DONE]")


def test_a_request_is_a_streamed_chat_completion_that_asks_for_its_usage(fake: Fake) -> None:
    sample = ask(fake, two_tokens, prompts=["Hello"], max_tokens=5, body={"ignore_eos": True})

    (body,) = fake.asked
    assert body["messages"] == [{"role": "user", "content": "[1] Hello"}]
    assert (body["model"], body["max_tokens"], body["stream"], body["ignore_eos"]) == ("m", 5, True, True)
    assert body["stream_options"] == {"include_usage": True}
    assert (sample.tokens, sample.is_estimated, sample.error) == (7, False, None)


def test_tokens_are_counted_by_their_chunks_and_marked_when_the_server_does_not_tell_them(fake: Fake) -> None:
    def no_usage(handler: Handler, body: dict[str, Any]) -> None:
        handler.begin()
        for _ in range(3):
            handler.token()
        handler.token("", reasoning_content="hm")
        handler.data("[DONE]")

    sample = ask(fake, no_usage)

    assert (sample.tokens, sample.is_estimated) == (4, True)


def test_the_first_token_is_the_first_text_and_not_the_first_chunk(fake: Fake) -> None:
    def slow(handler: Handler, body: dict[str, Any]) -> None:
        handler.begin()
        handler.data({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
        time.sleep(0.15)
        handler.token()
        time.sleep(0.1)
        handler.token()
        handler.data("[DONE]")

    sample = ask(fake, slow)

    assert sample.ttft is not None and sample.tpot is not None
    assert 0.15 <= sample.ttft < sample.seconds - 0.09
    assert sample.tpot == pytest.approx(sample.seconds - sample.ttft)


def a_refusal(handler: Handler, body: dict[str, Any]) -> None:
    text = b'{"error": "no\\nmemory"}'
    handler.send_response(503)
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text)


def a_cut(handler: Handler, body: dict[str, Any]) -> None:
    handler.begin()
    handler.token()


def an_early_cut(handler: Handler, body: dict[str, Any]) -> None:
    handler.begin()


def nothing(handler: Handler, body: dict[str, Any]) -> None:
    handler.begin()
    handler.data("[DONE]")


def an_error_in_the_stream(handler: Handler, body: dict[str, Any]) -> None:
    handler.begin()
    handler.token()
    handler.data({"error": {"message": "CUDA out of memory"}})
    handler.data("[DONE]")


def a_hang_up(handler: Handler, body: dict[str, Any]) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def silence(handler: Handler, body: dict[str, Any]) -> None:
    handler.begin()
    handler.token()
    threading.Event().wait(5)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (a_refusal, 'HTTP 503: {"error": "no\\nmemory"}'),
        (a_cut, "the answer broke off"),
        (an_early_cut, "the answer broke off before its first token"),
        (nothing, "the answer holds no text"),
        (an_error_in_the_stream, "the server broke off: CUDA out of memory"),
        (a_hang_up, "the connection broke off (RemoteDisconnected)"),
        (silence, "no answer within 0.3 s"),
    ],
)
def test_an_answer_that_is_none_is_an_error_in_words(fake: Fake, answer: Answer, error: str) -> None:
    sample = ask(fake, answer, timeout_seconds=0.3 if answer is silence else 60)

    assert sample.error == error
    assert sample.milliseconds("latency") is None


def test_a_drip_does_not_outlast_the_time_out(fake: Fake) -> None:
    def drip(handler: Handler, body: dict[str, Any]) -> None:
        handler.begin()
        for _ in range(200):
            handler.token()
            time.sleep(0.02)

    sample = ask(fake, drip, timeout_seconds=0.3)

    assert sample.error == "no answer within 0.3 s"
    assert sample.seconds < 2


def test_nobody_at_the_address_is_an_error_in_words() -> None:
    generator = Generator("http://127.0.0.1:9/v1", "m", Load())

    assert generator.ask(1).error == "the server takes no connection"
    generator.close()


def test_a_request_that_cannot_be_sent_is_an_error_and_not_a_wait_for_ever(fake: Fake) -> None:
    fake.answer = lambda handler, body: None
    generator = Generator(fake.url, "m", Load(), key="key\nwith a line")

    level = generator.level(2, 3, lambda samples: None)
    generator.close()

    assert [str(each.error).partition(":")[0] for each in level.samples] == ["the request cannot be sent"] * 3


def test_a_load_that_is_closed_hangs_up_at_once(fake: Fake) -> None:
    asked, release = threading.Event(), threading.Event()

    def waits(handler: Handler, body: dict[str, Any]) -> None:
        handler.begin()
        asked.set()
        release.wait(30)

    fake.answer = waits
    generator = Generator(fake.url, "m", Load())
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(generator.ask, 1)
        assert asked.wait(30)
        generator.close()
        under_way = asking.result(30)
    later = generator.ask(2)
    release.set()

    assert (under_way.error, later.error) == ("the load was stopped", "the load was stopped")
    assert len(fake.asked) == 1


def test_a_connection_is_used_again_unless_the_server_has_closed_it_meanwhile(fake: Fake) -> None:
    connections: list[Any] = []
    text = b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'

    def answers(handler: Handler, body: dict[str, Any]) -> None:
        connections.append(handler.client_address)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)
        handler.close_connection = len(connections) == 2

    fake.answer = answers
    generator = Generator(fake.url, "m", Load())

    errors = [generator.ask(1).error, generator.ask(2).error]
    select.select([generator._idle[0].sock], [], [], 30)
    errors.append(generator.ask(3).error)

    generator.close()
    assert errors == [None, None, None]
    assert connections[0] == connections[1] != connections[2]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_as_many_requests_as_wanted_are_side_by_side_and_never_more(fake: Fake, concurrency: int) -> None:
    lock, together = threading.Lock(), [0, 0]
    meet = threading.Barrier(concurrency)

    def counts(handler: Handler, body: dict[str, Any]) -> None:
        with lock:
            together[0] += 1
            together[1] = max(together)
        meet.wait(30)
        with lock:
            together[0] -= 1
        two_tokens(handler, body)

    fake.answer = counts
    generator = Generator(fake.url, "m", Load(concurrencies=[concurrency]))
    seen: list[int] = []

    level = generator.level(concurrency, 3 * concurrency, lambda samples: seen.append(len(samples)))

    generator.close()
    assert len(level.samples) == 3 * concurrency
    assert together[1] == concurrency
    assert seen[-1] == 3 * concurrency
    assert len({body["messages"][0]["content"] for body in fake.asked}) == 3 * concurrency


def test_what_looks_on_may_end_a_level(fake: Fake) -> None:
    class Enough(Exception):
        pass

    def look(samples: list[Sample]) -> None:
        if len(samples) == 3:
            raise Enough

    fake.answer = two_tokens
    generator = Generator(fake.url, "m", Load(concurrencies=[2]))

    with pytest.raises(Enough):
        generator.level(2, 1000, look)

    generator.close()
    assert len(fake.asked) < 20


# Others measure the same. `python -m benchmarks --only autotune` compares more of it, and longer.


@contextlib.contextmanager
def printing(*args: str) -> Iterator[str]:
    """A server in a process of its own; gives the first line that it prints."""
    process = subprocess.Popen([sys.executable, "-m", *args], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def stamping() -> Iterator[str]:
    """A server that stamps requests as they arrive."""
    with printing("tests.kinds.stamping_server") as line:
        yield f"http://127.0.0.1:{line.strip()}"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_server_that_stamps_arrivals_measures_about_the_same(stamping: str, concurrency: int) -> None:
    generator = Generator(f"{stamping}/v1", "m", Load(concurrencies=[concurrency], max_tokens=6))
    before = len(httpx2.get(stamping).json()["all"])

    level = generator.level(concurrency, 8 * concurrency, lambda samples: None)

    generator.close()
    told = {name: median(times[before:]) for name, times in httpx2.get(stamping).json().items()}
    found = numbers([level])
    assert (found["errors"], found["tokens"]) == (0, 8 * concurrency * 6)
    assert found["latency_p50_ms"] == pytest.approx(told["all"] * 1000, rel=ABOUT)
    assert found["ttft_p50_ms"] == pytest.approx(told["first"] * 1000, rel=ABOUT)
    assert found["tpot_p50_ms"] == pytest.approx((told["all"] - told["first"]) * 1000 / 5, rel=ABOUT)


def test_the_offline_server_counts_the_same_requests_and_tokens_and_their_time() -> None:
    with printing("pilothouse.llm.offline", "--port", "0", "--ms-per-token", "80", "--order", "1") as line:
        url = line.split()[3]
        generator = Generator(url, "offline", Load(concurrencies=[4], max_tokens=6))
        level = generator.level(4, 12, lambda samples: None)
        generator.close()
        lines = httpx2.get(url.removesuffix("/v1") + "/metrics").text.splitlines()

    told = {name.removeprefix("pilothouse_offline_"): float(value) for name, value in map(str.split, lines)}
    found = numbers([level])
    assert (found["errors"], told["requests_total"], told["tokens_total"]) == (0, 12, found["tokens"])
    assert fmean(each.seconds for each in level.samples) == pytest.approx(
        told["request_seconds_sum"] / 12, rel=ABOUT
    )
