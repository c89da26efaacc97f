"""Entry point of `cbeval`: finds the command's module only when it is called, so that `--help` loads nothing heavy."""

import gc
import importlib
import signal
import sys

import click

from cbeval import __version__
from cbeval.errors import CbevalError

COMMANDS = {
    "run": "Generate answers of one model to suites under attacks, and judge them.",
    "judge": "Judge the answers of a finished run with another judge.",
    "compare": "Compare runs with their base: rates, intervals, exact tests, flows.",
    "report": "Write one self-contained HTML page on a base and its breakers.",
    "gate": "Decide on a release by a policy: exit 0 or 100.",
    "suites": "List the suites, or show the rows of one.",
    "assets": "List, fetch and verify the pinned outside files.",
    "doctor": "Say what this machine can run and what is missing.",
}
"""Command name -> one line of help. The command is `command` in `cbeval.cli.<name>`."""


class LazyGroup(click.Group):
    """A click group whose commands live in modules that are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names in the order a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return it; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"cbeval.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cbeval")
def cli() -> None:
    """Evaluate circuit breakers and gate their release.

    \b
    Example:
      cbeval run --model smollm2-135m --suite smoke --out runs/base
      cbeval run --model out/cb --suite smoke --out runs/cb
      cbeval compare runs/base runs/cb
      cbeval gate runs/cb --baseline runs/base --policy release.yaml
    """


def main() -> None:
    """Run the command line; exit 0 good, 1 failure, 2 usage, 100 gate not passed, 130 interrupted."""
    # A service manager's SIGTERM takes the same clean way out as Ctrl-C, with its own exit code.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except CbevalError as error:
        # Names from users' files end up in messages: a terminal must not obey them.
        click.echo("error: " + "".join(c if c.isprintable() else " " for c in str(error)), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    finally:
        # Python's last collection walks all of torch for a second or more; the process ends anyway.
        gc.freeze()
