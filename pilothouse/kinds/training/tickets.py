"""Support tickets made from a seed: something small and real to learn, without a download.

A ticket has a prompt (what a customer writes) and a completion (the team that takes
it). The words decide the team, so a small model learns it within seconds, and how
well it has can be measured.
"""

from __future__ import annotations

import random

TEAMS = ("billing", "hardware", "network", "software", "account")
COUNT = 600

_OPENINGS = (
    "Hello,",
    "Hi team,",
    "Good morning,",
    "Since today",
    "Since yesterday",
    "Please help:",
    "Urgent:",
)
_CLOSINGS = ("Can you help?", "Thanks.", "It is urgent.", "What should I do?", "Please call me.", "")
_PLACES = (
    "in room 12",
    "on the second floor",
    "at home",
    "in the Leeds office",
    "at the front desk",
    "on site",
)
_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "billing": (
        ("my invoice", "the last bill", "the refund", "my card payment", "the receipt"),
        ("shows the wrong amount", "was charged twice", "has not arrived", "is in the wrong currency"),
    ),
    "hardware": (
        ("the printer", "my laptop", "the monitor", "my keyboard", "the docking station"),
        ("does not turn on", "makes a loud noise", "is broken", "gets very hot", "has a cracked screen"),
    ),
    "network": (
        ("the wifi", "the VPN", "the internet connection", "the shared drive link", "the router"),
        ("drops every hour", "is very slow", "cannot be reached", "loses packets"),
    ),
    "software": (
        ("the editor", "the latest update", "the spreadsheet app", "the report tool", "the mail client"),
        ("crashes on start", "shows an error message", "freezes when I save", "cannot open my file"),
    ),
    "account": (
        ("my password", "my login", "the two-factor code", "my user name", "my access right"),
        ("was rejected", "has expired", "must be reset", "is locked", "belongs to someone else"),
    ),
}


def tickets(count: int = COUNT, seed: int = 7) -> list[dict[str, str]]:
    """Make tickets, the same for the same seed on every machine and Python.

    Args:
        count: How many.
        seed: Of the draws.

    Returns:
        Records with `id`, `prompt` and `completion`, the teams in equal shares.
    """
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    made = []
    for number in range(count):
        team = TEAMS[number % len(TEAMS)]
        things, troubles = _PARTS[team]
        words = [
            _pick(draw, _OPENINGS),
            _pick(draw, things),
            _pick(draw, troubles),
            _pick(draw, _PLACES) + ".",
            _pick(draw, _CLOSINGS),
        ]
        made.append(
            {"id": f"ticket-{number + 1:04d}", "prompt": " ".join(filter(None, words)), "completion": team}
        )
    return made


def _pick(draw: random.Random, words: tuple[str, ...]) -> str:
    """`choice` by a float: its own algorithm has changed between versions of Python."""
    return words[int(draw.random() * len(words))]
