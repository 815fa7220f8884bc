"""What a reader must know of an answer that no coin stands behind: the naive number, how far apart, how strong."""

import re
from collections.abc import Iterator, Mapping

from cxcausal.core.causes import failed_by_cause
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived, path
from cxcausal.report.limits import effect_style
from cxcausal.report.rounding import Style, percent
from cxcausal.report.scales import SHARE, Scale, scale_of, shown, style_of
from cxcausal.report.sentences.whom import among, compared_sentence
from cxcausal.report.sentences.words import called, direction, predicate, sentence
from cxcausal.report.text import Sentence, Strong, plain

NAIVE = "naive_difference"
"""The method of rows that compare the arms as they are."""
_ADVICE: Mapping[str, str] = {
    "overlap": "the question is narrowed to those for whom either was a real possibility, or a test decides at random",
    "time_zero": "time zero is the moment at which both choices were open, for every arm",
    "identification": "what opens the other way is known and can be allowed for, or a test decides at random",
    "leakage": "what was only known afterwards is no longer allowed for",
}
_SHORT = 125
"""Signs of a sentence that the answer has room for."""
_SHORT_OF_IT = 150
"""The same of one that says of which effect it is in a word."""
_SENTENCES = re.compile(r"(?<=\.) (?=An |Even |The effect |What |[0-9])")
"""Between the sentences of a check's text on strength."""
_TOLD = ("pass", "info", "warn")
_MANY_INCOMPLETE = 0.05
_ELSE = "what else differs between the groups is known and allowed for, or a test decides at random"


def check_text(facts: Facts, name: str, *verdicts: str) -> Sentence | None:
    """Return the sentence of a check by its name, where it has one of these verdicts; None elsewhere."""
    for index, check in enumerate(facts.result.checks):
        if check.name == name and check.verdict in verdicts:
            return sentence(facts.quote(path("checks", index, "text")))
    return None


def strength_sentence(facts: Facts) -> Sentence | None:
    """Return how strong an unmeasured difference would have to be to explain the result; None where nobody looked."""
    return check_text(facts, "sensitivity", *_TOLD)


def strength_in_answer(facts: Facts, metric: PlannedMetric) -> Sentence:
    """Return what the answer has room for: the sentence of its own effect, else all where it is short enough."""
    own = _own_strength(facts, metric)
    if own:
        return own
    told = strength_sentence(facts)
    return told if told is not None and len(plain(told)) <= _SHORT else ()


def _own_strength(facts: Facts, metric: PlannedMetric) -> Sentence:
    """Return the sentence of the effect that the answer tells, in which `it` is this effect; nothing without one."""
    key, _, strength, _ = _parted(facts, metric)
    return (facts.part(key, strength), " it.") if strength else ()


def _strength_beside(facts: Facts, metric: PlannedMetric) -> Iterator[Sentence]:
    """Yield what is said of strength beside what the answer says of it."""
    key, before, strength, after = _parted(facts, metric)
    if strength:
        yield from ((facts.part(key, told),) for told in (before, after) if told)
    elif not strength_in_answer(facts, metric) and (told := strength_sentence(facts)) is not None:
        yield told


def _parted(facts: Facts, metric: PlannedMetric) -> tuple[str, str, str, str]:
    """Return where strength is told: the key, what is said before the answer's own effect, of it, and after it.

    What is said of it ends before the effect's name; it is empty where nothing so short is said of it alone.
    """
    whose = f" the effect of '{facts.arm(facts.lead, clip=None).text}' on '{facts.label(metric, clip=None).text}'."
    for index, check in enumerate(facts.result.checks):
        told = _SENTENCES.split(check.text) if check.name == "sensitivity" and check.verdict in _TOLD else []
        for place, said in enumerate(told):
            strength = said.removesuffix(whose)
            if strength.endswith("explain") and len(strength) <= _SHORT_OF_IT:
                return path("checks", index, "text"), " ".join(told[:place]), strength, " ".join(told[place + 1 :])
    return "", "", "", ""


