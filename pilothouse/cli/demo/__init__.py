"""`pilothouse demo`: real runs of every kind on this machine, one after another as they need each other."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import Client
from pilothouse.cli.output import say
from pilothouse.cli.up import NO_OPEN, PORT, greet, present, supervised, watch

SLOTS = 10  # more than cores: most of the demo's runs wait for a server most of the time
STOP_SECONDS = 20.0
PAGE = 200


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    port: PORT = 8420,
    no_open: NO_OPEN = False,
    install: Annotated[
        bool,
        typer.Option("--install", help="Install the machine-learning packages first, as a run to watch."),
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Remove the demo runs, and nothing else.")] = False,
    data: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
) -> None:
    """Start real sample runs of every kind: no API key, no GPU, no download of weights.

    A benchmark, a generation and an autotune start at once on the offline model, which ships in the package.

    With the machine-learning packages, a small model then learns support tickets and is served; benchmark,
    generation and autotune ask it, while a synthetic table is made and the model learns on. Without them, the
    demo says what installs them; --install does it.

    Ctrl+C stops all. Started again on the same data folder, interrupted runs go on where they were; those that
    asked the served model are begun anew.
    """
    client: Client = context.obj if data is None else Client(None, data)
    if stop:
        _remove(client)
    elif client.is_up():
        _join(client, no_open=no_open)
    else:
        _stage(client, port, install=install, no_open=no_open)


def _stage(client: Client, port: int, *, install: bool, no_open: bool) -> None:
    """A server of its own, and the whole plan on it."""
    began = time.monotonic()
    slots = None if os.environ.get("PILOTHOUSE_SLOTS") else SLOTS
    with supervised(client, port, slots) as (up, supervisor):
        greet(up, time.monotonic() - began, supervisor.slots)
        conductor = _conductor(up, install=install)
        supervisor.before_stop = conductor.leave
        conductor.take_over()
        conductor.look()
        present(up, "/", no_open=no_open)
        watch(supervisor, conductor.look)


def _join(client: Client, *, no_open: bool) -> None:
    """The page of a demo that runs already; or the examples, on a server that goes on after this command."""
    from pilothouse.cli.demo.conductor import TAG, Conductor
    from pilothouse.cli.demo.plan import Plan
    from pilothouse.cli.demo.steps import examples

    live = [run for run in client.get("/api/runs", tag=TAG, limit=200)["runs"] if not run["ended_at"]]
    if live:
        say(f"  The demo runs already at {client.server}, with {len(live)} runs.")
    else:
        kinds = _kinds(client)
        say(f"  Pilothouse runs already at {client.server}. Started there:")
        Conductor(client, Plan(examples(kinds)), kinds).look()
        say_what_is_missing(kinds)
    present(client, "/", no_open=no_open, owns=False)


def _conductor(client: Client, *, install: bool) -> Any:
    """The plan that fits what is installed."""
    from pilothouse.cli.demo.conductor import Conductor
    from pilothouse.cli.demo.plan import Plan
    from pilothouse.cli.demo.steps import everything, examples, missing

    kinds = _kinds(client)
    is_whole = install or not missing(kinds)
    if not is_whole:
        say_what_is_missing(kinds)
    elif install and not missing(kinds):
        say("  The machine-learning packages are installed already.")
    steps = everything(kinds, client.data.absolute()) if is_whole else examples(kinds)
    return Conductor(client, Plan(steps), kinds)


def _kinds(client: Client) -> list[dict[str, Any]]:
    kinds: list[dict[str, Any]] = client.get("/api/kinds")["kinds"]
    return kinds


def say_what_is_missing(kinds: list[dict[str, Any]]) -> None:
    """Name the kinds that cannot run here, and what would change that."""
    from pilothouse.cli.demo.steps import missing

    for kind in (lacking := missing(kinds)):
        say(f"        – {kind['name']:<10}  needs {kind['extra']['command']}")
    if lacking:
        say("        The whole demo: pilothouse demo --install")


def _remove(client: Client) -> None:
    ids = _started(client)
    for begin in range(0, len(ids), PAGE):
        some = ids[begin : begin + PAGE]
        client.post(
            "/api/controls",
            {"control": "cancel", "run_ids": some, "force": True, "reason": "demo --stop"},
        )
    end, removed = time.monotonic() + STOP_SECONDS, 0
    for run_id in ids:
        while not (ended := client.run(run_id)["ended_at"]) and time.monotonic() < end:
            time.sleep(0.2)
        if ended:
            client.call("DELETE", f"/api/runs/{run_id}")
            removed += 1
    say(f"Removed {removed} demo runs.")
    if removed < len(ids):
        say(f"  {len(ids) - removed} still end; once more then:  pilothouse demo --stop")


def _started(client: Client) -> list[str]:
    """The ids of the runs that a demo has made. The tag alone says nothing: anybody may use it."""
    from pilothouse.cli.demo.conductor import TAG
    from pilothouse.cli.demo.steps import titles

    ours = titles(_kinds(client), client.data.absolute())
    found: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        page = client.get("/api/runs", tag=TAG, limit=PAGE, before=before)
        found += page["runs"]
        before = page["before"]
        if before is None:
            return [run["id"] for run in found if (run["kind"], run["name"]) in ours]
