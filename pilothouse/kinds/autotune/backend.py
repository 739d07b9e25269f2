"""The outside world of an autotune: a server that is started and loaded, or arithmetic for tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import httpx2

from pilothouse.kinds.autotune.command import HOST, argv, variables
from pilothouse.kinds.autotune.load import Generator
from pilothouse.kinds.autotune.measurement import Level, Sample
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.server import ExperimentFailed, Server, free_port, wait_until_healthy
from pilothouse.kinds.autotune.space import Point
from pilothouse.kinds.environment import environment
from pilothouse.llm.offline.server import MODEL_ID

RECONFIGURE_SECONDS = 60.0


class Watch(Protocol):
    """Who is told how an experiment goes, in the thread that does it. Any call may raise to end it."""

    def phase(self, name: str) -> None:
        """`Deploy`, `Warm-up` or `Benchmark` begins."""

    def look(self, levels: list[Level], concurrency: int, samples: list[Sample]) -> None:
        """The levels that are measured, and the samples so far of the one that is."""

    def check(self) -> None:
        """A moment in which nothing new is known."""


class Backend(Protocol):
    """Measures points."""

    def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
        """Do one experiment.

        Raises:
            ExperimentFailed: The point cannot be measured.
        """

    def close(self) -> None:
        """Stop what runs. Called from another thread than `measure`, also while that works."""


class LiveBackend:
    """Real servers.

    Args:
        folder: Of the run; each experiment's server writes to `servers/<number>.log` in it.
        environ: Of the host.
    """

    def __init__(self, params: Params, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._params = params
        self._folder = folder
        self._environ = environ
        self._server: Server | None = None

    def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
        """See `Backend`."""
        watch.phase("Deploy")
        self._key()  # a server that nobody could ask is not started
        target = self._params.target
        try:
            ready = self._reconfigure if target.server == "url" else self._deploy
            return self._benchmark(ready(number, point, watch), watch)
        finally:
            self._stop()

    def close(self) -> None:
        """See `Backend`."""
        self._stop()

    def _stop(self) -> None:
        if server := self._server:
            server.stop()
            self._server = None

    def _deploy(self, number: int, point: Point, watch: Watch) -> str:
        params, target, port = self._params, self._params.target, free_port()
        more = variables(target, params.space, point)
        log = self._folder / "servers" / f"{number:05d}.log"
        words = argv(target, params.space, point, port)
        self._server = server = Server(words, environment(self._environ, more), self._folder, log)
        watch.check()  # the run may have ended while it was started

        def check() -> None:
            server.check()
            watch.check()

        try:
            wait_until_healthy(f"http://{HOST}:{port}{target.health_path}", target.health_seconds, check)
        except ExperimentFailed as failure:
            raise failure if failure.output else server.failure(failure.reason) from None
        return f"http://{HOST}:{port}/v1"

    def _reconfigure(self, _: int, point: Point, watch: Watch) -> str:
        target = self._params.target
        assert target.base_url and target.reconfigure_url
        settings = {**target.flags, **point}
        try:
            answer = httpx2.post(
                target.reconfigure_url, json=settings, timeout=RECONFIGURE_SECONDS, trust_env=False
            )
        except httpx2.HTTPError as error:
            raise ExperimentFailed(
                f"{target.reconfigure_url} does not answer ({type(error).__name__})."
            ) from None
        if not answer.is_success:
            raise ExperimentFailed(
                f"{target.reconfigure_url} refused the settings: HTTP {answer.status_code}.",
                answer.text[:1000],
            )
        root = target.base_url.removesuffix("/v1")
        wait_until_healthy(root + target.health_path, target.health_seconds, watch.check)
        return target.base_url

    def _benchmark(self, base_url: str, watch: Watch) -> list[Level]:
        load = self._params.load
        generator = Generator(base_url, self._model(base_url), load, self._key(), self._params.seed)
        levels: list[Level] = []

        def look(concurrency: int) -> Callable[[list[Sample]], None]:
            def told(samples: list[Sample]) -> None:
                if self._server:
                    self._check_alive(self._server)
                watch.look(levels, concurrency, samples)

            return told

        try:
            if load.warmup:
                watch.phase("Warm-up")
                self._warm_up(generator, watch)
            watch.phase("Benchmark")
            for concurrency in load.concurrencies:
                levels.append(generator.level(concurrency, load.requests, look(concurrency)))
        finally:
            generator.close()
        if self._server:
            self._check_alive(self._server)
        return levels

    def _warm_up(self, generator: Generator, watch: Watch) -> None:
        """Requests that are not counted. A server that answers none of them fails here, with its words."""

        def told(samples: list[Sample]) -> None:
            if self._server:
                self._check_alive(self._server)
            watch.check()

        load = self._params.load
        warm = generator.level(min(max(load.concurrencies), load.warmup), load.warmup, told)
        if all(sample.error for sample in warm.samples):
            raise self._failure(f"No warm-up request was answered: {warm.samples[0].error}.")

    def _failure(self, reason: str) -> ExperimentFailed:
        return self._server.failure(reason) if self._server else ExperimentFailed(reason)

    def _check_alive(self, server: Server) -> None:
        try:
            server.check()
        except ExperimentFailed as failure:
            raise ExperimentFailed(
                f"{failure.reason.removesuffix('.')} under load.", failure.output
            ) from None

    def _key(self) -> str | None:
        """The API key.

        Raises:
            ExperimentFailed: Its variable is not set.
        """
        name = self._params.target.api_key_env
        if not name:
            return None
        if key := self._environ.get(name, "").strip():
            return key
        raise ExperimentFailed(
            f"{name} is not set; it should hold the API key. Set it where the host starts."
        )

    def _model(self, base_url: str) -> str:
        """What requests call the model: the target's, else the first that the server lists."""
        target = self._params.target
        if target.server == "offline":
            return MODEL_ID
        if target.model:
            return target.model
        headers = {"Authorization": f"Bearer {self._key() or 'none'}"}
        try:
            listed = httpx2.get(f"{base_url}/models", headers=headers, timeout=10.0, trust_env=False).json()
            return str(listed["data"][0]["id"])
        except (httpx2.HTTPError, ValueError, LookupError, TypeError):
            raise self._failure("The server lists no model; name it under target.model.") from None


