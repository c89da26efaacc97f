"""One life of vLLM in a process of its own, run by `test_vllm.py`: prints what it saw as JSON on the last line.

python tests/engines/vllm_session.py FOLDER
"""

import json
import multiprocessing
import sys
from typing import Any

from cbeval.engines import Sampling, open_engine, render
from cbeval.errors import UsageError
from cbeval.models import resolve_model
from cbeval.records import Message, TestCase

QUESTIONS = ("What is the capital of France?", "Name three primary colours.", "Write a long story about a lighthouse.")
GREEDY = Sampling(max_new_tokens=24)


def case(prompt: str, prefill: str = "") -> TestCase:
    messages = (Message(role="user", content=prompt),)
    ids = {"id": "s/direct/b/0", "suite": "s", "attack": "direct", "behavior_id": "b", "label": "benign"}
    return TestCase(**ids, prompt=prompt, messages=messages, prefill=prefill)


def main(folder: str) -> None:
    saw: dict[str, Any] = {}
    notices: list[str] = []
    done: list[int] = []
    with open_engine("auto", resolve_model(folder), max_context=256, notify=notices.append) as engine:
        prompts = [render(engine.tokenizer, case(question)) for question in QUESTIONS]
        prompts.append(render(engine.tokenizer, case(QUESTIONS[0], prefill="The capital of France is")))
        first = engine.generate(prompts, GREEDY, done.append)
        saw["info"] = engine.info.model_dump(mode="json")
        saw["answers"] = [answer.model_dump() for answer in first]
        saw["prompt_lengths"] = [len(prompt) for prompt in prompts]
        saw["done"] = done
        saw["plain"] = plain(engine, prompts)
        saw["repeats"] = engine.generate(prompts, GREEDY) == first
        saw["empty"] = engine.generate([], GREEDY)
        draws = [engine.generate(prompts, Sampling(max_new_tokens=16, temperature=1.0, seed=s)) for s in (1, 1, 2)]
        saw["draws"] = [draws[0] == draws[1], draws[0] == draws[2]]
        try:
            engine.generate([[5] * 250], GREEDY)
        except UsageError as error:
            saw["too_long"] = str(error)
    engine.close()
    saw["notices"] = notices
    saw["children"] = [child.name for child in multiprocessing.active_children()]
    print(json.dumps(saw))


def plain(engine: Any, prompts: list[list[int]]) -> list[str]:
    """The same prompts through `LLM.generate` of vLLM itself, detokenised by vLLM."""
    from vllm import SamplingParams
    from vllm.inputs import TokensPrompt

    engine._llm.reset_prefix_cache()
    outputs = engine._llm.generate(
        [TokensPrompt(prompt_token_ids=prompt) for prompt in prompts],
        SamplingParams(temperature=0.0, max_tokens=GREEDY.max_new_tokens),
        use_tqdm=False,
    )
    return [output.outputs[0].text.strip() for output in outputs]


if __name__ == "__main__":
    main(sys.argv[1])
