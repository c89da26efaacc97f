"""The one exception family that users see: a line that says what was wrong, where, and what to do.

The command line prints the message of a `CbevalError` without a traceback and exits with its `exit_code`.
Anything else that escapes is a bug of ours and keeps its traceback.
"""

import difflib
from collections.abc import Iterable


class CbevalError(Exception):
    """Something failed that the user can mend (exit code 1)."""

    exit_code = 1


class UsageError(CbevalError):
    """The command or a file it was given asks for something that does not exist or makes no sense (exit code 2)."""

    exit_code = 2


def unknown(kind: str, name: str, known: Iterable[str], see: str) -> UsageError:
    """The error for an unknown name, with the nearest known one.

    `kind` is the noun ("suite"), `see` the command that lists what exists ("cbeval suites").
    """
    options = list(known)
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(options)}"
    return UsageError(f"{kind} '{name}' is unknown; {hint} ({see} lists all)")
