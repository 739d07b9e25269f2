"""Follow one run in a terminal: a block that renews itself, or plain lines where nobody looks.

Reads the same event stream as the browser. Events that are gone are told, as is
a log that is not the one it was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pilothouse.cli import command, words
from pilothouse.cli.client import OK, STILL_WAITING, Client, CliError
from pilothouse.cli.follower import LOSSES, TURNS, Follower, loss_sentence
from pilothouse.cli.output import console, is_terminal, put, put_json, say
from pilothouse.cli.read import describe, kinds_of

if TYPE_CHECKING:
    from rich.console import Group

PLAIN_SECONDS = 5.0
PLAIN_PERCENT = 5
REFRESH_SECONDS = 0.1
AGAIN_SECONDS = 3.0
BEGIN_BEFORE = 200


def follow(
    client: Client,
    run: dict[str, Any],
    *,
    as_json: bool = False,
    owns: bool = False,
    timeout: float | None = None,
) -> int:
    """Follow a run until it ends.

    Args:
        client: The server.
        run: The run.
        as_json: Print every event from the first as a line of JSON, `gap` and `reset` too.
        owns: Ctrl+C may cancel the run; else it only leaves.
        timeout: Seconds after which to leave with exit code 5.

    Returns:
        The exit code that fits the run's end; 0 after leaving.
    """
    follower = Follower(client, run, timeout, 0 if as_json else max(0, run["head"] - BEGIN_BEFORE))
    kind = kinds_of(client).get(run["kind"])
    how = (
        _json
        if as_json
        else _live
        if is_terminal() and os.environ.get("PILOTHOUSE_DISPLAY") != "plain"
        else _plain
    )
    while True:
        try:
            how(follower, kind)
            break
        except KeyboardInterrupt:
            if not (owns and _insists(client, run["id"])):
                say(f"Left. The run goes on.   Come back: pilothouse watch {run['id']}")
                return OK
    if not follower.run["ended_at"]:
        say(f"Still {follower.run['status']} after {timeout:g} s.   Come back: pilothouse watch {run['id']}")
        return STILL_WAITING
    if not as_json:
        for line in describe(follower.run, kind):
            _teller(run)(line)
    return command.exit_code(follower.run)


def _insists(client: Client, run_id: str) -> bool:
    """After a first Ctrl+C: True when a second one came, which asks to cancel the run."""
    try:
        say("\nCtrl+C again within 3 s cancels the run; else you leave and it goes on.")
        time.sleep(AGAIN_SECONDS)
        return False
    except KeyboardInterrupt:
        try:
            client.post(f"/api/runs/{run_id}/cancel", {"reason": "Ctrl+C"})
            say("⊘ Cancelling…")
        except CliError as error:
            say(f"✕ Not cancelled: {error}")
        return True


def _json(follower: Follower, _: dict[str, Any] | None) -> None:
    for event in follower.events():
        if "seq" in event or event["type"] in LOSSES:
            put_json(event)


def _plain(follower: Follower, kind: dict[str, Any] | None) -> None:
    """One line per change, and progress at most every 5 s and 5 %."""
    told_at, told_percent = 0.0, -PLAIN_PERCENT
    for event in follower.events():
        run = follower.run
        if event["type"] == "log" and run["kind"] == command.KIND:
            command.show(event)
        elif event["type"] in TURNS:
            _line(run, _turn(event, kind["unit"] if kind else "item"))
        elif event["type"] == "lost":
            _line(run, "connection lost, trying again")
        elif event["type"] in LOSSES:
            _line(run, loss_sentence(event))
        share = words.percent(run) or 0
        if event["type"] == "item.finished" and (
            time.monotonic() - told_at > PLAIN_SECONDS and share - told_percent >= PLAIN_PERCENT
        ):
            told_at, told_percent = time.monotonic(), share
            left = words.remaining(words.eta(run))
            _line(run, f"progress {words.counts(run)} {share}% left={left} {words.headline(run, kind)}")


def _turn(event: dict[str, Any], unit: str) -> str:
    """A change of state as its event tells it: with who, why and until when."""
    name = str(event["type"]).replace("run.", "").replace("control.", "control ")
    data = event["data"]
    match event["type"]:
        case "run.paused":
            freed = "memory freed" if data["strength"] == "release" else None
            until = words.until_words(data["until"]) if data["until"] else None
            parts = [data["actor"] and f"by {data['actor']}", data["reason"], freed, until]
        case "run.interrupted":
            hand = f"{len(data['in_flight'])} in hand" if data["in_flight"] else None
            wait = f"next attempt in {words.duration(data['wait_seconds'])}" if data["wait_seconds"] else None
            parts = [data["reason"], hand, wait]
        case "run.stuck":
            parts = [words.stuck_sentence(data["cause"], unit)]
        case "run.cancel_overdue":
            parts = [f"{data['survivors']} do not die"]
        case _:
            parts = []
    told = " · ".join(filter(None, parts))
    return f"{name}: {told}" if told else name


def _line(run: dict[str, Any], text: str) -> None:
    _teller(run)(f"{time.strftime('%H:%M:%S')} {run['id']} {text}")


def _teller(run: dict[str, Any]) -> Callable[[str], None]:
    """Where lines about a run go: beside a command's own output to stderr, so that a pipe gets only that."""
    return say if run["kind"] == command.KIND else put