def apart_sentence(facts: Facts) -> Sentence | None:
    """Return how far apart the groups are, where that is further than agreed; None elsewhere.

    Behind a failed gate it is None where the answer itself already says so.
    """
    failed = _failed(facts)
    if failed[:1] == ["overlap"] and facts.withheld:
        return None
    return check_text(facts, "overlap", "warn", "fail")


def beside_an_observed_answer(facts: Facts, metric: PlannedMetric) -> Iterator[Sentence]:
    """Yield what must stand beside an answer that no coin stands behind; nothing beside any other."""
    if not facts.observational:
        return
    if facts.withheld:
        yield compared_sentence(facts, facts.lead)
    apart = apart_sentence(facts)
    if apart is not None:
        yield apart
    if facts.withheld:
        return
    yield from _strength_beside(facts, metric)
    naive = naive_sentence(facts, metric, facts.lead)
    if naive is not None:
        yield naive


def unmeasured_sentence(facts: Facts) -> Sentence | None:
    """Return what no adjustment can allow for; None where a coin took care of it."""
    if not facts.observational:
        return None
    words = "Whether something that nobody measured both led to “"
    return (words, facts.arm(facts.lead), "” and changed the outcome: no adjustment can allow for that.")


def incomplete_sentence(facts: Facts) -> Sentence | None:
    """Return that many miss a value of what is allowed for; None where few do, or a coin took care of it."""
    share = getattr(facts.result.scores, "incomplete", None)
    if not facts.observational or share is None or share <= _MANY_INCOMPLETE:
        return None
    missing = facts.number(derived("percent", "scores.incomplete"), percent())
    close = "at least one of the things that are allowed for is missing, and only that it is could be allowed for."
    return ("What was not recorded: for ", missing, f" of these {facts.people.many} {close}")


def naive_row(facts: Facts, metric: PlannedMetric, arm: str) -> Row | None:
    """Return the row of the naive difference, where there is one."""
    for row in facts.companions(metric=metric.name, method=NAIVE):
        mine = row.estimate
        if (mine.arm, mine.control, mine.population, mine.scale) == (arm, facts.control, "all", "absolute"):
            return row if row.computed else None
    return None


def naive_sentence(facts: Facts, metric: PlannedMetric, arm: str) -> Sentence | None:
    """Return the naive difference beside the adjusted one, each called what it is; None without either."""
    row, naive = facts.row(metric.name, arm), naive_row(facts, metric, arm)
    if row is None or naive is None or not row.computed:
        return None
    scale = scale_of(metric)
    seeming = _size(facts, naive, scale, style_of(naive, scale))
    told = _size(facts, row, scale, effect_style(facts, metric, row, scale))
    what: Sentence = (f" {facts.people.many} in 1,000 ", *predicate(facts, metric)) if scale is SHARE else ()
    who: Sentence = ("it would seem that ",) if scale is SHARE else (*called(facts, metric), " would seem to be ")
    opening = ("Compared naively, ", *who, *seeming, *what, " with “", facts.arm(arm), "” than with “")
    unclear = "" if row.clear else ", and its range includes no change"
    rest = ("”; after allowing for what is known about them, it is ", *told, *among(facts, arm), f"{unclear}.")
    return (*opening, facts.arm(facts.control), *rest)


def _size(facts: Facts, row: Row, scale: Scale, style: Style) -> Sentence:
    number = shown(facts, row.key("point"), scale, style, "abs")
    unit = "" if scale is SHARE else scale.unit
    return (Strong(pieces=(number, f"{unit} {direction(row.point, scale)}")),)


def _failed(facts: Facts) -> list[str]:
    """Return the names of the checks that failed, causes first."""
    checks = facts.result.checks
    return [checks[place].name for place in failed_by_cause(checks)]


def advice_after_failure(facts: Facts) -> str:
    """Return until when there is no decision, by the first check that failed."""
    failed = _failed(facts)
    return _ADVICE.get(failed[0] if failed else "", _ELSE)
