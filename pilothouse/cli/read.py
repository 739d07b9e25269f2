"""Commands that only look: `ls`, `show`, `watch`, `export`, `open`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from pilothouse.cli import words
from pilothouse.cli.client import OTHER, USAGE, Client, CliError
from pilothouse.cli.output import console, is_terminal, put, put_json, say

if TYPE_CHECKING:
    from rich.table import Table

RUN = Annotated[str, typer.Argument(help="Id, unique beginning of one, number, name, or @last.")]
AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
_WIDE, _MIDDLE = 105, 78


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ls")(list_runs)
    app.command("show")(show)
    app.command("watch")(watch)
    app.command("export")(export)
    app.command("open")(open_page)


def list_runs(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="All of them, not only the newest 20.")] = False,
    status: Annotated[list[str] | None, typer.Option(help="Only these statuses.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only these kinds.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only runs with this tag.")] = None,
    as_json: AS_JSON = False,
) -> None:
    """List the runs, newest first."""
    client: Client = context.obj
    wanted = {"status": status, "kind": kind, "tag": tag}
    page = client.get("/api/runs", **wanted, limit=200 if all_ else 20)
    runs = page["runs"]
    while all_ and page["before"]:
        page = client.get("/api/runs", **wanted, limit=200, before=page["before"])
        runs += page["runs"]
    if as_json:
        put_json(runs)
        return
    if not runs:
        say("No runs yet.   See one working: pilothouse demo")
        return
    kinds = kinds_of(client)
    silent = _stuck_seconds(client, runs)
    rows = [(run, _row(run, kinds.get(run["kind"]), silent.get(run["id"]))) for run in runs]
    if is_terminal():
        console().print(_table(rows, shutil.get_terminal_size().columns))
    else:
        for _, row in rows:
            put("\t".join(row))


def kinds_of(client: Client) -> dict[str, dict[str, Any]]:
    """The declarations by name."""
    return {kind["name"]: kind for kind in client.get("/api/kinds")["kinds"]}


def _stuck_seconds(client: Client, runs: list[dict[str, Any]]) -> dict[str, float]:
    """For how long each stuck run has not moved; asked for only when one of them is."""
    if not any(run["stuck"] for run in runs):
        return {}
    return {one["run"]["id"]: one["seconds"] for one in client.get("/api/stuck")["stuck"]}


def _row(run: dict[str, Any], kind: dict[str, Any] | None, stuck_seconds: float | None) -> list[str]:
    """id, kind, name, status, done, left, elapsed, result."""
    return [
        run["id"],
        run["kind"],
        words.clean(run["name"]),
        words.status_brief(run, kind["unit"] if kind else "item", stuck_seconds),
        words.counts(run),
        words.remaining(words.eta(run)) if run["status"] == "running" else "",
        words.duration(words.elapsed(run)),
        words.headline(run, kind),
    ]


def _table(rows: list[tuple[dict[str, Any], list[str]]], width: int) -> Table:
    """The runs as a table; the less a column matters, the earlier a narrow terminal loses it."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    names = ["", "RUN", "STATUS", "PROGRESS", "DONE", "LEFT"]
    names += ["NAME", "ELAPSED"] if width >= _MIDDLE else []
    names += ["RESULT"] if width >= _WIDE else []
    for name in names:
        right = name in {"DONE", "LEFT", "ELAPSED"}
        shrink = name in {"NAME", "RESULT"}
        table.add_column(
            name, justify="right" if right else "left", no_wrap=True, overflow="ellipsis" if shrink else "fold",
            max_width=40 if shrink else None,
        )  # fmt: skip
    for run, row in rows:
        id_, _, name, status, done, left, elapsed, result = row
        colour = words.COLOURS[words.look(run)]
        cells = {
            "": Text(words.mark(run), style=colour), "RUN": Text(id_), "STATUS": Text(status, style=colour),
            "PROGRESS": Text(words.bar(run), style=colour), "DONE": Text(done), "LEFT": Text(left),
            "NAME": Text(name), "ELAPSED": Text(elapsed), "RESULT": Text(result),
        }  # fmt: skip
        table.add_row(*(cells[name] for name in names))
    return table


