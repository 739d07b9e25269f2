"""What goes over the wire is small for who reads gzip, and the same for who does not."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator

import httpx2
import pytest

from pilothouse.model import event as e
from tests.web.clients import Job, Stream, a_job
from tests.web.serving import Running

PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def job(server: Running) -> Job:
    """A run with 302 events."""
    job = a_job(server)
    job.notes(300)
    return job


def pieces(stream: Stream) -> Iterator[tuple[int, bytes]]:
    """What comes over the wire, piece by piece: its size, and what it says."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS + 16)
    while piece := stream.response.read1(1 << 20):
        yield len(piece), unpacker.decompress(piece)


@pytest.mark.rows("S4.93")
def test_the_browsers_stream_is_packed_and_no_event_waits_for_the_next_one(server: Running, job: Job) -> None:
    path = f"/api/stream?watch={job.id}:0"
    with Stream(server, path) as stream:
        heard = iter(stream)
        whole = [next(heard) for _ in range(200)]

    with Stream(server, path, GZIP) as stream:
        assert stream.response.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in stream.response.headers["vary"]
        wire, text = 0, b""
        parts = pieces(stream)
        while b'"text":"299"' not in text:
            size, said = next(parts)
            wire, text = wire + size, text + said
        job.say(e.Note(feed="metrics", text="alone"))
        size, said = next(parts)
        while b'"alone"' not in said:
            size, said = next(parts)

    assert whole[0].type == "hello"
    assert len(text) > 5 * wire
    assert size < len(said)
    assert [json.loads(line[6:])["data"]["text"] for line in said.split(b"\n\n") if b'"note"' in line] == [
        "alone"
    ]


@pytest.mark.rows("S4.93")
def test_an_answer_is_packed_for_who_can_read_it(api: httpx2.Client, job: Job) -> None:
    path = f"{job.path}/events"
    plain, small = api.get(path, headers=PLAIN), api.get(path, headers=GZIP)

    assert plain.json()["events"] == small.json()["events"]
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert 5 * int(small.headers["content-length"]) < int(plain.headers["content-length"])


@pytest.mark.parametrize("accepted", ["gzip;q=0", "br", "identity", "GZIPPED"])
def test_nobody_gets_gzip_who_did_not_ask_for_it(api: httpx2.Client, job: Job, accepted: str) -> None:
    answer = api.get(f"{job.path}/events", headers={"Accept-Encoding": accepted})

    assert "content-encoding" not in answer.headers


def test_a_short_answer_an_error_and_a_file_are_left_as_they_are(api: httpx2.Client, job: Job) -> None:
    api.post(f"{job.path}/artifacts/big.txt?attempt=1", content=b"x" * 5000).raise_for_status()

    for path in ("/api/health", "/api/nowhere", f"{job.path}/artifacts/big.txt"):
        answer = api.get(path, headers=GZIP)
        assert answer.content
        assert "content-encoding" not in answer.headers


def test_the_page_is_packed_once(server: Running, api: httpx2.Client) -> None:
    first, again = (api.get("/", headers={**GZIP, "Accept": "text/html"}) for _ in range(2))
    plain = api.get("/", headers=PLAIN)

    assert first.content == again.content == plain.content
    for name in ("content-type", "content-security-policy", "cache-control"):
        assert first.headers[name] == plain.headers[name]
    assert int(first.headers["content-length"]) <= int(plain.headers["content-length"])
