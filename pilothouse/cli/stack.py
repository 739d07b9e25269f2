"""`pilothouse stack`: what a job is doing right now, line by line of its code."""

from __future__ import annotations

import time
from typing import Any

import typer

from pilothouse.cli.client import STILL_WAITING, Client, CliError
from pilothouse.cli.output import put, put_json
from pilothouse.cli.read import AS_JSON, RUN

PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("stack")(stack)


def stack(context: typer.Context, run: RUN, as_json: AS_JSON = False) -> None:
    """Show the Python stack of every thread of a running job; the job goes on."""
    client: Client = context.obj
    run_id = client.run(run)["id"]
    asked = client.post(f"/api/runs/{run_id}/stack")
    event = _answer(client, run_id, asked["after"])
    if as_json:
        put_json(event)
    else:
        put(event["data"]["text"].rstrip("\n"))


def _answer(client: Client, run_id: str, after: int) -> dict[str, Any]:
    """The stack that comes after a place of the log."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        events = client.get(f"/api/runs/{run_id}/events", after=after, limit=5000)["events"]
        for event in events:
            after = event["seq"]
            if event["type"] == "log" and event["data"]["source"] == "stack":
                return dict(event)
        if not events:
            time.sleep(LOOK_SECONDS)
    raise CliError(
        f"No stack of {run_id} came within {PATIENCE_SECONDS:g} s.",
        f"Its host may be away:   pilothouse show {run_id}",
        exit_code=STILL_WAITING,
    )
