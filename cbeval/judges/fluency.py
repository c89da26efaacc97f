# ruff: noqa: E501 - tables a row a line
"""How well neighbouring words and letters go together: small count tables that tell text from loose words.

The measure is pointwise mutual information of neighbouring words (rare words stand for the class of their ending), so a
rare topic costs nothing: shuffling the words of a text keeps every word's frequency and loses the information. Letters
have a table of their own, which tells words from noise. The tables are counts of English; text in other languages is
neither punished nor helped by the first (its words fall into one class) and hardly by the second.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

TABLES = Path(__file__).with_name("fluency.json")
TOKEN = re.compile(r"\n+|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+|[^\w\s]")
_ENDINGS = (
    ("ing", "<ing>"), ("ed", "<ed>"), ("ly", "<ly>"), ("tion", "<noun>"), ("ment", "<noun>"), ("ness", "<noun>"), ("ity", "<noun>"),
    ("al", "<adj>"), ("ive", "<adj>"), ("ous", "<adj>"), ("ic", "<adj>"), ("able", "<adj>"), ("s", "<s>"), ("er", "<er>"),
)  # fmt: skip
_SMOOTHING = 1.0


def word_class(token: str, vocabulary: Mapping[str, int]) -> str:
    """The token itself in lower case if it is common, else the class of its form."""
    lower = token.lower()
    if lower in vocabulary:
        return lower
    if not token[0].isalnum():
        return "<sym>"
    if token[0].isdigit():
        return "<number>"
    if not token.isascii():
        return "<foreign>"
    if token[0].isupper():
        return "<name>"
    return next((name for ending, name in _ENDINGS if lower.endswith(ending)), "<word>")


@dataclass(frozen=True)
class Fluency:
    """The count tables: classes, neighbouring classes, letters."""

    words: Mapping[str, int]
    """Class or common word -> count."""

    pairs: Mapping[str, Mapping[str, int]]
    """First -> second -> count of the two side by side; counts below 2 are left out."""

    letters: Mapping[str, float]
    """Three letters ("^" before a word, "$" after it) -> log probability of the third after the first two."""

    total: int

    @classmethod
    def load(cls, path: Path = TABLES) -> "Fluency":
        """Read the tables that ship with the package."""
        return _load(path)

    def neighbours(self, tokens: Sequence[str]) -> list[float]:
        """Smoothed pointwise mutual information, in nats, of each pair of neighbouring tokens.

        Left out are pairs across a line end, pairs of two marks, and a token beside itself.
        """
        words, pairs, total = self.words, self.pairs, self.total
        found = []
        before, before_class, before_word = "\n", "", False
        for token in tokens:
            lower = token.lower()
            name = lower if lower in words else word_class(token, words)
            is_word = token[0].isalpha()
            if (is_word or before_word) and token != before and before[0] != "\n" and token[0] != "\n":
                row = pairs.get(before_class)
                together = (row.get(name, 0) if row else 0) + _SMOOTHING
                expected = words.get(before_class, 0) * words.get(name, 0) / total + _SMOOTHING
                found.append(math.log(together / expected))
            before, before_class, before_word = token, name, is_word
        return found

    def spelling(self, word: str) -> float:
        """Mean log probability of the letters of a word of a to z; -9 for letter groups never seen."""
        marked = f"^{word.lower()[:30]}$"
        return sum(self.letters.get(marked[i : i + 3], -9.0) for i in range(len(marked) - 2)) / (len(marked) - 2)


@lru_cache(maxsize=4)
def _load(path: Path) -> Fluency:
    data = json.loads(path.read_bytes())
    return Fluency(words=data["words"], pairs=data["pairs"], letters=data["letters"], total=data["total"])


def count_tables(texts: Sequence[str], common: int = 1200, at_least: int = 2) -> dict[str, object]:
    """Build the tables from texts: the content of `fluency.json`. Used by the training script only."""
    streams = [TOKEN.findall(line) for text in texts for line in text.split("\n")]
    frequency: dict[str, int] = {}
    for stream in streams:
        for token in stream:
            frequency[token.lower()] = frequency.get(token.lower(), 0) + 1
    vocabulary = dict(sorted(frequency.items(), key=lambda item: (-item[1], item[0]))[:common])
    words: dict[str, int] = {}
    pairs: dict[str, dict[str, int]] = {}
    letters: dict[str, int] = {}
    for stream in streams:
        classes = [word_class(token, vocabulary) for token in stream]
        for name in classes:
            words[name] = words.get(name, 0) + 1
        for first, second in pairwise(classes):
            row = pairs.setdefault(first, {})
            row[second] = row.get(second, 0) + 1
        for token in stream:
            if token.isascii() and token.isalpha():
                marked = f"^{token.lower()}$"
                for i in range(len(marked) - 2):
                    letters[marked[i : i + 3]] = letters.get(marked[i : i + 3], 0) + 1
    heads: dict[str, int] = {}
    for group, count in letters.items():
        heads[group[:2]] = heads.get(group[:2], 0) + count
    kept = {a: {b: n for b, n in sorted(row.items()) if n >= at_least} for a, row in sorted(pairs.items())}
    return {
        "total": sum(words.values()),
        "words": dict(sorted(words.items())),
        "pairs": {a: row for a, row in kept.items() if row},
        "letters": {
            g: round(math.log((n + 0.1) / (heads[g[:2]] + 2.8)), 2) for g, n in sorted(letters.items()) if n >= 3
        },
    }
