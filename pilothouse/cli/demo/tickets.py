"""What the demo's model learns, and what it is asked afterwards.

It learns support tickets both ways: which team takes a ticket, and what a ticket for
a team reads like. The benchmark asks the one with tickets that it has not seen, the
generation the other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pilothouse.kinds.benchmark.answers import INSTRUCTIONS
from pilothouse.kinds.training.tickets import COUNT, TEAMS, tickets

FRESH = 40
VOTE = "VOTE: {team}"
WRITE = "Write a {topic} ticket."
LEARNT = "{ticket}\n{answer}"
PROMPTS = {
    "as learnt": LEARNT,
    "asked after": "{ticket}\nWhich team takes it? {votes}\n{answer}",
    "asked before": "Which team takes this ticket? {votes}\n{ticket}\n{answer}",
}


def write_dataset(path: Path) -> Path:
    """Write the pairs to learn as JSONL, two for each ticket."""
    lines = []
    for ticket in tickets():
        text, team = ticket["prompt"], ticket["completion"]
        asked = LEARNT.format(ticket=text, answer=INSTRUCTIONS["marker"])
        lines.append({"prompt": asked, "completion": VOTE.format(team=team)})
        lines.append({"prompt": WRITE.format(topic=team), "completion": text})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def cases() -> list[dict[str, str]]:
    """Tickets that are not in the dataset, each with the team that takes it."""
    known = {ticket["prompt"] for ticket in tickets()}
    fresh = [ticket for ticket in tickets(COUNT + 2 * FRESH)[COUNT:] if ticket["prompt"] not in known]
    return [
        {"id": ticket["id"], "ticket": ticket["prompt"], "vote": ticket["completion"]}
        for ticket in fresh[:FRESH]
    ]


def benchmark(model: dict[str, Any]) -> dict[str, Any]:
    """Asked in which words the model finds the team."""
    return {
        "cases": cases(),
        "prompts": [{"name": name, "template": template} for name, template in PROMPTS.items()],
        "models": [model],
        "votes": [{"name": team} for team in TEAMS],
        "max_tokens": 12,
    }


def generation(model: dict[str, Any], target: int = 60) -> dict[str, Any]:
    """Tickets for each team, written by the model."""
    return {
        "instructions": WRITE,
        "topics": list(TEAMS),
        "models": [model],
        "target": target,
        "concurrency": 2,
        "max_tokens": 64,
        "near_duplicate": 0.95,
        "rules": [{"min_words": 6}],
    }
