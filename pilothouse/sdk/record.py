"""One line of a spool file: `[number, "checksum", event]`, JSON that any tool can read.

A line counts when its checksum does. A process that is killed in the middle of a
write leaves half a line at the end, which is no line; so does a full disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32


def line(number: int, event: bytes) -> bytes:
    """One record; `event` is JSON without line breaks."""
    return b'[%d,"%08x",%b]\n' % (number, crc32(event, number & 0xFFFFFFFF), event)


def parse(text: bytes) -> tuple[int, bytes] | None:
    """Number and event of one line without its end, None when it is damaged."""
    head, _, rest = text.partition(b",")
    if head[:1] != b"[" or not head[1:].isdigit() or rest[:1] != b'"' or rest[9:11] != b'",':
        return None
    number, event = int(head[1:]), rest[11:-1]
    if rest[-1:] != b"]" or rest[1:9] != b"%08x" % crc32(event, number & 0xFFFFFFFF):
        return None
    return number, event


def read(text: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of a file that hold; what is cut or damaged is left out."""
    for each in text.split(b"\n"):
        if each and (record := parse(each)):
            yield record
