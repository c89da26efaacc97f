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

MAX_CHARS = 6000
WINDOW = 40
WINDOWS = 4
LOOP_WORDS = 90
_SHORTEST_WINDOW = 8
_SPLIT = re.compile(r"([\u2e80-\u9fff\uac00-\ud7ff])")
_FUNCTION_WORDS = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "a",
        "in",
        "is",
        "that",
        "it",
        "for",
        "on",
        "with",
        "as",
        "you",
        "are",
        "be",
        "this",
        "was",
        "or",
        "an",
        "by",
        "not",
        "from",
        "can",
        "have",
        "at",
        "which",
        "they",
        "i",
        "he",
        "she",
        "but",
        "if",
        "their",
        "will",
        "has",
        "more",
        "other",
        "what",
        "when",
        "one",
        "do",
        "your",
        "there",
        "all",
        "these",
        "we",
        "would",
        "so",
        "who",
        "its",
        "any",
        "than",
        "been",
        "into",
        "may",
        "how",
        "some",
        "no",
        "such",
        "only",
        "my",
        "should",
        "then",
        "also",
        "about",
        "up",
        "out",
        "could",
        "me",
        "his",
        "her",
        "them",
        "our",
        "us",
        "were",
        "had",
    ]
)
_OTHER_LANGUAGES = tuple(
    frozenset(words.split())
    for words in (
        "el la los las de del que en un una es por con para se no su al lo como más pero este esta son tus puede y o si mi",
        "le la les de des du et un une est que qui dans pour pas sur avec ce cette il elle vous nous je sont au aux en plus ou ne se",
        "der die das und ist ein eine einen nicht mit von zu den dem des auf für sie es im in werden wird sich auch als wie oder man ich",
        "il lo la gli le di che un una è per non con in del della dei si da sono come più al nel anche questo questa e o se",
        "o a os as de do da dos das que em um uma é para com não por se mais como no na ao sua seu são este esta e ou",
        "de het een en van is in op te dat niet met voor zijn aan er die om ook als maar dan naar je u bij of wordt worden",
        "och att det som en är på för av med den till inte ett om har de kan du jag men eller från i man så vid här din",
        "og det er at en på for av med den til ikke som et om har de kan du jeg men eller fra i man så ved der din vi",
        "i w na z do się nie jest to że jak o co dla po ale lub za od są przez być ma tym oraz może tego który które",
        "a je v na se že s do to pro jako za by ale nebo jsou po od jste tak který které být má z o i k při aby",
        "ve bir bu için ile de da ne olarak çok gibi daha en olan var değil ya ki veya sonra kadar her ben sen o mi",
        "yang dan di untuk dengan ini itu dari pada tidak ke adalah anda akan atau dalam bisa oleh juga saya dapat ada",
        "în și de la cu pe nu o un este care din pentru mai sau se ce să sunt prin al ale fi dar cum acest",
        "ja on ei se että en oli mutta tai kun niin myös joka ovat kuin voi hän minä sinä tämä sekä jos ole vain",
        "và là của có trong cho không với các được một này để khi người những đã bạn từ hoặc thể như về tôi",
        "és a az hogy nem egy is van de ez meg csak vagy ha mint el már ki még azt kell lesz ön mert",
    )
)
"""Common small words of other languages in Latin letters: where they are many, English tables say nothing."""

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
    lower = [token.lower() for token in tokens if token[0] != "\n"][:limit]
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
    information = fluency.neighbours(tokens)
    tokens = [token for token in tokens if token[0] != "\n"]
    words = [token for token in tokens if token[0].isalpha()]
    count, total = max(len(words), 1), max(len(tokens), 1)
    ascii_words = [word for word in words if word.isascii() and word.isalpha()]
    lower = [word.lower() for word in words]
    mean = sum(information) / (len(information) + 2)  # a few pairs say little
    common = sum(word in fluency.words for word in lower) / count
    scripts = [_script(word[0]) for word in words]
    # Common words are well spelt by definition; only the others are looked at, which is also what makes this fast.
    spelling = sum(
        _COMMON_SPELLING if word.lower() in fluency.words else max(fluency.spelling(word), -6.0) for word in ascii_words
    ) / max(len(ascii_words), 1)
    return {
        "evidence": min(1.0, len(tokens) / 20),
        "information": max(mean, -2.0),
        "information of common words": max(mean, -2.0) * common,
        "clashes": sum(value < -0.7 for value in information) / (len(information) + 2),
        "common words": common,
        "function words": sum(word in _FUNCTION_WORDS for word in lower) / count,
        "spelling": spelling if ascii_words else _COMMON_SPELLING,
        "script mix": sum(a != b for a, b in pairwise(scripts)) / max(len(scripts) - 1, 1),
        "code": sum(token in _CODE for token in tokens) / total,
        "marks": 1 - len(words) / total,
        "odd characters": sum(not token.isascii() and _is_odd(token[0]) for token in tokens) / total,
        "few words": max(0.0, 0.6 - len(set(lower)) / count) if len(tokens) > 12 else 0.0,
        "numbers": sum(token[0].isdigit() for token in tokens) / total,
        "word length": min(sum(map(len, words)) / count, 15.0),
        "capitals inside": sum(not (word.islower() or word.istitle() or word.isupper()) for word in ascii_words)
        / count,
        "single letters": sum(len(word) == 1 and word.isascii() and word not in "aAI" for word in words) / count,
        "not ascii": sum(not word.isascii() for word in words) / count,
    }


