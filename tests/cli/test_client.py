"""What the command line makes of a server's answers."""

from __future__ import annotations

import json

from pilothouse.cli.client import refusal
from pilothouse.sdk.wire import Answer


def test_of_hundreds_of_bad_fields_the_first_are_named_and_the_others_counted() -> None:
    errors = [{"field": f"cases.{number}", "message": "it has no vote"} for number in range(300)]
    body = {
        "error": {
            "code": "invalid",
            "message": "cases.0: it has no vote",
            "errors": errors,
            "hint": "Add one.",
        }
    }

    said = list(refusal(Answer(422, json.dumps(body).encode())).lines)

    assert said[:2] == ["cases.0: it has no vote", "cases.1: it has no vote"]
    assert said[-3:] == ["cases.10: it has no vote", "… and 289 more", "Add one."]