def _live(follower: Follower, kind: dict[str, Any] | None) -> None:
    from rich.live import Live

    drawn = 0.0
    with Live(_block(follower, kind), console=console(), auto_refresh=False, transient=True) as live:
        for event in follower.events():
            if event["type"] == "log" and follower.run["kind"] == command.KIND:
                command.show(event, live.console)
            if time.monotonic() - drawn > REFRESH_SECONDS:
                live.update(_block(follower, kind), refresh=True)
                drawn = time.monotonic()
        live.update(_block(follower, kind), refresh=True)


def _block(follower: Follower, kind: dict[str, Any] | None) -> Group:
    """Name, bar, numbers and the newest rows."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    run = follower.run
    unit = kind["unit"] if kind else "item"
    colour = words.COLOURS[words.look(run)]
    state = "○ reconnecting" if follower.lost else "● live"
    head = Text.assemble(
        (words.clean(run["name"]), "bold"), f"   {run['id']}   ",
        (f"{words.mark(run)} {words.status_words(run, unit)}", colour), f"   {state}",
    )  # fmt: skip
    share = words.percent(run)
    line = Text.assemble(
        (words.bar(run, 40), colour), f"  {'' if share is None else f'{share} %'}   {words.counts(run)}",
        f"   {words.remaining(words.eta(run))} left",
    )  # fmt: skip
    result = words.headline(run, kind)
    took = words.duration(words.elapsed(run))
    numbers = f"elapsed {took}   errors {run['progress']['failed']}   {result}"
    table = Table(box=None, header_style="bright_black", padding=(0, 2, 0, 0), pad_edge=False)
    columns = [column for column in (kind["columns"] if kind else []) if column["shown"]][:7]
    for column in columns:
        table.add_column(column["label"].upper(), no_wrap=True, max_width=28, overflow="ellipsis")
    for row in reversed(follower.rows):
        table.add_row(*_cells(row, columns))
    said = [*words.remarks(run, unit), *filter(None, [follower.note])]
    return Group(head, line, Text(numbers), *(Text(each, style="yellow") for each in said), Text(), table)


def _cells(row: dict[str, Any], columns: list[dict[str, Any]]) -> list[Any]:
    from rich.text import Text

    cells: list[Text] = []
    for column in columns:
        value = row["data"].get(column["name"])
        if isinstance(value, bool):
            cells.append(Text("✓" if value else "✕", style="green" if value else "red"))
        else:
            cells.append(Text(words.number(value, column["format"])))
    if not row["ok"] and cells:
        cells[-1] = Text("! " + words.clean(row["error"])[:60], style="red")
    return cells
