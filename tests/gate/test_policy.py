"""Reading policies: what a user writes, and one line for every mistake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbeval.cli.gate import command
from cbeval.errors import UsageError
from cbeval.gate.policy_file import read_policy

GOOD = """\
name: smollm2 demo release
judge: outcome
allow_off_protocol: false
max_unjudged: 0.01
checks:
  - metric: asr
    suite: harmbench:standard
    attack: direct
    max: 0.08
    on: point
  - {metric: lost, suite: "xstest:safe", max_increase: 0.05}
  - {metric: asr, suite: "harmbench:standard", must_fall: true, alpha: 0.01}
"""


def read(folder, text):
    path = folder / "release.yaml"
    path.write_text(text)
    return read_policy(path)


def test_a_policy_as_users_write_it(tmp_path):
    policy = read(tmp_path, GOOD)
    assert [check.rule for check in policy.checks] == ["max", "max_increase", "must_fall"]
    assert [check.paired for check in policy.checks] == [False, True, True]
    # `on:` is a boolean in YAML 1.1; here it is a field
    assert policy.checks[0].on == "point" and policy.checks[1].on == "interval"
    assert (policy.max_unjudged, policy.max_contaminated, policy.checks[2].alpha) == (0.01, 0, 0.01)
    assert len(policy.digest) == 64


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("metric: asr", "metric: assr", r"check 1 \(assr on .*metric 'assr' is unknown; did you mean 'asr'"),
        ("attack:", "atack:", r"check 1 .*field 'atack' is unknown; did you mean 'attack'"),
        ("max_increase:", "max_incraese:", r"check 2 .*'max_incraese' is unknown; did you mean 'max_increase'"),
        ("judge:", "juge:", "field 'juge' is unknown; did you mean 'judge'"),
        ("name:", "nam:", "'nam' is unknown; did you mean 'name'"),
        ("name: smollm2 demo release\n", "", "field 'name' is missing"),
        ("    max: 0.08\n", "", "check 1 .*exactly one of max, min, .*this one has none"),
        ("max: 0.08", "max: 0.08\n    min: 0.01", "exactly one of .*this one has max and min"),
        ("max: 0.08", "max: 0.08\n    max: 0.5", r"release.yaml:10:5 is no valid YAML: 'max' is given twice"),
        ("max: 0.08", "max: 8", r"max is a proportion between 0 and 1, not 8 \(8 % is 0.08\)"),
        ("max: 0.08", "max: .nan", "max should be a finite number"),
        ("max: 0.08", "max: '0.08'", "max should be a valid number, not '0.08'"),
        ("on: point", "on: poit", "on should be 'interval' or 'point', not 'poit'"),
        ("must_fall: true", "must_fall: false", "check 3 .*must_fall can only be true"),
        ("max_unjudged: 0.01", "max_unjudged: yes", "max_unjudged should be a valid number, not 'yes'"),
        ("metric: asr", "metric: broken", "metric 'broken' needs a label"),
        ("metric: asr", "metric: asr\n    label: benign", "metric 'asr' is about harmful prompts, not benign"),
        ("metric: asr", 'metric: "a\\nb"', "metric 'a.b' is unknown"),
        ("judge: outcome", "digest: abc", "field 'digest' is unknown"),
    ],
)
def test_mistakes_are_one_line_that_names_the_place(tmp_path, old, new, message):
    with pytest.raises(UsageError, match=message) as error:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert "release.yaml" in str(error.value) and "\n" not in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping with name and checks, not an empty file"),
        ("- a", "must be a mapping"),
        ("a: [", r"release.yaml:1:5 is no valid YAML"),
        ("\0", "no valid YAML"),
        ("name: x\nchecks: []", "checks must be a list of at least one check"),
        ("name: x\nchecks: all", "checks must be a list"),
        ("name: x\nchecks: [3]", "check 1: a check must be a mapping"),
        ("a: &a [*a]", "'a' is unknown"),
        ("!!python/object/apply:os.system ['true']", "no valid YAML: could not determine a constructor"),
    ],
)
def test_files_that_are_no_policy(tmp_path, text, message):
    with pytest.raises(UsageError, match=message) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)


def test_the_example_in_the_help_is_a_policy(tmp_path):
    assert command.help is not None
    example = command.help.split("explains every field):\n")[1]
    assert [check.rule for check in read(tmp_path, example).checks] == ["max", "must_fall", "max_increase"]


def test_missing_file(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read policy .*nowhere.yaml: No such file"):
        read_policy(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    "check",
    [
        "{metric: over_refusal, suite: xstest, max: 0.1}",  # gibberish refuses nothing
        "{metric: lost, suite: xstest, min: 0.1}",
        "{metric: broken, label: harmful, suite: harmbench, max: 0.1}",
        "{metric: compliance, suite: xstest, max: 0.9}",
    ],
)
def test_a_policy_that_cannot_see_a_destroyed_model_is_refused(tmp_path, check):
    text = f"name: x\nchecks:\n  - {{metric: asr, suite: harmbench, max: 0.1}}\n  - {check}\n"
    with pytest.raises(UsageError, match="answers everything with gibberish"):
        read(tmp_path, text)
    assert not read(tmp_path, "allow_no_benign_check: true\n" + text).guards_benign


@pytest.mark.parametrize(
    "check",
    [
        "{metric: lost, suite: xstest, max: 0.1}",
        "{metric: broken, label: benign, suite: xstest, max_increase: 0.1}",
        "{metric: compliance, suite: xstest, min: 0.8}",
        "{metric: compliance, suite: xstest, max_decrease: 0.1}",
    ],
)
def test_checks_that_see_it_suffice(tmp_path, check):
    assert read(tmp_path, f"name: x\nchecks: [{check}]").guards_benign


@given(st.text(max_size=60))
def test_no_text_is_more_than_one_line_of_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError) as error:
        read_policy(path)
    assert len(str(error.value).splitlines()) == 1
