"""A bus for several servers: Redis publish and subscribe.

One task listens and connects again for ever; after an outage it tells the
listeners to look at everything, since rings may be lost meanwhile. A ring
that cannot be sent is dropped: whoever watches looks again by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pilothouse.buses.listeners import Listeners
from pilothouse.contracts import EVERY_RUN
from pilothouse.errors import Unavailable

CHANNEL = "pilothouse:rings"
RETRY_SECONDS = 0.5
SEND_SECONDS = 2.0
QUIET_SECONDS = 10.0

_log = logging.getLogger(__name__)


class RedisBus:
    """The bus contract on one Redis channel.

    Args:
        url: Such as `redis://127.0.0.1:6379/0`.
        channel: Servers that share a database share it.
        quiet_seconds: After so long without a ring Redis is asked whether it is there, and given up
            after as long again.
    """

    def __init__(self, url: str, *, channel: str = CHANNEL, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._redis: Redis = Redis.from_url(url, socket_connect_timeout=SEND_SECONDS, client_name=channel)
        self._channel = channel
        self._quiet_seconds = quiet_seconds
        self._listeners = Listeners()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and begin to listen.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        hearing = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._listen(hearing), name="redis-bus")
        try:
            await hearing
        except (RedisError, OSError) as error:
            await self.close()
            raise Unavailable(f"Redis cannot be reached: {error}", hint="Check PILOTHOUSE_BUS.") from error

    async def close(self) -> None:
        """Stop listening and disconnect."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._redis.aclose()

    async def ring(self, run_id: str) -> None:
        """Tell every server, this one too, that the run has news."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._redis.publish(self._channel, run_id)
        except (RedisError, OSError) as error:
            _log.warning("a ring was lost: %s", error)
            self._listeners.call(run_id)

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(run_id)` at every ring, until the returned function is called."""
        return self._listeners.add(listener)

    async def _listen(self, hearing: asyncio.Future[None]) -> None:
        """Hear for ever; `hearing` is done once the first subscription stands."""
        while True:
            try:
                await self._hear(hearing)
            except (RedisError, OSError) as error:
                if not hearing.done():
                    hearing.set_exception(error)
                    return
                _log.warning("the bus is away: %s", error)
            except Exception:  # else nobody would ever hear anything again
                _log.exception("the bus cannot be heard")
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, hearing: asyncio.Future[None]) -> None:
        async with aclosing(self._redis.pubsub()) as pubsub:
            await pubsub.subscribe(self._channel)
            is_asked = False
            while True:
                message = await pubsub.get_message(timeout=self._quiet_seconds)
                if message is None:  # a connection that has died without a word looks like a quiet one
                    if is_asked:
                        raise ConnectionError("it does not answer")
                    await pubsub.ping()
                    is_asked = True
                    continue
                is_asked = False
                if message["type"] == "subscribe":
                    self._subscribed(hearing)
                elif message["type"] == "message":
                    self._listeners.call(message["data"].decode(errors="replace"))

    def _subscribed(self, hearing: asyncio.Future[None]) -> None:
        if hearing.done():
            self._listeners.call(EVERY_RUN)
        else:
            hearing.set_result(None)
