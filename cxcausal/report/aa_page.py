"""One self-contained page about an A/A run: the answer, the table of rates and pictures of p-values."""

from typing import TYPE_CHECKING

from cxcausal.core.wording import count, number, percent
from cxcausal.report.charts.p_values import STYLE, p_value_bars
from cxcausal.report.charts.svg import Node, markup, node
from cxcausal.report.small_page import page_of
from cxcausal.report.text import Html

if TYPE_CHECKING:
    from cxcausal.pipeline.aa_result import AaResult, AlarmRate

HEADS = ("what", "arm", "alarms", "rate", "between", "promised", "verdict", "smallest in sight")
_KINDS = {
    "metric": "{name}",
    "guardrail_beyond": "{name}: beyond its margin",
    "guardrail_open": "{name}: not shown inside its margin",
    "family": "{name}",
    "check": "check {name}",
}
_WORDS = {
    "as_promised": "as promised",
    "too_many": "too many false alarms",
    "too_few_to_tell": "too few to tell",
    "told": "-",
}


def aa_page(result: "AaResult") -> str:
    """Return the page as HTML; no script, font or address is needed to see it.

    Args:
        result: what the A/A run found.
    """
    return page_of(f"A/A of {result.experiment}", _body(result), STYLE)


def named(row: "AlarmRate") -> str:
    """Return what a line is about."""
    return _KINDS[row.kind].format(name=row.name)


def cells_of(row: "AlarmRate") -> tuple[str, ...]:
    """Return a line of the table in words."""
    return (
        named(row),
        row.arm or "-",
        f"{count(row.alarms)} of {count(row.tosses)}",
        percent(row.rate or 0.0),
        f"{percent(row.low or 0.0)} to {percent(row.high or 0.0)}",
        "-" if row.promised is None else percent(row.promised),
        _WORDS[row.verdict],
        "-" if row.smallest is None else number(row.smallest),
    )


def _body(result: "AaResult") -> Html:
    tossed = (
        f"{count(result.randomization_units)} randomised units, tossed {count(result.tosses)} times from seed "
        f"{result.seed}; rates lie between the limits with {percent(result.confidence)}."
    )
    computed = [row for row in result.rows if row.status == "ok"]
    missing = [f"Not computed: {named(row)}: {row.reason}" for row in result.rows if row.status != "ok"]
    parts = [
        markup(node("h1", f"A/A of {result.experiment}")),
        markup(node("p", result.sentence)),
        markup(node("p", tossed)),
        markup(_table(computed)),
        *(markup(node("p", text)) for text in (*missing, *result.notes)),
        *(_figure(row) for row in computed if row.bins),
    ]
    return Html(f'<main id="content"><section class="part"><div class="body">{"".join(parts)}</div></section></main>')


def _table(rows: "list[AlarmRate]") -> Node:
    head = node("tr", *(node("th", text, scope="col") for text in HEADS))
    lines = (node("tr", *(node("td", text) for text in cells_of(row))) for row in rows)
    return node("table", node("thead", head), node("tbody", *lines))


def _figure(row: "AlarmRate") -> Html:
    text = f"{row.name}, {row.arm}: p-values of {count(row.tosses)} tosses; bars within the band are as they should be"
    caption = markup(node("figcaption", text))
    return Html(f'<figure class="figure p-values">{caption}{p_value_bars(row.bins, text)}</figure>')
