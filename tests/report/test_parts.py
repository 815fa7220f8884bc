"""The appendix on what averages are made of, and sentences about quantiles; every number from its key."""

import re
from dataclasses import asdict, replace

import pytest

from cxcausal.core.results import Estimate, RunResult
from cxcausal.report import render_report
from cxcausal.report.blocks import Bullets
from cxcausal.report.facts import Facts
from cxcausal.report.sections.appendix_parts import PartsSection
from cxcausal.report.sentences.effects import effect_sentence
from cxcausal.report.text import FIXED_PHRASES, plain
from tests.report.reader import read
from tests.report.test_numbers import agrees, quoted, recomputed
from tests.report.worlds import outreach

CAP = (
    "a capped mean, which is another quantity: values above 1,240 count as 1,240 (the 99.9th percentile over all arms)"
)


def _part(row: Estimate, name: str, **changes: object) -> Estimate:
    return replace(row, metric=f"{row.metric}.{name}", role="exploratory", headline=False, companion=True, **changes)  # type: ignore[arg-type]


def _with_companions(result: RunResult) -> RunResult:
    rows: list[Estimate] = []
    for row in result.effects:
        rows.append(row)
        if row.metric == "nps":
            rows += [_part(row, "promoters"), _part(row, "detractors", low=None, high=None, status="not_computed")]
        if row.metric == "margin_90d":
            rows += [_part(row, name) for name in ("who", "how_much", "from_who", "from_how_much")]
            rows.append(replace(row, trimming="winsorized", companion=True, headline=False, reason=CAP))
    return replace(result, effects=tuple(rows))


def _with_quantile(result: RunResult, q: float, **numbers: float) -> RunResult:
    """Return the result with its first success metric turned into a quantile."""
    metrics = dict(result.plan["metrics"])
    (first, *others) = metrics["success"]
    first = {**first, "type": "quantile", "q": q, "column": "spend", "label": "Spend at the top"}
    rows = tuple(
        replace(row, method="quantile_difference", **numbers)  # type: ignore[arg-type]
        if row.metric == first["name"] and row.scale == "absolute" and row.population == "all"
        else row
        for row in result.effects
    )
    return replace(result, effects=rows, plan={**result.plan, "metrics": {**metrics, "success": [first, *others]}})


CLEAR = {"point": 13.0, "low": 4.0, "high": 21.0, "se": 4.0, "mean_control": 54.2, "mean_treated": 67.2}


@pytest.mark.parametrize(
    ("q", "name"),
    [(0.9, "the 90th percentile"), (0.5, "the median"), (0.999, "the 99.9th percentile"), (0.02, "the 2nd percentile")],
)
def test_a_sentence_says_which_quantile_it_is_of_what(q: float, name: str) -> None:
    facts = Facts(_with_quantile(outreach(), q, **CLEAR))
    told = plain(effect_sentence(facts, facts.metrics[0], facts.lead))
    assert told.startswith(f"“Spend at the top” ({name} of “spend”) is about 13 higher with “")
    assert "(plausible range: 4 to 21 higher)" in told
    unclear = Facts(_with_quantile(outreach(), q, **{**CLEAR, "low": -4.0}))
    assert f"({name} of “spend”)" in plain(effect_sentence(unclear, unclear.metrics[0], unclear.lead))


def test_parts_and_caps_have_their_section() -> None:
    facts = Facts(_with_companions(outreach()))
    section = PartsSection().build(facts)
    assert section is not None
    assert [block.kind for block in section.blocks] == ["bullets", "table", "paragraph", "bullets"]
    table = section.blocks[1]
    assert table.kind == "table"
    names = [plain(row[0].words) for row in table.rows]  # type: ignore[union-attr]
    assert names[:3] == ["margin_90d.who"] * 3
    assert {"nps.promoters", "nps.detractors", "margin_90d.from_how_much"} < set(names)
    bullets = section.blocks[3]
    assert isinstance(bullets, Bullets)
    assert CAP in plain(bullets.items[0])


def test_without_parts_there_is_no_section() -> None:
    assert PartsSection().build(Facts(outreach())) is None


def test_behind_a_failed_gate_the_parts_carry_the_warning() -> None:
    section = PartsSection().build(Facts(replace(_with_companions(outreach()), verdict="no_decision")))
    assert section is not None
    assert "must not be used" in plain(section.blocks[0].words)  # type: ignore[union-attr]


def test_every_number_of_the_page_comes_from_its_key() -> None:
    result = _with_quantile(_with_companions(outreach()), 0.9, **CLEAR)
    page, tree = read(render_report(result, ledger_head=None)), {**asdict(result), "ledger_head": None}
    assert all(agrees(mark, recomputed(tree, mark.attributes["data-key"])) for mark in page.numbers)
    assert all(quoted(tree, mark) for mark in page.quotes)
    rest = "\n".join(page.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert re.findall(r"\d", rest) == []


def test_page_one_ignores_parts_and_caps() -> None:
    plainly, beside = (
        read(render_report(result, ledger_head=None)) for result in (outreach(), _with_companions(outreach()))
    )
    assert plainly.page_one == beside.page_one
