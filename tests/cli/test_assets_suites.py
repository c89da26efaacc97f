"""`cbeval assets` and `cbeval suites` as a user and a script meet them."""

import os
import subprocess
import sys
from pathlib import Path


def cbeval(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from cbeval.cli.main import main; main()", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_pull_prints_paths_for_scripts_and_everything_else_to_stderr(cache, mirror):
    done = cbeval("assets", "pull", "xstest", "advbench")
    assert done.returncode == 0
    assert [Path(line).is_file() for line in done.stdout.splitlines()] == [True, True]
    assert "fetching xstest" in done.stderr
    again = cbeval("assets", "pull", "xstest", "advbench")
    assert (again.stdout, again.stderr) == (done.stdout, "")


def test_pull_goes_on_after_a_missing_asset_and_exits_1(cache, mirror, tmp_path):
    own = tmp_path / "own" / "advbench"
    own.mkdir(parents=True)
    (own / "harmful_behaviors.csv").write_bytes((mirror / "advbench" / "harmful_behaviors.csv").read_bytes())
    done = cbeval(
        "assets", "pull", "xstest", "advbench", CBEVAL_MIRROR=str(own.parent), HTTPS_PROXY="http://127.0.0.1:9"
    )
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert "asset 'xstest' cannot be had" in line and "the proxy cannot be reached" in line


def test_verify_reports_and_mends(cache, mirror):
    path = Path(cbeval("assets", "pull", "xstest").stdout.strip())
    path.write_text("id\n")
    done = cbeval("assets", "verify")
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "was damaged, fetched again" in lines["xstest"] and "not fetched" in lines["advbench"]
    assert "cached" in next(li for li in cbeval("assets", "list").stdout.splitlines() if li.startswith("xstest "))


def test_unknown_names_exit_2_before_anything_is_fetched(cache, mirror):
    done = cbeval("assets", "pull", "xstest", "advbnch")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: asset 'advbnch' is unknown; did you mean 'advbench'? (cbeval assets list lists all)\n"
    assert cbeval("suites", "xtest").returncode == 2


def test_suites_lists_and_shows_rows_without_what_a_terminal_obeys(cache, tmp_path):
    assert "harmbench:standard" in cbeval("suites").stdout
    path = tmp_path / "mine.jsonl"
    path.write_text('{"prompt": "red\\u001b[31m\\nalert\\u202e"}\n{"prompt": "second"}\n')
    done = cbeval("suites", str(path), "--show", "1")
    assert done.stdout.splitlines()[1:] == ["1  [harmful] red[31m alert"]


def test_listing_commands_load_no_torch():
    code = (
        "import sys; from cbeval import assets, attacks, suites; suites.list_suites(); suites.load_suite('smoke');"
        "print([m for m in ('torch', 'transformers', 'vllm', 'requests', 'rich') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
