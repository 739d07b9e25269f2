"""The offline language model: n-grams bent towards the topic of the prompt.

It is small, real and weak. It classifies by likelihood and writes by sampling;
nothing in it knows a case, a vote or a prompt of ours. It is trained from the
text beside it when it is first used, in a fraction of a second.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pilothouse.llm.offline.ngram import END, ORDER, START, NGram
from pilothouse.llm.offline.tokens import tokenise
from pilothouse.llm.offline.topics import Topics

_BEND = 0.8
_COLDEST = 0.05


@dataclass(frozen=True, slots=True)
class Choice:
    """A label and how sure the model is of it: the probability among the labels asked for."""

    label: str
    probability: float


class LanguageModel:
    """An adapted n-gram model.

    Args:
        documents: Texts to learn from.
        order: Words that count, the next one included: 1 to 3.
    """

    def __init__(self, documents: Sequence[str], order: int = ORDER) -> None:
        tokens = [tokenise(document) for document in documents]
        self._ngram = NGram(tokens, order)
        self._topics = Topics(tokens, self._ngram)

    def choose(
        self, prompt: str, labels: Sequence[str], *, temperature: float = 0.0, seed: int | None = None
    ) -> Choice:
        """The label that fits the prompt best.

        A label's score is the mean log-likelihood of its tokens given the prompt,
        less that without a prompt, so that a frequent label has no head start: Holtzman
        et al., "Surface form competition", EMNLP (2021).

        Args:
            temperature: 0 takes the best; above, labels are drawn by their probability.
        """
        ratios = self._topics.ratios(tokenise(prompt))
        scores = [_score(label, ratios) for label in labels]
        probabilities = _softmax(scores, 1.0)
        if temperature <= 0:
            place = max(range(len(labels)), key=scores.__getitem__)
        else:
            dice = random.Random(seed)  # noqa: S311 - a model's sampling, no secret
            place = dice.choices(range(len(labels)), _softmax(scores, temperature))[0]
        return Choice(labels[place], probabilities[place])

    def write(
        self,
        prompt: str,
        *,
        max_tokens: int,
        temperature: float = 1.0,
        seed: int | None = None,
        stop: frozenset[str] = frozenset(),
    ) -> list[str]:
        """Tokens of a text on the prompt's topic.

        Args:
            temperature: 0 takes the likeliest word each time; 1 draws as the model has learned.
            stop: Tokens that end the text; they are not part of it.
        """
        ratios = self._topics.ratios(tokenise(prompt))
        bends = [ratios.get(word, 0.5) ** _BEND for word in self._ngram.words]
        dice = random.Random(seed)  # noqa: S311 - a model's sampling, no secret
        written = [START] * (ORDER - 1)
        while len(written) < max_tokens + ORDER - 1:
            likely = self._ngram.distribution(written)
            word = self._draw([p * bend for p, bend in zip(likely, bends, strict=True)], temperature, dice)
            if word == END or word in stop:
                break
            written.append(word)
        return written[ORDER - 1 :]

    def _draw(self, weights: list[float], temperature: float, dice: random.Random) -> str:
        words = self._ngram.words
        if temperature < _COLDEST:
            return words[max(range(len(words)), key=weights.__getitem__)]
        if temperature != 1.0:
            top = max(weights)
            weights = [(weight / top) ** (1 / temperature) for weight in weights]
        return dice.choices(words, weights)[0]


def offline_model(order: int = ORDER) -> LanguageModel:
    """The model of an order, trained from the package's texts at the first call."""
    return trained(order)


@cache
def trained(order: int) -> LanguageModel:
    """See `offline_model`."""
    folder = files("pilothouse.llm.offline") / "corpus"
    named = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".txt")), key=lambda file: file.name
    )
    texts = [file.read_text("utf-8") for file in named]
    return LanguageModel([part for text in texts for part in text.split("\n\n") if part.strip()], order)


def _score(label: str, ratios: Mapping[str, float]) -> float:
    tokens = [token for token in tokenise(label) if token.isalnum()] or [label]
    return sum(math.log(ratios.get(token, 0.5)) for token in tokens) / len(tokens)


def _softmax(scores: Sequence[float], temperature: float) -> list[float]:
    top = max(scores)
    weights = [math.exp((score - top) / temperature) for score in scores]
    return [weight / sum(weights) for weight in weights]
