"""`cbeval report`: one HTML page on a base and its breakers."""

from pathlib import Path

import click


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--baseline", type=click.Path(path_type=Path), help="Run of the base model to compare with.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="HTML file to write  [default: reports/<first run>.html]",
)
@click.option("--title", default="", help="Title of the page; by default made of the runs' names.")
@click.option("--gate", type=click.Path(path_type=Path), help="Verdict to open the page with (cbeval gate --json).")
@click.option("--judge", default="outcome", show_default=True, help="Judge whose verdicts are shown.")
def command(
    runs: tuple[Path, ...], baseline: Path | None, output: Path | None, title: str, gate: Path | None, judge: str
) -> None:
    """Write one self-contained HTML page on RUNS, read in any browser, without a network.

    \b
    Example:
      cbeval report runs/cb --baseline runs/base --gate verdict.json -o reports/cb.html
    """
    from cbeval.report import write_report
    from cbeval.runs.folder import RunFolder

    folders = [RunFolder.open(path) for path in runs]
    base = RunFolder.open(baseline) if baseline is not None else None
    target = output or Path("reports") / f"{folders[0].name}.html"
    write_report(folders, base, target, title=title, gate=gate, judge=judge)
    click.echo(f"{target} ({target.stat().st_size / 2**20:.1f} MiB)")
