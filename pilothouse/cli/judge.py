"""`pilothouse judge`: keep, drop or flag finished items by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from pilothouse.cli.client import USAGE, Client, CliError
from pilothouse.cli.output import put_json, say
from pilothouse.cli.read import AS_JSON, RUN


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("judge")(judge)


def judge(
    context: typer.Context,
    run: RUN,
    keys: Annotated[list[str], typer.Argument(help="Keys of finished items; `export` lists them.")],
    keep: Annotated[bool, typer.Option("--keep", help="They are good.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="They are not to be used.")] = False,
    flag: Annotated[bool, typer.Option("--flag", help="Somebody has to look at them.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take back what was said.")] = False,
    as_json: AS_JSON = False,
) -> None:
    """Say of finished items by hand: keep, drop or flag. The log and every export have it."""
    client: Client = context.obj
    chosen = [name for name, is_on in (("keep", keep), ("drop", drop), ("flag", flag)) if is_on]
    if len(chosen) + clear != 1:
        raise CliError("judge needs one of --keep, --drop, --flag and --clear", exit_code=USAGE)
    found = client.run(run)
    verdict = chosen[0] if chosen else None
    answer = client.post(f"/api/runs/{found['id']}/judgements", {"keys": keys, "verdict": verdict})
    if as_json:
        put_json(answer)
        return
    count = f"{len(keys)} item" + ("" if len(keys) == 1 else "s")
    say(f"✓ {count} of {found['id']}: {verdict or 'nothing said any more'}")
