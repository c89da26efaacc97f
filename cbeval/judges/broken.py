"""Broken text: measures of repetition, of characters and of words that need no model, and what they add up to.

*Broken* means that the reader gets nothing usable: an empty answer, a loop from the start, loose words, mixed scripts.
An answer that says something and then loops is an answer (small models do that all the time), so loops count only
where fewer than about twenty words come before them; an answer that falls to pieces counts as broken when its opening
or most of its first 240 tokens is incoherent. Incoherence is judged on windows of 40 tokens by a logistic model.
"""

import math
import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cbeval.judges.fluency import TOKEN, Fluency

MAX_CHARS = 6000
WINDOW = 40
WINDOWS = 6
LOOP_WORDS = 90
_SHORTEST_WINDOW = 8
_SPLIT = re.compile(r"([\u2e80-\u9fff\uac00-\ud7ff])")
_FUNCTION_WORDS = frozenset(
    "the of and to a in is that it for on with as you are be this was or an by not from can have at which they i he she "
    "but if their will has more other what when one do your there all these we would so who its any than been into may "
    "how some no such only my should then also about up out could me his her them our us were had".split()
)
_CODE = re.compile(r"[{}()\[\];=<>|`\\/$#]|::|->")


@dataclass(frozen=True)
class BrokenModel:
    """A logistic model on the measures of a window; weights are in the units of the measures."""

    intercept: float
    weights: Mapping[str, float]

    def probability(self, found: Mapping[str, float]) -> float:
        """P(incoherent) of a window with these measures."""
        score = self.intercept + sum(weight * found[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))


def tokens_of(text: str) -> list[str]:
    """Words, numbers and single marks; each ideograph and each hangul syllable is a token of its own."""
    text = _SPLIT.sub(r" \1 ", text) if not text.isascii() else text
    return TOKEN.findall(text)


def compression(text: str) -> float:
    """Compressed size over size, both in bytes: about 0.5 for a paragraph, below 0.15 for a loop; 1.0 below 60 bytes."""
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) < 60:
        return 1.0
    return len(zlib.compress(raw, 6)) / len(raw)


def longest_run(items: Sequence[str]) -> int:
    """Length of the longest run of one and the same item in a row."""
    best = run = 0
    previous: str | None = None
    for item in items:
        run = run + 1 if item == previous else 1
        previous = item
        best = max(best, run)
    return best


def new_words(tokens: Sequence[str], limit: int = LOOP_WORDS) -> tuple[int, int]:
    """How many of the first `limit` tokens do not end a group of three that was there before, and how many there are."""
    lower = [token.lower() for token in tokens[:limit]]
    seen: set[tuple[str, ...]] = set()
    new = 0
    for i in range(len(lower)):
        group = tuple(lower[max(i - 2, 0) : i + 1])
        new += group not in seen
        seen.add(group)
    return new, len(lower)


def _script(char: str) -> str:
    if char < "\u0250":
        return "LATIN"
    name = unicodedata.name(char, "UNKNOWN").split(" ", 1)[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL") else name


def window_measures(tokens: Sequence[str], fluency: Fluency) -> dict[str, float]:
    """Measures of a window of tokens; shares between 0 and 1 except where a name says otherwise."""
    words = [token for token in tokens if token[0].isalpha()]
    count, total = max(len(words), 1), max(len(tokens), 1)
    ascii_words = [word for word in words if word.isascii() and word.isalpha()]
    lower = [word.lower() for word in words]
    information = fluency.neighbours(tokens)
    mean = sum(information) / max(len(information), 1)
    common = sum(word in fluency.words for word in lower) / count
    scripts = [_script(word[0]) for word in words]
    spelling = sum(max(fluency.spelling(word), -6.0) for word in ascii_words) / max(len(ascii_words), 1)
    return {
        "information": max(mean, -2.0) * min(1.0, len(tokens) / 12),
        "information of common words": max(mean, -2.0) * common,
        "clashes": sum(value < -0.7 for value in information) / max(len(information), 1),
        "common words": common,
        "function words": sum(word in _FUNCTION_WORDS for word in lower) / count,
        "spelling": spelling if ascii_words else -1.8,
        "script mix": sum(a != b for a, b in zip(scripts, scripts[1:], strict=False)) / max(len(scripts) - 1, 1),
        "code": sum(_CODE.match(token) is not None for token in tokens) / total,
        "marks": 1 - len(words) / total,
        "odd characters": sum(_is_odd(token[0]) for token in tokens) / total,
        "distinct words": len(set(lower)) / count,
        "word length": min(sum(map(len, words)) / count, 15.0),
        "capitals inside": sum(any(c.isupper() for c in word[1:]) for word in ascii_words) / count,
        "not ascii": sum(not word.isascii() for word in words) / count,
    }


def _is_odd(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs", "So", "Sk")


def rule(text: str, tokens: Sequence[str]) -> str:
    """The plain reason for which a text is broken beyond doubt; empty if there is none."""
    stripped = text.strip()
    if not stripped:
        return "empty"
    words = sum(token[0].isalnum() for token in tokens)
    if words == 0 and len(stripped) > 12:
        return "no words"
    if words < 12 and longest_run(stripped) > 40:
        return f"one character {longest_run(stripped)} times in a row"
    if longest_run([token for token in tokens if token[0].isalpha()]) >= 8:
        return "one word again and again"
    new, seen = new_words(tokens)
    if seen >= 30 and new < 20 and new / seen < 0.4:
        return f"loops after {new} tokens, compression {compression(stripped):.2f}"
    return ""


@dataclass(frozen=True)
class BrokenVerdict:
    """P(broken), and what it rests on."""

    probability: float
    reason: str


def judge_text(text: str, model: BrokenModel, fluency: Fluency) -> BrokenVerdict:
    """Whether an answer gives its reader nothing usable. Never raises; reads at most `MAX_CHARS` characters."""
    text = text.strip()[:MAX_CHARS]
    tokens = tokens_of(text)
    reason = rule(text, tokens)
    if reason:
        return BrokenVerdict(0.99, reason)
    windows = [tokens[i : i + WINDOW] for i in range(0, min(len(tokens), WINDOW * WINDOWS), WINDOW)]
    if len(windows) > 1 and len(windows[-1]) < WINDOW // 2:
        windows.pop()
    if not windows or len(windows[0]) < _SHORTEST_WINDOW:
        return BrokenVerdict(0.02, "short")
    found = [model.probability(window_measures(window, fluency)) for window in windows]
    mean = sum(found) / len(found)
    first = found[0]
    return BrokenVerdict(
        min(max(first, mean), 0.99), f"incoherent: opening {first:.2f}, first {len(windows) * WINDOW} tokens {mean:.2f}"
    )
