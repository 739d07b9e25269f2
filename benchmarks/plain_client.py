"""A second way to measure an inference server: one process for each request at a time.

It shares no code with autotune's load generator, no interpreter lock with the other
requests and no library with either: a raw socket, each piece stamped when it is read,
and the pieces looked at after the answer is complete.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time
from urllib.parse import urlsplit

PIECE_BYTES = 65536
_EVENT = re.compile(rb"data: (\{.*\})")
Measured = tuple[float, float, float, int]


def ask(connection: socket.socket, request: bytes) -> Measured:
    """When a request began, had its first token and was answered, in seconds of the system's clock; and tokens."""
    pieces: list[tuple[float, bytes]] = []
    began = time.perf_counter()
    connection.sendall(request)
    while not pieces or not pieces[-1][1].endswith(b"0\r\n\r\n"):
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            raise RuntimeError("the server hung up")
        pieces.append((time.perf_counter(), piece))
    first, tokens = 0.0, 0
    for moment, piece in pieces:
        for data in _EVENT.findall(piece):
            event = json.loads(data)
            if event["choices"] and event["choices"][0]["delta"].get("content"):
                first, tokens = first or moment, tokens + 1
            tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
    return began, first, pieces[-1][0], tokens


def main() -> None:
    """For each line with a number of requests: send them one after the other, say what was measured."""
    url, body = sys.argv[1:]
    place = urlsplit(url)
    data = body.encode()
    head = f"POST {place.path}/chat/completions HTTP/1.1\r\nHost: {place.netloc}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    connection: socket.socket | None = None
    for line in sys.stdin:
        count = json.loads(line)["count"]
        if connection is None or select.select([connection], [], [], 0)[0]:  # the server has closed it
            connection = socket.create_connection((place.hostname or "", place.port or 80))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        measured = [ask(connection, head.encode() + data) for _ in range(count)]
        sys.stdout.write(json.dumps({"measured": measured}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
