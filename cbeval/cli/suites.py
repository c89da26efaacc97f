"""`cbeval suites`: list the suites, or show the rows of one."""

import click


@click.command()
@click.argument("name", required=False)
@click.option("--show", type=click.IntRange(min=1), default=5, show_default=True, help="Rows to print.")
def command(name: str | None, show: int) -> None:
    """List the suites, or show the first rows of one.

    NAME is a suite or a .csv / .jsonl file of your own.

    \b
    Example:
      cbeval suites
      cbeval suites harmbench:standard --show 3
    """
    from cbeval.suites import list_suites, load_suite
    from cbeval.suites.show import one_line

    if name is None:
        for info in list_suites():
            state = "here" if info.available else info.why_not
            click.echo(f"{info.name:<25} {info.n:>4}  {info.licence:<11} {info.title:<50} {state}")
        return
    suite = load_suite(name)
    click.echo(f"{suite.title}: {len(suite.behaviors)} behaviours, {suite.licence}, {one_line(suite.source)}")
    for behavior in suite.behaviors[:show]:
        click.echo(f"{one_line(behavior.id)}  [{behavior.label}] {one_line(behavior.prompt)}")
