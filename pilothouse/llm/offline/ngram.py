"""An n-gram language model of the orders 1 to 3.

Interpolated Witten-Bell smoothing: Witten and Bell, "The zero-frequency
problem", IEEE Transactions on Information Theory 37 (1991); as formulated in
Chen and Goodman, "An empirical study of smoothing techniques for language
modeling", Computer Speech and Language 13 (1999), section 2.6. An order is
trusted by how often its history was seen, and distrusted by how many different
words followed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

ORDER = 3
START = "<s>"
END = "</s>"

History = tuple[str, ...]
Followers = tuple[Counter[str], int, int]


class NGram:
    """Counts of words after histories of 0 to 2 words.

    Attributes:
        words: The vocabulary, `END` included.

    Args:
        documents: Token lists to learn from; each ends with `END`.
        order: Words that count, the next one included: 1 to `ORDER`. A lower order is faster and weaker.
    """

    def __init__(self, documents: Iterable[Sequence[str]], order: int = ORDER) -> None:
        self._order = order
        after: dict[History, Counter[str]] = {(): Counter()}
        for tokens in documents:
            padded = [START] * (ORDER - 1) + [*tokens, END]
            for place in range(ORDER - 1, len(padded)):
                for length in range(order):
                    history = tuple(padded[place - length : place])
                    after.setdefault(history, Counter())[padded[place]] += 1
        self._seen = {history: (words, words.total(), len(words)) for history, words in after.items()}
        self.words: tuple[str, ...] = tuple(sorted(after[()]))
        self._places = {word: place for place, word in enumerate(self.words)}
        self._unigrams = [self.probability(word) for word in self.words]

    def probability(self, word: str, history: Sequence[str] = ()) -> float:
        """P(word | the last two words of the history); above 0 for every word, known or not."""
        value = 1.0 / (len(self.words) + 1)
        for words, total, kinds in self._orders(history):
            value = (words[word] + kinds * value) / (total + kinds)
        return value

    def distribution(self, history: Sequence[str]) -> list[float]:
        """P(word | history) for each of `words`; shape `(len(words),)`."""
        values = list(self._unigrams)
        for words, total, kinds in self._orders(history)[1:]:
            back_off = kinds / (total + kinds)
            values = [value * back_off for value in values]
            for word, count in words.items():
                values[self._places[word]] += count / (total + kinds)
        return values

    def _orders(self, history: Sequence[str]) -> list[Followers]:
        """What followed the empty history, the last word and the last two, as far as they were seen."""
        found = [self._seen[()]]
        for length in range(1, min(self._order, len(history) + 1)):
            followers = self._seen.get(tuple(history[len(history) - length :]))
            if followers is None:
                break
            found.append(followers)
        return found
