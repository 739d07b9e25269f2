"""Commands that steer: `pause`, `resume`, `cancel`, `retry`, and `stuck` beside them."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from pilothouse.cli import words
from pilothouse.cli.client import USAGE, Client, CliError
from pilothouse.cli.consent import agrees
from pilothouse.cli.output import put_json, say
from pilothouse.cli.read import AS_JSON, kinds_of
from pilothouse.cli.start import assign
from pilothouse.cli.stuck import cancel_stuck, list_stuck

RUNS_HELP = "Runs: id, unique beginning, number, name, or @last."
RUNS = Annotated[list[str], typer.Argument(help=RUNS_HELP)]
DRY_RUN = typer.Option("--dry-run", help="Only say what it would keep, repeat and do.")
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
    app.command("stuck")(list_stuck)


def pause(
    context: typer.Context,
    runs: RUNS,
    release: Annotated[bool, typer.Option("--release", help="Save, exit and free the memory.")] = False,
    until: Annotated[
        str | None,
        typer.Option(help="When it resumes by itself: 90s, 30m, 2h, 1d, or a time such as 16:40."),
    ] = None,
    reason: REASON = None,
    wait: WAIT = True,
    as_json: AS_JSON = False,
) -> None:
    """Pause after the item in hand; nothing new starts."""
    client: Client = context.obj
    strength = "release" if release else "hold"
    body = {"strength": strength, "reason": reason} | ({"until": _moment(until)} if until else {})
    asked: list[tuple[str, str]] = []
    for run in _found(client, runs):
        answer = client.post(f"/api/runs/{run['id']}/pause", body)
        if as_json:
            put_json(answer)
            continue
        unit = _unit(client, run)
        if answer["pending"]:
            say(f"‖ {_pausing(run, unit)} {run['id']} ({words.counts(run)})…")
        asked.append((run["id"], unit))
    for run_id, unit in asked:
        run = _until(client, run_id, lambda now: now["pending"] != "pause") if wait else client.run(run_id)
        if run["status"] == "paused":
            say(f"‖ {words.status_words(run, unit)} ({words.counts(run)})")
            say(f"  Continue:  pilothouse resume {run['id']}")
        elif wait:
            say(f"{words.mark(run)} {words.status_words(run, unit)} at {words.counts(run)}.")


def _pausing(run: dict[str, Any], unit: str) -> str:
    return "Freeing the memory of" if run["status"] == "paused" else f"Pausing after the current {unit}:"


def _moment(until: str, now: datetime | None = None) -> str:
    """A time of day as the next such moment here; all else is for the server to read."""
    try:
        clock = datetime.strptime(until, "%H:%M").time()
    except ValueError:
        return until
    now = now or datetime.now()  # without an offset, which may be another one tomorrow
    end = datetime.combine(now, clock)
    return (end if end > now else end + timedelta(days=1)).astimezone().isoformat()


def resume(
    context: typer.Context,
    runs: RUNS,
    dry_run: Annotated[bool, DRY_RUN] = False,
    reason: REASON = None,
    as_json: AS_JSON = False,
) -> None:
    """Let a paused run go on, or take back a pause that is not yet obeyed."""
    client: Client = context.obj
    for run in _found(client, runs):
        path = f"/api/runs/{run['id']}/resume"
        preview: dict[str, Any] = client.post(path, {}, dry_run=1)["preview"] or {}
        if dry_run:
            if as_json:
                put_json(preview)
            else:
                say(f"◐ {run['id']} would go on: {words.preview_words(preview, _unit(client, run))}.")
            continue
        answer = client.post(path, {"reason": reason})
        if as_json:
            put_json(answer)
            continue
        word = "Resumed" if answer["changed"] else "Already running:"
        say(f"◐ {word} {run['id']} from {words.counts(run)}.   Watch: pilothouse watch {run['id']}")
        if preview and words.is_freed(run):
            say(f"  A new attempt: {words.preview_words(preview, _unit(client, run))}.")


def cancel(
    context: typer.Context,
    runs: Annotated[list[str] | None, typer.Argument(help=RUNS_HELP)] = None,
    stuck: Annotated[
        bool, typer.Option("--stuck", help="The runs that do not move now; they are named first.")
    ] = False,
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
    if stuck == bool(runs):
        raise CliError("cancel needs RUN or --stuck, one of the two", exit_code=USAGE)
    if stuck:
        cancel_stuck(client, yes=yes, force=force, reason=reason, as_json=as_json)
        return
    asked: list[tuple[str, float]] = []
    for run in _found(client, runs or []):
        if not yes and not run["ended_at"] and not agrees(_question(run)):
            say("Kept running.")
            continue
        began = time.monotonic()
        answer = client.post(f"/api/runs/{run['id']}/cancel", {"force": force, "reason": reason})
        if as_json:
            put_json(answer)
            continue
        if answer["pending"]:
            say(f"⊘ Cancelling {run['id']}…")
        if wait or not answer["pending"]:
            asked.append((run["id"], began))
    for run_id, began in asked:
        run = _until(client, run_id, lambda now: bool(now["ended_at"]))
        _tell_end(run, time.monotonic() - began)


def _tell_end(run: dict[str, Any], seconds: float) -> None:
    """What came of a cancel; a run that will not die is not called cancelled."""
    if not run["ended_at"]:
        say(f"⊘ {words.status_words(run)} after {words.duration(seconds)}.")
        for remark in words.remarks(run):
            say(f"  {remark}")
        say(f"  End it by force:  pilothouse cancel {run['id']} --now -y")
        return
    took = words.duration(seconds)
    kept = f"{run['progress']['done']} results kept."
    say(f"⊘ {words.status_brief(run)} at {words.counts(run)} in {took}. {kept}")
    say(f"  Run the rest:  pilothouse retry {run['id']} --remaining")


def retry(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="An ended run.")],
    failed_only: Annotated[
        bool, typer.Option("--failed-only", help="Repeat the failed ones; do those left.")
    ] = False,
    remaining: Annotated[bool, typer.Option("--remaining", help="Only what never ran (default).")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Reuse nothing.")] = False,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="A param that differs: key=value, key.sub=value.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--from", help="Go on behind this item or step, such as a checkpoint's.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the new run.")] = None,
    dry_run: Annotated[bool, DRY_RUN] = False,
    as_json: AS_JSON = False,
) -> None:
    """Run again what is missing, as a new run that reuses the finished results."""
    if failed_only + remaining + everything + (last is not None) > 1:
        raise CliError("--failed-only, --remaining, --all and --from exclude each other", exit_code=USAGE)
    client: Client = context.obj
    only = "failed" if failed_only else "all" if everything else "remaining"
    old = client.run(run)
    body: dict[str, Any] = {"only": only} | ({"name": name} if name else {})
    body |= {"from": last} if last is not None else {}
    if changes := _changes(old["params"], sets or []):
        body["set"] = changes
    counts = client.post(f"/api/runs/{old['id']}/retry", body, dry_run=1)
    if dry_run:
        if as_json:
            put_json(counts)
        else:
            say(f"○ A retry of {old['id']} would be: {words.preview_words(counts, _unit(client, old))}.")
        return
    made = client.make(f"/api/runs/{old['id']}/retry", body)
    if as_json:
        put_json(made)
        return
    units = _unit(client, old, many=True)
    left = "the rest" if counts["left"] is None else counts["left"] + counts["repeated"]
    say(
        f"○ Queued {made['id']}: {left} {units} to do, {counts['kept']} finished {units} of {old['id']} reused."
    )
    say(f"  {words.preview_words(counts, _unit(client, old))}")
    say(f"  Watch:  pilothouse watch {made['id']}")


def _changes(params: dict[str, Any], sets: list[str]) -> dict[str, Any]:
    """The params that `--set` changes, whole: `a.b=1` sends all of `a`."""
    changed = copy.deepcopy(params)
    for text in sets:
        assign(changed, text)
    return {key: value for key, value in changed.items() if key not in params or params[key] != value}


def _found(client: Client, references: list[str]) -> list[dict[str, Any]]:
    """All runs named; none is touched when one of them does not exist."""
    return [client.run(reference) for reference in references]


def _unit(client: Client, run: dict[str, Any], *, many: bool = False) -> str:
    kind = kinds_of(client).get(run["kind"])
    return str(kind["units" if many else "unit"]) if kind else ("items" if many else "item")


def _question(run: dict[str, Any]) -> str:
    share = words.percent(run)
    state = f"{words.status_words(run)}, {'' if share is None else f'{share} %, '}{words.duration(words.elapsed(run))}"
    kept = f"{run['progress']['done']} finished results are kept. This cannot be undone."
    return f"Cancel {run['id']} ({state})?  {kept}"


def _until(client: Client, run_id: str, is_reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Look until the run is as wanted, or has ended."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        run = client.run(run_id)
        if is_reached(run) or run["ended_at"] or time.monotonic() > end:
            return run
        time.sleep(LOOK_SECONDS)
