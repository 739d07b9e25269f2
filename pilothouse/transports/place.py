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

    async def lost(self, tail: Tail) -> str | None:
        """Why this place does not exist in the log, None when it does.

        Raises:
            NotFound: The run was deleted meanwhile.
        """
        if self.epoch is not None and self.epoch != tail.epoch:
            return "the database was replaced"
        if not await tail.reaches(self.after):
            return "the log is shorter than the place you knew"
        return None
