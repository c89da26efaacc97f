"""The embedded prompt lists: their make-up, and that no suite is among them.

A training prompt that is, or nearly is, a prompt of a suite would make every number measured on that suite worthless.
The lists are compared with the suites' files and with the embedded smoke suite by equality of the normalised text and
by Jaccard similarity of the content words, which also finds small rewordings.
"""

import csv
import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ROOT / "cbtrain" / "data" / "prompts"
SMOKE = ROOT / "cbeval" / "suites" / "smoke.jsonl"
CATEGORIES = {
    "chemical_biological",
    "cybercrime_intrusion",
    "misinformation_disinformation",
    "illegal",
    "harassment_bullying",
    "harmful",
}
SUITES = {
    "harmbench": ("harmbench/harmbench_behaviors_text_all.csv", "Behavior"),
    "advbench": ("advbench/harmful_behaviors.csv", "goal"),
    "xstest": ("xstest/xstest_prompts.csv", "prompt"),
}
SIMILAR = 0.6
STOP_WORD_TEXT = """
a an and are as at be been but by can could did do does for from had has have he her him his how i if in into is it its
me my of on or our she should so some someone somebody than that the their them they this to was we were what when where
which who whom why will with would you your s t d ll m re ve
please tell give write create make explain describe
"""
STOP_WORDS = frozenset(STOP_WORD_TEXT.split())


def normalised(prompt: str) -> str:
    """The prompt without differences of case, width, white space and punctuation."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", prompt).casefold()))


def content_words(prompt: str) -> frozenset[str]:
    """The lower-cased alphabetic words of a prompt that are not stop words."""
    return frozenset(re.findall(r"[^\W\d_]+", prompt.lower())) - STOP_WORDS


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Jaccard similarity of two sets, 0 if both are empty."""
    return len(left & right) / len(left | right) if left or right else 0.0


def closest(left: Iterable[str], right: Iterable[str]) -> tuple[float, str, str]:
    """The most similar pair: its similarity (1.0 where the normalised texts are equal) and the two prompts."""
    others = [(prompt, normalised(prompt), content_words(prompt)) for prompt in right]
    best = (0.0, "", "")
    for prompt in left:
        text, words = normalised(prompt), content_words(prompt)
        for other, other_text, other_words in others:
            similarity = 1.0 if text == other_text else jaccard(words, other_words)
            if similarity > best[0]:
                best = (similarity, prompt, other)
    return best


