"""A server that stamps requests when their bytes arrive and computes nothing.

The first token takes 0.2 s, each further one 50 ms. One thread, so a request never waits
for another one before it is stamped. `GET /` tells the seconds to the first token and to
the end of every answer so far. Prints its port.
"""

from __future__ import annotations

import asyncio
import json
import re
import time

TOKENS = 6
FIRST_SECONDS = 0.2
TOKEN_SECONDS = 0.05
TIMES: dict[str, list[float]] = {"first": [], "all": []}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            began = time.perf_counter()
            if head.startswith(b"GET"):
                body = json.dumps(TIMES).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                continue
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            assert length
            await reader.readexactly(int(length[1]))
            await answer(writer, began)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def answer(writer: asyncio.StreamWriter, began: float) -> None:
    """Stream the tokens, and count."""

    def send(data: bytes) -> None:
        event = b"data: " + data + b"\n\n"
        writer.write(b"%x\r\n" % len(event) + event + b"\r\n")

    writer.write(HEAD)
    first = 0.0
    for number in range(TOKENS):
        await asyncio.sleep(TOKEN_SECONDS if number else FIRST_SECONDS)
        send(b'{"choices": [{"delta": {"content": "a"}}]}')
        first = first or time.perf_counter() - began
    send(b'{"choices": [], "usage": {"completion_tokens": %d}}' % TOKENS)
    send(b"[DONE]")
    writer.write(b"0\r\n\r\n")
    TIMES["first"].append(first)
    TIMES["all"].append(time.perf_counter() - began)


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
