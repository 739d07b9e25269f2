"""`python -m pilothouse.llm.offline --port N`: serve the offline model until Ctrl+C."""

from __future__ import annotations

import argparse
import contextlib
import sys

from pilothouse.llm.offline import DEMO_MS_PER_TOKEN
from pilothouse.llm.offline.model import offline_model
from pilothouse.llm.offline.server import OfflineServer


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
    arguments = parser.parse_args()
    offline_model()
    with OfflineServer(arguments.port, arguments.ms_per_token) as server:
        sys.stdout.write(f"Offline model at {server.base_url} (model id: offline)\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
