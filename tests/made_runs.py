"""Run folders with given outcomes, written through the real RunFolder: for tests of everything that reads runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cbeval.metrics.summary import summarize
from cbeval.records import Completion, Judgement, Message, Outcome, TestCase
from cbeval.runs.config import RunConfig, RunManifest, RunSuite
from cbeval.runs.folder import RunFolder

SectionOf = tuple[str, str, str, str]
"""Suite, attack, subset, label."""

STANDARD: SectionOf = ("harmbench:standard", "direct", "standard", "harmful")
SAFE: SectionOf = ("xstest:safe", "direct", "", "benign")


def outcomes(text: str) -> list[Outcome]:
    """'8c 2b' -> eight complied and two broken; c, p, r, b, u by their first letters."""
    letters = {outcome.value[0]: outcome for outcome in Outcome}
    return [letters[part[-1]] for part in text.split() for _ in range(int(part[:-1] or 1))]


def made_cases(section: SectionOf, n: int) -> list[TestCase]:
    """`n` test cases of a section."""
    suite, attack, subset, label = section
    return [
        TestCase(
            id=f"{suite}/{attack}/{subset}{label}{i}/0",
            suite=suite,
            attack=attack,
            behavior_id=f"{subset}{label}{i}",
            label=label,  # type: ignore[arg-type]
            subset=subset,
            category=f"category {i % 3}",
            prompt=f"prompt {i}",
            messages=(Message(role="user", content=f"prompt {i}"),),
        )
        for i in range(n)
    ]


def made_judgements(cases: Sequence[TestCase], found: Sequence[Outcome], judge: str = "outcome") -> list[Judgement]:
    """One judgement a case; fewer outcomes than cases leave the last ones unjudged by omission."""
    return [
        Judgement(
            case_id=case.id, judge=judge, outcome=outcome, reason="judge_error" if outcome == "unjudged" else None
        )
        for case, outcome in zip(cases, found, strict=False)
    ]


def made_run(
    path: Path,
    answers: Mapping[SectionOf, Sequence[Outcome]],
    *,
    judge: str = "outcome",
    judge_digest: str = "j" * 64,
    finished: bool = True,
    missing: int = 0,
    contaminated: Mapping[str, int] | None = None,
    suite_digests: Mapping[str, str] | None = None,
    **config: Any,
) -> RunFolder:
    """A run with these outcomes in the order given; `missing` last cases have no judgement, `config` changes fields."""
    cases = [case for section, found in answers.items() for case in made_cases(section, len(found))]
    found = [outcome for listed in answers.values() for outcome in listed]
    sizes = {section[0]: len(listed) for section, listed in answers.items()}
    suites = tuple(
        RunSuite(
            name=name,
            title=name,
            licence="none",
            source="made for a test",
            digest=(suite_digests or {}).get(name, "s" * 64),
            n=size,
            taken=size,
            contaminated=(contaminated or {}).get(name, 0),
        )
        for name, size in sizes.items()
    )
    resolved = RunConfig.model_validate(
        {
            "cbeval_version": "0",
            "model": path.name,
            "model_digest": path.name,
            "template_digest": "t",
            "trained": True,
            "suites": suites,
            "attacks": tuple(dict.fromkeys(section[1] for section in answers)),
            "engine": "hf",
            "engine_version": "0",
            "dtype": "float32",
            "serving": "full",
            "max_new_tokens": 512,
            "temperature": 0.0,
            "seed": 0,
            "chunk_size": 8,
            **config,
        }
    )
    with RunFolder.create_or_resume(path, resolved) as run:
        run.write_cases(cases)
        run.append_completions(
            [
                Completion(case_id=case.id, text="text", prompt_tokens=3, completion_tokens=4, finish_reason="stop")
                for case in cases
            ]
        )
        run.begin_judge(judge, judge_digest, "0")
        verdicts = made_judgements(cases, found, judge)[: len(cases) - missing]
        run.append_judgements(judge, verdicts)
        run.write_summaries({judge: summarize(cases, verdicts)})
        if finished:
            run.finish(RunManifest(config=resolved, partial=resolved.partial, judges={judge: judge_digest}))
    return run