def show(context: typer.Context, run: RUN, as_json: AS_JSON = False) -> None:
    """Show one run: where it stands, its numbers, its params."""
    client: Client = context.obj
    found = client.run(run)
    if as_json:
        put_json(found)
        return
    kind = kinds_of(client).get(found["kind"])
    for line in describe(found, kind):
        put(line)


def describe(run: dict[str, Any], kind: dict[str, Any] | None) -> list[str]:
    """A run in words, a few lines."""
    unit, units = (kind["unit"], kind["units"]) if kind else ("item", "items")
    progress = run["progress"]
    lines = [
        f"{words.mark(run)} {run['name']}   {words.status_words(run, unit)}",
        f"  {run['id']}   #{run['number']}   {run['kind']}   by {run['owner']}",
        f"  {words.counts(run)} {units}   {progress['failed']} errors   "
        f"elapsed {words.duration(words.elapsed(run))}   left {words.remaining(words.eta(run))}"
        + (f"   attempt {run['attempt']}" if run["attempt"] > 1 else ""),
    ]
    lines += [f"  {remark}" for remark in words.remarks(run, unit)]
    for metric in kind["metrics"] if kind else []:
        value = run["metrics"].get(metric["name"])
        if value is not None:
            lines.append(f"  {metric['label']:<22} {words.number(value, metric['format'])}")
    if failure := run["failure"]:
        lines += ["", f"  {failure['message']}"]
        lines += [f"  at  {failure['where']}"] if failure["where"] else []
        lines += [f"  {failure['hint']}"] if failure["hint"] else []
    if run["status"] in {"failed", "cancelled"}:
        lines += ["", f"  Run the rest:  pilothouse retry {run['id']} --remaining"]
    return lines


def watch(
    context: typer.Context,
    run: RUN = "@last",
    inline: Annotated[bool, typer.Option("--inline", help="One block that renews itself.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")] = False,
    timeout: Annotated[
        float | None, typer.Option(help="Leave after so many seconds, with exit code 5.")
    ] = None,
) -> None:
    """Follow a run until it ends. Ctrl+C leaves; the run goes on."""
    from pilothouse.cli.watch import follow

    client: Client = context.obj
    raise typer.Exit(follow(client, client.run(run), as_json=as_json, timeout=timeout))


def export(
    context: typer.Context,
    run: RUN,
    format_: Annotated[str, typer.Option("--format", help="csv, json or jsonl.")] = "csv",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File or folder; - is stdout.")
    ] = None,
) -> None:
    """Write a run's results to a file."""
    if format_ not in {"csv", "json", "jsonl"}:
        raise CliError(f"--format: {format_!r} is not csv, json or jsonl", exit_code=USAGE)
    client: Client = context.obj
    found = client.run(run)
    body = client.raw("GET", f"/api/runs/{quote(found['id'])}/export?format={format_}").body
    if str(output) == "-":
        import sys

        sys.stdout.buffer.write(body)
        return
    name = f"{found['id']}.{format_}"
    path = Path(name) if output is None else (output / name if output.is_dir() else output)
    try:
        path.write_bytes(body)
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", exit_code=OTHER) from None
    going = "" if found["ended_at"] else f"   (run still going: snapshot up to event {found['head']:,})"
    say(f"{words.MARKS['completed']} {path}   {found['progress']['done']} rows   {len(body):,} bytes{going}")


def open_page(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(help="A run; without one, the overview.")] = None,
) -> None:
    """Open the web page, signed in."""
    from pilothouse.cli.up import open_browser

    client: Client = context.obj
    path = f"/runs/{client.run(run)['id']}" if run else "/"
    open_browser(client, path)
