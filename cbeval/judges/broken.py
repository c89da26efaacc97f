"""Broken text: measures of repetition, of characters and of words that need no model, and what they add up to.

*Broken* means that the reader gets nothing usable: an empty answer, a loop from the start, loose words, mixed scripts.
An answer that says something and then loops is an answer (small models do that all the time), so loops count only
where fewer than about sixteen words come before them; an answer that falls to pieces counts as broken when its opening
or most of its first 160 tokens is incoherent. Incoherence is judged on windows of 40 tokens by a logistic model.
"""

import math
import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cbeval.judges.fluency import TOKEN, Fluency
from cbeval.judges.languages import ENGLISH, other_language, script

MAX_CHARS = 6000
WINDOW = 40
WINDOWS = 4
LOOP_WORDS = 90
_SHORTEST_WINDOW = 8
_SPLIT = re.compile(r"([\u2e80-\u9fff\uac00-\ud7ff])")
_STUTTER = re.compile(r"([^\W\d_]{2,8}?)\1{3,}")
"""Four times the same two to eight letters without a space: "dentdentdentdent"."""

_COMMON_SPELLING = -1.6
_CODE = frozenset("{}()[];=<>|`\\/$#")


@dataclass(frozen=True)
class BrokenModel:
    """A logistic model on the measures of a window; weights are in the units of the measures."""

    intercept: float
    weights: Mapping[str, float]

    def probability(self, found: Mapping[str, float]) -> float:
        """P(incoherent) of a window with these measures."""
        score = self.intercept + sum(weight * found[name] for name, weight in self.weights.items())
        score = score * found["evidence"] - 3 * (1 - found["evidence"])
        return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))


def tokens_of(text: str) -> list[str]:
    """Words, numbers, single marks and line ends; each ideograph and each hangul syllable is a token of its own."""
    text = _SPLIT.sub(r" \1 ", text) if not text.isascii() else text
    return TOKEN.findall(text)


def compression(text: str) -> float:
    """Compressed size over size in bytes: about 0.5 for a paragraph, below 0.15 for a loop; 1.0 below 60 bytes."""
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
    """How many of the first `limit` tokens do not end a group of three that was there before, and of how many."""
    lower = [token.lower() for token in tokens[:limit]]
    seen: set[tuple[str, ...]] = set()
    new = 0
    for i in range(len(lower)):
        group = tuple(lower[max(i - 2, 0) : i + 1])
        new += group not in seen
        seen.add(group)
    return new, len(lower)


def window_measures(tokens: Sequence[str], fluency: Fluency) -> dict[str, float]:
    """Measures of a window of tokens; shares between 0 and 1 except where a name says otherwise."""
    information = fluency.neighbours(tokens)
    tokens = [token for token in tokens if token[0] != "\n"]
    words = [token for token in tokens if token[0].isalpha()]
    count, total = max(len(words), 1), max(len(tokens), 1)
    ascii_words = [word for word in words if word.isascii() and word.isalpha()]
    lower = [word.lower() for word in words]
    mean = sum(information) / (len(information) + 2)  # a few pairs say little
    common = len([word for word in lower if word in fluency.words]) / count
    scripts = [script(word[0]) for word in words] if len(ascii_words) < len(words) else ["LATIN"]
    # Common words are well spelt by definition; only the others are looked at, which is also what makes this fast.
    rare = [word for word in ascii_words if word.lower() not in fluency.words]
    spelled = sum(max(fluency.spelling(word), -6.0) for word in rare) + _COMMON_SPELLING * (
        len(ascii_words) - len(rare)
    )
    spelling = spelled / max(len(ascii_words), 1)
    inside = [word for word in rare if not (word.islower() or word.istitle() or word.isupper())]
    foreign = [token for token in tokens if not token.isascii()]
    return {
        "evidence": min(1.0, len(tokens) / 20),
        "information": max(mean, -2.0),
        "information of common words": max(mean, -2.0) * common,
        "clashes": len([value for value in information if value < -0.7]) / (len(information) + 2),
        "common words": common,
        "function words": len([word for word in lower if word in ENGLISH]) / count,
        "spelling": spelling if ascii_words else _COMMON_SPELLING,
        "script mix": sum(a != b for a, b in pairwise(scripts)) / max(len(scripts) - 1, 1),
        "code": len([token for token in tokens if token in _CODE]) / total,
        "marks": 1 - len(words) / total,
        "odd characters": len([token for token in foreign if _is_odd(token[0])]) / total,
        "few words": max(0.0, 0.6 - len(set(lower)) / count) if len(tokens) > 12 else 0.0,
        "numbers": len([token for token in tokens if token[0].isdigit()]) / total,
        "word length": min(sum(map(len, words)) / count, 15.0),
        "capitals inside": len(inside) / count,
        "single letters": len([word for word in ascii_words if len(word) == 1 and word not in "aAI"]) / count,
        "not ascii": len([token for token in foreign if token[0].isalpha()]) / count,
    }


