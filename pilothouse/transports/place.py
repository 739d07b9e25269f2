"""Where a client stands in a log: a `seq`, and the epoch it belongs to.

Written `<epoch>-<seq>` in server-sent event ids and in `Last-Event-ID`; a bare
number is a place in whatever epoch the server has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilothouse.engine.tail import Tail
from pilothouse.errors import Invalid

_PLACE = re.compile(r"(?:([0-9a-f]{1,32})-)?([0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a log."""

    after: int = 0
    epoch: str | None = None

    @classmethod
    def parse(cls, text: str | None, field: str = "after") -> Place:
        """Read `12` or `9f31c0de-12`; nothing means the beginning.

        Raises:
            Invalid: Anything else.
        """
        if not text:
            return cls()
        match = _PLACE.fullmatch(text)
        if match is None:
            raise Invalid(
                f"{field}: {text[:40]!r} is not a place in a log",
                hint="Use a seq, such as 0 or 120.",
                field=field,
            )
        return cls(int(match[2]), match[1])

    def lost(self, epoch: str, head: int) -> str | None:
        """Why this place does not exist in a log of this epoch and length, None when it does."""
        if self.epoch is not None and self.epoch != epoch:
            return "the database was replaced"
        if self.after > head:
            return "the log is shorter than the place you knew"
        return None

    async def lost_in(self, tail: Tail) -> str | None:
        """The same for the log that a tail follows.

        Raises:
            NotFound: The run was deleted meanwhile.
        """
        return self.lost(tail.epoch, await tail.reach(self.after))
