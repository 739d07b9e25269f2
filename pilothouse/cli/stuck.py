"""`pilothouse stuck`, and cancelling exactly what it lists."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pilothouse.cli import words
from pilothouse.cli.client import STUCK, Client
from pilothouse.cli.consent import agrees
from pilothouse.cli.output import put, put_json, say
from pilothouse.cli.read import AS_JSON, kinds_of


def list_stuck(
    context: typer.Context,
    fail_on_stuck: Annotated[
        bool, typer.Option("--fail-on-stuck", help="Exit with 9 when a run is stuck.")
    ] = False,
    as_json: AS_JSON = False,
) -> None:
    """List the runs that do not move, with the cause, and queued ones that no host can take."""
    client: Client = context.obj
    found = client.get("/api/stuck")
    if as_json:
        put_json(found)
    else:
        _tell(found, kinds_of(client))
    if fail_on_stuck and found["stuck"]:
        raise typer.Exit(STUCK)


def _tell(found: dict[str, Any], kinds: dict[str, dict[str, Any]]) -> None:
    if not found["stuck"] and not found["waiting"]:
        say("No run is stuck.")
    for one in found["stuck"]:
        run = one["run"]
        unit = kinds.get(run["kind"], {}).get("unit", "item")
        put(
            f"{words.mark(run)} {run['id']}   {run['name']}   {words.counts(run)}   "
            f"Stuck {words.briefly(one['seconds'])} (limit {words.briefly(one['limit'])})"
        )
        put(f"  {words.stuck_sentence(one['cause'], unit)}")
    for one in found["waiting"]:
        run = one["run"]
        put(f"{words.mark(run)} {run['id']}   {run['name']}   {one['cause']}")
    if found["stuck"]:
        say("  What it does:  pilothouse stack RUN     End them:  pilothouse cancel --stuck")


def cancel_stuck(client: Client, *, yes: bool, force: bool, reason: str | None, as_json: bool) -> None:
    """Name the stuck runs, ask, and cancel those of them that are stuck still."""
    named = _stuck_now(client)
    if not named:
        say("No run is stuck.")
        return
    if not yes:
        lines = [
            f"  {id_}   {one['run']['name']}   {words.counts(one['run'])}   "
            f"stuck {words.briefly(one['seconds'])}"
            for id_, one in named.items()
        ]
        if not agrees("\n".join([f"Cancel exactly these {len(named)} runs?", *lines])):
            say("Kept running.")
            return
    now = _stuck_now(client)
    versions = {id_: now[id_]["version"] for id_ in named if id_ in now}
    answers: list[dict[str, Any]] = []
    if versions:
        body = {"control": "cancel", "run_ids": list(versions), "versions": versions}
        answers = client.post("/api/controls", body | {"force": force, "reason": reason})["answers"]
    if as_json:
        put_json(answers)
        return
    for answer in answers:
        error = answer.get("error")
        say(f"✕ {error['message']}" if error else f"⊘ Cancelling {answer['run_id']}…")
    for id_ in named.keys() - versions.keys():
        say(f"◐ {id_} woke up and was left running.")


def _stuck_now(client: Client) -> dict[str, dict[str, Any]]:
    """What is stuck now, by run id."""
    return {one["run"]["id"]: one for one in client.get("/api/stuck")["stuck"]}
