"""`cbeval compare`: what changed between a base run and others."""

from pathlib import Path

import click


@click.command("compare")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("run", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--judge", default="outcome", show_default=True, help="Whose judgements to compare.")
@click.option(
    "--confidence", default=0.95, show_default=True, type=click.FloatRange(0, 1, True, True), help="Of the intervals."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one comparison for each RUN, in a list.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown tables.")
def command(base: Path, run: tuple[Path, ...], judge: str, confidence: float, as_json: bool, as_markdown: bool) -> None:
    """Compare each RUN with BASE, answer by answer.

    Rates with Wilson intervals, paired differences with exact McNemar tests, and where the answers went.

    \b
    Example:
      cbeval compare runs/base runs/cb
      cbeval compare runs/base runs/cb runs/cb-strong --markdown
    """
    from cbeval.compare import compare_runs
    from cbeval.compare.tables import WIDTH, markdown, render
    from cbeval.runs.folder import RunFolder

    if as_json and as_markdown:
        raise click.UsageError("choose one of --json and --markdown")
    against = RunFolder.open(base)
    comparisons = [compare_runs(against, RunFolder.open(path), judge, confidence) for path in run]
    if as_json:
        click.echo(f"[{', '.join(comparison.model_dump_json(indent=1) for comparison in comparisons)}]")
    elif as_markdown:
        click.echo("\n".join(map(markdown, comparisons)))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.width = max(console.width, WIDTH)  # a narrow terminal wraps the lines itself, and a pipe has no width
        for comparison in comparisons:
            console.print(render(comparison), crop=False)
