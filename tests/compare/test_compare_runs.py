"""Two run folders: what makes them incomparable, and the printed tables."""

import json

import pytest
from click.testing import CliRunner
from made_runs import SAFE, STANDARD, made_run, outcomes

from cbeval.cli.compare import command
from cbeval.compare import Comparison, compare_runs
from cbeval.errors import UsageError

BASE = {STANDARD: outcomes("9c 1r"), SAFE: outcomes("10c")}
BREAKER = {STANDARD: outcomes("1c 8b 1r"), SAFE: outcomes("9c 1b")}


def test_like_runs_have_no_mismatch(tmp_path):
    found = compare_runs(made_run(tmp_path / "base", BASE), made_run(tmp_path / "cb", BREAKER))
    assert found.mismatches == ()
    assert [(s.suite, s.pairs) for s in found.sections] == [("harmbench:standard", 10), ("xstest:safe", 10)]
    assert found.sections[1].metrics["lost"].difference == 0.1


@pytest.mark.parametrize(
    ("changes", "field", "blocking"),
    [
        ({"max_new_tokens": 64}, "max_new_tokens", True),
        ({"engine": "vllm"}, "engine", True),
        ({"dtype": "bfloat16"}, "dtype", True),
        ({"off_protocol": ("64 new tokens",)}, "off_protocol", True),
        ({"suite_digests": {"xstest:safe": "d" * 64}}, "suite xstest:safe", True),
        ({"judge_digest": "k" * 64}, "judge outcome", True),
        ({"seed": 1, "temperature": 0.0}, "seed", False),
        ({"serving": "adapter"}, "serving", False),
        ({"template_digest": "other"}, "template_digest", False),
    ],
)
def test_each_unlike_setting_is_named(tmp_path, changes, field, blocking):
    found = compare_runs(made_run(tmp_path / "base", BASE), made_run(tmp_path / "cb", BREAKER, **changes))
    assert [(m.field, m.blocking) for m in found.mismatches] == [(field, blocking)]


def test_sampled_runs_of_two_seeds_do_not_compare(tmp_path):
    base = made_run(tmp_path / "base", BASE, temperature=1.0)
    found = compare_runs(base, made_run(tmp_path / "cb", BREAKER, temperature=1.0, seed=1))
    assert [(m.field, m.blocking) for m in found.mismatches] == [("seed", True)]


def test_cases_of_one_id_and_two_contents_are_a_mismatch(tmp_path):
    base, other = made_run(tmp_path / "base", BASE), made_run(tmp_path / "cb", BREAKER)
    path = other.path / "cases.jsonl"
    path.write_text(path.read_text().replace('"content":"prompt 3"', '"content":"prompt 3!"'))
    (mismatch,) = compare_runs(base, other).mismatches
    assert mismatch.blocking and mismatch.field == "test cases" and "2 cases" in mismatch.other


def test_runs_without_a_common_case_are_one_line(tmp_path):
    base, other = (
        made_run(tmp_path / "base", {SAFE: outcomes("3c")}),
        made_run(tmp_path / "cb", {STANDARD: outcomes("3c")}),
    )
    with pytest.raises(UsageError, match=r"xstest:safe.*harmbench:standard.*share no test case") as error:
        compare_runs(base, other)
    assert "\n" not in str(error.value)


def test_an_unjudged_run_names_the_judges_it_has(tmp_path):
    run = made_run(tmp_path / "base", BASE, judge="refusal-strings")
    with pytest.raises(UsageError, match=r"not judged by 'outcome' \(judged by: refusal-strings\); `cbeval judge"):
        compare_runs(run, run)


def test_table_shows_rates_differences_flows_and_warns_loudly(tmp_path):
    paths = [str(made_run(tmp_path / "base", BASE).path)]
    paths += [str(made_run(tmp_path / name, BREAKER, max_new_tokens=n).path) for name, n in (("a", 512), ("b", 64))]
    result = CliRunner().invoke(command, paths)
    assert result.exit_code == 0
    first, second = result.output.split("b against base")
    assert "a against base (judge outcome)" in first and "NOT COMPARABLE" not in first
    assert "NOT COMPARABLE: the runs differ in max_new_tokens: 512 against 64" in second
    assert "complied -> broken 8" in first
    # 9 of 10, Wilson 59.6 to 98.2; 1 of 10, 1.8 to 40.4; eight of eight changed one way: p = 2 / 2**8 = .0078
    assert "90.0 [59.6, 98.2]" in first and "10.0 [1.8, 40.4]" in first and "-80.0 [" in first and "0.008" in first


def test_json_is_a_list_that_reads_back(tmp_path):
    base, other = made_run(tmp_path / "base", BASE), made_run(tmp_path / "cb", BREAKER)
    result = CliRunner().invoke(command, [str(base.path), str(other.path), str(base.path), "--json"])
    first, second = json.loads(result.output)
    assert Comparison.model_validate(first) == compare_runs(base, other)
    assert all(metric["difference"] == 0 for metric in second["sections"][0]["metrics"].values())


def test_markdown_tables_survive_hostile_names(tmp_path):
    hostile = ("a|b\x1b[31m", "direct", "", "harmful")
    base = made_run(tmp_path / "base", {hostile: outcomes("3c")})
    result = CliRunner().invoke(command, [str(base.path), str(base.path), "--markdown"])
    assert "\x1b" not in result.output
    assert "a\\|b" in result.output
    tables = [line for line in result.output.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in tables}) == 1


def test_terminal_output_is_neither_markup_nor_control(tmp_path):
    hostile = ("[bold]x[/bold]\x1b[31m", "direct", "", "harmful")
    base = made_run(tmp_path / "base", {hostile: outcomes("3c")})
    result = CliRunner().invoke(command, [str(base.path), str(base.path)])
    assert result.exit_code == 0
    assert "\x1b" not in result.output and "[bold]x[/bold]" in result.output
