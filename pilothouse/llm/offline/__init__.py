"""A small real language model that needs nothing, and its OpenAI-compatible server.

It exists for the first run, for tests and for development, and it says so: its
model id is `offline`, its fingerprint `pilothouse-offline`. Nothing of it leaves
the machine.
"""

from __future__ import annotations

import os
import threading
from functools import cache

DEMO_MS_PER_TOKEN = 12.0
VARIABLE = "PILOTHOUSE_OFFLINE_MS_PER_TOKEN"


def embedded(ms_per_token: float | None = None) -> str:
    """Start the server within this process, once for each speed, and return its base URL.

    Args:
        ms_per_token: Time that each token of an answer takes, in milliseconds, so that
            people can watch; 0 answers as fast as the model computes. None takes
            `PILOTHOUSE_OFFLINE_MS_PER_TOKEN`, or 12.

    Raises:
        ValueError: The variable holds no number.
    """
    if ms_per_token is None:
        ms_per_token = float(os.environ.get(VARIABLE) or DEMO_MS_PER_TOKEN)
    return _serve(ms_per_token)


@cache
def _serve(ms_per_token: float) -> str:
    from pilothouse.llm.offline.server import OfflineServer

    server = OfflineServer(ms_per_token=ms_per_token)
    threading.Thread(target=server.serve_forever, name="pilothouse-offline", daemon=True).start()
    return server.base_url
