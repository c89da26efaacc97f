"""A run folder is continued by the command that began it and by no other, and is never half-written."""

import json
import shutil

import pytest

from cbeval.errors import CbevalError, UsageError
from cbeval.records import Completion, Judgement, Message, Outcome, TestCase
from cbeval.runs.config import RunConfig, RunManifest, RunSuite, first_difference
from cbeval.runs.folder import RunFolder

SUITE = RunSuite(name="s", title="S", licence="none", source="here", digest="d1", n=3, taken=3)
CONFIG = RunConfig(
    cbeval_version="1",
    model="m",
    model_digest="sha256:m",
    suites=(SUITE,),
    attacks=("direct",),
    engine="hf",
    engine_version="5",
    serving="full",
    max_new_tokens=512,
    temperature=0.0,
    seed=0,
    chunk_size=2,
)
CASES = tuple(
    TestCase(
        id=f"s/direct/{i}/0",
        suite="s",
        attack="direct",
        behavior_id=str(i),
        label="harmful",
        prompt=f"p{i}",
        messages=(Message(role="user", content=f"p{i}"),),
    )
    for i in range(3)
)


def completion(case: TestCase) -> Completion:
    return Completion(case_id=case.id, text="t", prompt_tokens=1, completion_tokens=1, finish_reason="stop")


def judgement(case: TestCase, judge: str = "outcome") -> Judgement:
    return Judgement(case_id=case.id, judge=judge, outcome=Outcome.BROKEN)


@pytest.fixture
def run(tmp_path):
    with RunFolder.create_or_resume(tmp_path / "run", CONFIG) as run:
        run.write_cases(CASES)
        run.append_completions([completion(case) for case in CASES])
        yield run


def test_what_was_written_is_read_back(run):
    run.begin_judge("org/judge 1", "j", "1")
    run.append_judgements("org/judge 1", [judgement(case, "org/judge 1") for case in CASES])
    read = RunFolder.open(run.path)
    assert read.config == CONFIG
    assert read.manifest is None
    assert read.cases() == CASES
    assert list(read.completions()) == [case.id for case in CASES]
    assert read.judges() == ["org/judge 1"]
    assert list(read.judgements("org/judge 1")) == [case.id for case in CASES]
    assert read.judgements("other") == {}


def test_a_judges_name_cannot_leave_the_folder(run):
    run.begin_judge("../../x", "j", "1")
    run.append_judgements("../../x", [judgement(CASES[0], "../../x")])
    assert run.judges() == ["../../x"]
    assert [file.parent.name for file in run.path.parent.rglob("*x.json*")] == ["judgements"] * 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"max_new_tokens": 64}, "max_new_tokens = 512, and this command has 64"),
        ({"model_digest": "sha256:n"}, 'model_digest = "sha256:m", and this command has "sha256:n"'),
        ({"suites": (SUITE.model_copy(update={"digest": "d2"}),)}, r'suites\[s\].digest = "d1", and .* "d2"'),
        ({"attacks": ("direct", "prefill")}, r'attacks = \["direct"\], and this command has \["direct", "prefill"\]'),
        ({"engine": "vllm"}, 'engine = "hf", and this command has "vllm"'),
        ({"limit": 2}, "limit = null, and this command has 2"),
        ({"chunk_size": 64}, "chunk_size = 2, and this command has 64"),
    ],
)
def test_another_configuration_is_refused_with_the_first_difference_and_the_way_out(run, change, field):
    run.close()
    before = {file: file.read_bytes() for file in run.path.rglob("*.json*")}
    with pytest.raises(UsageError, match=f"{field}; give --out another folder"):
        RunFolder.create_or_resume(run.path, CONFIG.model_copy(update=change))
    assert {file: file.read_bytes() for file in run.path.rglob("*.json*")} == before
    RunFolder.create_or_resume(run.path, CONFIG).close()  # the refused attempt left no lock


