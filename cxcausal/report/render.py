"""From the view-model to one self-contained HTML page: no script, no network, one stylesheet allowed by its hash."""

from functools import cache
from typing import TYPE_CHECKING

from cxcausal.core.results import RunResult
from cxcausal.report.charts import contour, curves, love, overlap
from cxcausal.report.facts import Facts
from cxcausal.report.sections import moments
from cxcausal.report.stylesheet import policy_for, stylesheet
from cxcausal.report.text import Html, compact, html
from cxcausal.report.view import page_view

if TYPE_CHECKING:
    from jinja2 import Template


_OF_WHOM = (moments.STYLE, curves.STYLE)
_OF_SCORES = (overlap.STYLE, love.STYLE, contour.STYLE)


def render_report(result: RunResult, *, ledger_head: str | None) -> str:
    """Return the report of one run as HTML.

    Args:
        result: what the run found; the only input.
        ledger_head: hash of the audit ledger before this run, for the footer; None where no ledger is kept.
    """
    view = page_view(Facts(result, ledger_head))
    css = style_of(result)
    return _template().render(page=view, css=Html(css), policy=policy_for(css))


def style_of(result: RunResult) -> str:
    """Return the page's stylesheet, with what only some pictures and tables need where there are any."""
    scores = () if result.scores is None else _OF_SCORES
    whom = _OF_WHOM if result.policy is not None or result.heterogeneity else ()
    return "\n".join((stylesheet(), *scores, *whom))


@cache
def _template() -> "Template":
    """Return the compiled page; everything that templates print is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - start-up time

    loader = PackageLoader("cxcausal.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = html
    environment.filters["compact"] = compact
    return environment.get_template("page.html.j2")
