"""`pilothouse run KIND -c FILE`: start a run and stay with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import USAGE, Client, CliError
from pilothouse.cli.output import put_json, say
from pilothouse.cli.read import AS_JSON


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="Kind of run, such as benchmark.")],
    config: Annotated[Path | None, typer.Option("-c", "--config", help="Params: TOML or JSON.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="One param: key=value, key.sub=value.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Start it and come back at once.")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Start a run and follow it. Ctrl+C twice cancels it; --detach leaves it alone."""
    client: Client = context.obj
    params = load(config)
    for text in sets or []:
        assign(params, text)
    made = client.post("/api/runs", {"kind": kind, "name": name, "params": params, "tags": tag or []})
    if detach:
        if as_json:
            put_json(made)
        else:
            id_ = made["id"]
            say(f"○ Queued {id_}.   Watch: pilothouse watch {id_}   Page: {client.server}/runs/{id_}")
        return
    from pilothouse.cli.watch import follow

    raise typer.Exit(follow(client, made, as_json=as_json, owns=True))


def load(path: Path | None) -> dict[str, Any]:
    """The params of a file, with the files that it names.

    Raises:
        CliError: No such file, or not readable as TOML or JSON; the message names the place.
    """
    if path is None:
        return {}
    from pilothouse.kinds.config import load_params

    try:
        return load_params(path)
    except (OSError, ValueError) as error:
        raise CliError(str(error), exit_code=USAGE) from None


def assign(params: dict[str, Any], text: str) -> None:
    """Apply `key.sub=value`; the value is JSON where it reads as such, else text.

    Raises:
        CliError: No `=`, or the path leads through something that is not an object.
    """
    path, found, value = text.partition("=")
    if not found or not path:
        raise CliError(f"--set {text}: must be key=value", exit_code=USAGE)
    *parents, last = path.split(".")
    place: Any = params
    for parent in parents:
        place = place.setdefault(parent, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise CliError(f"--set {text}: {'.'.join(parents)} is not an object", exit_code=USAGE)
    try:
        place[last] = json.loads(value)
    except ValueError:
        place[last] = value
