"""Engines turn token ids into completions: vLLM in process, or transformers where vLLM cannot be had.

All of them get the same token ids, rendered once by `render`; which one answered stands in `EngineInfo`. Importing this
package loads neither torch nor vLLM.
"""

from cbeval.engines.base import Engine, EngineInfo, Generation, Prompt, Sampling
from cbeval.engines.choose import ENGINES, open_engine
from cbeval.engines.render import render, template_digest

__all__ = [
    "ENGINES",
    "Engine",
    "EngineInfo",
    "Generation",
    "Prompt",
    "Sampling",
    "open_engine",
    "render",
    "template_digest",
]