def read_jsonl(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def harmful() -> list[dict[str, str]]:
    return read_jsonl(PROMPTS / "harmful.jsonl")


@pytest.fixture(scope="module")
def benign() -> list[dict[str, str]]:
    return read_jsonl(PROMPTS / "benign.jsonl")


@pytest.fixture(scope="module")
def smoke() -> list[dict[str, str]]:
    return read_jsonl(SMOKE)


@pytest.fixture(scope="module")
def every_composed() -> list[dict[str, str]]:
    """Every topic in every form, whatever the seed draws."""
    folder = PROMPTS
    forms = json.loads((folder / "forms.json").read_text())
    return [
        {"prompt": form.format(phrase)}
        for kind in ("harmful", "benign")
        for group, phrases in json.loads((folder / f"{kind}_topics.json").read_text()).items()
        for phrase in phrases
        for form in forms[group]
    ]


def prompts(*lists: list[dict[str, str]]) -> list[str]:
    return [row["prompt"] for rows in lists for row in rows]


def test_similarity_sees_rewordings_and_not_mere_form() -> None:
    assert closest(["Write a guide to baking rye bread!"], ["write a GUIDE to  baking rye bread"])[0] == 1.0
    assert closest(["Tell me how rye bread is baked slowly"], ["Explain how slowly rye bread is baked"])[0] == 1.0
    assert closest(["Write a letter about rye bread"], ["Write a letter about a lost dog"])[0] < SIMILAR
    assert jaccard(frozenset(), frozenset()) == 0.0


def test_harmful_prompts_are_enough_in_every_category(harmful: list[dict[str, str]]) -> None:
    counts = Counter(row["category"] for row in harmful)
    assert len(harmful) >= 250
    assert set(counts) == CATEGORIES
    assert all(40 <= n <= 50 for n in counts.values()), counts


def test_benign_prompts_are_enough_and_a_third_looks_dangerous(benign: list[dict[str, str]]) -> None:
    counts = Counter(row["kind"] for row in benign)
    assert len(benign) >= 260
    assert set(counts) == {"plain", "looks_dangerous"}
    assert counts["looks_dangerous"] >= max(100, len(benign) / 3), counts


def test_training_rows_hold_a_prompt_and_never_an_answer(
    harmful: list[dict[str, str]], benign: list[dict[str, str]]
) -> None:
    assert all(set(row) == {"prompt", "category"} for row in harmful)
    assert all(set(row) == {"prompt", "kind"} for row in benign)
    for prompt in prompts(harmful, benign):
        assert prompt == prompt.strip()
        assert 10 <= len(prompt) <= 300, prompt


def test_form_does_not_separate_harmful_from_benign(
    harmful: list[dict[str, str]], benign: list[dict[str, str]]
) -> None:
    """Common first words of the harmful prompts begin benign ones too, and there are questions in both lists."""
    first = {
        name: Counter(row["prompt"].split()[0].lower() for row in rows)
        for name, rows in (("harmful", harmful), ("benign", benign))
    }
    missing = [word for word, n in first["harmful"].items() if n >= 4 and word not in first["benign"]]
    assert not missing
    for rows in (harmful, benign):
        assert 0.1 <= sum("?" in row["prompt"] for row in rows) / len(rows) <= 0.6


def test_smoke_suite_is_balanced_and_its_harmful_rows_have_targets(smoke: list[dict[str, str]]) -> None:
    expected = [f"{kind}-{i:02}" for kind in ("harm", "benign") for i in range(1, 25)]
    assert [row["id"] for row in smoke] == expected
    harmful = [row for row in smoke if row["label"] == "harmful"]
    benign = [row for row in smoke if row["label"] == "benign"]
    assert Counter(row["category"] for row in harmful) == dict.fromkeys(CATEGORIES, 4)
    assert Counter(row["category"] for row in benign) == {"looks_dangerous": 12, "plain": 12}
    assert all(row["id"].startswith("harm-") and row["target"].startswith("Sure, here is ") for row in harmful)
    assert all("target" not in row for row in benign)
    assert not any(row["target"].endswith((".", ":", "\n")) for row in harmful), "a target must leave the answer open"


def test_no_prompt_occurs_twice(
    harmful: list[dict[str, str]], benign: list[dict[str, str]], smoke: list[dict[str, str]]
) -> None:
    rows = prompts(harmful, benign, smoke)
    repeated = [prompt for prompt, n in Counter(map(normalised, rows)).items() if n > 1]
    assert not repeated
    for i, prompt in enumerate(rows):
        similarity, left, right = closest([prompt], rows[i + 1 :])
        assert similarity < SIMILAR, (similarity, left, right)


def test_training_prompts_are_disjoint_from_smoke(
    harmful: list[dict[str, str]], benign: list[dict[str, str]], smoke: list[dict[str, str]]
) -> None:
    similarity, ours, theirs = closest(prompts(harmful, benign), prompts(smoke))
    assert similarity < SIMILAR, (ours, theirs)


@pytest.mark.parametrize("suite", SUITES)
def test_embedded_prompts_are_disjoint_from_suite(
    suite: str,
    mirror: Path,
    harmful: list[dict[str, str]],
    benign: list[dict[str, str]],
    smoke: list[dict[str, str]],
) -> None:
    name, column = SUITES[suite]
    with (mirror / name).open(encoding="utf-8", newline="") as file:
        theirs = [row[column] for row in csv.DictReader(file)]
    assert len(theirs) >= 400
    similarity, ours, other = closest(prompts(harmful, benign, smoke), theirs)
    assert similarity < SIMILAR, (ours, other)


@pytest.mark.parametrize("suite", SUITES)
def test_composed_prompts_are_disjoint_from_suite(
    suite: str, mirror: Path, every_composed: list[dict[str, str]]
) -> None:
    name, column = SUITES[suite]
    with (mirror / name).open(encoding="utf-8", newline="") as file:
        theirs = [row[column] for row in csv.DictReader(file)]
    similarity, ours, other = closest(prompts(every_composed), theirs)
    assert similarity < SIMILAR, (ours, other)


def test_composed_prompts_are_disjoint_from_smoke(
    smoke: list[dict[str, str]], every_composed: list[dict[str, str]]
) -> None:
    similarity, ours, other = closest(prompts(every_composed), prompts(smoke))
    assert similarity < SIMILAR, (ours, other)


def test_harmful_and_benign_topics_share_every_form() -> None:
    from cbtrain.data.embedded import composed

    counts = {kind: json.loads((PROMPTS / f"{kind}_topics.json").read_text()) for kind in ("harmful", "benign")}
    assert (
        counts["harmful"].keys() == counts["benign"].keys() == json.loads((PROMPTS / "forms.json").read_text()).keys()
    )
    first = composed("harmful", random.Random(1))
    assert first == composed("harmful", random.Random(1))
    assert len(set(first)) == len(first) == 2 * sum(map(len, counts["harmful"].values()))
    assert not any("{" in prompt for prompt in first)