class DeterministicBackend:
    """Measures by arithmetic, at once, the same every time. For tests only.

    Args:
        milliseconds: The time of a token at a point.
        failures: Point in words → why it cannot be measured.
    """

    def __init__(
        self,
        milliseconds: Callable[[Point], float],
        failures: Mapping[str, str] | None = None,
        params: Params | None = None,
    ) -> None:
        self._milliseconds = milliseconds
        self._failures = failures or {}
        self._params = params
        self.measured: list[tuple[int, Point]] = []

    def measure(self, number: int, point: Point, watch: Watch) -> list[Level]:
        """See `Backend`."""
        from pilothouse.kinds.autotune.space import in_words

        watch.phase("Deploy")
        self.measured.append((number, point))
        if reason := self._failures.get(in_words(point)):
            raise ExperimentFailed(reason, "last words")
        watch.phase("Benchmark")
        levels: list[Level] = []
        for concurrency in self._params.load.concurrencies if self._params else (1,):
            level = self._level(concurrency, point)
            for count in range(1, len(level.samples) + 1):
                watch.look(levels, concurrency, list(level.samples[:count]))
            levels.append(level)
        return levels

    def close(self) -> None:
        """Nothing runs."""

    def _level(self, concurrency: int, point: Point) -> Level:
        seconds = self._milliseconds(point) / 1000
        count = self._params.load.requests if self._params else 4
        samples = tuple(
            Sample(began=number * 11 * seconds, seconds=11 * seconds, ttft=seconds, tokens=11)
            for number in range(count)
        )
        return Level(concurrency, samples, count * 11 * seconds / concurrency)
