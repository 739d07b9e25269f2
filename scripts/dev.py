"""`make dev`: the server with its host, and Vite in front of it, both until Ctrl+C."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PORT = "8420"


def main() -> None:
    """Run both; the page is on Vite's port and reloads by itself."""
    data = ROOT / ".pilothouse"
    environment = os.environ | {"PILOTHOUSE_DATA": str(data)}
    up = [
        sys.executable,
        "-m",
        "pilothouse.cli.main",
        "up",
        "--port",
        PORT,
        "--no-open",
        "--insecure-no-auth",
    ]
    with subprocess.Popen(up, env=environment) as server:
        try:
            subprocess.run(["npm", "run", "dev"], cwd=ROOT / "ui", check=False)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
