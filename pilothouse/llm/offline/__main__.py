"""`python -m pilothouse.llm.offline --port N`: serve the offline model until Ctrl+C."""

from __future__ import annotations

import argparse
import contextlib
import sys

from pilothouse.llm.offline import DEMO_MS_PER_TOKEN
from pilothouse.llm.offline.ngram import ORDER
from pilothouse.llm.offline.server import OfflineServer

# An answer is computed in 2 to 6 ms; with Python's own 5 ms, three of them would keep a fourth request waiting.
SWITCH_SECONDS = 0.0005


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m pilothouse.llm.offline",
        description="A small real language model on an OpenAI-compatible API, on this machine only.",
    )
    parser.add_argument("--port", type=int, default=8430, help="port; 0 takes a free one (8430)")
    parser.add_argument(
        "--ms-per-token",
        type=float,
        default=DEMO_MS_PER_TOKEN,
        help=f"time that each token takes, so that people can watch; 0 is full speed ({DEMO_MS_PER_TOKEN:g})",
    )
    parser.add_argument(
        "--order",
        type=int,
        choices=range(1, ORDER + 1),
        default=ORDER,
        help=f"words that the model looks at; fewer are faster and weaker ({ORDER})",
    )
    parser.add_argument(
        "--max-batch",
        type=int,
        default=0,
        help="answers at work side by side, further requests wait; 0 is any number (0)",
    )
    arguments = parser.parse_args()
    if arguments.max_batch < 0:
        parser.error("--max-batch: must be 0 or more")
    sys.setswitchinterval(SWITCH_SECONDS)
    with OfflineServer(
        arguments.port, arguments.ms_per_token, order=arguments.order, max_batch=arguments.max_batch or None
    ) as server:
        sys.stdout.write(f"Offline model at {server.base_url} (model id: offline)\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
