"""The user's own files: what is read, and the one line that an unusable one gets."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbeval.errors import UsageError
from cbeval.suites import load_suite
from cbeval.suites.user_file import LABELS, PROMPT_COLUMNS, load_user_file


def write(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


@pytest.mark.parametrize("column", ["prompt", "Behavior", "goal", "forbidden_prompt", "Instruction", " PROMPT "])
def test_the_usual_prompt_columns_are_found(tmp_path, column):
    suite = load_suite(write(tmp_path, "mine.csv", f"x,{column}\n1,Say hello\n"))
    assert suite.name == "mine"
    assert [(b.id, b.prompt, b.label) for b in suite.behaviors] == [("1", "Say hello", "harmful")]


def test_a_spreadsheets_csv_with_bom_crlf_and_quoted_line_breaks(tmp_path):
    header = b"\xef\xbb\xbfid,prompt,label,category,target\r\n"
    data = header + b'a,"one\r\ntwo, ""three""",safe,kind,\r\n\r\nb,x,UNSAFE,,Sure\r\n'
    first, second = load_suite(write(tmp_path, "s.csv", data)).behaviors
    assert (first.id, first.prompt, first.label, first.category) == ("a", 'one\r\ntwo, "three"', "benign", "kind")
    assert (second.id, second.label, second.target) == ("b", "harmful", "Sure")


def test_jsonl_with_numbers_as_labels_and_a_line_separator_in_a_string(tmp_path):
    data = '{"prompt": "a\u2028b", "label": 0, "id": 7}\r\n\n{"prompt": "c", "label": 1, "id": 8}\n'
    first, second = load_suite(write(tmp_path, "s.jsonl", data)).behaviors
    assert (first.id, first.prompt, first.label) == ("7", "a\u2028b", "benign")
    assert (second.id, second.label) == ("8", "harmful")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("s.csv", "text\nhello\n", r"s\.csv:2: no prompt column \(found: text\); name one of prompt, behavior"),
        ("s.csv", 'prompt,id\n"a\nb",1\n  ,2\n', r"s\.csv:4: the prompt \(column 'prompt'\) is empty"),
        ("s.csv", "prompt,id\na,x\nb,x\n", r"s\.csv:3: id 'x' is already used at .*s\.csv:2"),
        ("s.csv", "prompt,id\na,\n", r"s\.csv:2: the id is empty"),
        ("s.csv", "prompt,label\na,maybe\n", r"s\.csv:2: label 'maybe' is unknown; use harmful"),
        ("s.csv", 'prompt,label\nx,1\n"a\n\nb",maybe\n', r"s\.csv:3: label 'maybe'"),
        ("s.csv", "prompt,label\na,\n", r"s\.csv:2: label '' is unknown"),
        ("s.csv", "prompt,id\na,1,2\n", r"s\.csv:2: 3 cells where the header has 2"),
        ("s.csv", 'prompt\n"a\n', r"s\.csv:2: not a valid CSV row"),
        ("s.csv", "prompt,Prompt\na,b\n", r"s\.csv:1: column 'prompt' is there twice"),
        ("s.csv", b"prompt\nok\ncaf\xe9\n", r"s\.csv:3: not UTF-8 \(byte 0xe9\)"),
        ("s.csv", "prompt\n", r"s\.csv has no rows"),
        ("s.csv", "", r"s\.csv has no rows"),
        ("s.jsonl", '{"prompt": "a"}\n{"prompt": \n', r"s\.jsonl:2: not a line of JSON"),
        ("s.jsonl", '["a"]\n', r"s\.jsonl:1: a JSON object is needed"),
        ("s.jsonl", "[" * 100_000, r"s\.jsonl:1: not a line of JSON"),
        ("s.jsonl", '{"prompt": "\\ud800"}\n', r"s\.jsonl:1: column 'prompt' has half of a surrogate pair"),
        ("s.jsonl", '{"prompt": null}\n', r"s\.jsonl:1: the prompt .* is empty"),
    ],
)
def test_bad_rows_name_the_file_and_the_line(tmp_path, name, data, message):
    with pytest.raises(UsageError, match=message) as caught:
        load_suite(write(tmp_path, name, data))
    assert "\n" not in str(caught.value)


def test_a_path_that_is_no_suite_file(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        load_suite(str(tmp_path / "none.csv"))
    with pytest.raises(UsageError, match=r"neither \.csv nor \.jsonl"):
        load_suite(write(tmp_path, "s.txt", "hello"))


def test_a_file_cannot_pass_for_a_known_suite(tmp_path):
    assert load_suite(write(tmp_path, "harmbench.csv", "prompt\na\n")).name == "harmbench.csv"


def test_the_digest_follows_content_and_order_but_not_the_files_form(tmp_path):
    as_csv = load_suite(write(tmp_path, "a.csv", "id,prompt\n1,x\n2,y\n"))
    as_jsonl = load_suite(write(tmp_path, "b.jsonl", '{"prompt": "x"}\n{"prompt": "y"}\n'))
    reordered = load_suite(write(tmp_path, "c.csv", "id,prompt\n2,y\n1,x\n"))
    assert as_csv.digest == as_jsonl.digest != reordered.digest


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(str.strip)


@given(
    prompts=st.lists(cells, min_size=1, max_size=5),
    column=st.sampled_from(PROMPT_COLUMNS),
    label=st.sampled_from(sorted(LABELS)),
    line_end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
)
def test_what_is_written_is_read_back(tmp_path_factory, prompts, column, label, line_end, bom):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([[column, "label"], *([prompt, label] for prompt in prompts)])
    folder = tmp_path_factory.getbasetemp()
    as_csv, as_jsonl = folder / "round.csv", folder / "round.jsonl"
    as_csv.write_bytes(text.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    as_jsonl.write_bytes(line_end.join(json.dumps({column: p, "label": label}) for p in prompts).encode())
    for path in (as_csv, as_jsonl):
        behaviors = load_user_file(path, "round").behaviors
        assert [b.prompt for b in behaviors] == prompts
        assert {b.label for b in behaviors} == {LABELS[label]}


@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode), suffix=st.sampled_from([".csv", ".jsonl"]))
def test_any_bytes_give_a_suite_or_one_line(tmp_path_factory, data, suffix):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(b"prompt\n" * (suffix == ".csv") + data)
    try:
        assert load_user_file(path, "any").behaviors
    except UsageError as error:
        assert "\n" not in str(error) and path.name in str(error)