def other_language(tokens: Sequence[str]) -> bool:
    """Whether a window is mostly text in another language than English, as far as small words and scripts can tell."""
    words = [token.lower() for token in tokens if (len(token) > 1 and token[0].isalpha()) or not token.isascii()]
    words = [word for word in words if word[0].isalpha()]
    if len(words) < 5:
        return False
    scripts = [_script(word[0]) for word in words]
    commonest = max(set(scripts), key=lambda script: (scripts.count(script), script))
    if commonest != "LATIN":
        return scripts.count(commonest) >= 0.65 * len(words)
    if sum(not word.isascii() for word in words) >= 0.15 * len(words) and scripts.count("LATIN") >= 0.95 * len(words):
        return True
    english = sum(word in _FUNCTION_WORDS for word in words)
    small = [[word for word in words if word in language] for language in _OTHER_LANGUAGES]
    best = max(small, key=len)
    return len(best) >= 0.17 * len(words) and len(set(best)) >= min(3, len(words) // 4) and len(best) > 1.5 * english


def _is_odd(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs", "So", "Sk")


def rule(text: str, tokens: Sequence[str]) -> str:
    """The plain reason for which a text is broken beyond doubt; empty if there is none."""
    stripped = text.strip()
    if not stripped:
        return "empty"
    words = sum(token[0].isalnum() for token in tokens)
    if words == 0 and len(stripped) > 12:
        return "no words"
    lost = stripped.rstrip("\ufffd").count("\ufffd")  # one at the end is a character that the token limit cut
    if lost > 0.004 * len(stripped):
        return f"{lost} undecodable characters"
    stutter = _STUTTER.search(stripped)
    if stutter is not None and sum(len(m.group()) for m in _STUTTER.finditer(stripped)) > 0.15 * len(stripped):
        return f"'{stutter.group(1)}' again and again"
    if words < 12 and max(map(len, tokens)) > 45:
        return f"a word of {max(map(len, tokens))} letters"
    if words < 12 and longest_run(stripped) > 40:
        return f"one character {longest_run(stripped)} times in a row"
    if longest_run([token for token in tokens if token[0].isalpha()]) >= 8:
        return "one word again and again"
    if words < 12 and len(stripped) > 60 and compression(stripped) < 0.25:
        return f"loops, compression {compression(stripped):.2f}"
    letters = [token.lower() for token in tokens[:LOOP_WORDS] if token[0].isalpha()]
    if len(letters) >= 24 and len(set(letters)) <= len(letters) // 6:
        return f"{len(set(letters))} different words among {len(letters)}"
    new, seen = new_words(tokens)
    if seen >= 30 and new < 16 and new / seen < 0.4:
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
    found = [_incoherent(windows[0], model, fluency)]
    seen = set(pairwise(windows[0]))
    for window in windows[1:]:
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
