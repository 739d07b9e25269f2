"""The host: asks the server for runs and runs them here, `python -m pilothouse.worker.host`.

It holds no truth. It may be restarted at any time: its jobs end with it and the
server queues them again. The server may be restarted at any time: the host keeps
its jobs and goes on asking.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from pilothouse import failpoint
from pilothouse.contracts import COOPERATIVE_SECONDS, TERMINATE_SECONDS, Ended, Executor, Order
from pilothouse.errors import Unavailable
from pilothouse.sdk.finding import data_folder, find_server, find_token
from pilothouse.sdk.handover import hand_over
from pilothouse.worker.cutoff import was_cut_off
from pilothouse.worker.place import instance_of, keep_others_away
from pilothouse.worker.resources import Resources
from pilothouse.worker.shim import become_subreaper

POLL_SECONDS = 20.0
BUSY_POLL_SECONDS = 5.0
FULL_POLL_SECONDS = 0.5
OVERDUE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 1.0
STACK_BYTES = 60_000
LAST_REPORT_SECONDS = 1.0
HAND_OVER_SECONDS = 0.5

logger = logging.getLogger("pilothouse.host")


class Host:
    """Starts what the server orders, ends what it wants ended, and tells what has ended.

    Args:
        name: The host's name on the server.
        server: Base URL.
        token: Bearer token; children get it through their environment.
        executor: What starts processes.
        slots: Runs side by side, at least 1.
        data: Data folder; a run's folder is `<data>/runs/<run_id>`.
    """

    def __init__(
        self, name: str, server: str, token: str, executor: Executor, slots: int, data: Path
    ) -> None:
        self._name = name
        self._path = f"/api/hosts/{quote(name, safe='')}"
        self._server = server.rstrip("/")
        self._token = token
        self._executor = executor
        self._slots = slots
        self._data = data
        self._instance = instance_of(data)
        self._attempts: dict[str, int] = {}
        self._changed = asyncio.Condition()
        self._reports: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._folders: dict[tuple[str, int], Path] = {}
        self._held_up: list[tuple[str, int]] = []
        self._untold: list[tuple[str, int]] = []
        self._ladders: set[tuple[str, int, bool]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._resources = Resources()

    def stop(self) -> None:
        """Take no more orders, end all jobs, and let `run` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Serve until `stop` is called. A host that cannot go on ends its jobs, and raises what stopped it."""
        timeout = httpx2.Timeout(10.0, read=POLL_SECONDS + 10.0)
        headers = {"Authorization": f"Bearer {self._token}"}
        await self._executor.open(f"{self._name}/{self._instance}", self._server)
        self._resources.start()
        async with httpx2.AsyncClient(
            base_url=self._server, headers=headers, params={"instance": self._instance}, timeout=timeout
        ) as client:
            collecting = asyncio.create_task(self._collect_always())
            reporting = asyncio.create_task(self._report_always(client))
            claiming = asyncio.create_task(self._claim_always(client))
            serving = collecting, reporting, claiming
            for task in serving:  # each ends with the host, and never before it
                task.add_done_callback(lambda _: self.stop())
            await self._stopping.wait()
            broken = [task for task in serving if task.done()]
            self._resources.close()
            await _cancel(claiming, *self._tasks)
            await self._leave(client)
            await self._executor.close()
            await self._is_true(lambda: not self._attempts, LAST_REPORT_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reports.join(), LAST_REPORT_SECONDS)
            await _cancel(collecting, reporting)
            for task in broken:
                task.result()

    # Orders

    async def _leave(self, client: httpx2.AsyncClient) -> None:
        """Tell the server that what ends now has not crashed; a server that is away is not waited for."""
        with contextlib.suppress(httpx2.HTTPError, TimeoutError):
            async with asyncio.timeout(LAST_REPORT_SECONDS):
                await client.post(f"{self._path}/leave", json={})

    async def _claim_always(self, client: httpx2.AsyncClient) -> None:
        while not self._stopping.is_set():
            answer = await self._post(client, "claim", await self._claim())
            for stop in answer.get("stop", ()):
                self._climb(stop["run_id"], stop["attempt"], stop["force"])
            for order in answer.get("orders", ()):
                failpoint.reach("host.order.received")
                await self._take(order)
            for run_id in answer.get("dump", ()):
                self._do(self._dump(run_id))

    async def _claim(self) -> dict[str, Any]:
        """What there is room for, and what lives here. An end that is not yet told counts as alive."""
        free = max(0, self._slots - len(self._attempts) - len(self._held_up))
        loads = await self._executor.loads()
        running = [(run_id, attempt, loads.get(run_id)) for run_id, attempt in self._attempts.items()]
        running += [(run_id, attempt, None) for run_id, attempt in (*self._held_up, *self._untold)]
        busy = BUSY_POLL_SECONDS if running else POLL_SECONDS
        return {
            "slots": free,
            "running": [{"run_id": r, "attempt": a, "cpu": cpu} for r, a, cpu in running],
            "wait": busy if free else FULL_POLL_SECONDS,
            "machine": self._resources.take(),
        }

    async def _take(self, claimed: dict[str, Any]) -> None:
        """Start an attempt; when an outdated one has not left yet, once it is gone, however long that takes."""
        run_id = claimed["run_id"]
        if run_id in self._attempts:
            self._held_up.append((run_id, claimed["attempt"]))
            self._do(self._start_after(self._attempts[run_id], claimed))
        else:
            await self._start(claimed)

    async def _start_after(self, outdated: int, claimed: dict[str, Any]) -> None:
        await self._end(claimed["run_id"], outdated, force=True)
        self._held_up.remove((claimed["run_id"], claimed["attempt"]))
        if claimed["run_id"] not in self._attempts:
            await self._start(claimed)

    async def _start(self, claimed: dict[str, Any]) -> None:
        run_id, attempt = claimed["run_id"], claimed["attempt"]
        folder = claimed.get("folder") or str(self._data / "runs" / run_id)
        order = Order(run_id, attempt, claimed["entry"], self._server, self._token, folder)
        self._attempts[run_id] = attempt
        self._folders[run_id, attempt] = Path(folder)
        try:
            failpoint.reach("host.start.before")
            await self._executor.start(order)
            failpoint.reach("host.start.after")
        except Unavailable as error:
            logger.error("%s", error)
            await self._forget(Ended(run_id, attempt, None, None, str(error)))

    # Stops

    def _climb(self, run_id: str, attempt: int, force: bool) -> None:
        """Begin to end an attempt, once; a stop with `force` does not wait for one without."""
        ladder = run_id, attempt, force
        if self._attempts.get(run_id) == attempt and ladder not in self._ladders:
            self._ladders.add(ladder)
            self._do(self._end(*ladder)).add_done_callback(lambda _: self._ladders.discard(ladder))

    async def _end(self, run_id: str, attempt: int, force: bool) -> None:
        """Give the job time to obey, then SIGTERM, then SIGKILL until it is gone."""

        def is_gone() -> bool:
            return self._attempts.get(run_id) != attempt

        if not force:
            if await self._is_true(is_gone, COOPERATIVE_SECONDS):
                return
            failpoint.reach("host.ladder")
            await self._executor.stop(run_id)
            if await self._is_true(is_gone, TERMINATE_SECONDS):
                return
        began = asyncio.get_running_loop().time()
        told = 0
        while not is_gone():
            await self._executor.stop(run_id, force=True)
            if await self._is_true(is_gone, LOOK_AGAIN_SECONDS):
                return
            if asyncio.get_running_loop().time() - began >= OVERDUE_SECONDS:
                told = await self._tell_overdue(run_id, attempt, told)

    async def _tell_overdue(self, run_id: str, attempt: int, told: int) -> int:
        """Tell how many processes outlive a SIGKILL, whenever that number changes; returns the number told."""
        survivors = await self._executor.survivors(run_id)
        if survivors and survivors != told:
            self._report("overdue", run_id=run_id, attempt=attempt, survivors=survivors)
        return survivors or told

    # Stacks

    async def _dump(self, run_id: str) -> None:
        """Ask a job for its stack and pass it on."""
        if (attempt := self._attempts.get(run_id)) is not None:
            text = await self._executor.dump(run_id)
            self._report("stack", run_id=run_id, attempt=attempt, text=shortened(text))

    # Ends

    async def _collect_always(self) -> None:
        while True:
            await self._forget(await self._executor.ended())

    async def _forget(self, ended: Ended) -> None:
        self._untold.append((ended.run_id, ended.attempt))
        folder = self._folders.get((ended.run_id, ended.attempt))
        cut_off = folder is not None and was_cut_off(folder, ended.attempt)
        self._report("ended", **asdict(ended), cut_off=cut_off)
        async with self._changed:
            if self._attempts.get(ended.run_id) == ended.attempt:
                del self._attempts[ended.run_id]
            self._changed.notify_all()

    def _report(self, call: str, **body: Any) -> None:
        """Tell the server, as soon as it listens."""
        self._reports.put_nowait((call, body))

    async def _report_always(self, client: httpx2.AsyncClient) -> None:
        while True:
            call, body = await self._reports.get()
            if call == "ended":
                await self._hand_over(body["run_id"], body["attempt"])
            failpoint.reach("host.report.before")
            await self._post(client, call, body)
            failpoint.reach("host.report.after")
            if call == "ended":
                self._untold.remove((body["run_id"], body["attempt"]))
            self._reports.task_done()

    async def _hand_over(self, run_id: str, attempt: int) -> None:
        """Send what the job could not, while its attempt still owns the run."""
        folder = self._folders.pop((run_id, attempt), None)
        while folder:
            if await asyncio.to_thread(hand_over, self._server, self._token, run_id, attempt, folder):
                return
            await asyncio.sleep(HAND_OVER_SECONDS)

    # Requests and waiting

    async def _post(self, client: httpx2.AsyncClient, call: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post until the server answers; empty when it refuses for good."""
        delay, told = 0.1, ""
        while True:
            try:
                response = await client.post(f"{self._path}/{call}", json=body)
                if response.is_success:
                    answer: dict[str, Any] = response.json() if response.content else {}
                    return answer
                problem = f"{response.status_code} {response.text[:200]}"
                if call != "claim" and response.status_code in (404, 409, 422):
                    logger.warning("%s of %s is refused: %s", call, body["run_id"], problem)
                    return {}
                if response.is_client_error and problem != told:  # such as a token that is not the server's
                    logger.warning("%s is refused by %s, trying on: %s", call, self._server, problem)
                told = problem
            except (httpx2.HTTPError, ValueError) as error:
                problem = str(error) or type(error).__name__
            logger.info("no answer to %s: %s", call, problem)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do it beside everything else; given up when the host stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _is_true(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition over the attempts and reports holds; False when time ran out."""
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(condition), seconds)
            except TimeoutError:
                return False
            return True


def shortened(text: str) -> str:
    """A stack that fits into an event: its middle is left out, with a word about it."""
    data = text.encode()
    if len(data) <= STACK_BYTES:
        return text
    half = STACK_BYTES // 2
    cut = f"\n… {len(data) - 2 * half:,} bytes are left out here …\n"
    return data[:half].decode(errors="ignore") + cut + data[-half:].decode(errors="ignore")


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; the defaults come from `PILOTHOUSE_*` variables."""
    env = os.environ
    parser = argparse.ArgumentParser(prog="pilothouse.worker.host", description="Run jobs on this machine.")
    parser.add_argument("--name", default=env.get("PILOTHOUSE_HOST_NAME") or socket.gethostname())
    parser.add_argument("--slots", type=int, default=int(env.get("PILOTHOUSE_SLOTS", os.cpu_count() or 2)))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--server")
    parser.add_argument(
        "--executor",
        default=env.get("PILOTHOUSE_EXECUTOR", "pilothouse.executors.local:LocalExecutor"),
        help="what starts processes, as module:class",
    )
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input is closed")
    return parser.parse_args(arguments)


async def serve(host: Host, *, watch_stdin: bool) -> None:
    """Run a host until SIGTERM, SIGINT, or the end of standard input if that is watched."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, host.stop)
    if watch_stdin:

        def watch() -> None:
            while os.read(0, 4096):
                pass
            loop.call_soon_threadsafe(host.stop)

        threading.Thread(target=watch, daemon=True).start()
    await host.run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a host; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = parse(sys.argv[1:] if arguments is None else arguments)
    module, _, name = options.executor.partition(":")
    executor: Executor = getattr(import_module(module), name)()
    data = data_folder(options.data)
    token = find_token(data)
    if not token:
        logger.error("no token: set PILOTHOUSE_TOKEN, or put one into %s", data / "token")
        return 2
    lock = keep_others_away(data, options.name)
    if lock is None:
        logger.error(
            "another host named %s runs with the data folder %s: stop it, or choose another --data or --name",
            *(options.name, data),
        )
        return 2
    become_subreaper()  # what a job has left without its shim comes here
    host = Host(options.name, find_server(data, options.server), token, executor, options.slots, data)
    with lock:
        asyncio.run(serve(host, watch_stdin=options.watch_stdin))
    return 0


if __name__ == "__main__":
    sys.exit(main())
