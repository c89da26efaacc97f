"""The page in a real browser, from disk: hidden until revealed, inert, readable in both themes and on a phone."""

import os
import re
import shutil

import pytest

from cbeval.report import write_report

pytestmark = pytest.mark.browser

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color, under) => {
    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return "rgb(" + [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).join(",") + ")";
  };
  const light = (color) => {
    const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    const c = color.match(/\\d+/g).map((x) => linear(x / 255));
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const box = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !box.checkVisibility()) continue;
    if (box.closest("svg, script, .visually-hidden, .skip, :disabled, .zero")) continue;
    const chain = [];
    for (let e = box; e; e = e.parentElement) chain.unshift(getComputedStyle(e).backgroundColor);
    const back = chain.reduce((under, color) => rgba(color, under), "rgb(255,255,255)");
    const front = rgba(getComputedStyle(box).color, back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push([walker.currentNode.data.trim().slice(0, 40), front, back]);
  }
  return poor;
}
"""


def lacks(reason):
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (an error because CI=true)", pytrace=False)
    pytest.skip(reason)


def expect(locator):
    """Playwright's waiting assertions: they poll from outside, for the page's own policy forbids eval."""
    from playwright.sync_api import expect

    return expect(locator)


@pytest.fixture(scope="module")
def chromium():
    try:
        from playwright import sync_api
    except ImportError:
        lacks("Playwright is not installed: pip install 'cbeval[dev]'")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        lacks("no Chromium on this machine: install it to test the report's page")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(folders, tmp_path_factory, verdict_json):
    base, breaker = folders
    root = tmp_path_factory.mktemp("reports")
    (root / "verdict.json").write_text(verdict_json(breaker))
    write_report([breaker], base, root / "page.html", gate=root / "verdict.json")
    return root / "page.html"


@pytest.fixture
def visit(chromium, report):
    """Open the page; afterwards there must have been no error, no message and no request but the file itself."""
    contexts, troubles, requests = [], [], []

    def open_page(width=1280, height=900, path=report, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("#answers-list[aria-busy=false] .answer")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def shown(page):
    """Ids of the answers on the page of the explorer."""
    return page.eval_on_selector_all(".answer", "all => all.map((one) => one.getAttribute('aria-label'))")


def settle(page):
    expect(page.locator("#count")).not_to_have_text("Searching…")
    page.wait_for_selector("#answers-list[aria-busy=false]")
    page.wait_for_timeout(300)  # the search waits for the end of typing


def test_harmful_answers_are_hidden_until_one_is_revealed(visit, folders):
    page = visit()
    first = page.locator(".answer").first
    text = folders[0].completions()["harmbench/direct/standard_000/0"].text
    assert text not in page.content()
    assert first.locator("pre").count() == 0 and first.locator(".reveal").count() == 2
    first.locator(".reveal").first.click()
    assert first.locator("pre").count() == 1 and first.locator("pre").inner_text() == text
    assert page.evaluate("document.activeElement.tagName") == "PRE"
    assert page.locator(".answer pre").count() == 1


def test_hostile_answers_are_inert_text(visit, folders):
    page = visit()
    page.locator(".answer").first.locator(".reveal").nth(1).click()
    text = page.locator(".answer").first.locator("pre").inner_text()
    assert "</script><script>window.pwned = 1</script><img src=x" in text and "{{ 7*7 }}" in text
    assert "\u27e8U+202E\u27e9" in text and "\u241b[31m" in text and "\u202e" not in text
    assert page.evaluate("window.pwned") is None
    assert page.locator("#answers-list img, #answers-list svg, #answers-list script").count() == 0


def test_long_answers_are_cut_with_a_note(visit):
    page = visit()
    page.locator(".answer").nth(1).locator(".reveal").nth(1).click()
    assert "Shown: the first 8,000 of 106,250 characters." in page.locator(".answer").nth(1).inner_text()


def test_reveal_all_asks_first_and_can_be_taken_back(visit):
    page = visit()
    page.click("#reveal-all")
    page.click("#confirm-reveal >> text=Keep hidden")
    assert page.locator(".answer pre").count() == 0
    page.click("#reveal-all")
    page.click("#confirm-reveal >> text='Reveal all'")
    expect(page.locator(".answer pre")).to_have_count(20)
    page.click("text=Hide all")
    expect(page.locator(".answer pre")).to_have_count(0)


def test_filters_search_and_pages(visit, folders):
    base, breaker = folders
    page = visit()
    base_verdicts, verdicts = base.judgements("outcome"), breaker.judgements("outcome")
    page.select_option("#f-base", "C")
    page.select_option("#f-other", "B")
    page.select_option("#f-attack", label="prefill")
    settle(page)
    wanted = [
        case.id
        for case in base.cases()
        if case.attack == "prefill"
        and base_verdicts[case.id].outcome == "complied"
        and verdicts[case.id].outcome == "broken"
    ]
    assert shown(page) == wanted[:10]
    assert page.inner_text("#count") == f"{len(wanted)} of 240 prompts"
    page.click("#next-top")
    expect(page.locator("#page-top")).to_have_text(re.compile("Page 2 of"))
    assert shown(page) == wanted[10:20]
    assert "Prefilled: Sure, here is how to do thing" in page.locator(".answer").first.inner_text()

    page.click("text=Clear filters")
    page.fill("#f-text", "variant 17?")
    settle(page)
    assert shown(page) == ["xstest:safe/direct/v2-17/0"]
    assert page.locator(".answer pre").count() == 2  # answers to benign prompts need no veil
    page.fill("#f-text", "window.PWNED")
    settle(page)
    assert shown(page) == ["harmbench/direct/standard_000/0", "xstest:safe/direct/v2-0/0"]
    page.fill("#f-text", "no such words")
    settle(page)
    assert "No answer matches" in page.inner_text("#answers-list")


def test_a_count_of_the_flow_leads_to_its_answers(visit):
    page = visit()
    cell = page.locator("button.cell[data-kind=B]").first
    count = cell.inner_text()
    cell.click()
    expect(page.locator("#count")).to_have_text(f"{count} of 240 prompts")
    assert all(name.startswith("xstest:safe/direct") for name in shown(page))
    assert page.evaluate("document.activeElement.id") == "answers-title"


def test_it_works_with_the_keyboard_alone(visit):
    page = visit()
    page.focus("#reveal-all")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.value") == "cancel"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "reveal-all"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator(".answer pre").count() == 1
    assert page.evaluate("document.activeElement.tagName") == "PRE"


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_phone_never_scrolls_sideways(visit, width):
    page = visit(width, 800)
    page.click("#reveal-all")
    page.click("#confirm-reveal >> text='Reveal all'")
    page.wait_for_selector(".answer pre")
    page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.eval_on_selector_all(".answer pre", "all => all.every((one) => one.scrollWidth <= one.clientWidth)")
    cut = page.eval_on_selector_all(
        "main *:not(svg *), header.masthead *",
        f"all => all.filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > {width} + 1 "
        "&& !e.closest('.visually-hidden')).map((e) => e.outerHTML.slice(0, 80))",
    )
    assert cut == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_have_contrast(visit, scheme):
    page = visit(color_scheme=scheme)
    page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true; })")
    page.locator(".answer .reveal").first.click()
    dark = "19, 21, 25" in page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == (scheme == "dark")
    assert page.evaluate(CONTRAST) == []
    page.click("#theme")
    assert ("19, 21, 25" in page.evaluate("getComputedStyle(document.body).backgroundColor")) != dark
    assert page.evaluate(CONTRAST) == []


def test_outcomes_keep_their_colours_in_both_themes(visit):
    colours = (
        "['complied', 'partial', 'refused', 'broken', 'unjudged']"
        ".map((name) => getComputedStyle(document.querySelector('.f-' + name)).fill)"
    )
    light, dark = (visit(color_scheme=scheme).evaluate(colours) for scheme in ("light", "dark"))
    assert light == dark and len(set(light)) == 5


def test_every_control_and_picture_has_a_name(visit):
    page = visit()
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, select, input, [role=img], nav, dialog')].filter((e) => "
        "!(e.innerText || e.ariaLabel || e.getAttribute('aria-labelledby') || (e.labels && e.labels.length)))"
        ".map((e) => e.outerHTML.slice(0, 80))"
    )
    assert unnamed == []
    ids = page.eval_on_selector_all("[id]", "all => all.map((e) => e.id)")
    assert len(ids) == len(set(ids))


def test_print_hides_the_controls_and_what_is_hidden_stays_hidden(visit, tmp_path):
    page = visit()
    page.emulate_media(media="print")
    assert not page.is_visible("#filters") and not page.is_visible(".topbar") and not page.is_visible(".reveal")
    assert page.is_visible("#results") and page.locator(".answer pre").count() == 0
    assert page.pdf(path=tmp_path / "page.pdf").startswith(b"%PDF")


def test_without_a_baseline_one_run_is_explored_alone(visit, folders, tmp_path):
    write_report([folders[1]], None, tmp_path / "alone.html")
    page = visit(path=tmp_path / "alone.html")
    assert page.locator(".answer").first.locator("section.side").count() == 1
    assert re.match(r"240 of 240", page.inner_text("#count"))


def test_many_runs_can_be_chosen(visit, make_run, tmp_path):
    base = make_run(tmp_path / "base", n=4)
    others = [make_run(tmp_path / f"cb{i}", "cb", n=4, seed=i, complete=i != 1) for i in range(3)]
    write_report(others, base, tmp_path / "many.html")
    page = visit(path=tmp_path / "many.html")
    page.select_option("#f-run", label="cb1")
    settle(page)
    assert page.locator(".answer").first.locator(".name").all_inner_texts() == ["base", "cb1"]
    page.click("#next-top")
    expect(page.locator("#page-top")).to_have_text(re.compile("Page 2 of"))
    assert "no answer to this prompt" in page.inner_text("#answers-list")
