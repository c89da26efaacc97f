"""Progress of a transfer on stderr: a bar on a terminal, one plain line elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def transfer(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a transfer of about `total` bytes; yields a function that takes the number of bytes done so far."""
    if not sys.stderr.isatty():
        size = f" ({total / 1e6:.0f} MB)" if total >= 1_000_000 else ""
        print(f"fetching {label}{size}", file=sys.stderr, flush=True)
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"fetching {label}", total=total or None)
        yield lambda done: progress.update(task, completed=done)
        progress.update(task, completed=total)


def note(line: str) -> None:
    """One line on stderr."""
    print(line, file=sys.stderr, flush=True)
