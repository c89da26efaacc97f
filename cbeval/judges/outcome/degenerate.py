# ruff: noqa: E501 - tables a row a line
"""Degenerate text made by script from fluent text: what the broken-text weights are trained on.

Each kind imitates a way in which a damaged model fails: loops, loose words, cut and glued tokens, scripts mixed, letters
at random, and a fluent opening that falls to pieces.
"""

import random
import string
from collections.abc import Callable, Sequence

_ALPHABETS = ("абвгдежзийклмнопрстуфхцчшщыэюя", "αβγδεζηθικλμνξοπρστυφχψω", "的一是不了人我在有他这为之大来以个中上们", "אבגדהוזחטיכלמנסעפצקרשת",
              "كتبمنعلىفيهذا", "ひらがなカタカナ", "한국어문장", "çéèüößøåñ", "กขคงจฉช")  # fmt: skip
_MARKS = ".,;:!?()[]{}<>/\\|@#$%^&*_-+=~\"'"


def _pieces(rng: random.Random, words: Sequence[str]) -> list[str]:
    """Cut words into two to five letters, as a subword vocabulary would."""
    found = []
    for word in words:
        while word:
            size = rng.randint(2, 5)
            found.append(word[:size])
            word = word[size:]
    return found


def shuffled(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """The words of a text in any order."""
    return " ".join(rng.sample(list(words), len(words)))


def loose_words(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Words of many texts, drawn by their frequency."""
    return " ".join(rng.choice(pool) for _ in words)


def rare_words(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Words of many texts, each word as likely as any other, so almost no function words."""
    types = sorted(set(pool))
    return " ".join(rng.choice(types) for _ in words)


def glued(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Pieces of words joined at random: "tionplethe inger" ."""
    parts = _pieces(rng, [rng.choice(pool) for _ in words])
    return "".join(part + (" " if rng.random() < 0.45 else "") for part in parts)


def random_letters(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Words of random letters."""
    return " ".join("".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(2, 9))) for _ in words)


def mixed_scripts(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Words of several scripts, pieces of words and code between them."""
    found = []
    for _ in words:
        choice = rng.random()
        if choice < 0.45:
            alphabet = rng.choice(_ALPHABETS)
            found.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 6))))
        elif choice < 0.8:
            found.append(rng.choice(pool))
        elif choice < 0.9:
            found.append(rng.choice(pool) + rng.choice(_MARKS) + rng.choice(pool).title())
        else:
            found.append("".join(rng.choice(_MARKS) for _ in range(rng.randint(1, 5))))
    return "".join(word + (" " if rng.random() < 0.8 else "") for word in found)


def marks(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Loose words among punctuation."""
    return " ".join(
        rng.choice(pool) if rng.random() < 0.5 else "".join(rng.choice(_MARKS) for _ in range(rng.randint(1, 4)))
        for _ in words
    )


def swapped(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Half of the words replaced by any other."""
    return " ".join(rng.choice(pool) if rng.random() < 0.5 else word for word in words)


def few_words(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """A handful of words and pieces of words in any order, lines broken anywhere."""
    handful = (
        [rng.choice(pool) for _ in range(rng.randint(2, 4))]
        + _pieces(rng, [rng.choice(pool) for _ in range(2)])
        + [rng.choice(_MARKS)]
    )
    return "".join(rng.choice(handful) + rng.choice([" ", " ", "\n", ":\n\n"]) for _ in words)


def digits(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Numbers and marks with a word here and there."""
    return "".join(
        (rng.choice(pool) if rng.random() < 0.15 else str(rng.randint(0, 10 ** rng.randint(1, 4))))
        + rng.choice([" ", ", ", "\n", "-", " and "])
        for _ in words
    )


def broken_lines(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Small words and pieces scattered over many lines."""
    common = rng.sample(list(pool), min(30, len(pool)))
    return "".join(
        rng.choice([*common, *_MARKS, "1", "I", "a"]) + rng.choice([" ", " ", "\n", "\n\n", ". ", ", "]) for _ in words
    )


def dotted(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Capitals, pieces of words and figures between dots: "D.2.aw.ty. Fran. 1400"."""
    parts = _pieces(rng, [rng.choice(pool) for _ in words])[: len(words)]
    found = []
    for part in parts:
        piece = rng.choice([part, part.title(), part[:1].upper(), str(rng.randint(0, 1500)), rng.choice(pool)])
        found.append(piece + rng.choice([".", ". ", ".\n", " ", ", ", " #", ".\n\n", "'"]))
    return "".join(found)


def titles(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Loose words with capitals, as of headings and names, glued here and there."""
    return "".join(
        rng.choice(pool).strip(_MARKS).title() + rng.choice([" ", " ", " ", "", " the ", " - "]) for _ in words
    )


LOOSE: dict[str, Callable[[random.Random, Sequence[str], Sequence[str]], str]] = {
    "shuffled": shuffled, "loose words": loose_words, "rare words": rare_words, "glued": glued, "random letters": random_letters,
    "mixed scripts": mixed_scripts, "marks": marks, "swapped": swapped, "few words": few_words, "digits": digits, "broken lines": broken_lines,
    "dotted": dotted,
     "titles": titles,
}  # fmt: skip
"""Ways to be incoherent: (random numbers, words of one text, words of all texts) -> text of about as many words."""


def word_loop(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """One to four words again and again."""
    start = rng.randrange(max(len(words) - 4, 1))
    unit = list(words[start : start + rng.randint(1, 4)]) or ["the"]
    return " ".join(unit * (80 // len(unit)))


def sentence_loop(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Five to ten words again and again."""
    start = rng.randrange(max(len(words) - 10, 1))
    unit = list(words[start : start + rng.randint(5, 10)]) or ["and", "the"]
    return " ".join(unit * (120 // len(unit)))


def character_loop(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """One or two characters again and again."""
    return rng.choice(["a", "!", "\n", ". ", "ha", "0", "--", "?", "_", "1", " the", "\\"]) * rng.randint(40, 300)


LOOPS: dict[str, Callable[[random.Random, Sequence[str], Sequence[str]], str]] = {
    "word loop": word_loop, "sentence loop": sentence_loop, "character loop": character_loop,
}  # fmt: skip


def falls_to_pieces(rng: random.Random, words: Sequence[str], pool: Sequence[str]) -> str:
    """Three to fifteen fluent words, then one of the incoherent kinds or a word loop for at least sixty more."""
    kind = rng.choice([*LOOSE.values(), word_loop])
    rest = kind(rng, [rng.choice(pool) for _ in range(rng.randint(60, 150))], pool)
    return " ".join(words[: rng.randint(3, 15)]) + " " + rest
