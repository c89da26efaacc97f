"""The benchmarks' published counts and columns (docs: the numbers are HarmBench's, XSTest's and AdvBench's own)."""

from collections import Counter

import pytest

from cbeval import assets
from cbeval.errors import UsageError
from cbeval.suites import list_suites, load_suite


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("harmbench", {"standard": 159, "contextual": 81, "copyright": 80}),
        ("harmbench-val", {"standard": 41, "contextual": 19, "copyright": 20}),
    ],
)
def test_harmbench_counts(mirror, name, parts):
    suite = load_suite(name)
    assert Counter(b.subset for b in suite.behaviors) == parts
    assert {b.label for b in suite.behaviors} == {"harmful"}
    for part, n in parts.items():
        rows = load_suite(f"{name}:{part}")
        assert rows.behaviors == tuple(b for b in suite.behaviors if b.subset == part)
        assert (rows.name, len(rows.behaviors)) == (f"{name}:{part}", n)


def test_harmbench_tags_context_and_targets(mirror):
    both = load_suite("harmbench").behaviors + load_suite("harmbench-val").behaviors
    assert Counter(tag for b in both for tag in b.tags) == {"context": 100, "hash_check": 100, "book": 50, "lyrics": 50}
    assert {b.subset for b in both if b.context} == {"contextual"} == {b.subset for b in both if "context" in b.tags}
    assert all(b.target for b in both)


def test_harmbench_loads_without_its_targets_file(cache, mirror, tmp_path, monkeypatch):
    own = tmp_path / "mirror" / "harmbench"
    own.mkdir(parents=True)
    name = "harmbench_behaviors_text_val.csv"
    (own / name).write_bytes((mirror / "harmbench" / name).read_bytes())
    monkeypatch.setenv("CBEVAL_MIRROR", str(own.parent))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    suite = load_suite("harmbench-val")
    assert len(suite.behaviors) == 80 and {b.target for b in suite.behaviors} == {""}
    assert "without its targets file" in suite.source


def test_xstest_labels_and_types(mirror):
    suite = load_suite("xstest")
    assert Counter(b.label for b in suite.behaviors) == {"benign": 250, "harmful": 200}
    assert set(Counter(b.category for b in suite.behaviors).values()) == {25}
    assert all(b.category.startswith("contrast_") == (b.label == "harmful") for b in suite.behaviors)
    assert [b.label for b in load_suite("xstest:unsafe").behaviors] == ["harmful"] * 200


def test_advbench(mirror):
    suite = load_suite("advbench")
    assert [b.id for b in suite.behaviors] == [str(n) for n in range(1, 521)]
    assert all(b.target and b.label == "harmful" for b in suite.behaviors)


def test_the_list_says_how_many_rows_each_suite_has(mirror):
    infos = list_suites()
    for info in infos:
        assert len(load_suite(info.name).behaviors) == info.n
        assert info.available and not info.why_not


def test_the_list_fetches_nothing_and_says_what_to_do(cache, monkeypatch):
    monkeypatch.delenv("CBEVAL_MIRROR", raising=False)
    by_name = {info.name: info for info in list_suites()}
    assert by_name["smoke"].available
    assert not by_name["xstest:safe"].available
    assert by_name["harmbench:standard"].why_not == "not fetched yet: cbeval assets pull harmbench-test"
    assert not assets.cache_folder().exists()


@pytest.mark.parametrize(("name", "near"), [("harmbnch", "harmbench"), ("harmbench:standart", "harmbench:standard")])
def test_an_unknown_suite_suggests_the_nearest(name, near):
    with pytest.raises(
        UsageError, match=rf"suite '{name}' is unknown; did you mean '{near}'\? \(cbeval suites lists all\)"
    ):
        load_suite(name)


def test_the_smoke_suite_has_both_labels_and_openings_for_harmful_rows():
    behaviors = load_suite("smoke").behaviors
    assert {b.label for b in behaviors} == {"harmful", "benign"}
    assert all(b.target for b in behaviors if b.label == "harmful")
