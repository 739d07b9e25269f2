"""Errors that say that memory or disk is short; each library says it in words of its own."""

from __future__ import annotations

import errno

SHORT_OF_MEMORY = (
    "out of memory",
    "outofmemory",
    "can't allocate memory",
    "not enough memory",
    "std::bad_alloc",
    "status_alloc_failed",
)
SHORT_OF_DISK = ("no space left on device", "disk quota", "pytorchstreamwriter failed", "unexpected pos")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory was short, of the machine or of its GPU."""
    text = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or any(words in text for words in SHORT_OF_MEMORY)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that the disk takes no more."""
    text = str(error).lower()
    is_told = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return is_told or any(words in text for words in SHORT_OF_DISK)
