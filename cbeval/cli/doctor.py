"""`cbeval doctor`: what this machine can run and what is missing."""

import sys

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
def command(as_json: bool) -> None:
    """Say what this machine can run, what is missing, and the command that mends it.

    Exit code 0 if an engine can run, else 1.

    \b
    Example:
      cbeval doctor
      cbeval doctor --json
    """
    from cbeval import machine

    examination = machine.examine()
    click.echo(machine.as_json(examination) if as_json else machine.as_table(examination))
    if not examination.usable:
        sys.exit(1)
