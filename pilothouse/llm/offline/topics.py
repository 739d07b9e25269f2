"""What a text is about: the training documents it resembles.

A text's topic is a mixture of documents, each weighted by how likely it makes
the text under its own unigram model. The mixture's unigrams then bend the
n-gram model towards the topic, as in Kneser, Peters and Klakow, "Language model
adaptation using dynamic marginals", Eurospeech (1997).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from pilothouse.llm.offline.ngram import NGram

OWN = 0.5
SHARPNESS = 0.7


class Topics:
    """Documents as topics.

    Args:
        documents: Token lists.
        background: The model of the whole corpus; a document's own words are mixed with it.
    """

    def __init__(self, documents: Sequence[Sequence[str]], background: NGram) -> None:
        self._background = background
        self._shares: list[dict[str, float]] = []
        self._gains: dict[str, list[tuple[int, float]]] = {}
        for number, tokens in enumerate(documents):
            counts = Counter(tokens)
            self._shares.append({word: count / len(tokens) for word, count in counts.items()})
            for word, share in self._shares[-1].items():
                gain = math.log1p(OWN / (1 - OWN) * share / background.probability(word))
                self._gains.setdefault(word, []).append((number, gain))

    def ratios(self, text: Sequence[str]) -> Mapping[str, float]:
        """P(word | topic of the text) / P(word), for the words of similar documents; 1 - OWN for all others."""
        ratios: defaultdict[str, float] = defaultdict(float)
        for number, weight in self._weights(text).items():
            for word, share in self._shares[number].items():
                ratios[word] += weight * share
        probability = self._background.probability
        return {word: (1 - OWN) + OWN * share / probability(word) for word, share in ratios.items()}

    def _weights(self, text: Sequence[str]) -> dict[int, float]:
        """P(document | text) for the documents that share words with it.

        A word counts with the logarithm of how often it occurs: the second time says less.
        """
        scores: defaultdict[int, float] = defaultdict(float)
        for word, count in Counter(text).items():
            for number, gain in self._gains.get(word, ()):
                scores[number] += (1 + math.log(count)) * gain
        if not scores:
            return {}
        best = max(scores.values())
        weights = {number: math.exp(SHARPNESS * (score - best)) for number, score in scores.items()}
        total = sum(weights.values())
        return {number: weight / total for number, weight in weights.items()}
