"""How alike two texts are: word shingles, their resemblance, and MinHash to find the alike among many.

Resemblance and shingles: Broder, "On the resemblance and containment of documents", SEQUENCES
(1997). Signatures are cut into bands, as in Leskovec, Rajaraman and Ullman, "Mining of Massive
Datasets", section 3.4: two texts of resemblance s meet in a band with probability
1 - (1 - s^4)^32, that is 0.87 for s = 0.5, 0.988 for 0.6, 0.99995 for 0.7. Whatever meets is then compared
exactly, so a signature decides nothing.
"""

from __future__ import annotations

import random
import re
import unicodedata
from hashlib import blake2b

SHINGLE_WORDS = 3
BANDS = 32
ROWS = 4
_PRIME = (1 << 61) - 1
_WORD = re.compile(r"\w+")
_dice = random.Random(1997)  # noqa: S311 - the same coefficients in every process, no secret
_COEFFICIENTS = tuple((_dice.randrange(1, _PRIME), _dice.randrange(_PRIME)) for _ in range(BANDS * ROWS))


def words(text: str) -> list[str]:
    """The words of a text, without case, signs and variants of the same letter."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def digest(text: str) -> str:
    """The same for texts of the same words in the same order; 32 hexadecimal digits."""
    return blake2b(" ".join(words(text)).encode("utf-8", "replace"), digest_size=16).hexdigest()


def shingles(text: str) -> frozenset[int]:
    """Hashes of all runs of three words; of all words together where there are fewer."""
    found = words(text)
    last = max(1, len(found) - SHINGLE_WORDS + 1)
    return frozenset(_hash(" ".join(found[place : place + SHINGLE_WORDS])) for place in range(last))


def resemblance(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of shingles that both have, of those that either has (Jaccard); from 0 to 1."""
    return len(one & other) / len(one | other)


def bands(found: frozenset[int]) -> list[int]:
    """The bands of the MinHash signature; signed 64 bit each, shape `(BANDS,)`."""
    signature = [min((a * each + b) % _PRIME for each in found) for a, b in _COEFFICIENTS]
    return [
        _hash(f"{band} {signature[band * ROWS : (band + 1) * ROWS]}") - (1 << 63) for band in range(BANDS)
    ]


def _hash(text: str) -> int:
    """64 bits."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")
