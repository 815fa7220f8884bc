"""The answer in three sentences: the question, the result with its range, the recommendation."""

from collections.abc import Mapping

from cxcausal.core.causes import failed_by_cause
from cxcausal.core.results import RunResult, Verdict
from cxcausal.report.facts import Facts, PlannedMetric
from cxcausal.report.keys import path
from cxcausal.report.sentences.effects import effect_sentence
from cxcausal.report.sentences.observed import advice_after_failure, strength_in_answer
from cxcausal.report.sentences.whom import compared_sentence
from cxcausal.report.sentences.words import sentence
from cxcausal.report.text import Sentence, Strong, on_terminal

VERDICT_WORDS: Mapping[Verdict, str] = {
    "ship": "SHIP",
    "ship_with_monitoring": "SHIP WITH MONITORING",
    "pilot": "PILOT",
    "hold": "HOLD",
    "stop": "STOP",
    "no_decision": "NO DECISION",
}
_ADVICE: Mapping[Verdict, tuple[str, str]] = {
    "ship": ("going ahead with “", "”"),
    "ship_with_monitoring": ("going ahead with “", "” while measuring on"),
    "pilot": ("trying “", "” in a pilot before any wider use"),
    "hold": ("holding “", "” where it is for now"),
    "stop": ("stopping “", "”"),
}


def summary_text(result: RunResult) -> str:
    """Return the answer for the terminal: question, result with its range, recommendation; one line each."""
    facts = Facts(result)
    parts = (question_sentence(facts), result_sentence(facts), recommendation_sentence(facts))
    return "\n".join(on_terminal(part) for part in parts)


def question_sentence(facts: Facts) -> Sentence:
    """Return the question in the leader's own words."""
    return (facts.quote(path("plan", "question")),)


def main_metric(facts: Facts) -> PlannedMetric:
    """Return the success metric that the answer speaks of: the first that clearly moved, else the first."""
    planned = tuple(facts.by_role("success"))
    moved = (metric for metric in planned if (row := facts.row(metric.name, facts.lead)) is not None and row.clear)
    return next(moved, planned[0])


def result_sentence(facts: Facts) -> Sentence:
    """Return what happened; behind a failed gate, which one failed and that no number may be used."""
    if facts.withheld:
        return no_decision_sentence(facts)
    metric = main_metric(facts)
    told = effect_sentence(facts, metric, facts.lead)
    if not facts.observational:
        return told
    strength = strength_in_answer(facts, metric)
    return (*told, " ", *compared_sentence(facts, facts.lead), *((" ", *strength) if strength else ()))


def no_decision_sentence(facts: Facts) -> Sentence:
    """Return that there is no decision, with the sentence of the gate that failed."""
    failed = failed_by_cause(facts.result.checks)
    if failed:
        why: Sentence = sentence(facts.quote(path("checks", failed[0], "text")))
    elif facts.lead in facts.result.arms:
        why = sentence(facts.quote(path("arms", facts.lead, "reason")))
    else:
        why = ("The effect asked for could not be identified.",)
    close = " Numbers are in the appendix and must not be used."
    return (Strong(pieces=("NO DECISION.",)), " ", *why, close)


def recommendation_sentence(facts: Facts) -> Sentence:
    """Return what we recommend, with the action that the plan wrote down for this verdict."""
    verdict = facts.result.verdict
    if verdict == "no_decision":
        until = advice_after_failure(facts) if facts.observational else "the cause is found and the data are whole"
        return (f"We recommend no decision until {until}", "", ".", *_planned_action(facts))
    before, after = _ADVICE[verdict]
    return (f"We recommend {before}", facts.arm(facts.lead), f"{after}.", *_planned_action(facts))


def _planned_action(facts: Facts) -> Sentence:
    key = path("plan", "decision", "actions", facts.result.verdict)
    if not facts.has(key):
        return ()
    when = "As agreed before the data: “" if facts.result.registered else "The action in the plan: “"
    return (f" {when}", facts.quote(key), "”.")
