"""Outside files, pinned by version and SHA-256 and fetched once: benchmarks' prompts, the demo model.

    from cbeval import assets
    folder = assets.get("smollm2-135m")

Sources are tried in order, a mirror folder (`CBEVAL_MIRROR`) first; entries lie in `CBEVAL_CACHE` (`~/.cache/cbeval`).
"""

from cbeval.assets.cache import cache_folder, entry_path
from cbeval.assets.catalogue import CATALOGUE, Asset, find
from cbeval.assets.fetch import Verified, available, check, ensure, get, verify

__all__ = [
    "CATALOGUE",
    "Asset",
    "Verified",
    "available",
    "cache_folder",
    "check",
    "ensure",
    "entry_path",
    "find",
    "get",
    "verify",
]
