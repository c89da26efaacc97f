"""From a suite's name to its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cbeval import assets
from cbeval.errors import UsageError, unknown
from cbeval.records import Suite
from cbeval.suites import advbench, harmbench, smoke, xstest
from cbeval.suites.user_file import load_user_file

_FILE_SUFFIXES = (".csv", ".jsonl")


@dataclass(frozen=True)
class SuiteInfo:
    """A line of `cbeval suites`."""

    name: str
    title: str
    n: int
    """Number of behaviours."""

    licence: str
    available: bool
    """Whether loading needs no network: embedded, cached, or in the mirror folder."""

    why_not: str
    """What to do where it is not available; empty where it is."""


@dataclass(frozen=True)
class _Known:
    title: str
    n: Callable[[], int]
    licence: str
    asset: str
    """Name of the asset that holds the rows; empty for the embedded suite."""

    load: Callable[[], Suite]


def _known_suites() -> dict[str, _Known]:
    known = {"smoke": _Known(smoke.TITLE, smoke.count, smoke.LICENCE, "", smoke.load)}
    for base, counts in harmbench.COUNTS.items():
        for part, n in counts.items():
            known[f"{base}:{part}" if part else base] = _Known(
                title=harmbench.title(base, part),
                n=partial(int, n),
                licence=harmbench.LICENCE,
                asset=harmbench.ASSETS[base],
                load=partial(harmbench.load, base, part),
            )
    for part, n in xstest.COUNTS.items():
        known[f"xstest:{part}" if part else "xstest"] = _Known(
            xstest.title(part), partial(int, n), xstest.LICENCE, "xstest", partial(xstest.load, part)
        )
    known["advbench"] = _Known(
        advbench.TITLE, partial(int, advbench.COUNT), advbench.LICENCE, "advbench", advbench.load
    )
    return known


_KNOWN = _known_suites()


def load_suite(name: str) -> Suite:
    """The suite of that name, or of the user's `.csv` / `.jsonl` file at that path.

    A file's suite is named by its stem, or by its whole name where the stem is a known suite's. Raises UsageError:
    unknown name or bad file; CbevalError: the suite's file cannot be had.
    """
    if name in _KNOWN:
        return _KNOWN[name].load()
    path = Path(name)
    if path.suffix.lower() in _FILE_SUFFIXES:
        if not path.is_file():
            raise UsageError(f"suite file {path} does not exist")
        return load_user_file(path, path.name if path.stem in _KNOWN else path.stem)
    if path.exists():
        raise UsageError(f"suite file {path} is neither .csv nor .jsonl; convert it to one of them")
    raise unknown("suite", name, _KNOWN, "cbeval suites")


def list_suites() -> list[SuiteInfo]:
    """All known suites. Nothing is fetched."""
    infos = []
    for name, known in _KNOWN.items():
        here = not known.asset or assets.available(known.asset)
        why_not = "" if here else f"not fetched yet: cbeval assets pull {known.asset}"
        infos.append(SuiteInfo(name, known.title, known.n(), known.licence, here, why_not))
    return infos
