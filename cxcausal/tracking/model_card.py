"""The model's card: who made it of what, what it is for, what it is worth on held-out customers, and its limits."""

from collections.abc import Iterator, Mapping

from cxcausal.core.model_facts import BY_GAIN, CURRENT, EVERYBODY, NOBODY, TREE, ModelFacts
from cxcausal.core.whom import Told
from cxcausal.core.wording import number, percent

_SHORT = 12


def card_of(facts: ModelFacts, modifiers: tuple[str, ...]) -> str:
    """Return the card as Markdown; it names no customer and no value of one.

    Args:
        facts: what stands beside the model.
        modifiers: what it looks at, in its order.
    """
    sections = {
        "What it is for": _purpose(facts),
        "Where it comes from": _origin(facts),
        "What it looks at": _seen(facts, modifiers),
        "What it is worth": _worth(facts),
        "Limits": (*_always(facts.many), *facts.limits, *_warnings(facts)),
    }
    parts = [f"# Whom to contact: {_plain(facts.experiment)}"]
    parts += [f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in sections.items()]
    return "\n\n".join(parts) + "\n"


def _purpose(facts: ModelFacts) -> Iterator[str]:
    if facts.question:
        yield f"Question: {_plain(facts.question)}"
    yield f"It predicts, per {facts.one} and arm, the gain against `{_plain(facts.arms[0])}`: {_plain(facts.label)}" + (
        f" ({_plain(facts.unit)})" if facts.unit else ""
    )
    yield f"Arms: {_listed(facts.arms)}"
    yield rule_in_words(facts)
    if facts.eligible:
        yield f"Only {facts.many} with `{_plain(facts.eligible)}` are ever contacted; of others nothing is predicted."
    if facts.budget is not None:
        budget = f"{facts.currency} {number(facts.budget)}" if facts.priced else f"{number(facts.budget)} contacts"
        yield f"Budget of the plan: {budget.strip()} per {facts.one} who may be contacted"
    for arm, share in facts.capacity.items():
        yield f"Capacity of {_plain(arm)}: {percent(share)} of {facts.many} who may be contacted"


def _origin(facts: ModelFacts) -> Iterator[str]:
    if facts.owner:
        yield f"Owner: {_plain(facts.owner)}"
    yield f"Experiment {_plain(facts.experiment)}, run {facts.run_id}, of {facts.created_at}"
    yield f"Verdict of the run: {facts.verdict.replace('_', ' ')}, evidence grade {facts.grade}"
    yield f"Plan {facts.plan_hash[:_SHORT]}, data {facts.data_fingerprint[:_SHORT]}, {facts.learned:,} {facts.many}"
    for name, digest in facts.inputs:
        yield f"Read: {_plain(name)}, SHA-256 {digest[:_SHORT]}"
    yield "Computed with " + ", ".join(f"{name} {found}" for name, found in sorted(facts.versions.items()))


def _seen(facts: ModelFacts, modifiers: tuple[str, ...]) -> Iterator[str]:
    known = {baseline.modifier: baseline for baseline in facts.baselines}
    for name in modifiers:
        baseline = known.get(name)
        kind = "" if baseline is None else f", a {baseline.kind}, missing for {percent(baseline.missing)}"
        yield f"{_plain(name)}{kind}"
    if facts.protected:
        looked = _listed([name for name in facts.protected if name in modifiers]) or "none of them"
        yield f"Protected: {_listed(facts.protected)}; the model looks at {looked}"
    yield f"How their values were spread is kept as shares, so that drift of fresh {facts.many} can be told."


def _worth(facts: ModelFacts) -> Iterator[str]:
    """Yield what policies gain per customer among those held out."""
    unit = f" {_plain(facts.unit)}" if facts.unit else ""
    yield f"Gains per {facts.one} on {facts.many} who were not learned from, in the direction in which more is better:"
    for name in dict.fromkeys(key.rpartition("/")[0] for key in facts.metrics):
        whole = {end: facts.metrics.get(f"{name}/gain{end}") for end in ("", "_low", "_high")}
        yield f"{_plain(name)}: {_ranged(whole)}{unit}"
    for arm, told in facts.average.items():
        yield f"everybody with {_plain(arm)}: {_told(told)}{unit}"


def _warnings(facts: ModelFacts) -> Iterator[str]:
    if not facts.targeting:
        yield f"Choosing {facts.many} by prediction was not shown to gain more than the best single arm."
    if facts.verdict not in {"ship", "ship_with_monitoring"}:
        yield f"The run's verdict is {facts.verdict.replace('_', ' ')}."


def _always(many: str) -> tuple[str, ...]:
    return (
        f"It tells the mean gain of {many} who are alike in what it looks at, not what one of them would do.",
        f"Intervals are of that mean, and approximate: they come from held-out {many} who were predicted alike.",
        f"It holds for {many} like those it was learned of, in a world like that of the experiment.",
    )


def rule_in_words(facts: ModelFacts) -> str:
    """Return what decides who is contacted."""
    if facts.rule in BY_GAIN:
        return "Who is contacted, and how: the arm with the largest predicted gain above none, within what there is."
    if facts.rule.startswith(f"{EVERYBODY}:"):
        arm = facts.rule.removeprefix(f"{EVERYBODY}:")
        return f"Who is contacted: everybody with {_plain(arm)}, by lot where there is not enough for all."
    words = {
        NOBODY: "Nobody is contacted.",
        CURRENT: "The rule in use is kept.",
        TREE: "Who is contacted, and how: by the rules of the policy tree, by lot where there is not enough for all.",
    }
    return words.get(facts.rule, facts.rule)


def _ranged(ends: Mapping[str, float | None]) -> str:
    return _told(Told(point=ends[""], low=ends["_low"], high=ends["_high"]))


def _told(told: Told) -> str:
    if told.point is None:
        return "not computed"
    if told.low is None or told.high is None:
        return number(told.point)
    return f"{number(told.point)} (from {number(told.low)} to {number(told.high)})"


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(_plain(name) for name in names)


def _plain(text: str) -> str:
    """Return text in one line that Markdown takes for text."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in " ".join(text.split()))
