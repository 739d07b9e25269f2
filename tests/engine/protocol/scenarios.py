"""What is explored: small worlds that together hold every pair of things that can meet."""

from __future__ import annotations

from tests.engine.protocol.world import Bounds

ONE_HOST = ("A",)
TWO_ITEMS = ("a", "b")

SHORT = {
    "one control and a crash, with two hosts that claim": Bounds(commands=1, crashes=1),
    "two controls": Bounds(commands=2, crashes=0, hosts=ONE_HOST),
    "three controls, one after the other": Bounds(
        ("pause", "release", "resume", "cancel"), commands=3, crashes=0, hosts=ONE_HOST, works=1
    ),
    "two controls and a lease that runs out under a live job": Bounds(
        ("pause", "resume"), commands=2, crashes=0, lapses=1, hosts=ONE_HOST
    ),
    "a cancel, a crash and a lease that runs out": Bounds(
        ("cancel",), commands=1, crashes=1, lapses=1, hosts=ONE_HOST
    ),
    "pauses with an end, and the timer": Bounds(
        ("pause until then", "pause for long", "resume"),
        commands=3,
        crashes=0,
        hosts=ONE_HOST,
        items=(),
        attempts=1,
        has_timer=True,
    ),
    "a pause that is to be released, and its end": Bounds(
        ("pause until then", "pause for long", "release", "release for long", "resume"),
        commands=2,
        crashes=1,
        hosts=ONE_HOST,
        items=(),
        works=1,
    ),
    "a job that pauses itself": Bounds(
        ("pause", "release", "resume"), commands=2, crashes=0, limits=1, hosts=ONE_HOST
    ),
    "a job that fails, a crash and a host that stops": Bounds(
        ("pause", "release", "cancel"), commands=1, crashes=1, failures=1, evictions=1, hosts=ONE_HOST
    ),
    "two items": Bounds(("pause", "cancel"), commands=1, crashes=1, items=TWO_ITEMS, hosts=ONE_HOST),
    "two crashes, a lease that runs out, two hosts, and nobody who steers": Bounds(
        (), commands=0, crashes=2, lapses=1
    ),
}

LONG = {
    "two controls and a crash, with two hosts that claim": Bounds(commands=2, crashes=1),
    "three controls": Bounds(commands=3, crashes=0, hosts=ONE_HOST),
    "three controls, one after the other, and a crash": Bounds(
        commands=3, crashes=1, hosts=ONE_HOST, works=1
    ),
    "two controls, two crashes, two items": Bounds(
        ("pause", "release", "resume", "cancel"), commands=2, crashes=2, items=TWO_ITEMS, hosts=ONE_HOST
    ),
    "two controls, a crash and a lease that runs out": Bounds(
        ("pause", "release", "resume", "cancel"), commands=2, crashes=1, lapses=1, hosts=ONE_HOST
    ),
    "pauses with an end, the timer, and two attempts more": Bounds(
        ("pause until then", "pause for long", "resume"),
        commands=3,
        crashes=0,
        hosts=ONE_HOST,
        items=(),
        has_timer=True,
    ),
    "pauses with an end, the timer, and a crash": Bounds(
        ("pause until then", "pause for long", "resume", "cancel"),
        commands=3,
        crashes=1,
        hosts=ONE_HOST,
        items=(),
        has_timer=True,
        works=1,
    ),
}
