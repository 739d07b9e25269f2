"""One real server in a process of its own: it can be killed, started again, and asked for its counts.

`python -m tests.chaos.served` serves as the settings in its environment say; each
line on its standard input is answered with the counts, its end ends the server.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from pilothouse.settings import Settings
from pilothouse.web.serve import StreamServer, listen, lock_folder, quiet_logs, uvicorn_config
from pilothouse.web.server import Server
from pilothouse.web.stall import Impatient, StreamConfig
from tests.web.serving import KINDS

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Counts:
    """What a server holds at a moment."""

    rss_mib: float
    descriptors: int
    tasks: int
    connections: int
    full: int
    watchers: int
    tails: int


class Counted(StreamServer):
    """A server that counts what it holds."""

    def __init__(self, config: StreamConfig, server: Server) -> None:
        super().__init__(config, server)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Remember the loop."""
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.is_up.set()

    async def counts(self) -> Counts:
        """What it holds now."""
        gc.collect()
        tails = self._server.context.tails.all
        me = psutil.Process()
        return Counts(
            rss_mib=round(me.memory_info().rss / MIB, 1),
            descriptors=me.num_fds(),
            tasks=len(asyncio.all_tasks()) - 1,  # this one counts
            connections=len(self.server_state.connections),
            full=sum(isinstance(each, Impatient) and each.is_full for each in self.server_state.connections),
            watchers=sum(tail.watchers for tail in tails),
            tails=len(tails),
        )


class Served:
    """A server process on a data folder; keeps its port when it is started again.

    Args:
        data: The data folder.
        settings: Further settings by name.

    Attributes:
        idle_tasks: How many tasks it has before the first client comes.
    """

    def __init__(self, data: Path, **settings: object) -> None:
        self.data = data
        more = {f"PILOTHOUSE_{name.upper()}": str(value) for name, value in settings.items()}
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("PILOTHOUSE_")} | {
            "PILOTHOUSE_DATA": str(data),
            "PILOTHOUSE_LEASE_SECONDS": "600",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            **more,
        }
        self.port = self.starts = self.idle_tasks = 0
        data.mkdir(parents=True, exist_ok=True)
        self._log = (data / "server.log").open("a")
        self.start()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()
        self._log.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The data folder's token."""
        return (self.data / "token").read_text().strip()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.served"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self._environment | {"PILOTHOUSE_PORT": str(self.port)},
            text=True,
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline() or 0)
        assert self.port, "the server does not start"
        self.starts += 1
        self.idle_tasks = self.counts().tasks

    def stop(self, how: int = signal.SIGKILL) -> None:
        """End it: SIGKILL at once, SIGTERM in good order."""
        self._process.send_signal(how)
        self._process.wait(30)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def counts(self) -> Counts:
        """What the server holds now."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Counts(**json.loads(self._process.stdout.readline()))

    def rss_mib(self) -> float:
        """The server's memory, without disturbing it."""
        return float(psutil.Process(self._process.pid).memory_info().rss) / MIB


def _answer(server: Counted, port: int) -> None:
    """Tell the port as soon as it serves, then the counts for each line; end with who asks."""
    server.is_up.wait()
    print(port, flush=True)
    for _ in sys.stdin:
        counts = asyncio.run_coroutine_threadsafe(server.counts(), server.loop).result()
        print(json.dumps({name: getattr(counts, name) for name in Counts.__slots__}), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve until standard input ends."""
    quiet_logs()
    settings = Settings()
    lock = lock_folder(settings.folder)
    sock = listen(settings.address, settings.port, settings.stall_seconds)
    settings = settings.model_copy(update={"port": sock.getsockname()[1]})
    served = Server(settings, KINDS)
    server = Counted(uvicorn_config(served), served)
    with lock:
        threading.Thread(target=_answer, args=(server, settings.port), daemon=True).start()
        server.run(sockets=[sock])


if __name__ == "__main__":
    main()
