"""What the page carries of the answers: harmless, bounded, and all of it."""

import base64
import json
import unicodedata
import zlib

from hypothesis import given
from hypothesis import strategies as st

from cbeval.records import Outcome
from cbeval.report.answers import SHOWN, explorer, inert_json, visible
from cbeval.report.contents import read_contents


def rows_of(blocks, ids):
    by_id = {block.id: block.data for block in blocks}
    return [row for i in ids for row in json.loads(zlib.decompress(base64.b64decode(by_id[i])))]


@given(st.text(st.characters(exclude_categories=())))
def test_visible_text_has_nothing_that_hides_or_reorders(text):
    assert not [
        c for c in visible(text) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\n\t‌‍"
    ]


@given(st.text(st.characters(min_codepoint=32, categories=("L", "M", "N", "P", "S", "Zs"))))
def test_visible_leaves_what_can_be_read(text):
    assert visible(text) == text


def test_visible_names_what_it_replaces():
    assert visible("a\u202eb\x1b[31m\x00\r\nc\rd\x7f\u2028") == "a⟨U+202E⟩b␛[31m␀\nc␍d␡⟨U+2028⟩"


@given(st.recursive(st.text() | st.integers() | st.none(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_inert_json_reads_back_and_cannot_end_a_script(value):
    text = inert_json(value)
    assert json.loads(text) == value
    assert text.isascii() and not set("<>&") & set(text)


def test_every_answer_is_carried_and_long_ones_say_how_long(folders):
    base, breaker = (read_contents(run, "outcome") for run in folders)
    packed = explorer([base, breaker], 0)
    head = json.loads(packed.head)
    cases = rows_of(packed.blocks, head["cases"])
    assert [row["id"] for row in cases] == [case.id for case in base.cases]
    answers = rows_of(packed.blocks, head["runs"][1]["blocks"])
    assert len(answers) == len(cases) == len(head["runs"][1]["outcomes"]) == len(head["keys"])
    for case, row, letter in zip(breaker.cases, answers, head["runs"][1]["outcomes"], strict=True):
        text = breaker.completions[case.id].text
        assert row["text"] == visible(text[:SHOWN])
        assert row.get("cut") == (len(text) if len(text) > SHOWN else None)
        assert letter == str(breaker.judgements[case.id].outcome)[0].upper()
    assert any("cut" in row for row in answers)


def test_a_run_without_an_answer_says_so(tmp_path, make_run):
    base = read_contents(make_run(tmp_path / "base", n=4), "outcome")
    half = read_contents(make_run(tmp_path / "half", "cb", n=4, complete=False), "outcome")
    head = json.loads(explorer([base, half], 0).head)
    answered = len(half.completions)
    assert 0 < answered < len(half.cases)
    assert head["runs"][1]["outcomes"].count("-") == len(half.cases) - answered
    assert "-" not in head["runs"][0]["outcomes"]


def test_letters_are_distinct():
    assert len({str(outcome)[0] for outcome in Outcome}) == len(Outcome)
