"""What an answer costs, from a price table the user can replace.

An unknown model has no cost: None, never 0. A name is found as it is, without
its vendor (`openai/gpt-4o`), and without its date (`gpt-4o-2024-08-06`).
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from pilothouse.errors import Invalid

VARIABLE = "PILOTHOUSE_PRICES"
LARGEST_BYTES = 4 * 1024 * 1024
_DATE = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|\d{4})$")


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens."""

    tokens_in: float
    tokens_out: float


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by model id."""

    table: Mapping[str, Price]

    @classmethod
    def load(cls, path: str | Path | None = None, environ: Mapping[str, str] = os.environ) -> Self:
        """The table that ships here, with the user's own entries on top.

        Args:
            path: JSON such as `{"models": {"my-model": {"in": 0.1, "out": 0.4}}}`; None looks
                at the variable `PILOTHOUSE_PRICES`.

        Raises:
            Invalid: The user's file cannot be read.
        """
        shipped = (files("pilothouse.llm") / "prices.json").read_text("utf-8")
        table = _table(json.loads(shipped))
        own = path or environ.get(VARIABLE)
        if own:
            table |= _own(Path(own))
        return cls(table)

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """Dollars for one answer, None when the price is not known."""
        price = self.find(model)
        if price is None:
            return None
        return (tokens_in * price.tokens_in + tokens_out * price.tokens_out) / 1_000_000

    def find(self, model: str) -> Price | None:
        """A model's price, None when it is not known."""
        bare = model.rpartition("/")[2]
        for name in (model, bare, _DATE.sub("", bare)):
            if name in self.table:
                return self.table[name]
        return None


def _own(path: Path) -> dict[str, Price]:
    hint = 'It holds {"models": {"my-model": {"in": 0.1, "out": 0.4}}}, dollars per million tokens.'
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_BYTES:
            raise ValueError(path)
        return _table(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise Invalid(f"prices: {path} cannot be read: {error.strerror}", hint=hint, field="prices") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Invalid(f"prices: {path} is no price table", hint=hint, field="prices") from None


def _table(data: Mapping[str, Any]) -> dict[str, Price]:
    return {
        name: Price(_dollars(price["in"]), _dollars(price["out"])) for name, price in data["models"].items()
    }


def _dollars(value: Any) -> float:
    """A price; one below nothing, or no number at all, would let a budget never end."""
    dollars = float(value)
    if not 0 <= dollars < math.inf:
        raise ValueError(value)
    return dollars
