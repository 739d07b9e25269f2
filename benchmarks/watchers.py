"""The load generator: thousands of watchers in one process, on raw sockets and epoll.

Reads commands as JSON lines on standard input, one at a time:

- `open`: connect `count` watchers as a group; answers when each has its response's head.
- `watch`: read until every watcher of a group has a `seq`, or the time is over; answers what they saw.
- `close`: close a group.
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import struct
import sys
import time
from typing import Any

from benchmarks.canon import Canon, percentile
from benchmarks.connection import Connection, Counting, Deaf, Exact, Tally

BUFFER = 1024 * 1024
WAVE = 50
OPEN_SECONDS = 60.0
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Group:
    """Watchers that follow one log from one place."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.canon = Canon(spec.get("after", 0))
        self.members: list[Connection] = []
        self.tally = Tally()

    def behind(self, seq: int) -> int:
        """How many have not reached a place."""
        return sum(member.seq < seq for member in self.members)

    def connect(self) -> Connection:
        """One more watcher, its request sent."""
        spec = self.spec
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if spec["mode"] == "deaf":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        sock.connect(("127.0.0.1", spec["port"]))
        lines = [f"GET {spec['path']} HTTP/1.1", f"Host: 127.0.0.1:{spec['port']}"]
        lines += [f"Authorization: Bearer {spec['token']}"] if spec.get("token") else []
        if spec["mode"] == "websocket":
            lines += ["Connection: Upgrade", "Upgrade: websocket"]
            lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"]
        else:
            lines += ["Accept: text/event-stream"]
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        sock.setblocking(False)
        member = self._member(sock)
        self.members.append(member)
        return member

    def _member(self, sock: socket.socket) -> Connection:
        match self.spec["mode"]:
            case "exact":
                return Exact(sock, self.canon)
            case "deaf":
                return Deaf(sock, self.canon.after)
            case _:
                return Counting(sock, self.canon.after)


class Generator:
    """All groups, one epoll, one buffer."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._owners: dict[int, tuple[Group, Connection]] = {}
        self._epoll = select.epoll()
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)

    def poll(self, seconds: float) -> None:
        """Read what has come."""
        for number, _ in self._epoll.poll(seconds, 512):
            group, member = self._owners[number]
            try:
                count = member.sock.recv_into(self._buffer)
            except BlockingIOError:
                continue
            except OSError:
                count = 0
            if count:
                member.feed(self._buffer, self._view, count, time.monotonic(), group.tally)
            else:
                member.has_ended = True
                self._epoll.unregister(number)

    def open(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Connect a group in waves, reading meanwhile."""
        began = time.monotonic()
        group = self._groups[spec["group"]] = Group(spec)
        for number in range(spec["count"]):
            member = group.connect()
            if not isinstance(member, Deaf):
                self._owners[member.sock.fileno()] = (group, member)
                self._epoll.register(member.sock.fileno(), select.EPOLLIN)
            if number % WAVE == WAVE - 1:
                self.poll(0)
        while time.monotonic() - began < OPEN_SECONDS and not all(m.is_open for m in group.members):
            self.poll(0.05)
        opened = sum(member.is_open for member in group.members)
        return {"opened": opened, "began": began, "seconds": time.monotonic() - began}

    def watch(self, name: str, seq: int, seconds: float) -> dict[str, Any]:
        """Read until all of a group have reached `seq`, or so many seconds."""
        group = self._groups[name]
        end = time.monotonic() + seconds
        cpu = time.process_time()
        next_look = 0.0
        while (now := time.monotonic()) < end:
            if now >= next_look:
                if group.behind(seq) == 0:
                    break
                next_look = now + 0.02
            self.poll(0.02)
        tally, group.tally = group.tally, Tally()
        samples = tally.samples
        return {
            "watchers": len(group.members),
            "delivered": tally.delivered,
            "behind": group.behind(seq),
            "lost": tally.lost,
            "repeated": tally.repeated,
            "wrong": tally.wrong + group.canon.broken,
            "writes": tally.writes,
            "bytes": tally.bytes,
            "last_at": tally.last_at,
            "ended": sum(member.has_ended for member in group.members),
            "p50_ms": percentile(samples, 0.5) * 1e3,
            "p99_ms": percentile(samples, 0.99) * 1e3,
            "max_ms": max(samples, default=(0.0, 0.0))[0] * 1e3,
            "client_cpu": time.process_time() - cpu,
        }

    def close(self, name: str) -> dict[str, Any]:
        """Close a group's sockets."""
        group = self._groups.pop(name)
        for member in group.members:
            self._owners.pop(member.sock.fileno(), None)
            member.sock.close()
        return {"closed": len(group.members)}


def main() -> None:
    """Obey commands until standard input ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    generator = Generator()
    commands = os.fdopen(0, "rb", buffering=0)
    pending = b""
    while True:
        if not select.select([commands], [], [], 0)[0]:
            generator.poll(0.02)
            continue
        read = commands.read(65536)
        if not read:
            return
        pending += read
        while b"\n" in pending:
            line, _, pending = pending.partition(b"\n")
            command = json.loads(line)
            match command.pop("do"):
                case "open":
                    answer = generator.open(command)
                case "watch":
                    answer = generator.watch(**command)
                case _:
                    answer = generator.close(command["name"])
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
