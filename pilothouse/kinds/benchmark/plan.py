"""The tests of a run: every prompt for every case of every model."""

from __future__ import annotations

from collections.abc import Iterator
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


class Plan:
    """All tests of a run, case by case, so that every model and prompt advances alike.

    A test is made when it is asked for: there may be a million of them, each with its prompt filled.
    """

    def __init__(self, params: Params) -> None:
        self._params = params
        self._ballot = params.ballot()
        self._names = {model.name for model in params.models}, {prompt.name for prompt in params.prompts}
        self._ids = {case.id for case in params.cases}
        self._repeats = {str(repeat) for repeat in range(1, params.repeats + 1)}

    def __len__(self) -> int:
        params = self._params
        return len(params.models) * len(params.prompts) * len(params.cases) * params.repeats

    def __contains__(self, key: str) -> bool:
        """Whether a test has this key; one that a retry reuses may be of a case that is left out now."""
        match key.split("|"):
            case [model, prompt, id_, repeat]:
                is_pair = model in self._names[0] and prompt in self._names[1]
                return is_pair and id_ in self._ids and repeat in self._repeats
        return False

    def __iter__(self) -> Iterator[Test]:
        params, votes = self._params, ", ".join(self._ballot.names)
        built_in = {"votes": votes, "answer": INSTRUCTIONS[params.answer_format]}
        for repeat in range(1, params.repeats + 1):
            for case in params.cases:
                values = {**case.model_dump(exclude={"vote"}), **built_in}
                expected = self._ballot.find(case.vote) or case.vote
                for prompt in params.prompts:
                    text = fill(prompt.template, values)
                    for model in params.models:
                        seed = params.seed + repeat - 1
                        yield Test(model, prompt, case, repeat, text, expected, seed)

    def pairs(self) -> dict[Pair, int]:
        """Tests of each pair of a model and a prompt."""
        params = self._params
        each = len(params.cases) * params.repeats
        return {(model.name, prompt.name): each for model in params.models for prompt in params.prompts}
