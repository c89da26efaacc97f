"""The folder of a run: what is in it, who may write it, and how it is continued after a crash.

    config.json              what the run is; written first
    cases.jsonl              every test case, in order
    completions.jsonl        one line an answer, in the order of the cases
    engine.json              what the engine said of itself when it was first opened
    judgements/<judge>.jsonl one line a verdict; <judge>.json beside it says by what it was judged
    summary.json             rates and counts, judge by judge
    manifest.json            written last: its existence means that the run is complete

Lines are appended and never changed; the other files are replaced in one step.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, unquote

from pydantic import JsonValue, ValidationError

from cbeval.errors import CbevalError, UsageError
from cbeval.metrics.summary import RunSummary
from cbeval.records import Completion, Judgement, Record, TestCase
from cbeval.runs.atomic import TEMPORARY, cannot_write, write_atomic
from cbeval.runs.config import FORMAT, RunConfig, RunManifest, first_difference
from cbeval.runs.journal import append, read_journal, repair, unique
from cbeval.runs.lock import writer_lock

CONFIG, CASES, ENGINE, COMPLETIONS = "config.json", "cases.jsonl", "engine.json", "completions.jsonl"
JUDGEMENTS, SUMMARY, MANIFEST = "judgements", "summary.json", "manifest.json"

R = TypeVar("R", bound=Record)


class JudgeCard(Record):
    """By what a file of judgements was made."""

    judge: str
    digest: str
    cbeval_version: str


class RunFolder:
    """A run on disk. `open` reads one, `create_or_resume` and `reopen` also hold its writer's lock until `close`.

    A run that is read while another process writes it shows what was complete at that moment.
    """

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path = path
        dtype = str(self.engine.get("dtype", ""))
        self.config = config.model_copy(update={"dtype": dtype}) if dtype else config
        self._held = contextlib.ExitStack()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the run in `path`.

        Raises:
            UsageError: there is no run.
            CbevalError: its configuration is damaged or of a later format.
        """
        if not (path / CONFIG).is_file():
            what = "does not exist" if not path.exists() else f"is not a run folder (it has no {CONFIG})"
            raise UsageError(f"{path} {what}; `cbeval run --out {path}` makes one")
        return cls(path, _read(path / CONFIG, RunConfig))

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Open an existing run for writing (another judge); raises as `open`, and CbevalError if it is locked."""
        run = cls.open(path)
        run._lock()
        return run

    @classmethod
    def create_or_resume(cls, path: Path, config: RunConfig) -> Self:
        """Start a run in `path`, or continue the one that is there.

        Raises:
            UsageError: the folder holds a run of another configuration (the message names the first difference), or
                files that are no run.
            CbevalError: another process writes it, it is damaged, or the disk refuses.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise UsageError(f"{path} is a file; give --out a folder") from error
        except OSError as error:
            raise cannot_write(path, error) from error
        run = cls(path, config)
        if not (path / CONFIG).exists():
            # looked at before the lock, which would leave a file in a folder that is not ours
            strangers = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
            if strangers:
                raise UsageError(f"{path} holds '{strangers[0]}' and is not a run folder; give --out a new folder")
        run._lock()
        try:
            if not (path / CONFIG).exists():  # again, now that nobody else can write it
                write_atomic(path / CONFIG, _json(config))
            run.check(config)
        except BaseException:
            run.close()
            raise
        return run

    def check(self, config: RunConfig) -> None:
        """Raise UsageError, naming the first difference, if the run in the folder is not the one of `config`."""
        difference = first_difference(_read(self.path / CONFIG, RunConfig), config)
        if difference is not None:
            name, old, new = difference
            raise UsageError(
                f"{self.path} holds a run with {name} = {json.dumps(old)}, and this command has {json.dumps(new)}; "
                "give --out another folder"
            )

    def _lock(self) -> None:
        self._held.enter_context(writer_lock(self.path))
        try:
            for rubbish in self.path.glob(f"{TEMPORARY}*"):
                rubbish.unlink(missing_ok=True)
        except OSError as error:
            self.close()
            raise cannot_write(self.path, error) from error
        try:
            for journal in (self.path / COMPLETIONS, *self.path.glob(f"{JUDGEMENTS}/*.jsonl")):
                repair(journal)
        except CbevalError:
            self.close()
            raise

    def close(self) -> None:
        """Give the lock back; the run stays readable."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    @property
    def manifest(self) -> RunManifest | None:
        """The manifest; None while the run is not complete."""
        return _read(self.path / MANIFEST, RunManifest) if (self.path / MANIFEST).exists() else None

    def cases(self) -> tuple[TestCase, ...]:
        """All test cases in order; empty if the run has not come to write them."""
        path = self.path / CASES
        return tuple(unique(path, read_journal(path, TestCase), "id").values())

    def write_cases(self, cases: Sequence[TestCase]) -> None:
        """Write the test cases, or see that they are the ones that are there.

        Raises:
            UsageError: they differ, because another version of cbeval made them.
        """
        data = b"".join(case.model_dump_json().encode() + b"\n" for case in cases)
        path = self.path / CASES
        if not path.exists():
            write_atomic(path, data)
        elif path.read_bytes() != data:
            raise UsageError(
                f"{path} holds other test cases than this version of cbeval makes "
                f"(the run was begun by {self.config.cbeval_version}); give --out another folder"
            )

    def completions(self) -> dict[str, Completion]:
        """Case id -> completion, in the order of the file."""
        path = self.path / COMPLETIONS
        return unique(path, read_journal(path, Completion))

    def append_completions(self, chunk: Sequence[Completion]) -> None:
        """Append `chunk` and return when it is on disk; needs the lock."""
        append(self.path / COMPLETIONS, chunk)

    @property
    def engine(self) -> dict[str, JsonValue]:
        """What the engine that answers said of itself; empty before it was opened."""
        path = self.path / ENGINE
        if not path.exists():
            return {}
        try:
            return dict(json.loads(path.read_bytes()))
        except (ValueError, TypeError) as error:
            raise CbevalError(f"{path} is damaged ({error}); delete it and run the same command again") from error

    def write_engine(self, info: Mapping[str, JsonValue]) -> None:
        """Record what the engine says of itself, the first time; needs the lock.

        Raises:
            UsageError: the answers so far come from an engine whose numbers may differ (another dtype, device, ...).
        """
        before = self.engine
        if not before:
            write_atomic(self.path / ENGINE, (json.dumps(info, indent=1) + "\n").encode())
        for name in ("name", "version", "torch", "dtype", "device", "serving", "batch_invariant"):
            if before and before.get(name) != info.get(name):
                raise UsageError(
                    f"{self.path} has answers of an engine with {name} = {json.dumps(before[name])}, and it is now "
                    f"{json.dumps(info.get(name))}; go back to the first, or give --out another folder"
                )
        self.config = self.config.model_copy(update={"dtype": str(info.get("dtype", ""))})

    def judges(self) -> list[str]:
        """The judges that have judged, or begun to judge, this run."""
        return sorted(unquote(file.stem) for file in self.path.glob(f"{JUDGEMENTS}/*.jsonl"))

    def judgements(self, judge: str) -> dict[str, Judgement]:
        """Case id -> judgement by `judge`, in the order of the file; empty if it has not judged."""
        path = self.judgements_file(judge)
        return unique(path, read_journal(path, Judgement))

    def judgements_file(self, judge: str) -> Path:
        """Where the judgements of `judge` are, or would be."""
        return self.path / JUDGEMENTS / f"{_quoted(judge)}.jsonl"

    def judge_card(self, judge: str) -> JudgeCard | None:
        """By what `judge` has judged this run; None if it has not."""
        path = self.judgements_file(judge).with_suffix(".json")
        return _read(path, JudgeCard) if path.exists() else None

    def begin_judge(self, judge: str, digest: str, version: str) -> None:
        """Record by what `judge` judges before its first line; needs the lock.

        Raises:
            UsageError: the run was judged by a judge of this name and another digest; its file is never rewritten.
        """
        card = self.judge_card(judge)
        if card is None:
            path = self.judgements_file(judge).with_suffix(".json")
            try:
                path.parent.mkdir(exist_ok=True)
            except OSError as error:
                raise cannot_write(path.parent, error) from error
            write_atomic(path, _json(JudgeCard(judge=judge, digest=digest, cbeval_version=version)))
        elif card.digest != digest:
            raise UsageError(
                f"{self.path} was judged by another '{judge}' (digest {card.digest[:12]}, now {digest[:12]}); "
                f"verdicts are never rewritten: move {JUDGEMENTS}/{_quoted(judge)}.jsonl and .json away to judge again"
            )

    def append_judgements(self, judge: str, chunk: Sequence[Judgement]) -> None:
        """Append `chunk` to the file of `judge` and return when it is on disk; needs the lock."""
        append(self.judgements_file(judge), chunk)

    def summaries(self) -> dict[str, RunSummary]:
        """Judge -> summary, as far as they were computed."""
        path = self.path / SUMMARY
        if not path.exists():
            return {}
        try:
            return {name: RunSummary.model_validate(value) for name, value in json.loads(path.read_bytes()).items()}
        except (ValueError, AttributeError) as error:
            raise CbevalError(
                f"{path} is damaged; delete it, and `cbeval judge {self.path}` computes it again"
            ) from error

    def write_summaries(self, summaries: Mapping[str, RunSummary]) -> None:
        """Replace summary.json; it holds no more than the journals say, and can be computed again from them."""
        data = {name: summary.model_dump(mode="json") for name, summary in summaries.items()}
        write_atomic(self.path / SUMMARY, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())

    def finish(self, manifest: RunManifest) -> None:
        """Write the manifest with the digests of all files: the run is complete."""
        files = {str(file.relative_to(self.path)): _sha256(file) for file in self._files() if file.name != MANIFEST}
        write_atomic(self.path / MANIFEST, _json(manifest.model_copy(update={"files": files})))

    def damaged(self) -> list[str]:
        """Files of a complete run that are gone or no longer what the manifest says; empty if all is well."""
        manifest = self.manifest
        there = {str(file.relative_to(self.path)): file for file in self._files()}
        expected = manifest.files if manifest is not None else {}
        return [name for name, digest in expected.items() if name not in there or _sha256(there[name]) != digest]

    def _files(self) -> list[Path]:
        return sorted(
            file
            for file in self.path.rglob("*")
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(self.path).parts)
        )


def _read(path: Path, record: type[R]) -> R:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CbevalError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        written = json.loads(data).get("format", FORMAT)
        if written != FORMAT:
            raise CbevalError(
                f"{path} is of format {written}, this cbeval reads {FORMAT}; use the version that wrote it"
            )
        return record.model_validate_json(data)
    except (ValidationError, ValueError, AttributeError) as error:
        first = str(error).splitlines()[0]
        raise CbevalError(f"{path} is damaged ({first}); restore it from a copy or start again elsewhere") from error


def _json(record: Record) -> bytes:
    return (record.model_dump_json(indent=1) + "\n").encode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _quoted(judge: str) -> str:
    """A judge's name as a file name: `/` and other marks as %XX, so that no name leaves the folder or is hidden."""
    return re.sub(r"^\.", "%2E", quote(judge, safe=""))
