"""What the whole machine of a host is busy with.

A thread looks every few seconds, so that a driver that hangs delays no claim. Each
claim takes the newest look along, once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import psutil

from pilothouse.worker.gpu import Gpus

LOOK_SECONDS = 5.0

logger = logging.getLogger("pilothouse.host")


class Resources:
    """Looks at this machine until `close`.

    Args:
        every_seconds: Pause between two looks.
        gpus: Opens the GPUs, in the thread that looks.
    """

    def __init__(self, every_seconds: float = LOOK_SECONDS, gpus: Callable[[], Gpus] = Gpus) -> None:
        self._every_seconds = every_seconds
        self._open_gpus = gpus
        self._newest: dict[str, Any] | None = None
        self._closing = threading.Event()

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._look_always, name="pilothouse-resources", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._closing.set()

    def take(self) -> dict[str, Any] | None:
        """The newest look, once; None when there is no new one.

        Returns:
            `facts` (`cores`, `memory_bytes`, `gpus`) and `values` (`cpu_percent` of all cores,
            `memory_bytes` in use, and for each GPU what `Gpus.read` tells).
        """
        newest, self._newest = self._newest, None
        return newest

    def _look_always(self) -> None:
        gpus: Gpus | None = None
        is_told = False
        while not self._closing.is_set():
            try:
                gpus = gpus or self._begin()
                if not self._closing.wait(self._every_seconds):
                    self._newest = {"facts": _facts(gpus), "values": {**_busy(), **gpus.read({})}}
            except (
                Exception
            ):  # a driver that is being replaced, a device that is lost: said once, tried again
                if not is_told:
                    logger.warning("what this machine is busy with cannot be read; trying on", exc_info=True)
                    is_told = True
                self._closing.wait(self._every_seconds)

    def _begin(self) -> Gpus:
        """Open the GPUs; from now on the use of the processor is counted."""
        psutil.cpu_percent(None)
        return self._open_gpus()


def _facts(gpus: Gpus) -> dict[str, Any]:
    return {
        "cores": psutil.cpu_count() or 1,
        "memory_bytes": int(psutil.virtual_memory().total),
        "gpus": [asdict(gpu) for gpu in gpus.devices],
    }


def _busy() -> dict[str, float]:
    memory = psutil.virtual_memory()
    return {
        "cpu_percent": float(psutil.cpu_percent(None)),
        "memory_bytes": float(memory.total - memory.available),
    }
