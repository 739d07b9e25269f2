"""A server and four watchers in a network of their own, whose cable is pulled.

Run inside `unshare -rn`. Prints how many watched before, how many are counted
afterwards, and how many tasks are left over.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.chaos.readers import STREAMS, Reader
from tests.web.clients import a_job, until
from tests.web.serving import running

GIVE_UP_SECONDS = 2.0


def link(state: str) -> None:
    """Plug the cable in, or pull it."""
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def main() -> None:
    """Pull the cable of watchers that are asleep: only a heartbeat is sent to them, into nothing."""
    link("up")
    with running(Path(sys.argv[1]), heartbeat_seconds=0.5, stall_seconds=GIVE_UP_SECONDS) as server:
        job = a_job(server)
        tails = server.server.context.tails
        port = int(server.url.rsplit(":", 1)[1])
        before = len(asyncio.all_tasks(server.loop))
        readers = [Reader(port, server.token, transport, job.id) for transport in STREAMS]
        for reader in readers:
            reader.answered()
        until(server, lambda: tails.watchers(job.id) == len(STREAMS))
        watched = tails.watchers(job.id)
        link("down")
        until(server, lambda: tails.watchers(job.id) == 0, 10 * GIVE_UP_SECONDS)
        until(server, lambda: len(asyncio.all_tasks(server.loop)) <= before + 1)  # one asks
        for reader in readers:
            reader.sock.close()
        print(watched, tails.watchers(job.id), max(0, len(asyncio.all_tasks(server.loop)) - before))
        link("up")


if __name__ == "__main__":
    main()
