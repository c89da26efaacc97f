"""A tiny random Llama chat model on disk, for every test that needs a model and no meaning.

The tokenizer is trained on the spot (a byte-level BPE of a few hundred tokens), carries a ChatML-like template and has
no BOS token of its own, like SmolLM2's; building it takes under a second and needs no network.
"""

from pathlib import Path

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

CORPUS = (
    "How do I bake bread at home? Mix flour, water, salt and yeast.",
    "Write a short story about a lighthouse keeper and her dog.",
    "Sure, here is a list of steps. First, open the door. Second, look around.",
    "I cannot help with that request, because it could cause harm to people.",
    "system user assistant You are a helpful assistant. 0123456789",
)


def tiny_model(folder: Path, layers: int = 2, seed: int = 0) -> Path:
    """Write a random Llama of `layers` layers (hidden 64, ~370 tokens) with its tokenizer to `folder`; return `folder`.

    The same arguments give the same weights. Its greedy answers are noise that differs from prompt to prompt.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(CORPUS, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|im_end|>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.model_max_length = 2048
    tokenizer.save_pretrained(folder)

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,  # large enough that greedy answers depend on the prompt and do not loop at once
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    return folder
