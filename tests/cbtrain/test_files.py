import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbtrain.data.examples import Example
from cbtrain.data.files import read_examples, write_examples
from cbtrain.errors import DataError

TEXT = st.text(min_size=1).filter(lambda s: s.strip() == s and s)


@given(st.lists(st.builds(Example, TEXT, TEXT, st.just("retain"), st.none() | st.text(), st.booleans()), min_size=1))
def test_what_is_written_is_read_back(tmp_path_factory, examples):
    path = tmp_path_factory.mktemp("x") / "retain.jsonl"
    write_examples(path, examples)
    assert read_examples(str(path), "retain") == examples


def test_the_formats_users_have(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [
        {"prompt": "p", "completion": "a"},
        {"instruction": "p", "output": "a", "category": "illegal"},
        {
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "p"},
                {"role": "assistant", "content": "a"},
            ]
        },
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    examples = read_examples(str(path), "harmful")
    assert [(e.prompt, e.response, e.system, e.category) for e in examples] == [
        ("p", "a", None, ""),
        ("p", "a", None, "illegal"),
        ("p", "a", "s", ""),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"rows.jsonl:2: not a JSON line"),
        ('{"prompt": "p"}', r"rows.jsonl:2: no column response / output / completion; it has prompt"),
        ('{"prompt": " ", "output": "a"}', r"rows.jsonl:2: the prompt is empty"),
        ('{"prompt": "p", "output": null}', r"rows.jsonl:2: the answer is empty or no text"),
        ("[1]", r"rows.jsonl:2: a row must be an object, not list"),
        ('{"messages": [{"role": "user", "content": "p"}]}', r"rows.jsonl:2: `messages` must be"),
        ('{"messages": "hello"}', r"rows.jsonl:2: `messages` must be"),
        ('{"messages": ["hello", "you"]}', r"rows.jsonl:2: `messages` must be"),
        ('{"prompt": "p", "output": "a", "reroute_prompt": "no"}', r"rows.jsonl:2: `reroute_prompt` must be"),
    ],
)
def test_errors_name_file_and_row(tmp_path, line, message):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "p", "output": "a"}\n' + line + "\n")
    with pytest.raises(DataError, match=message):
        read_examples(str(path), "harmful")


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "rows.jsonl").write_text("\n")
    with pytest.raises(DataError, match="no rows"):
        read_examples(str(tmp_path / "rows.jsonl"), "harmful")


def test_a_dataset_saved_to_disk(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list([{"prompt": "p", "response": "a"}]).save_to_disk(tmp_path / "ds")
    (example,) = read_examples(str(tmp_path / "ds"), "retain")
    assert (example.prompt, example.response) == ("p", "a")
