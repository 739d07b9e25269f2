"""The tests of a run: every prompt for every case of every model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pilothouse.kinds.benchmark.answers import INSTRUCTIONS
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.benchmark.parts import Case, Prompt
from pilothouse.kinds.benchmark.tally import SEPARATOR, Pair
from pilothouse.kinds.models import Model
from pilothouse.kinds.template import fill


@dataclass(frozen=True, slots=True)
class Test:
    """One question to one model.

    Attributes:
        input: The prompt, filled.
        expected: The declared name of the true vote.
        seed: Sent with the request.
    """

    __test__ = False  # not a test of ours

    model: Model
    prompt: Prompt
    case: Case
    repeat: int
    input: str
    expected: str
    seed: int

    @property
    def key(self) -> str:
        """The item's name within the run."""
        return f"{self.model.name}|{self.prompt.name}|{self.case.id}|{self.repeat}"

    @property
    def label(self) -> str:
        """What the screen shows while it is in hand."""
        return SEPARATOR.join((self.model.name, self.prompt.name, self.case.id))

    def columns(self) -> dict[str, str]:
        """What is known before the answer."""
        return {
            "model": self.model.name,
            "prompt": self.prompt.name,
            "case": self.case.id,
            "expected": self.expected,
            "input": self.input,
        }


def plan(params: Params) -> list[Test]:
    """All tests, case by case, so that every model and prompt advances alike."""
    ballot = params.ballot()
    built_in = {"votes": ", ".join(ballot.names), "answer": INSTRUCTIONS[params.answer_format]}
    return [
        Test(
            model,
            prompt,
            case,
            repeat,
            fill(prompt.template, {**case.model_dump(exclude={"vote"}), **built_in}),
            ballot.find(case.vote) or case.vote,
            params.seed + repeat - 1,
        )
        for repeat in range(1, params.repeats + 1)
        for case in params.cases
        for prompt in params.prompts
        for model in params.models
    ]


def pairs(tests: list[Test]) -> Counter[Pair]:
    """Tests of each pair of a model and a prompt."""
    return Counter((test.model.name, test.prompt.name) for test in tests)
