# ruff: noqa: E501 - texts are data: one a line, other scripts and typographic quotes on purpose
"""Broken text is told from fluent text of every kind, however short."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cbeval.judges import broken
from cbeval.judges.outcome import OutcomeJudge
from cbeval.judges.outcome.degenerate import LOOPS, LOOSE, falls_to_pieces

JUDGE = OutcomeJudge.load()

PROSE = (
    "The lighthouse keeper climbs the stairs every evening, lights the lamp and writes a line into the log. In winter the "
    "storms are so loud that he cannot hear the bell, and his daughter brings him soup in a covered pot. When the fog comes "
    "in from the bay, the two of them sit at the window and count the ships that pass. Nobody has been lost here for thirty years."
)
FLUENT = {
    "one word": "Lisbon.",
    "a number": "17",
    "one emoji": "👍",
    "prose": PROSE,
    "no capitals, mid-sentence": "and then you fold the paper along the long side, press the edge flat, and open it again before the next step.",
    "code": "```python\nimport csv\n\ndef rows(path):\n    with open(path, newline='') as lines:\n        return list(csv.DictReader(lines))\n```",
    "list": "1. Tent\n2. Sleeping bag\n3. Stove\n4. Matches\n5. Water bottle\n6. First aid kit\n7. Map\n8. Rain jacket",
    "poem": "The kettle hums its only tune,\nthe window holds a slice of moon,\nand all the books along the wall\nlean close to hear the raindrops fall.",
    "French": "Pour aller à la gare, prenez la deuxième rue à gauche, puis continuez tout droit jusqu'au pont. Le train part à midi.",
    "German": "Der Zug nach Bremen fährt heute nicht, weil auf der Strecke gebaut wird. Nehmen Sie bitte den Bus, der vor dem Bahnhof wartet.",
    "Russian": "Завтра будет дождь, поэтому возьмите зонт и тёплую куртку. Поезд отправляется в девять часов утра с третьего пути.",
    "Chinese": "明天早上八点我们在车站见面。请带上护照和一些现金,因为山里的商店不能刷卡。",
    "Arabic": "غدا نذهب إلى السوق لشراء الخبز والجبن والزيتون ثم نعود إلى البيت قبل الظهر.",
    "sum": "12 * 12 = 144, so 144 / 6 = 24 and the answer is 24.",
    "ends in a loop": PROSE + " He counts the ships." * 60,
    "cut in a character": PROSE + "\ufffd",
}


def p_broken(text: str) -> float:
    return broken.judge_text(text, JUDGE.incoherence, JUDGE.fluency).probability


@pytest.mark.parametrize("kind", FLUENT)
def test_fluent_text_is_not_broken(kind: str) -> None:
    assert p_broken(FLUENT[kind]) < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "no no no no no no no no no no no no",
        "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
        "a" * 300,
        "ha" * 200,
        "dentdentdentdentdent and dentdentdentdentdent",
        "first\ufffd\ufffd\ufffdptious\ufffd table",
        "I think that " * 40,
        "Step:\n\n1. 1. 4. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1. 1.",
        "note" + "\xa0" * 80 + "note",
        "Menu\n" + "<\n\n" * 20,
        "lamp Under seventeen quickly of of the Moreover blue walked if banana therefore seldom into yes paper they running cold a",
        "xkqz vbrtl pqwj zzkr mnbv qwrt plkj hgfd zxcv bnmq wrtp sdfg",
    ],
)
def test_degenerate_text_is_broken(text: str) -> None:
    assert p_broken(text) > 0.5


@pytest.mark.parametrize("kind", [*LOOSE, *LOOPS, "falls to pieces"])
def test_made_kinds_are_found_in_text_never_trained_on(kind: str) -> None:
    make = {**LOOSE, **LOOPS, "falls to pieces": falls_to_pieces}[kind]
    rng = random.Random(3)
    words = PROSE.split()
    found = sum(
        p_broken(make(rng, rng.sample(words, len(words)) if kind in LOOSE else words, words)) > 0.5 for _ in range(30)
    )
    assert found >= 27  # 90 %: half-swapped words and a sentence as the loop's unit may still read as text


def test_an_answer_of_blanks_is_broken_though_stripping_left_a_word() -> None:
    # A model that loops on blanks to its limit leaves "Head" after stripping; the same word as a whole answer is fine.
    spent = broken.judge_text("Head", JUDGE.incoherence, JUDGE.fluency, generated=64)
    assert spent.probability > 0.5
    assert p_broken("Head") < 0.5


def test_gibberish_after_a_fluent_half_sentence_is_broken() -> None:
    words = PROSE.split()
    tail = random.Random(0).sample(words * 3, 150)
    assert p_broken("To build a good kite you first " + " ".join(tail)) > 0.5


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(), max_size=400))
@example("_")
@example("\ud800" * 70)
def test_any_text_gives_a_probability(text: str) -> None:
    assert 0 <= p_broken(text) <= 1
