"""`pilothouse up` and `pilothouse demo`: a server, a host, and a page to look at."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import OTHER, Client, CliError
from pilothouse.cli.output import say
from pilothouse.cli.supervisor import Supervisor, stop_on_signals
from pilothouse.version import __version__

DEMO_TAG = "demo"
PORT = Annotated[int, typer.Option(help="Port; 0 takes a free one.", envvar="PILOTHOUSE_PORT")]
NO_OPEN = Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("demo")(demo)


def up(
    context: typer.Context,
    port: PORT = 8420,
    slots: Annotated[int | None, typer.Option(min=1, help="Runs side by side.")] = None,
    no_open: NO_OPEN = False,
    insecure: Annotated[bool, typer.Option("--insecure-no-auth", help="Ask nobody for a token.")] = False,
    data: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
) -> None:
    """Start the server, the host and the web page. Ctrl+C stops them."""
    began = time.monotonic()
    client, supervisor = _begin(context.obj, data, port, slots, insecure=insecure)
    _greet(client, time.monotonic() - began, supervisor.slots)
    _present(client, "/", no_open=no_open)
    _stay(supervisor)


def demo(
    context: typer.Context,
    port: PORT = 8420,
    no_open: NO_OPEN = False,
    stop: Annotated[bool, typer.Option("--stop", help="Remove the demo runs, and nothing else.")] = False,
    data: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
) -> None:
    """Start real sample runs: no API key, no GPU, no download."""
    client: Client = context.obj if data is None else Client(None, data)
    if stop:
        _remove_demo_runs(client)
        return
    supervisor = None
    began = time.monotonic()
    if not client.is_up():
        client, supervisor = _begin(client, None, port, None)
        _greet(client, time.monotonic() - began, supervisor.slots)
    page = _start_demo_runs(client)
    say("  Try   press P on a run to pause it, then reload the page.")
    say("  Stop  pilothouse demo --stop    removes only the demo runs")
    _present(client, page, no_open=no_open)
    if supervisor is not None:
        _stay(supervisor)


def _begin(
    client: Client, data: Path | None, port: int, slots: int | None, *, insecure: bool = False
) -> tuple[Client, Supervisor]:
    """Start a server, or say who is in the way."""
    if data is not None:
        client = Client(client.server, data)
    url = f"http://127.0.0.1:{port}"
    for address in {url, Client(None, client.data).server} if port else ():
        if Client(address, client.data).is_up():
            raise CliError(
                f"Pilothouse is running already at {address}.",
                "Use it:            pilothouse open",
                "A second one:      pilothouse up --port 8421 --data OTHER_FOLDER",
            )
    supervisor = Supervisor(client.data, port, slots, insecure=insecure)
    stop_on_signals()
    log = supervisor.server.log
    logged = log.stat().st_size if log.exists() else 0
    try:
        is_up = supervisor.start(lambda: Client(supervisor.url, client.data).is_up())
    except OSError as error:
        raise CliError(
            f"The data folder {client.data} cannot be written: {error}", "Another one: --data FOLDER"
        ) from None
    if not is_up:
        tail = log.read_bytes()[logged:].decode(errors="replace").splitlines()[-6:]
        raise CliError(f"The server did not start at {supervisor.url}.", *tail, exit_code=OTHER)
    return Client(supervisor.url, client.data), supervisor


def _greet(client: Client, seconds: float, slots: int) -> None:
    total = client.get("/api/runs", limit=1)["total"]
    say(f"⎈ Pilothouse {__version__}   local mode   ready in {seconds:.1f} s")
    say(f"  Web UI     {client.server}")
    say(f"  Data       {client.data}   {total} runs")
    say(f"  Slots      {slots} on this machine")
    say("  Access     this machine only")
    say()


def _present(client: Client, page: str, *, no_open: bool) -> None:
    if no_open:
        say("  Sign in    pilothouse open")
    else:
        open_browser(client, page)
    say("  Ctrl+C stops the server. Interrupted runs go on where they were when it is started again.")


def open_browser(client: Client, page: str) -> None:
    """Open the page, signed in by a one-time code; print the link where there is no browser."""
    code = client.post("/api/sign-in-codes")["code"]
    url = f"{client.server}/login?next={page}#code={code}"
    import webbrowser

    has_screen = (
        sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not (has_screen and webbrowser.open(url)):
        say(f"  Open       {url}")
        say("             (signs one browser in, once, within 60 s; again: pilothouse open)")


def _stay(supervisor: Supervisor) -> None:
    try:
        dead = supervisor.watch()
    except KeyboardInterrupt:
        say("\n  Stopping…")
        supervisor.stop()
        return
    supervisor.stop()
    name = dead.name if dead else "server"
    log = dead.log if dead else supervisor.server.log
    raise CliError(f"The {name} ends as soon as it is started.", f"Its log: {log}")


def _start_demo_runs(client: Client) -> str:
    """Start one demo run of every kind that has one; returns the page to open."""
    made: list[dict[str, Any]] = []
    for kind in client.get("/api/kinds")["kinds"]:
        example = next((each for each in kind["examples"] if each["name"] == "demo"), None)
        if example is None:
            continue
        body = {
            "kind": kind["name"],
            "name": f"demo {kind['name']}",
            "params": example["params"],
            "tags": [DEMO_TAG],
        }
        made.append(client.post("/api/runs", body))
        say(f"✓  {kind['name']:<12} {example['title']}   started   {made[-1]['id']}")
    say()
    return f"/runs/{made[0]['id']}" if len(made) == 1 else "/"


def _remove_demo_runs(client: Client) -> None:
    runs = client.get("/api/runs", tag=DEMO_TAG, limit=200)["runs"]
    for run in runs:
        if not run["ended_at"]:
            client.post(f"/api/runs/{run['id']}/cancel", {"force": True, "reason": "demo --stop"})
    end = time.monotonic() + 20
    while time.monotonic() < end and any(not client.run(run["id"])["ended_at"] for run in runs):
        time.sleep(0.2)
    for run in runs:
        client.call("DELETE", f"/api/runs/{run['id']}")
    say(f"Removed {len(runs)} demo runs.")
