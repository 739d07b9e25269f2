"""The GPUs of this machine, as NVIDIA's library tells of them.

The package `nvidia-ml-py` (extra `gpu`) brings its bindings. Without it, without a
driver, or without a device there are no GPUs, and nobody is told of any. What a
device does not tell, such as the power of a virtual one, is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

PACKAGE = "pynvml"
VISIBLE = "CUDA_VISIBLE_DEVICES"
MILLIWATTS = 1000.0
_TEMPERATURE_OF_GPU = 0


@dataclass(frozen=True, slots=True)
class Gpu:
    """A device: its place on the machine, and all the memory that it has, in bytes."""

    index: int
    name: str
    memory_bytes: int | None


class Gpus:
    """Reads every device that this process may use.

    Args:
        library: NVIDIA's library; None looks for it.
    """

    def __init__(self, library: Any = None) -> None:
        self._library = library or _library()
        self._handles: dict[int, Any] = {}
        self._ids: dict[int, str] = {}
        self.devices: tuple[Gpu, ...] = ()
        if self._library is not None:
            self._open()

    def read(self, environ: Mapping[str, str] = os.environ) -> dict[str, float]:
        """What the visible devices tell now.

        Args:
            environ: Where `CUDA_VISIBLE_DEVICES` may stand; it is read anew each time, since jobs set it late.

        Returns:
            By name: `gpu0_percent`, `gpu0_memory_bytes`, `gpu0_power_watts`, `gpu0_celsius`, `gpu1_percent` …
        """
        told: dict[str, float] = {}
        for gpu in self.visible(environ):
            told |= {f"gpu{gpu.index}_{name}": value for name, value in self._read(gpu.index).items()}
        return told

    def visible(self, environ: Mapping[str, str] = os.environ) -> list[Gpu]:
        """The devices that `CUDA_VISIBLE_DEVICES` names, by number or id; all of them where it is not set."""
        wanted = environ.get(VISIBLE)
        if wanted is None or "MIG" in wanted:
            return list(self.devices)
        words = [word.strip() for word in wanted.split(",")]
        return [gpu for gpu in self.devices if any(self._is_meant(gpu, word) for word in words)]

    def _is_meant(self, gpu: Gpu, word: str) -> bool:
        return word == str(gpu.index) or (
            word.startswith("GPU-") and self._ids.get(gpu.index, "").startswith(word)
        )

    def _open(self) -> None:
        nvml = self._library
        if self._ask(nvml.nvmlInit, default=False) is False:
            return
        found: list[Gpu] = []
        for index in range(self._ask(nvml.nvmlDeviceGetCount, default=0)):
            if (handle := self._ask(nvml.nvmlDeviceGetHandleByIndex, index)) is None:
                continue
            self._handles[index] = handle
            self._ids[index] = _text(self._ask(nvml.nvmlDeviceGetUUID, handle))
            memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle)
            name = _text(self._ask(nvml.nvmlDeviceGetName, handle)) or "GPU"
            found.append(Gpu(index, name, int(memory.total) if memory else None))
        self.devices = tuple(found)

    def _read(self, index: int) -> dict[str, float]:
        nvml, handle = self._library, self._handles[index]
        use = self._ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        power = self._ask(nvml.nvmlDeviceGetPowerUsage, handle)
        told = {
            "percent": None if use is None else float(use.gpu),
            "memory_bytes": None if memory is None else float(memory.used),
            "power_watts": None if power is None else power / MILLIWATTS,
            "celsius": self._ask(nvml.nvmlDeviceGetTemperature, handle, _TEMPERATURE_OF_GPU),
        }
        return {name: float(value) for name, value in told.items() if value is not None}

    def _ask(self, question: Callable[..., Any], *arguments: Any, default: Any = None) -> Any:
        try:
            return question(*arguments)
        except self._library.NVMLError:  # not supported by this device, or the device has gone
            return default


def _library() -> Any:
    """NVIDIA's library; None without its package."""
    try:
        return import_module(PACKAGE)
    except ImportError:
        return None


def _text(value: Any) -> str:
    """A name; older bindings answer with bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
