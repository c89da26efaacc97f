"""The page as a file: what it says, what it warns of, and that hostile text stays text."""

import re
from html.parser import HTMLParser

import pytest

from cbeval.compare import compare_runs
from cbeval.errors import UsageError
from cbeval.records import Outcome
from cbeval.report import write_report
from cbeval.report.contents import read_contents
from cbeval.report.training import training_of


class Tags(HTMLParser):
    """Start tags with attributes, and the text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.inside = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = [tag] if tag in ("script", "style") else []

    def handle_endtag(self, tag):
        self.inside = []

    def handle_data(self, data):
        if not self.inside:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def page_of(tmp_path, runs, base=None, **options):
    output = tmp_path / "reports" / "page.html"
    page = write_report(runs, base, output, **options)
    return page, Tags(output.read_text(encoding="utf-8"))


def test_the_numbers_are_those_of_the_comparison(tmp_path, folders):
    base, breaker = folders
    page, html = page_of(tmp_path, [breaker], base)
    compared = compare_runs(base, breaker).sections[0]
    assert (compared.subset, compared.attack) == ("standard", "direct")
    asr = compared.metrics["asr"]
    row = page.sections[0].rows[0]
    assert row.title == "Attack success rate"
    assert row.cells[2].value == f"\N{MINUS SIGN}{-100 * asr.difference:.1f}" and row.cells[2].tone == "better"
    assert row.cells[3].value == "< 0.001" and row.cells[3].detail == f"{asr.only_base}:{asr.only_other}"
    assert row.cells[2].value in html.text
    assert [group.title for group in page.forest][-1] == "xstest:safe, direct"
    assert page.title == "breaker against base"


def test_the_page_loads_nothing_and_runs_only_its_own_script(tmp_path, folders):
    _, html = page_of(tmp_path, [folders[1]], folders[0])
    for tag, attributes in html.tags:
        assert tag not in ("iframe", "object", "embed", "base", "img", "video", "audio")
        assert tag != "link" or attributes["href"] == "data:,"
        assert "src" not in attributes and not any(name.startswith("on") for name in attributes)
        assert tag != "a" or attributes["href"].startswith("#")
    executable = [a for tag, a in html.tags if tag == "script" and "type" not in a]
    assert len(executable) == 1
    policy = next(a["content"] for tag, a in html.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy


def test_hostile_names_are_text_in_the_page(tmp_path, make_run, hostile):
    name = "cb <img src=x onerror=alert(1)> {{ 7*7 }}"
    base = make_run(tmp_path / "base", n=3)
    breaker = make_run(tmp_path / name, "cb", n=3, model=hostile, off_protocol=(hostile,))
    page, html = page_of(tmp_path, [breaker], base, title="</title><script>alert(1)</script>")
    assert page.runs[1].name == name and name in html.text
    assert not [tag for tag, _ in html.tags if tag == "img"]
    assert len([1 for tag, a in html.tags if tag == "script" and "type" not in a]) == 1
    assert "49" not in re.findall(r"cb .{0,60}", html.text)[0]


def test_every_caveat_is_on_the_first_screen(tmp_path, make_run):
    base = make_run(tmp_path / "base", n=6)
    text = {"harmbench/direct/standard_001/0": ("?", Outcome.UNJUDGED)}
    other = make_run(
        tmp_path / "cb",
        "cb",
        n=6,
        limit=6,
        complete=False,
        text=text,
        off_protocol=("max_new_tokens is 64, not 512",),
    )
    page, html = page_of(tmp_path, [other], base)
    first_screen = html.text[: html.text.index("One table for each suite")]
    for told in (
        "Not complete cb: 12 of 24 prompts are answered",
        "Partial run",
        "6 of 12 prompts of xstest:safe",
        "Off protocol",
        "max_new_tokens is 64, not 512",
        "Answers without a verdict cb: 1 of 6 in harmbench standard, direct",
    ):
        assert told in first_screen
    levels = [notice.level for notice in page.notices]
    assert levels == sorted(levels, key=("stop", "warn", "note").index)


def test_a_training_without_effect_is_said(tmp_path, make_run):
    run = make_run(tmp_path / "cb", "cb", n=3, training={"status": "no_effect", "escape_step": None})
    page, _ = page_of(tmp_path, [run])
    assert page.notices[0].level == "stop" and "cb: status no_effect" in page.notices[0].lines[0]
    assert page.training[0].tags == ("status no_effect", "no escape")


def test_contamination_is_said(tmp_path, make_run):
    run = make_run(tmp_path / "cb", "cb", n=3)
    suites = tuple(suite.model_copy(update={"contaminated": 2}) for suite in run.config.suites)
    dirty = make_run(tmp_path / "dirty", "cb", n=3, suites=suites)
    page, _ = page_of(tmp_path, [dirty])
    assert page.notices[0].level == "stop" and "Trained on test prompts" in page.notices[0].title
    assert "2 of 9 of harmbench" in page.notices[0].lines[0]
    assert not [notice for notice in page_of(tmp_path, [run])[0].notices if "Trained" in notice.title]


def test_the_verdict_opens_the_page_and_must_be_on_its_model(tmp_path, make_run, verdict_json):
    run = make_run(tmp_path / "cb", "cb", n=3)
    gate = tmp_path / "verdict.json"
    gate.write_text(verdict_json(run))
    page, html = page_of(tmp_path, [run], gate=gate)
    assert not page.verdict.passed and "cb must not be released" in html.text
    assert "lost rose by 9.1 points <b>on</b> xstest:safe." in html.text
    assert [finding.passed for finding in page.verdict.findings] == [False, True, True]
    gate.write_text(verdict_json(run, passed=True))
    assert "cb may be released" in page_of(tmp_path, [run], gate=gate)[1].text

    other = make_run(tmp_path / "other", "cb", n=3, model_digest="sha256:" + "77" * 32)
    with pytest.raises(UsageError, match="verdict on run 'cb'"):
        page_of(tmp_path, [other], gate=gate)
    gate.write_text('{"passed": true}')
    with pytest.raises(UsageError, match="is no gate verdict"):
        page_of(tmp_path, [run], gate=gate)


def test_training_curves_and_what_a_broken_record_leaves_of_them(tmp_path, make_run, training_record):
    run = make_run(tmp_path / "cb", "cb", n=3, training=training_record())
    training = training_of(read_contents(run, "outcome"))
    assert [c.title.split()[0] for c in training.curves] == ["Cosine", "Harmful", "Losses", "Norms"]
    assert training.curves[0].mark == 10.0 and training.curves[0].mark_text == "escape, step 8"  # of 80
    assert [series.name for series in training.curves[1].series] == ["layer 10", "layer 20"]
    assert ("target_layers", "10, 20") in training.facts and ("config.lora_r", "16") in training.facts
    odd = {"status": "ok", "monitors": [{"step": 0}, {"step": 1, "harmful_cosine": "x"}, 3], "config": [1]}
    odd_run = make_run(tmp_path / "odd", "cb", n=3, training=odd)
    page, _ = page_of(tmp_path, [odd_run])
    assert page.training[0].curves == ()


def test_many_runs_share_the_page(tmp_path, make_run):
    base = make_run(tmp_path / "base", n=4)
    others = [make_run(tmp_path / f"seed{i}" / "cb", "cb", n=4, seed=i) for i in range(5)]
    page, html = page_of(tmp_path, [*others, base], base)
    assert [run.name for run in page.runs] == ["base", *(f"seed{i}/cb" for i in range(5))]
    assert len(page.sections[0].flows) == 5 and len(page.forest[0].lanes) == 6
    assert page.sections[0].columns == ("Run", "Rate", "Difference", "p")
    assert [a for tag, a in html.tags if a.get("id") == "f-run"]


def test_the_commands_and_digests_are_told(tmp_path, folders):
    _, html = page_of(tmp_path, [folders[1]], folders[0])
    assert "cbeval run --model out/breaker --suite harmbench --out breaker" in html.text
    for told in ("model digest", "sha256:" + "5d" * 32, "SHA-256 of cases.jsonl", "judge digest", "hardware.processor"):
        assert told in html.text


def test_errors_name_the_way_out(tmp_path, folders):
    with pytest.raises(UsageError, match=r"is not judged by 'wildguard' .*`cbeval judge"):
        write_report([folders[1]], folders[0], tmp_path / "x.html", judge="wildguard")
    assert not (tmp_path / "x.html").exists()


def test_the_same_runs_give_the_same_file(tmp_path, folders):
    from datetime import UTC, datetime

    at = datetime(2026, 1, 2, tzinfo=UTC)
    for name in ("a.html", "b.html"):
        write_report([folders[1]], folders[0], tmp_path / name, made=at)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
