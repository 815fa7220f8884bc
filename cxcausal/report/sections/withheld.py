"""What stands in the place of a picture when a gate failed."""

from cxcausal.report.blocks import Paragraph

WITHHELD = Paragraph(
    words=("Withheld: a validity gate failed. The numbers are in the appendix and must not be used.",), tone="withheld"
)
MUST_NOT_BE_USED = Paragraph(words=("A validity gate failed: these numbers must not be used.",), tone="warning")
