"""The page as a document: self-contained, locked by its policy, in order, readable without colour."""

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from cxcausal.core.registry import Registry
from cxcausal.report import render_report
from cxcausal.report.palette import DARK, LIGHT, MARK_PAIRS, TEXT_PAIRS, contrast
from cxcausal.report.view import APPENDIX, PAGE_ONE
from tests.report import worlds
from tests.report.reader import read, without_styles
from tests.report.situations import SITUATIONS
from tests.report.worlds_whom import WHOM

ORDER = (
    "The answer",
    "What changed for customers",
    "What it is worth",
    "Can we trust it?",
    "Where the human matters",
    "What we do not know",
    "Decision asked",
    "How to verify this page",
    "Appendix",
)


@pytest.fixture(scope="module", params=(*SITUATIONS, "whom_pays", "whom_refused", "whom_no_decision"))
def html(request: pytest.FixtureRequest) -> str:
    return render_report({**SITUATIONS, **WHOM}[request.param](), ledger_head=worlds.HASH)


def test_nothing_can_run_or_load(html: str) -> None:
    tags = read(html).tags
    assert not {"script", "iframe", "object", "embed", "link", "img", "base", "form", "foreignobject"} & {
        t for t, _ in tags
    }
    for tag, attributes in tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "xlink:href", "action", "srcset", "poster"):
            assert attributes.get(name, "#").startswith("#"), (tag, attributes)
    assert "url(" not in html
    assert "@import" not in html
    assert not re.search(r"(?:https?:)?//[a-z]", without_styles(html))


def test_the_policy_allows_this_stylesheet_and_nothing_else(html: str) -> None:
    policy = next(a["content"] for t, a in read(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    (sheet,) = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_headings_step_down_one_by_one_and_stand_in_the_agreed_order(html: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert tuple(re.findall(r"<h2[^>]*>([^<]+)</h2>", html)) == ORDER


def test_landmarks_language_and_one_id_each(html: str) -> None:
    tags = read(html).tags
    names = [tag for tag, _ in tags]
    assert dict(tags[names.index("html")][1]) == {"lang": "en"}
    assert (names.count("header"), names.count("main"), names.count("footer")) == (1, 1, 1)
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = [a["aria-labelledby"] for _, a in tags if "aria-labelledby" in a]
    assert set(wanted) <= set(ids)


def test_tables_have_captions_and_scopes_and_pictures_have_names(html: str) -> None:
    tags = read(html).tags
    names = [tag for tag, _ in tags]
    assert names.count("table") == names.count("caption")
    assert all(a.get("scope") in {"col", "row"} for t, a in tags if t == "th")
    pictures = [a for t, a in tags if t == "svg" and "aria-hidden" not in a]
    assert all(a["role"] == "img" and a["aria-label"] for a in pictures)
    labels = [a["aria-label"] for a in pictures]
    assert len(set(labels)) == len(labels), "pictures that sound the same"
    regions = [a for _, a in tags if a.get("role") == "region"]
    assert regions
    assert all(a["tabindex"] == "0" and a["aria-labelledby"] for a in regions)


def test_sections_are_registered_components() -> None:
    assert set(Registry(kind="sections").names()) >= {*PAGE_ONE, *APPENDIX}
    for name in (*PAGE_ONE, *APPENDIX):
        assert Registry(kind="sections").load(name).name == name


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_words_and_marks_have_the_contrast_of_wcag(palette: dict[str, str]) -> None:
    poor = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in TEXT_PAIRS}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    marks = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in MARK_PAIRS}
    assert {pair: ratio for pair, ratio in marks.items() if ratio < 3.0} == {}


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)


def test_five_lights_say_their_state_in_words_and_shapes() -> None:
    html = render_report(worlds.failed_gate(), ledger_head=None)
    lights = re.findall(r'<li class="light s-(\w+)">\s*<h3><svg[^>]*class="icon icon-(\w+)".*?</svg>([^<]+)</h3>', html)
    assert lights == [
        ("fail", "fail", "Assignment"),
        ("pass", "pass", "Comparability"),
        ("warn", "warn", "Completeness"),
        ("could_not_run", "could_not_run", "Robustness"),
        ("pass", "pass", "Plan followed"),
    ]


def test_an_outside_check_counts_as_robustness() -> None:
    extra = worlds.check("negative_controls", "fail", "The placebo outcome moved.")
    html = render_report(worlds.outreach(checks=(*worlds.CHECKS, extra)), ledger_head=None)
    robustness = html.split("Robustness</h3>")[1].split("</li>")[0]
    assert "Failed" in robustness
    assert "The placebo outcome moved." in robustness


def test_the_footer_says_that_there_is_no_ledger() -> None:
    assert "no ledger was kept" in render_report(worlds.outreach(), ledger_head=None)


def test_example_assumptions_and_missing_approval_are_said() -> None:
    html = render_report(SITUATIONS["pilot_by_cap"](), ledger_head=None)
    assert "Example assumptions." in html
    assert "Nobody is on record as having approved these assumptions. All ranges of money are " in html
    assert "Example assumptions." not in render_report(worlds.outreach(), ledger_head=None)


def test_every_planned_metric_is_listed_with_the_reason_where_it_has_no_number() -> None:
    html = render_report(worlds.outreach(), ledger_head=None)
    table = html.split('class="cards metrics-table"')[1].split("</table>")[0]
    assert table.count("<tr") == 1 + 7 * 3
    assert table.count("not computed, because: ") == 3
    result = worlds.outreach()
    silent = replace(result, effects=tuple(row for row in result.effects if row.metric != "nps"))
    table = render_report(silent, ledger_head=None).split('class="cards metrics-table"')[1].split("</table>")[0]
    assert table.count("no estimator answered") == 3


def test_the_same_result_gives_the_same_page() -> None:
    assert render_report(worlds.outreach(), ledger_head="a") == render_report(worlds.outreach(), ledger_head="a")


def test_the_bar_says_the_gist_and_the_decision_gives_the_whole_reason() -> None:
    html = render_report(worlds.outreach(), ledger_head=None)
    bar, decision = html.split("<main")[0], html.split("Decision asked</h2>")[1].split("</section>")[0]
    assert ">It works and pays</bdi>." in bar
    assert "every guardrail" not in bar
    assert "every guardrail stayed within its limit" in decision


def test_every_reference_has_its_target_and_every_target_is_one(html: str) -> None:
    tags = read(html).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = {part for _, a in tags for part in a.get("aria-labelledby", "").split()}
    wanted |= {a["href"].removeprefix("#") for _, a in tags if "href" in a}
    assert wanted <= set(ids)


def test_what_scrolls_is_reached_by_the_keyboard_and_has_a_name(html: str) -> None:
    scrolling = [a for _, a in read(html).tags if a.get("class") == "scroll"]
    assert scrolling
    assert all(a["tabindex"] == "0" and a["role"] == "region" and a["aria-labelledby"] for a in scrolling)


def test_no_table_has_an_empty_heading_and_no_list_is_empty(html: str) -> None:
    body = html.split("</style>")[1]
    assert re.findall(r"<th[^>]*>\s*</th>", body) == []
    assert re.findall(r"<(?:ul|dl|tbody)[^>]*>\s*</", body) == []
