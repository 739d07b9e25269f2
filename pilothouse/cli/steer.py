"""Commands that steer: `pause`, `resume`, `cancel`, `retry`."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from pilothouse.cli import words
from pilothouse.cli.client import USAGE, Client, CliError
from pilothouse.cli.output import put_json, say
from pilothouse.cli.read import AS_JSON, kinds_of

RUNS = Annotated[list[str], typer.Argument(help="Runs: id, unique beginning, number, name, or @last.")]
REASON = Annotated[str | None, typer.Option(help="Why; it is kept in the log.")]
WAIT = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")]
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 600.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("cancel")(cancel)
    app.command("retry")(retry)


def pause(
    context: typer.Context,
    runs: RUNS,
    release: Annotated[bool, typer.Option("--release", help="Save, exit and free the memory.")] = False,
    reason: REASON = None,
    wait: WAIT = True,
    as_json: AS_JSON = False,
) -> None:
    """Pause after the item in hand; nothing new starts."""
    client: Client = context.obj
    for run in _found(client, runs):
        answer = client.post(
            f"/api/runs/{run['id']}/pause", {"strength": "release" if release else "hold", "reason": reason}
        )
        if as_json:
            put_json(answer)
            continue
        unit = _unit(client, run)
        if answer["pending"]:
            say(f"‖ Pausing {run['id']} after the current {unit} ({words.counts(run)})…")
            run = _until(client, run["id"], lambda now: now["pending"] != "pause") if wait else run
        else:
            run = client.run(run["id"])
        if run["status"] == "paused":
            say(f"‖ Paused at {words.counts(run)}.   Continue: pilothouse resume {run['id']}")
        elif wait:
            say(f"{words.mark(run)} {words.status_words(run, unit)} at {words.counts(run)}.")


def resume(context: typer.Context, runs: RUNS, reason: REASON = None, as_json: AS_JSON = False) -> None:
    """Let a paused run go on, or take back a pause that is not yet obeyed."""
    client: Client = context.obj
    for run in _found(client, runs):
        answer = client.post(f"/api/runs/{run['id']}/resume", {"reason": reason})
        if as_json:
            put_json(answer)
            continue
        word = "Resumed" if answer["changed"] else "Already running:"
        say(f"◐ {word} {run['id']} from {words.counts(run)}.   Watch: pilothouse watch {run['id']}")


def cancel(
    context: typer.Context,
    runs: RUNS,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option("--now", help="End the process at once; the item in hand is lost.")
    ] = False,
    reason: REASON = None,
    wait: WAIT = True,
    as_json: AS_JSON = False,
) -> None:
    """End a run; what is finished is kept."""
    client: Client = context.obj
    for run in _found(client, runs):
        if not yes and not run["ended_at"] and not _agrees(client, run):
            say("Kept running.")
            continue
        began = time.monotonic()
        answer = client.post(f"/api/runs/{run['id']}/cancel", {"force": force, "reason": reason})
        if as_json:
            put_json(answer)
            continue
        if answer["pending"]:
            say(f"⊘ Cancelling {run['id']}…")
            if not wait:
                continue
        run = _until(client, run["id"], lambda now: bool(now["ended_at"]))
        took = words.duration(time.monotonic() - began)
        say(
            f"⊘ {words.status_words(run)} at {words.counts(run)} in {took}. {run['progress']['done']} results kept."
        )
        say(f"  Run the rest:  pilothouse retry {run['id']} --remaining")


def retry(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="An ended run.")],
    failed_only: Annotated[
        bool, typer.Option("--failed-only", help="Repeat the failed ones; do those left.")
    ] = False,
    remaining: Annotated[bool, typer.Option("--remaining", help="Only what never ran (default).")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Reuse nothing.")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Run again what is missing, as a new run that reuses the finished results."""
    if failed_only + remaining + everything > 1:
        raise CliError("--failed-only, --remaining and --all exclude each other", exit_code=USAGE)
    client: Client = context.obj
    only = "failed" if failed_only else "all" if everything else "remaining"
    old = client.run(run)
    counts = client.post(f"/api/runs/{old['id']}/retry", {"only": only}, dry_run=1)
    made = client.post(f"/api/runs/{old['id']}/retry", {"only": only})
    if as_json:
        put_json(made)
        return
    units = _unit(client, old, many=True)
    left = "the rest" if counts["left"] is None else counts["left"] + counts["repeated"]
    say(
        f"○ Queued {made['id']}: {left} {units} to do, {counts['kept']} finished {units} of {old['id']} reused."
    )
    say(f"  Watch:  pilothouse watch {made['id']}")


def _found(client: Client, references: list[str]) -> list[dict[str, Any]]:
    """All runs named; none is touched when one of them does not exist."""
    return [client.run(reference) for reference in references]


def _unit(client: Client, run: dict[str, Any], *, many: bool = False) -> str:
    kind = kinds_of(client).get(run["kind"])
    return str(kind["units" if many else "unit"]) if kind else ("items" if many else "item")


def _agrees(client: Client, run: dict[str, Any]) -> bool:
    if not sys.stdin.isatty():
        raise CliError(
            "cancel asks before it ends a run, and there is no terminal to ask on", "Add -y.", exit_code=USAGE
        )
    share = words.percent(run)
    state = f"{words.status_words(run)}, {'' if share is None else f'{share} %, '}{words.duration(words.elapsed(run))}"
    say(
        f"Cancel {run['id']} ({state})?  {run['progress']['done']} finished results are kept. This cannot be undone."
    )
    print(
        "Type y to cancel the run, anything else to keep it running [y/N]: ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _until(client: Client, run_id: str, is_reached: Any) -> dict[str, Any]:
    """Look until the run is as wanted, or has ended."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        run = client.run(run_id)
        if is_reached(run) or run["ended_at"] or time.monotonic() > end:
            return run
        time.sleep(LOOK_SECONDS)
