"""Rendering: one BOS, an open assistant turn, the right stop tokens, and errors that name the model."""

import pytest

from cbeval.engines import Sampling, render, template_digest
from cbeval.engines.render import check_lengths, stop_token_ids
from cbeval.errors import UsageError


def test_the_prompt_is_the_templates_text_and_ends_with_the_assistants_header(tokenizer, case):
    ids = render(tokenizer, case("How do I bake bread?"))
    assert tokenizer.decode(ids) == ("<|im_start|>user\nHow do I bake bread?<|im_end|>\n<|im_start|>assistant\n")


def test_a_system_message_comes_first(tokenizer, case):
    text = tokenizer.decode(render(tokenizer, case("Hi", system="Be brief.")))
    assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>")


@pytest.mark.parametrize("prefill", ["Sure, here is a list", "Sure, here is:\n\n1.", "user"])
def test_a_prefill_continues_the_unprefilled_prompt_and_leaves_the_turn_open(tokenizer, case, prefill):
    direct = render(tokenizer, case("Mix flour and water"))
    prefilled = render(tokenizer, case("Mix flour and water", prefill=prefill))
    assert prefilled[: len(direct)] == direct
    assert tokenizer.decode(prefilled[len(direct) :]) == prefill


BOS_TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}<|im_end|>{% endfor %}"


def with_bos(tokenizer, *, added: bool):
    """The tokenizer with `<|endoftext|>` as BOS, which it adds to every text if `added`."""
    from tokenizers.processors import TemplateProcessing

    tokenizer.bos_token = "<|endoftext|>"
    if added:
        bos = ("<|endoftext|>", tokenizer.bos_token_id)
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single="<|endoftext|> $A", pair="<|endoftext|> $A $B", special_tokens=[bos]
        )
        assert tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id
    return tokenizer


@pytest.mark.parametrize("in_template", [True, False])
@pytest.mark.parametrize("added", [True, False])
def test_exactly_one_bos_wherever_template_or_tokenizer_want_one(tokenizer, case, in_template, added):
    with_bos(tokenizer, added=added)
    tokenizer.chat_template = BOS_TEMPLATE if in_template else BOS_TEMPLATE.replace("{{ bos_token }}", "")
    ids = render(tokenizer, case("Mix"))
    assert ids.count(tokenizer.bos_token_id) == (1 if in_template or added else 0)
    assert tokenizer.bos_token_id not in ids[1:]


def test_a_template_that_writes_bos_twice_is_held_to_one(tokenizer, case):
    with_bos(tokenizer, added=False)
    tokenizer.chat_template = "{{ bos_token }}" + BOS_TEMPLATE
    assert render(tokenizer, case("Mix")).count(tokenizer.bos_token_id) == 1


def test_the_first_role_token_is_not_taken_for_a_missing_bos(tokenizer, case):
    # SmolLM2 declares <|im_start|> as its BOS: the template's own first token is the BOS, later ones are roles.
    tokenizer.bos_token = "<|im_start|>"
    ids = render(tokenizer, case("Mix"))
    assert ids[0] == tokenizer.bos_token_id
    assert ids.count(tokenizer.bos_token_id) == 2  # user and assistant


def test_a_tokenizer_without_chat_template_is_an_error_that_names_the_model(tokenizer, case):
    tokenizer.chat_template = None
    with pytest.raises(UsageError, match=r"no chat template.*use a chat model") as error:
        render(tokenizer, case("Hi"))
    assert tokenizer.name_or_path in str(error.value)
    assert "\n" not in str(error.value)


def test_a_case_that_the_template_refuses_is_an_error_that_names_the_case(tokenizer, case):
    tokenizer.chat_template = "{{ raise_exception('no system role') }}"
    with pytest.raises(UsageError, match=r"mine/direct/b1/0.*no system role"):
        render(tokenizer, case("Hi", system="Be brief."))


def test_generation_stops_at_the_templates_end_of_turn_even_if_eos_is_another_token(tokenizer):
    end_of_turn = tokenizer.convert_tokens_to_ids("<|im_end|>")
    tokenizer.eos_token = "<|endoftext|>"
    assert tokenizer.eos_token_id != end_of_turn
    assert set(stop_token_ids(tokenizer, [7, 9])) == {end_of_turn, tokenizer.eos_token_id, 7, 9}


def test_ordinary_text_after_an_answer_is_no_stop_token(tokenizer):
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n\n{% endfor %}"
    assert stop_token_ids(tokenizer) == (tokenizer.eos_token_id,)


def test_template_digest_tells_templates_and_special_tokens_apart(tokenizer):
    seen = {template_digest(tokenizer)}
    tokenizer.eos_token = "<|endoftext|>"
    seen.add(template_digest(tokenizer))
    tokenizer.chat_template += " "
    seen.add(template_digest(tokenizer))
    assert len(seen) == 3


def test_a_prompt_without_room_for_its_answer_is_an_error_and_never_cut():
    check_lengths([[1] * 90], Sampling(max_new_tokens=10), 100)
    with pytest.raises(UsageError, match=r"prompt 1 has 91 tokens.*101.*100"):
        check_lengths([[1], [1] * 91], Sampling(max_new_tokens=10), 100)
    with pytest.raises(UsageError, match="prompt 1 has no tokens"):
        check_lengths([[1], []], Sampling(max_new_tokens=10), 100)
