"""`pilothouse up`: a server, a host, and a page to look at."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.client import OTHER, Client, CliError
from pilothouse.cli.output import console, say
from pilothouse.cli.supervisor import Supervisor, stop_on_signals
from pilothouse.version import __version__

PORT = Annotated[int, typer.Option(help="Port; 0 takes a free one.", envvar="PILOTHOUSE_PORT")]
NO_OPEN = Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


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
    client: Client = context.obj if data is None else Client(context.obj.server, data)
    with supervised(client, port, slots, insecure=insecure) as (client, supervisor):
        greet(client, time.monotonic() - began, supervisor.slots, insecure=insecure)
        present(client, "/", no_open=no_open)
        watch(supervisor)


@contextmanager
def supervised(
    client: Client, port: int, slots: int | None, *, insecure: bool = False
) -> Iterator[tuple[Client, Supervisor]]:
    """A server and a host that are stopped whatever ends the block; a signal ends it as planned."""
    _check_free(client, port)
    supervisor = Supervisor(client.data, port, slots, insecure=insecure)
    try:
        stop_on_signals()
        yield _start(supervisor, client), supervisor
    except KeyboardInterrupt:
        say("\n  Stopping…")
    finally:
        supervisor.stop()


def _check_free(client: Client, port: int) -> None:
    """Say who is in the way."""
    url = f"http://127.0.0.1:{port}"
    for address in {url, Client(None, client.data).server} if port else ():
        if Client(address, client.data).is_up():
            raise CliError(
                f"Pilothouse is running already at {address}.",
                "Use it:            pilothouse open",
                "A second one:      pilothouse up --port 8421 --data OTHER_FOLDER",
            )


def _start(supervisor: Supervisor, client: Client) -> Client:
    """Start both; gives a client of the new server."""
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
    return Client(supervisor.url, client.data)


def greet(client: Client, seconds: float, slots: int, *, insecure: bool = False) -> None:
    """Say where it is and what it is."""
    total = client.get("/api/runs", limit=1)["total"]
    say(f"⎈ Pilothouse {__version__}   local mode   ready in {seconds:.1f} s")
    say(f"  Web UI     {client.server}")
    say(f"  Data       {client.data}   {total} runs")
    say(f"  Slots      {slots} on this machine")
    say("  Access     this machine only")
    say()
    if insecure:
        loud = console(stderr=True)
        loud.print("! NOBODY IS ASKED FOR A TOKEN (--insecure-no-auth).", style="bold red")
        loud.print("  Every user and program of this machine can start commands as you, and read all runs.")
        say()


def present(client: Client, page: str, *, no_open: bool, owns: bool = True) -> None:
    """Open the page, or say how; `owns` when the server ends with this command."""
    if no_open:
        say("  Sign in    pilothouse open")
    else:
        open_browser(client, page)
    if owns:
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


def watch(supervisor: Supervisor, look: Callable[[], None] = lambda: None) -> None:
    """Keep it running until a signal comes, and `look` at whatever else there is."""
    dead = supervisor.watch(look)
    name = dead.name if dead else "server"
    log = dead.log if dead else supervisor.server.log
    raise CliError(f"The {name} ends as soon as it is started.", f"Its log: {log}")
