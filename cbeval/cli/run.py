"""`cbeval run`."""

import sys
from pathlib import Path

import click


@click.command()
@click.option("--model", required=True, help="An alias (smollm2-135m), a model folder, an adapter folder, or a hub id.")
@click.option("--suite", "suites", multiple=True, required=True, help="A suite, or a CSV / JSONL file. Repeatable.")
@click.option("--attack", "attacks", multiple=True, default=("direct",), show_default=True, help="Repeatable.")
@click.option("--engine", default="auto", show_default=True, help="auto, vllm or hf; auto is vllm where it can be had.")
@click.option("--limit", type=int, help="Take the first N behaviours of each suite. Such a run passes no gate.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; default runs/<model>-<suites>-<digest>.")
@click.option("--max-new-tokens", type=int, help="Default: what the benchmark's protocol says (512).")
@click.option("--temperature", type=float, default=0.0, show_default=True, help="0 is greedy, as the protocols are.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draws where temperature is above 0.")
@click.option("--judge", "judges", multiple=True, default=("outcome",), show_default=True, help="Repeatable.")
@click.option("--chunk-size", type=int, default=128, show_default=True, help="Cases in a batch, written together.")
def command(
    model: str,
    suites: tuple[str, ...],
    attacks: tuple[str, ...],
    engine: str,
    limit: int | None,
    out: Path | None,
    max_new_tokens: int | None,
    temperature: float,
    seed: int,
    judges: tuple[str, ...],
    chunk_size: int,
) -> None:
    """Generate answers of one model to suites under attacks, and judge them.

    The same command continues a run that was interrupted, and finds a run that is complete.

    \b
    Example:
      cbeval run --model smollm2-135m --suite harmbench:standard --attack direct --attack prefill --out runs/base
    """
    from cbeval.evaluation import RunRequest, run_evaluation
    from cbeval.runs.progress import reporter
    from cbeval.runs.table import print_run

    request = RunRequest(
        model=model,
        suites=suites,
        attacks=attacks,
        engine=engine,
        limit=limit,
        out=out,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        seed=seed,
        judges=judges,
        chunk_size=chunk_size,
        command=("cbeval", *sys.argv[1:]),
    )
    print_run(run_evaluation(request, reporter()))
