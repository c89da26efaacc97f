"""How far a run is: bars with rate and time left on a terminal, plain lines elsewhere, both on standard error."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol

Advance = Callable[[int], None]
"""Told how many items were finished since the last call."""

SECONDS_BETWEEN_LINES = 10.0


class Reporter(Protocol):
    """Whom a run tells what it does."""

    def say(self, line: str) -> None:
        """One line for people: what was decided, and why."""
        ...

    def warn(self, line: str) -> None:
        """One line on what is not as it should be."""
        ...

    def stage(self, name: str, total: int, done: int = 0) -> contextlib.AbstractContextManager[Advance]:
        """A stretch of work on `total` items of which `done` are there already; the block gets the function to call."""
        ...


class Silent:
    """Tells nobody; for callers in Python."""

    def say(self, line: str) -> None:
        """Drop the line."""

    def warn(self, line: str) -> None:
        """Drop the line."""

    @contextlib.contextmanager
    def stage(self, name: str, total: int, done: int = 0) -> Iterator[Advance]:
        """Count nothing."""
        yield lambda finished: None


class Plain(Silent):
    """Plain lines on standard error, one every ten seconds and one at the end of a stage."""

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, file=sys.stderr, flush=True)

    def warn(self, line: str) -> None:
        """Print the line, marked."""
        print(f"warning: {line}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def stage(self, name: str, total: int, done: int = 0) -> Iterator[Advance]:
        """Print count, rate and time left now and then."""
        start = last = time.monotonic()
        now = done

        def advance(finished: int) -> None:
            nonlocal now, last
            now += finished
            moment = time.monotonic()
            if moment - last >= SECONDS_BETWEEN_LINES and now > done:
                last = moment
                rate = (now - done) / (moment - start)
                left = _duration((total - now) / rate)
                self.say(f"{name}: {now}/{total} ({rate:.2f}/s, {left} left)")

        yield advance
        spent = time.monotonic() - start
        self.say(f"{name}: {now}/{total} in {_duration(spent)}")


class Bars(Plain):
    """A bar for each stage; needs a terminal on standard error."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)

    def say(self, line: str) -> None:
        """Print the line above the bar."""
        self._console.print(line, markup=False)

    def warn(self, line: str) -> None:
        """Print the line above the bar, marked."""
        self._console.print(f"warning: {line}", markup=False, style="yellow")

    @contextlib.contextmanager
    def stage(self, name: str, total: int, done: int = 0) -> Iterator[Advance]:
        """Show the bar while the block runs."""
        from rich import progress

        start = time.monotonic()

        class Rate(progress.ProgressColumn):
            def render(self, task: progress.Task) -> str:
                spent = time.monotonic() - start
                rate = (task.completed - done) / spent if spent > 0 else 0.0
                return f"{rate:.2f}/s, {_duration((total - task.completed) / rate)} left" if rate else "..."

        columns = (
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            Rate(),
        )
        with progress.Progress(*columns, console=self._console) as bar:
            task = bar.add_task(name, total=total, completed=done)
            yield lambda finished: bar.advance(task, finished)


def reporter() -> Reporter:
    """Bars where standard error is a terminal, plain lines where it is not."""
    return Bars() if sys.stderr.isatty() else Plain()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
