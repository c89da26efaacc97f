"""`cbeval judge`."""

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--judge", "judges", multiple=True, required=True, help="outcome, refusal-strings, ... Repeatable.")
def command(run: Path, judges: tuple[str, ...]) -> None:
    """Judge the answers of a complete RUN folder with further judges, each into its own file.

    \b
    Example:
      cbeval judge runs/base --judge refusal-strings
    """
    from cbeval.evaluation import judge_run
    from cbeval.runs.progress import reporter
    from cbeval.runs.table import print_run

    print_run(judge_run(run, judges, reporter()))