def _is_odd(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs", "So", "Sk")


def rule(text: str, tokens: Sequence[str], generated: int = 0) -> str:
    """The plain reason for which a text is broken beyond doubt; empty if there is none.

    `generated` is the number of tokens that the model spent if it ran to its limit, else 0: an answer of which next to
    nothing is left after stripping was a loop of blanks.
    """
    stripped = text.strip()
    if not stripped:
        return "empty"
    words = len([token for token in tokens if token[0].isalnum()])
    if generated >= 32 and len(stripped) < 0.7 * generated and len(tokens) < generated // 3:
        return f"{len(stripped)} characters from {generated} generated tokens, the rest blank"
    if words < 40 and len(text) > 60 and len([char for char in text if not char.isspace()]) < 0.4 * len(text):
        return "mostly blank"
    if words == 0 and len(stripped) > 12:
        return "no words"
    lost = stripped.rstrip("\ufffd").count("\ufffd")  # one at the end is a character that the token limit cut
    if lost > 0.004 * len(stripped):
        return f"{lost} undecodable characters"
    long = [token for token in tokens if len(token) >= 8 and token[0].isalpha()]
    stutters = [match for match in map(_STUTTER.search, long) if match is not None]
    if sum(len(match.group()) for match in stutters) > 0.15 * len(stripped):
        return f"'{stutters[0].group(1)}' again and again"
    longest = max(map(len, tokens), default=0)
    if words < 12 and longest > 45:
        return f"a word of {longest} letters"
    if words < 12 and longest_run(stripped) > 40:
        return f"one character {longest_run(stripped)} times in a row"
    if longest_run([token for token in tokens if token[0].isalpha()]) >= 8:
        return "one word again and again"
    if words < 12 and len(stripped) > 60 and compression(stripped) < 0.25:
        return f"loops, compression {compression(stripped):.2f}"
    letters = [token.lower() for token in tokens[:LOOP_WORDS] if token[0].isalpha()]
    if len(letters) >= 24 and len(set(letters)) <= len(letters) // 6:
        return f"{len(set(letters))} different words among {len(letters)}"
    visible = [token for token in tokens if token[0] != "\n"]
    start = visible[:LOOP_WORDS]
    if len(start) >= 30 and len(set(start)) < 0.3 * len(start) and len(set(letters)) < 8:
        return f"{len(set(start))} different tokens among {len(start)}"
    run = longest_run(start)
    if len(visible) >= 20 and words < 40 and run >= 8 and run > 0.25 * len(visible):
        return f"one mark {run} times in a row"
    new, seen = new_words(visible)
    if seen >= 30 and ((new < 16 and new / seen < 0.4) or (new < 20 and new / seen < 0.34)):
        return f"loops after {new} tokens, compression {compression(stripped):.2f}"
    return ""


def _incoherent(window: Sequence[str], model: BrokenModel, fluency: Fluency) -> float:
    found = window_measures(window, fluency)
    probability = model.probability(found)
    if probability > 0.2 and found["script mix"] < 0.3 and other_language(window):
        return 0.05  # the tables are of English: only loops and mixed scripts can be told in other languages
    return probability


@dataclass(frozen=True)
class BrokenVerdict:
    """P(broken), and what it rests on."""

    probability: float
    reason: str


def judge_text(text: str, model: BrokenModel, fluency: Fluency, generated: int = 0) -> BrokenVerdict:
    """Whether an answer gives its reader nothing usable; `generated` as in `rule`.

    Never raises, and reads at most `MAX_CHARS` characters.
    """
    text = text.lstrip()[:MAX_CHARS]
    tokens = tokens_of(text.strip())
    reason = rule(text, tokens, generated)
    if reason:
        return BrokenVerdict(0.99, reason)
    windows = [tokens[i : i + WINDOW] for i in range(0, min(len(tokens), WINDOW * WINDOWS), WINDOW)]
    if len(windows) > 1 and len(windows[-1]) < WINDOW // 2:
        windows.pop()
    if not windows or len(windows[0]) < _SHORTEST_WINDOW:
        return BrokenVerdict(0.02, "short")
    found = [_incoherent(windows[0], model, fluency)]
    seen = set(pairwise(windows[0]))
    for window in windows[1:]:
        if len(found) == 2 and max(found) < 0.1:
            break  # whatever follows two fluent windows of four, the verdict stands
        pairs = list(pairwise(window))
        if sum(pair in seen for pair in pairs) < 0.5 * len(pairs):  # a loop says nothing on what came before it
            found.append(_incoherent(window, model, fluency))
        seen.update(pairs)
    mean = sum(found) / len(found)
    probability = min(0.3 * found[0] + 0.7 * mean, 0.99)
    return BrokenVerdict(
        probability,
        f"incoherent {mean:.2f} in the first {min(len(tokens), WINDOW * WINDOWS)} tokens, opening {found[0]:.2f}",
    )
