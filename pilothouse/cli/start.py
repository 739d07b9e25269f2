"""`pilothouse run KIND -c FILE` and `pilothouse run -- COMMAND…`: start a run and stay with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pilothouse.cli.client import USAGE, Client, CliError
from pilothouse.cli.command import KIND, CommandAfterDashes, command_of, name_of, params_of
from pilothouse.cli.output import put_json, say
from pilothouse.cli.read import AS_JSON
from pilothouse.web.moment import duration_seconds


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", cls=CommandAfterDashes)(run)


def run(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Argument(help="Kind of run, such as benchmark; none for a command after --.")
    ] = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="Params: TOML or JSON.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="One param: key=value, key.sub=value.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.")] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(help="A variable for the command: NAME=value, or NAME to hand on yours. It is logged."),
    ] = None,
    stuck_after: Annotated[
        str | None, typer.Option(help="Time without movement after which it is stuck: 90s, 10m, 2h.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin the command again after a crash of the machine.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start it and come back at once.")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Start a run of a kind, or of the command after --, and follow it.

    Ctrl+C twice cancels it; --detach leaves it alone.
    """
    client: Client = context.obj
    params = load(config)
    for text in sets or []:
        assign(params, text)
    command = command_of(context)
    if (kind is None) == (command is None):
        raise CliError(
            "Name a kind, or a command after --", "pilothouse run -- python train.py", exit_code=USAGE
        )
    if command is None:
        _refuse_without_command(env, restart)
    else:
        kind, params = KIND, params_of(command, params, env or [], restart)
        name = name or name_of(command)
    if stuck_after is not None:
        params["stuck_seconds"] = seconds(stuck_after)
    made = client.make("/api/runs", {"kind": kind, "name": name, "params": params, "tags": tag or []})
    if detach:
        if as_json:
            put_json(made)
        else:
            id_ = made["id"]
            say(f"○ Queued {id_}.   Watch: pilothouse watch {id_}   Page: {client.server}/runs/{id_}")
        return
    from pilothouse.cli.watch import follow

    raise typer.Exit(follow(client, made, as_json=as_json, owns=True))


def _refuse_without_command(env: list[str] | None, restart: bool) -> None:
    for option, is_given in (("--env", env), ("--restart", restart)):
        if is_given:
            raise CliError(f"{option} is for a command after --", exit_code=USAGE)


def seconds(text: str) -> float:
    """A duration such as `90`, `90s`, `10m`, `2h` or `1d`.

    Raises:
        CliError: It is none.
    """
    found = duration_seconds(text)
    if found is None:
        raise CliError(f"--stuck-after {text}: must be a duration such as 90s, 10m or 2h", exit_code=USAGE)
    return found


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
