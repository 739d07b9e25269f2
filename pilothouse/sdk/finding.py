"""Where the server is and what opens its door, for scripts and for the command line.

A server writes its address and its token into its data folder. Variables come
first, so that a script can be pointed elsewhere without being changed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

DEFAULT_SERVER = "http://127.0.0.1:8420"


def data_folder(data: Path | None = None) -> Path:
    """The data folder: as given, from `PILOTHOUSE_DATA`, or `~/.pilothouse`."""
    return Path(data or os.environ.get("PILOTHOUSE_DATA") or "~/.pilothouse").expanduser().absolute()


def find_server(data: Path, server: str | None = None) -> str:
    """The server's base URL: as given, from `PILOTHOUSE_SERVER`, as written down, or the usual one."""
    found = server or os.environ.get("PILOTHOUSE_SERVER") or recorded_server(data) or DEFAULT_SERVER
    return found.rstrip("/")


def find_token(data: Path) -> str:
    """The token: from `PILOTHOUSE_TOKEN`, else of the data folder; empty without one."""
    token = os.environ.get("PILOTHOUSE_TOKEN")
    if token:
        return token
    try:
        return (data / "token").read_text().strip()
    except OSError:
        return ""


def recorded_server(data: Path) -> str | None:
    """The address that a server with this data folder has written down; None when none runs."""
    try:
        return str(json.loads((data / "server.json").read_text())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
