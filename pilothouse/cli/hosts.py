"""`pilothouse hosts`: the machines that run jobs, and how busy each was during the last hour."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import typer

from pilothouse.cli import words
from pilothouse.cli.client import NO_SUCH_RUN, Client, CliError
from pilothouse.cli.output import put, put_json, say
from pilothouse.cli.read import AS_JSON

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 24


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("hosts")(list_hosts)


def list_hosts(context: typer.Context, as_json: AS_JSON = False) -> None:
    """List the hosts: their runs, their free slots, and processor, memory and GPUs over the last hour."""
    client: Client = context.obj
    hosts = client.get("/api/hosts")["hosts"]
    for host in hosts:
        host |= _machine(client, host["name"])
    if as_json:
        put_json(hosts)
        return
    if not hosts:
        say("No host has called yet.   Start one with the server: pilothouse up")
    for host in hosts:
        for line in describe(host):
            put(line)


def _machine(client: Client, name: str) -> dict[str, Any]:
    """What a host's machine has and was busy with; nothing of one that has gone since it was listed."""
    try:
        found = client.get(f"/api/hosts/{quote(name, safe='')}/resources")
    except CliError as error:
        if error.exit_code != NO_SUCH_RUN:
            raise
        return {"facts": {}, "samples": []}
    return {"facts": found["facts"], "samples": found["samples"]}


def describe(host: dict[str, Any]) -> list[str]:
    """A host in words, one line for it and one for each of its resources."""
    runs = len(host["running"])
    heard = "" if host["alive"] else f"   not heard of for {words.briefly(host['seen_seconds_ago'])}"
    lines = [f"{words.clean(host['name'])}   {runs} running   {host['free']} free{heard}"]
    samples: list[dict[str, float]] = [sample["values"] for sample in host["samples"]]
    if not samples:
        return lines
    facts, now = host["facts"], samples[-1]
    lines.append(
        _line("CPU", samples, "cpu_percent", 100.0, f"{now['cpu_percent']:.0f} % of {facts['cores']} cores")
    )
    memory = f"{words.size(now['memory_bytes'])} of {words.size(facts['memory_bytes'])}"
    lines.append(_line("memory", samples, "memory_bytes", facts["memory_bytes"], memory))
    for gpu in facts["gpus"]:
        name = f"gpu{gpu['index']}"
        told = [f"{now[f'{name}_percent']:.0f} %"] if f"{name}_percent" in now else []
        if f"{name}_memory_bytes" in now and gpu["memory_bytes"]:
            told.append(f"{words.size(now[f'{name}_memory_bytes'])} of {words.size(gpu['memory_bytes'])}")
        told += [f"{now[f'{name}_power_watts']:.0f} W"] if f"{name}_power_watts" in now else []
        told += [f"{now[f'{name}_celsius']:.0f} °C"] if f"{name}_celsius" in now else []
        line = "   ".join([*told, words.clean(gpu["name"])])
        lines.append(_line(f"GPU {gpu['index']}", samples, f"{name}_percent", 100.0, line))
    return lines


def _line(label: str, samples: Sequence[dict[str, float]], name: str, most: float, text: str) -> str:
    return f"  {label:<8} {spark([sample.get(name, 0.0) for sample in samples], most):<{WIDTH}}  {text}"


def spark(values: Sequence[float], most: float, width: int = WIDTH) -> str:
    """A line of bars, the highest value of each stretch, oldest first."""
    if not values or most <= 0:
        return ""
    count = min(width, len(values))
    edges = [len(values) * place // count for place in range(count + 1)]
    peaks = [max(values[begin:end]) for begin, end in pairwise(edges)]
    return "".join(BARS[min(len(BARS) - 1, int(max(0.0, peak) / most * len(BARS)))] for peak in peaks)
