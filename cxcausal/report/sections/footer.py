"""Page one, last: ids and hashes, and how to verify them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Paragraph, SectionView, Terms
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.text import Sentence

_VERIFY = (
    "In the project's folder, “cxcausal audit verify” checks the ledger and every file of every run against their "
    "hashes, and names the first place that differs. Anyone with the plan and the data can repeat this run: equal plan "
    "and data hashes must give equal numbers. The ledger is a chain of hashes: it shows tampering only to someone who "
    "kept an earlier head, so keep this one."
)


@dataclass(frozen=True, kw_only=True)
class FooterSection:
    """What ties this page to a plan, to data and to the ledger."""

    name: ClassVar[str] = "footer"

    def build(self, facts: Facts) -> SectionView:
        """Return ids, hashes and the way to verify them."""
        blocks = (Terms(items=tuple(_items(facts))), Paragraph(words=(_VERIFY,), tone="note"))
        return SectionView(name=self.name, heading="How to verify this page", blocks=blocks)


def _items(facts: Facts) -> Iterator[tuple[Sentence, Sentence]]:
    yield ("Experiment",), (facts.quote("experiment"),)
    yield ("Run",), (facts.quote("run_id"),)
    yield ("Plan hash",), (facts.quote("plan_hash"),)
    yield ("Data fingerprint",), (facts.quote("data.fingerprint"),)
    head: Sentence = (facts.quote("ledger_head"),) if facts.ledger_head else ("no ledger was kept",)
    yield ("Ledger head before this run",), head
    if facts.has(path("versions", "cxcausal")):
        yield ("cxcausal",), (facts.quote(path("versions", "cxcausal")),)
