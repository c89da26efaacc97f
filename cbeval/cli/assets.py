"""`cbeval assets`: list, fetch and verify the pinned outside files."""

import sys

import click

from cbeval.errors import CbevalError


@click.group()
def command() -> None:
    """List, fetch and verify the pinned outside files.

    Files lie in CBEVAL_CACHE (~/.cache/cbeval); CBEVAL_MIRROR names a folder that is looked into first.

    \b
    Example:
      cbeval assets list
      cbeval assets pull smollm2-135m      # prints the model's folder
      cbeval assets verify
    """


@command.command("list")
def list_command() -> None:
    """List every asset with its version, licence, and whether it is here."""
    from cbeval import assets

    for asset in assets.CATALOGUE.values():
        state = assets.check(asset.name, thorough=False).replace("whole", "cached").replace("missing", "not fetched")
        click.echo(f"{asset.name:<30} {asset.version:<8} {state:<12} {asset.title} ({asset.licence})")


@command.command()
@click.argument("names", nargs=-1)
def pull(names: tuple[str, ...]) -> None:
    """Fetch the named assets (default: all) and print the path of each.

    Exit code 1 if one of them cannot be had; the others are fetched all the same.
    """
    from cbeval import assets

    for name in names:
        assets.find(name)  # an unknown name is told before anything is fetched
    failed = False
    for name in names or tuple(assets.CATALOGUE):
        try:
            click.echo(assets.get(name))
        except CbevalError as error:
            click.echo(f"error: {error}", err=True)
            failed = True
    if failed:
        sys.exit(1)


@command.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Read every byte of the cached assets (default: all) and fetch damaged ones again.

    Exit code 1 if a damaged one could not be fetched again.
    """
    from cbeval import assets

    results = assets.verify(names)
    for result in results:
        state = "not fetched" if result.before == "missing" else "good"
        if result.before == "damaged":
            state = f"DAMAGED and not mended: {result.problem}" if result.problem else "was damaged, fetched again"
        click.echo(f"{result.name:<31} {state}")
    if any(result.problem for result in results):
        sys.exit(1)
