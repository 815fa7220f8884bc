"""The leadership report: one self-contained HTML page, and three sentences for the terminal."""

from cxcausal.report.render import render_report
from cxcausal.report.sentences.answer import summary_text

__all__ = ["render_report", "summary_text"]
