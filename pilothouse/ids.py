"""Names that are unique without asking anybody: `bench_1760790379_deacb1b0`."""

from __future__ import annotations

import secrets
import time


def new_run_id(prefix: str) -> str:
    """A run id: the kind's prefix, unix seconds, 8 hexadecimal digits."""
    return f"{prefix}_{int(time.time())}_{secrets.token_hex(4)}"


def new_epoch() -> str:
    """8 hexadecimal digits that tell one life of a database from its restored copies."""
    return secrets.token_hex(4)
