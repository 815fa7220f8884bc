"""From the view-model to one self-contained HTML page: no script, no network, one stylesheet allowed by its hash."""

from cxcausal.core.results import RunResult
from cxcausal.report.facts import Facts
from cxcausal.report.stylesheet import security_policy, stylesheet
from cxcausal.report.text import Html, html
from cxcausal.report.view import page_view


def render_report(result: RunResult, *, ledger_head: str | None) -> str:
    """Return the report of one run as HTML.

    Args:
        result: what the run found; the only input.
        ledger_head: hash of the audit ledger before this run, for the footer; None where no ledger is kept.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - start-up time

    loader = PackageLoader("cxcausal.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = html
    page = environment.get_template("page.html.j2")
    view = page_view(Facts(result, ledger_head))
    return page.render(page=view, css=Html(stylesheet()), policy=security_policy())
