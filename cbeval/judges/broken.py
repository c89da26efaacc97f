"""Broken text: measures of repetition, of characters and of words that need no model, and what they add up to.

*Broken* means that the reader gets nothing usable: an empty answer, a loop from the start, loose words, mixed scripts.
An answer that says something for some sixty words and then loops is an answer (small models do that all the time);
one that falls to pieces after a few words is broken. Hence two views: the opening, and the whole.
"""

import re
import unicodedata
import zlib
from collections import Counter

MAX_CHARS = 6000
OPENING_WORDS = 60
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")

_FUNCTION_WORDS = frozenset(
    "the of and to a in is that it for on with as you are be this was or an by not from can have at which they i he she "
    "but if their will has more other what when one do your there all these we would so who its any than been into may "
    "how some no such only my should then also about up out could me his her them our us were had".split()
)


def words_of(text: str) -> list[str]:
    """Runs of letters (of any script) or digits, lower case; each CJK character is a word of its own."""
    found: list[str] = []
    for word in _WORD.findall(text):
        if "\u2e80" <= word[0] <= "\u9fff" or "\uac00" <= word[0] <= "\ud7ff":
            found.extend(word)
        else:
            found.append(word.lower())
    return found


def compression(text: str) -> float:
    """Compressed size over size, both in bytes: about 0.5 for a paragraph, below 0.15 for a loop; 1.0 below 60 bytes."""
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) < 60:
        return 1.0
    return len(zlib.compress(raw, 6)) / len(raw)


def distinct_ratio(words: list[str], n: int = 1) -> float:
    """Distinct n-grams over n-grams; 1.0 where there are none."""
    total = len(words) - n + 1
    if total < 1:
        return 1.0
    return len(set(zip(*(words[i:] for i in range(n)), strict=False))) / total


def longest_run(items: list[str] | str) -> int:
    """Length of the longest run of one and the same item in a row."""
    best = run = 0
    previous: str | None = None
    for item in items:
        run = run + 1 if item == previous else 1
        previous = item
        best = max(best, run)
    return best


def _script(char: str) -> str:
    if char < "\u0250":
        return "LATIN"
    return unicodedata.name(char, "UNKNOWN").split(" ", 1)[0]


def script_mix(words: list[str]) -> float:
    """Share of neighbouring words whose scripts differ; kana, ideographs and hangul count as one script."""
    scripts = [_script(word[0]) for word in words if not word[0].isdigit()]
    scripts = ["CJK" if s in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL") else s for s in scripts]
    if len(scripts) < 2:
        return 0.0
    return sum(a != b for a, b in zip(scripts, scripts[1:], strict=False)) / (len(scripts) - 1)


def measures(text: str) -> dict[str, float]:
    """All measures of a text by name; most are shares between 0 and 1, `words` is a count."""
    text = text.strip()[:MAX_CHARS]
    words = words_of(text)
    opening = words[:OPENING_WORDS]
    visible = [c for c in text if not c.isspace()]
    letters = sum(c.isalpha() for c in visible)
    odd = sum(unicodedata.category(c) in ("Cc", "Cf", "Cn", "Co", "Cs", "So", "Sk") for c in visible)
    commonest = Counter(opening).most_common(1)
    return {
        "words": float(len(words)),
        "compression": compression(text),
        "compression opening": compression(" ".join(opening)),
        "distinct words": distinct_ratio(opening),
        "distinct pairs": distinct_ratio(opening, 2),
        "commonest word": commonest[0][1] / len(opening) if opening else 0.0,
        "same word in a row": float(longest_run(opening)),
        "same character in a row": float(longest_run(text[:400])),
        "script mix": script_mix(words[:200]),
        "odd characters": odd / max(len(visible), 1),
        "letters": letters / max(len(visible), 1),
        "function words": sum(w in _FUNCTION_WORDS for w in words[:200]) / max(len(words[:200]), 1),
        "word length": sum(map(len, words[:200])) / max(len(words[:200]), 1),
    }


def broken_by_rule(found: dict[str, float], text: str) -> str:
    """The plain reasons for which a text is broken beyond doubt; empty if none holds."""
    if not text.strip():
        return "empty"
    if found["words"] == 0 and found["letters"] == 0 and len(text.strip()) > 12:
        return "no words"
    if found["words"] >= 12 and found["distinct pairs"] < 0.25:
        return f"loops from the start, distinct pairs {found['distinct pairs']:.2f}"
    if found["same word in a row"] >= 8:
        return f"one word {found['same word in a row']:.0f} times in a row"
    if found["words"] >= 8 and found["script mix"] > 0.3:
        return f"scripts mixed {found['script mix']:.2f}"
    if found["odd characters"] > 0.4 and len(text.strip()) > 12:
        return f"odd characters {found['odd characters']:.2f}"
    return ""
