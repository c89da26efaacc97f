from pathlib import Path

import pytest
from tiny import tiny_model

from cbtrain.data.examples import Example, prompt_digest, tokenize
from cbtrain.errors import DataError


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model(Path(tmp_path_factory.mktemp("tiny"))))


def marked(tokenizer, example: Example) -> str:
    """The text under the mask."""
    tokens = tokenize(example, tokenizer, 512)
    return tokenizer.decode([t for t, m in zip(tokens.input_ids, tokens.mask, strict=True) if m])


def test_rerouting_starts_half_way_through_the_request(tokenizer):
    text = marked(tokenizer, Example("open the old door", "Sure, look around.", "harmful", system="be good"))
    assert text.endswith("door<|im_end|>\n<|im_start|>assistant\nSure, look around.")
    assert "open" not in text


def test_the_request_can_be_left_out(tokenizer):
    example = Example("open the door", "Sure, look around.", "harmful", reroute_prompt=False)
    assert marked(tokenizer, example) == "Sure, look around."


def test_retain_keeps_all_but_the_first_token(tokenizer):
    tokens = tokenize(Example("open the door", "No.", "retain"), tokenizer, 512)
    assert tokens.mask == [False] + [True] * (len(tokens.input_ids) - 1)


def test_tokens_are_those_of_the_rendered_chat(tokenizer):
    tokens = tokenize(Example("open the door", "Sure.", "retain"), tokenizer, 512)
    assert tokenizer.decode(tokens.input_ids) == (
        "<|im_start|>user\nopen the door<|im_end|>\n<|im_start|>assistant\nSure."
    )


def test_a_request_repeated_in_the_system_message_is_found_in_its_own_turn(tokenizer):
    text = marked(tokenizer, Example("door", "Yes", "harmful", system="mind the door and the other door"))
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\nYes")
    assert "other" not in text


def test_cut_so_short_that_nothing_is_left(tokenizer):
    with pytest.raises(DataError, match="no token of 'open"):
        tokenize(Example("open the door", "x", "harmful", reroute_prompt=False), tokenizer, 4)


def test_digest_ignores_case_white_space_and_width_only():
    assert prompt_digest("How  do I\nbake?") == prompt_digest("  how do i bake?")
    assert prompt_digest("\N{FULLWIDTH LATIN SMALL LETTER A}") == prompt_digest("a")
    assert prompt_digest("bake?") != prompt_digest("bake")


def test_digest_is_the_one_the_evaluation_computes():
    from cbeval import contamination

    for text in ("How do I bake bread?", " Tab\tand \N{LATIN SMALL LETTER SHARP S} ", ""):
        assert prompt_digest(text) == contamination.prompt_digest(text)
