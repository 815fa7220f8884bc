"""Identification: does what the plan adjusts for close every path by which customers chose, or were chosen?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import verdict_of
from cxcausal.core.falsified import Falsified
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import FalsifyQuery, Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import listed
from cxcausal.identify.plan import OfMetric, drawn_columns, identified
from cxcausal.identify.sentences import beside, plainly, precisely

DECISIVE = ("success", "guardrail")


@dataclass(frozen=True, kw_only=True)
class Identification:
    """Breached when the effect on a success or guardrail metric is not identified by what the plan adjusts for.

    The value is how many of these metrics are not identified.

    Attributes:
        falsify: also test on a sample whether what the graph calls unrelated is so; a contradiction is a breach.
    """

    name: ClassVar[str] = "identification"
    on_breach: OnBreach = "fail"
    falsify: bool = False

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Ask for nothing, as the plan and its graph say it all, unless the graph is to be tested."""
        columns = drawn_columns(spec) if self.falsify else ()
        return (FalsifyQuery(columns=columns),) if columns else ()

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Say what is adjusted for, or which path stays open."""
        design = spec.design
        if not isinstance(design, Observational):
            text = f"A design of type {design.type} identifies its effect without adjusting for who was treated."
            return self._result("pass", None, text)
        if design.graph is not None and design.causal_graph is None:
            text = f"The graph '{design.graph}' is not there, so nobody can say what must be adjusted for."
            return self._result(verdict_of(self.on_breach, breached=True), None, text)
        decisive = [item for item in identified(spec) if item.role in DECISIVE]
        failed = [item for item in decisive if not item.valid]
        found = [cast("Falsified", answers[query]) for query in self.queries(spec)]
        words = _failures(spec, failed) if failed else _passes(spec, design, decisive)
        text = " ".join([*words, *(item.sentence(people_in(spec).many) for item in found)])
        breached = bool(failed) or any(item.violated for item in found)
        return self._result(verdict_of(self.on_breach, breached=breached), float(len(failed)), text)

    def _result(self, verdict: CheckVerdict, value: float | None, text: str) -> CheckResult:
        return CheckResult(
            name=self.name, verdict=verdict, on_breach=self.on_breach, value=value, threshold=0.0, text=text
        )


def _failures(spec: ExperimentSpec, failed: Sequence[OfMetric]) -> Iterator[str]:
    """Yield what is not identified of the first metric, why, and which others are not."""
    first = next(found for found in failed[0].outcomes if not found.valid)
    if not failed[0].drawn and not getattr(spec.design, "confounders", ()):
        yield f"The plan names no confounders and draws no graph of '{failed[0].metric.name}', so nothing is ruled out."
    yield plainly(first, people_in(spec).many)
    yield precisely(first)
    if len(failed) > 1:
        yield f"Nor is identified: {listed([_named(item) for item in failed[1:]])}."


def _passes(spec: ExperimentSpec, design: Observational, decisive: Sequence[OfMetric]) -> Iterator[str]:
    """Yield what is adjusted for, by whose word, and what the graph doesn't show."""
    first = decisive[0].outcomes[0]
    yield plainly(first, people_in(spec).many)
    if design.graph is None:
        yield "That is the plan's own word: nobody drew a graph, and what nobody names, nobody sees."
        return
    yield from filter(None, ["So says the graph.", beside(first)])
    others = [item for item in decisive[1:] if item.drawn]
    if others:
        yield f"The same goes for {listed([_named(item) for item in others])}."
    absent = [item for item in decisive if not item.drawn]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        yield f"{listed([_named(item) for item in absent])} {verb} not in the graph, and judged by the plan's lists."


def _named(item: OfMetric) -> str:
    return f"'{item.metric.name}'"
