"""A page beside the report: self-contained, in its style, and closed to everything that is not its own."""

from cxcausal.report.charts.svg import markup, node
from cxcausal.report.stylesheet import policy_for, stylesheet
from cxcausal.report.text import Html


def page_of(title: str, body: Html, css: str) -> str:
    """Return the whole page.

    Args:
        title: of the window.
        body: as markup.
        css: what is laid over the report's style.
    """
    style = f"{stylesheet()}\n{css}"
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", http_equiv="Content-Security-Policy", content=policy_for(style)),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", name="robots", content="noindex"),
        node("title", title),
    )
    styled = markup(head).replace("</head>", f"<style>{style}</style></head>")
    return f'<!doctype html>\n<html lang="en">{styled}<body class="v-no_decision">{body}</body></html>\n'
