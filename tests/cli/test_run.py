"""`cbeval run` and `cbeval judge` as a user meets them: real processes, a real (tiny, random) model, real kills."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import tiny_model

CASES = 72  # the smoke suite's 48 rows asked directly, and its 24 harmful ones prefilled
RESULTS = ("cases.jsonl", "completions.jsonl", "judgements/outcome.jsonl", "summary.json")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def uninterrupted(model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    done = cbeval(*arguments(model, folder / "run"), cache=folder / "cache")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def arguments(model: Path, out: Path) -> list[str]:
    options = "--suite smoke --attack direct --attack prefill --engine hf --max-new-tokens 16 --chunk-size 8"
    return ["run", "--model", str(model), *options.split(), "--out", str(out)]


def start(*args: str, cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "CBEVAL_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    environment.pop("CBEVAL_NO_CACHE", None)
    command = [str(Path(sys.executable).with_name("cbeval")), *args]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def cbeval(*args: str, cache: Path) -> subprocess.CompletedProcess[str]:
    process = start(*args, cache=cache)
    output, errors = process.communicate(timeout=300)
    return subprocess.CompletedProcess(args, process.returncode, output, errors)


def lines(run: Path) -> int:
    try:
        return (run / "completions.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def stop_at(process: subprocess.Popen[str], run: Path, least: int, how: signal.Signals, delay: float = 0) -> None:
    """Send `how` to the process once the run has `least` answers (and `delay` seconds later)."""
    until = time.monotonic() + 240
    while lines(run) < least and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(how)


def same_results(run: Path, other: Path) -> None:
    for name in RESULTS:
        assert (run / name).read_bytes() == (other / name).read_bytes(), name


def test_killed_at_random_moments_and_continued_the_results_are_those_of_an_uninterrupted_run(
    model, uninterrupted, tmp_path
):
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    run = tmp_path / "run"
    for kill in range(3):
        process = start(*arguments(model, run), cache=tmp_path / "cache")
        there = lines(run)
        stop_at(
            process, run, dice.randint(min(there + 1, CASES), min(there + 24, CASES)), signal.SIGKILL, dice.random()
        )
        process.communicate()
        kept = (run / "completions.jsonl").read_bytes() if lines(run) else b""
        whole = (uninterrupted / "completions.jsonl").read_bytes()
        assert whole.startswith(kept[: kept.rfind(b"\n") + 1]), f"kill {kill}, seed {seed}"
    done = cbeval(*arguments(model, run), cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    same_results(run, uninterrupted)
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["counts"]["cases"] == lines(run) == CASES


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_says_how_to_go_on_and_the_run_goes_on(model, uninterrupted, tmp_path, how, code):
    run = tmp_path / "run"
    process = start(*arguments(model, run), cache=tmp_path / "cache")
    stop_at(process, run, 1, how)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == code, errors
    assert f"what is done is in {run}, and the same command goes on from there" in errors
    assert "Traceback" not in errors
    assert 0 < lines(run) < CASES and not (run / "manifest.json").exists()
    done = cbeval(*arguments(model, run), cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    same_results(run, uninterrupted)


def test_a_complete_run_repeated_takes_under_three_seconds_and_loads_no_torch(model, uninterrupted, tmp_path):
    before = (uninterrupted / "manifest.json").read_bytes()
    script = (
        "import sys\nfrom cbeval.cli.main import main\n"
        "try: main()\nfinally: print('LOADED', *sorted({'torch', 'transformers', 'vllm'} & sys.modules.keys()))"
    )
    before_cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", script, *arguments(model, uninterrupted)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    # processor time, which is the wall time of a machine with nothing else to do
    assert cpu.ru_utime + cpu.ru_stime - before_cpu.ru_utime - before_cpu.ru_stime < 3
    assert "already complete" in done.stderr
    assert done.stdout.endswith("LOADED\n")
    assert "smoke" in done.stdout  # the table is printed again
    assert (uninterrupted / "manifest.json").read_bytes() == before


def test_what_a_run_leaves_is_described_in_its_manifest(uninterrupted):
    manifest = json.loads((uninterrupted / "manifest.json").read_text())
    assert manifest["partial"] is False
    assert manifest["off_protocol"] == ["max_new_tokens 16, where the protocol of 'smoke' has 512"]
    assert manifest["counts"] == {"cases": CASES, "resumed": 0, "cached": 0, "repeated": 0, "generated": CASES}
    assert manifest["engine"]["name"] == "hf" and manifest["config"]["dtype"] == manifest["engine"]["dtype"] != ""
    assert {"completions.jsonl", "judgements/outcome.jsonl"} <= manifest["files"].keys()
    assert set(manifest["judges"]) == {"outcome"}


def test_a_second_process_on_the_same_run_is_refused_and_harms_nothing(model, uninterrupted, tmp_path):
    run = tmp_path / "run"
    first = start(*arguments(model, run), cache=tmp_path / "cache")
    while lines(run) == 0 and first.poll() is None:
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # the second one gets all the time that it needs
    try:
        second = cbeval(*arguments(model, run), cache=tmp_path / "cache")
    finally:
        first.send_signal(signal.SIGCONT)
    assert second.returncode == 1
    assert f"is being written by process {first.pid};" in second.stderr
    assert first.wait(timeout=300) == 0
    first.communicate()
    same_results(run, uninterrupted)


def test_the_cache_spares_another_run_the_engine(model, uninterrupted, tmp_path):
    cache = uninterrupted.parent / "cache"
    done = cbeval(*arguments(model, tmp_path / "run"), "--limit", "30", cache=cache)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["counts"]["generated"] == 0 and manifest["counts"]["cached"] == manifest["counts"]["cases"]
    assert manifest["partial"] and manifest["partial_reasons"] == ["limit: 30 of 48 behaviours of 'smoke'"]
    assert manifest["engine"]["name"] == "hf"  # known though it was never opened
    assert "partial: 30 of 48 behaviours" in done.stdout


def refused(*args: str, code: int, says: str, cache: Path) -> None:
    done = cbeval(*args, cache=cache)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: ")


def test_wrong_requests_are_one_line_and_write_nothing(model, uninterrupted, tmp_path):
    run = tmp_path / "run"
    given = arguments(model, run)
    refused(*given, "--judge", "outcom", code=2, says="did you mean 'outcome'?", cache=tmp_path)
    refused(*given, "--suite", "smok", code=2, says="did you mean 'smoke'?", cache=tmp_path)
    refused(*given, "--engine", "hff", code=2, says="engine 'hff' is unknown", cache=tmp_path)
    refused(*given, "--attack", "prefil", code=2, says="did you mean 'prefill'?", cache=tmp_path)
    refused(*given, "--limit", "0", code=2, says="limit must be at least 1, not 0", cache=tmp_path)
    refused(*given, "--model", str(tmp_path), code=2, says="is no model folder", cache=tmp_path)
    assert not run.exists()
    before = {file: file.read_bytes() for file in uninterrupted.rglob("*") if file.is_file()}
    other = [*arguments(model, uninterrupted), "--max-new-tokens", "17"]
    refused(*other, code=2, says="max_new_tokens = 16, and this command has 17; give --out", cache=tmp_path)
    refused("judge", str(tmp_path), "--judge", "outcome", code=2, says="is not a run folder", cache=tmp_path)
    assert {file: file.read_bytes() for file in uninterrupted.rglob("*") if file.is_file()} == before


def test_a_damaged_line_is_named_and_nothing_is_written_over(model, tmp_path, uninterrupted):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.json", "cases.jsonl", "completions.jsonl"):
        (run / name).write_bytes((uninterrupted / name).read_bytes())
    journal = run / "completions.jsonl"
    damaged = [*journal.read_bytes().splitlines(keepends=True)]
    damaged[4] = b'{"case_id": "smoke/dir\n'
    journal.write_bytes(b"".join(damaged))
    refused(*arguments(model, run), code=1, says=f"{journal}:5: not a Completion", cache=tmp_path)
    assert journal.read_bytes() == b"".join(damaged)


@pytest.mark.asset
def test_a_second_judge_adds_its_file_and_changes_none(uninterrupted, tmp_path, asset):
    asset("harmbench-refusal-strings")
    run = tmp_path / "run"
    (run / "judgements").mkdir(parents=True)
    names = [
        file.relative_to(uninterrupted)
        for file in uninterrupted.rglob("*")
        if file.is_file() and "lock" not in file.name  # which holds the last writer's process id
    ]
    for name in names:
        (run / name).write_bytes((uninterrupted / name).read_bytes())
    done = cbeval("judge", str(run), "--judge", "refusal-strings", cache=tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    assert len((run / "judgements" / "refusal-strings.jsonl").read_bytes().splitlines()) == CASES
    for name in names:
        if str(name) not in ("summary.json", "manifest.json"):
            assert (run / name).read_bytes() == (uninterrupted / name).read_bytes()
    assert set(json.loads((run / "summary.json").read_text())) == {"outcome", "refusal-strings"}
    assert set(json.loads((run / "manifest.json").read_text())["judges"]) == {"outcome", "refusal-strings"}