def test_a_moved_model_and_a_reworded_title_continue_the_run():
    moved = CONFIG.model_copy(update={"model": "elsewhere/m", "suites": (SUITE.model_copy(update={"title": "T"}),)})
    assert first_difference(CONFIG, moved) is None
    assert CONFIG.digest == moved.digest != CONFIG.model_copy(update={"seed": 1}).digest


def test_an_engine_that_is_not_decided_agrees_with_the_one_that_answered():
    assert first_difference(CONFIG, CONFIG.model_copy(update={"engine": "", "engine_version": ""})) is None


def test_a_folder_that_is_no_run_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds 'thesis.tex' and is not a run folder"):
        RunFolder.create_or_resume(tmp_path, CONFIG)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UsageError, match="is a file"):
        RunFolder.create_or_resume(tmp_path / "thesis.tex", CONFIG)
    with pytest.raises(UsageError, match=r"is not a run folder \(it has no config.json\)"):
        RunFolder.open(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        RunFolder.open(tmp_path / "none")


def test_a_crash_between_lock_and_configuration_is_continued(tmp_path):
    (tmp_path / ".lock").write_text("1234\n")
    (tmp_path / ".tmp-abc-config.json").write_text("{")
    with RunFolder.create_or_resume(tmp_path, CONFIG) as run:
        assert RunFolder.open(run.path).config == CONFIG
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_torn_line_is_dropped_when_the_run_is_continued(run):
    run.close()
    path = run.path / "completions.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    with RunFolder.create_or_resume(run.path, CONFIG) as again:
        assert len(again.completions()) == 2
        again.append_completions([completion(CASES[2])])
    assert list(RunFolder.open(run.path).completions()) == [case.id for case in CASES]


def test_another_version_of_a_judge_does_not_write_into_the_file_of_the_first(run):
    run.begin_judge("outcome", "digest1", "1")
    run.begin_judge("outcome", "digest1", "2")
    with pytest.raises(UsageError, match=r"judged by another 'outcome' \(digest digest1, now digest2\)"):
        run.begin_judge("outcome", "digest2", "2")


def test_another_engine_does_not_add_to_the_answers_of_the_first(run):
    run.write_engine({"name": "hf", "dtype": "bfloat16", "max_context": 10})
    run.write_engine({"name": "hf", "dtype": "bfloat16", "max_context": 20})
    assert RunFolder.open(run.path).config.dtype == "bfloat16"
    with pytest.raises(UsageError, match='dtype = "bfloat16", and it is now "float32"'):
        run.write_engine({"name": "hf", "dtype": "float32"})


def test_the_manifest_tells_which_file_was_changed_afterwards(run):
    run.finish(RunManifest(config=CONFIG, partial=False))
    assert set(run.manifest.files) == {"config.json", "cases.jsonl", "completions.jsonl"}
    assert run.damaged() == []
    with (run.path / "completions.jsonl").open("a") as file:
        file.write(" ")
    (run.path / "cases.jsonl").unlink()
    assert run.damaged() == ["cases.jsonl", "completions.jsonl"]


@pytest.mark.parametrize("name", ["config.json", "manifest.json"])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_file_is_one_line_that_names_it(run, name, data):
    run.finish(RunManifest(config=CONFIG, partial=False))
    (run.path / name).write_bytes(data)
    with pytest.raises(CbevalError, match=f"{run.path / name} is damaged") as caught:
        _ = RunFolder.open(run.path).manifest
    assert "\n" not in str(caught.value)


def test_a_later_format_is_named(run):
    path = run.path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 9}))
    with pytest.raises(CbevalError, match="is of format 9"):
        RunFolder.open(run.path)


def test_cases_of_another_version_are_refused(run):
    with pytest.raises(UsageError, match="holds other test cases"):
        run.write_cases(CASES[:2])


def test_two_copies_of_a_run_joined_by_hand_are_noticed(run):
    path = run.path / "completions.jsonl"
    shutil.copy(path, path.with_suffix(".copy"))
    with path.open("ab") as file:
        file.write(path.with_suffix(".copy").read_bytes())
    with pytest.raises(CbevalError, match=r"completions.jsonl:4: second line for case_id 's/direct/0/0'"):
        run.completions()
