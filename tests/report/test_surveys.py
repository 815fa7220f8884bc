"""What the page says of surveys: a number is called unsafe where it stands, and the appendix shows all sides."""

from dataclasses import replace
from typing import Any

import pytest

from cxcausal.core.results import Estimate, RunResult
from cxcausal.report import render_report
from cxcausal.report.facts import Facts
from cxcausal.report.sections.appendix_surveys import SurveysSection
from cxcausal.report.sentences.caveats import unknowns
from cxcausal.report.sentences.guardrails import guardrail_sentence
from cxcausal.report.text import FIXED_PHRASES, plain
from tests.report import worlds
from tests.report.reader import read
from tests.report.test_numbers import agrees, quoted, recomputed

UNSAFE = "unsafe: the contact changed who answers (27.4 % with 'gig', 25.8 % with 'none'); see the bounds"


def beside(metric: str, arm: str, unit: str = "points") -> tuple[Estimate, ...]:
    """Return the companions of one metric and arm."""
    names: dict[str, Any] = {"arm": arm, "control": "none", "estimand": "itt", "companion": True, "level": 0.9}
    own = {**names, "metric": metric, "role": "guardrail", "unit": unit, "n_treated": 4120, "n_control": 3874}
    rate = Estimate(
        **{**names, "level": 0.95}, metric=f"{metric}.response", role="exploratory", method="difference_in_means",
        point=0.0156, low=0.0056, high=0.0256, se=0.0051, p=0.002, unit="share of customers",
        mean_treated=0.2741, mean_control=0.2585, n_treated=15031, n_control=14987,
    )  # fmt: skip
    aipw = Estimate(
        **own, method="response_aipw", adjustment="covariates", point=0.01, low=-0.03, high=0.05, se=0.024, p=0.01
    )
    lee = Estimate(**own, method="lee_bounds", set_low=-0.081, set_high=0.102, low=-0.13, high=0.151, df=3873.0)
    worst = Estimate(
        **own, method="worst_case_bounds", set_low=-2.4, set_high=2.6, low=-2.45, high=2.66,
        reason="whoever did not answer is taken to lie within the answers in the data, 1 to 5",
    )  # fmt: skip
    return rate, aipw, lee, worst


def surveyed(result: RunResult) -> RunResult:
    """Return a result in which the contact changed who rates, and nobody rated the agents' net promotion."""
    rows = tuple(
        replace(row, reason=UNSAFE) if row.metric == "csat" and row.arm == "gig" else row for row in result.effects
    )
    refused = replace(
        beside("nps", "gig")[2], status="not_computed", set_low=None, set_high=None, low=None, high=None,
        reason="fewer than 2 customers in arm 'gig' answered",
    )  # fmt: skip
    return replace(result, effects=(*rows, *beside("csat", "gig"), beside("nps", "gig")[0], refused))


@pytest.mark.parametrize("build", [worlds.outreach, worlds.failed_gate])
def test_every_number_and_quote_comes_from_the_result(build: Any) -> None:
    result = surveyed(build())
    page = read(render_report(result, ledger_head=worlds.HASH))
    tree = {**result.to_dict(), "ledger_head": worlds.HASH}
    rest = "\n".join(page.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert [line for line in rest.splitlines() if any(sign.isdigit() for sign in line)] == []
    for mark in page.numbers:
        assert agrees(mark, recomputed(tree, mark.attributes["data-key"])), mark
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []


def test_the_sentence_says_unsafe_beside_the_number() -> None:
    facts = Facts(surveyed(worlds.outreach()))
    metric = next(metric for metric in facts.metrics if metric.name == "csat")
    told = plain(guardrail_sentence(facts, metric, "gig")).replace("\N{NO-BREAK SPACE}", " ")
    assert told.endswith(
        "Unsafe to read alone: the contact changed who answers "
        "(27.4 % with “Customer expert calls”, 25.9 % with “Business as usual”)."
    )
    assert "Unsafe" not in plain(guardrail_sentence(facts, metric, "agent"))


def test_what_is_not_known_says_it_with_the_bounds() -> None:
    facts = Facts(surveyed(worlds.outreach()))
    told = [plain(words).replace("\N{NO-BREAK SPACE}", " ") for words in unknowns(facts)]
    (doubt,) = [line for line in told if line.startswith("Whether “Satisfaction score")]
    assert "For the customers who answer either way, the plausible range (90 %) is 0.13 points lower to 0.15" in doubt
    assert any(line.startswith("What those who did not answer would say: “Net promoter") for line in told)


def test_bounds_that_doubt_without_a_change_of_who_answers_are_said_so() -> None:
    result = surveyed(worlds.outreach())
    rows = (replace(row, low=-0.01) if row.metric == "csat.response" else row for row in result.effects)
    facts = Facts(replace(result, effects=tuple(rows)))
    metric = next(metric for metric in facts.metrics if metric.name == "csat")
    assert plain(guardrail_sentence(facts, metric, "gig")).endswith(
        "Unsafe to read alone: those who answered may not be alike, as the bounds in the appendix show."
    )


def test_the_appendix_shows_every_side_with_what_it_assumes() -> None:
    page = read(render_report(surveyed(worlds.outreach()), ledger_head=None))
    assert page.numbers
    view = SurveysSection().build(Facts(surveyed(worlds.outreach())))
    assert view is not None
    table = next(block for block in view.blocks if block.kind == "table")
    told = [[plain(cell.words).replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in table.rows]  # type: ignore[union-attr]
    mine = [row for row in told if row[0] == "Customer expert calls"]
    assert [row[1] for row in mine] == [
        "Share who answered",
        "Difference among those who answered",
        "Adjusted for who answers",
        "Bounds by trimming (Lee)",
        "Worst-case bounds",
    ]
    assert mine[0][2:4] == ["27.4 % with, 25.9 % without", "0.6 to 2.6 percentage points (95 %)"]
    assert mine[3][2:4] == ["−0.08 to 0.10 points", "−0.13 to 0.15 points (90 %)"]
    assert mine[4][4].endswith("Here whoever did not answer is taken to lie within the answers in the data, 1 to 5.")
    assert all(row[4] for row in mine)
    other = next(block for block in view.blocks[2:] if block.kind == "table")
    words = " ".join(plain(cell.words) for row in other.rows for cell in row)  # type: ignore[union-attr]
    assert "fewer than 2 customers in arm 'gig' answered" in words


def test_without_surveys_there_is_no_such_section() -> None:
    assert SurveysSection().build(Facts(worlds.outreach())) is None


def test_the_effects_table_shows_a_set_as_a_set() -> None:
    page = render_report(surveyed(worlds.outreach()), ledger_head=None)
    assert "not computed, because: <bdi" in page
    lee = next(i for i, row in enumerate(surveyed(worlds.outreach()).effects) if row.method == "lee_bounds")
    in_both_tables = 2
    assert page.count(f'data-key="effects.{lee}.set_low"') == in_both_tables
