"""Tables of rules: what each is worth, what budgets gain, and the readable rules leaf by leaf."""

from collections.abc import Iterator

from cxcausal.core.whom import PolicyResult, PolicyWorth, Told
from cxcausal.report.blocks import Cell, Table
from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains, in_money, level_of
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import Style, money, percent, place_for
from cxcausal.report.sections.gain_cells import gain_cell, rule_name
from cxcausal.report.sections.score_cells import dash, part
from cxcausal.report.text import MISSING, Piece, Sentence

_RULES = (
    "Rule",
    "Against nobody",
    "Against the best single arm",
    "Against the rule in use",
    "Contacts",
    "Cost",
    "Regret",
)
_FRONTIER = ("Budget", "Of the full budget", "Contacted", "By prediction", "By lot", "Difference")


def rules_table(facts: Facts, policy: PolicyResult) -> Table:
    """Return every rule that was valued, with its ranges."""
    in_use = any(rule.over_current.point is not None for rule in policy.policies)
    head = tuple((title,) for title in _RULES if in_use or "in use" not in title)
    rows = tuple(tuple(_rule(facts, policy, at, in_use=in_use)) for at in range(len(policy.policies)))
    return Table(caption=_caption(facts, policy), name="rules-table", head=head, rows=rows, wide=True)


def _caption(facts: Facts, policy: PolicyResult) -> Sentence:
    level = level_of(facts, "policy.level")
    spending = "in money" if in_money(facts) else "in contacts"
    counted = Gains(facts, policy.aim, each=True).counted()
    return (
        *("What every rule is worth: ", *counted, ", with ", level, " ranges; cost "),
        f"{spending} per {facts.people.one}",
    )


def _rule(facts: Facts, policy: PolicyResult, at: int, *, in_use: bool) -> Iterator[Cell]:
    rule, key = policy.policies[at], path("policy", "policies", at)
    gains = Gains(facts, policy.aim, each=True)
    marker: Sentence = (" (recommended)",) if rule.name == policy.recommended else ()
    yield Cell(words=(*rule_name(facts, policy, at), *marker))
    if rule.status != "ok":
        why: Sentence = (facts.quote(f"{key}.reason"),) if rule.reason else ("no reason on record",)
        yield Cell(words=("not computed, because: ", *why))
        for _ in range(len(_RULES) - (2 if in_use else 3)):
            yield dash()
        return
    yield gain_cell(gains, f"{key}.gain", rule.gain, marked=True)
    yield gain_cell(gains, f"{key}.beyond", rule.beyond, marked=True)
    if in_use:
        yield gain_cell(gains, f"{key}.over_current", rule.over_current, marked=True)
    yield Cell(words=_contacts(facts, key, rule))
    yield spent(facts, f"{key}.cost", rule.cost)
    yield dash() if rule.regret is None else _regret(gains, f"{key}.regret", rule.regret)


def _regret(gains: Gains, key: str, value: float) -> Cell:
    return Cell(words=(gains.number(key, gains.style(Told(point=value), bare=True)),), state="number")


def _contacts(facts: Facts, key: str, rule: PolicyWorth) -> Sentence:
    pieces: list[Piece] = []
    for arm in facts.treated_arms:
        if rule.share.get(arm, 0.0) > 0:
            share = facts.number(derived("percent", f"{key}.{path('share', arm)}"), percent())
            pieces += [*([", "] if pieces else []), share, " “", facts.arm(arm), "”"]
    return tuple(pieces) or (MISSING,)


def spent(facts: Facts, key: str, value: float | None) -> Cell:
    """Return a cost per customer: money, or contacts where the plan knows no costs; a dash where there is none."""
    if value is None:
        return dash()
    place = place_for(value) if value else 0
    style = money(facts.currency, place) if in_money(facts) else Style(place=place)
    return Cell(words=(facts.number(key, style),), state="number")


def frontier_table(facts: Facts, policy: PolicyResult) -> Table:
    """Return what every budget gains, by prediction and by lot."""
    gains = Gains(facts, policy.aim, each=True)
    rows = []
    for at, point in enumerate(policy.frontier):
        key = path("policy", "frontier", at)
        rows.append(
            (
                Cell(words=spent(facts, f"{key}.budget", point.budget).words),
                part(facts, f"{key}.share_of_full"),
                part(facts, f"{key}.contacted"),
                gain_cell(gains, f"{key}.gain", point.gain),
                gain_cell(gains, f"{key}.untargeted", point.untargeted),
                gain_cell(gains, f"{key}.beyond", point.beyond, marked=True),
            )
        )
    caption: Sentence = (
        f"What budgets gain, per {facts.people.one} and in parts of what contacting all who seem to pay costs: ",
        *gains.counted(),
    )
    return Table(
        caption=caption, name="frontier-table", head=tuple((t,) for t in _FRONTIER), rows=tuple(rows), wide=True
    )


def leaves_table(facts: Facts, policy: PolicyResult) -> Table:
    """Return the readable rules, one line each."""
    gains = Gains(facts, policy.aim, each=True)
    rows = []
    for at, rule in enumerate(policy.rules):
        key = path("policy", "rules", at)
        rows.append(
            (
                Cell(words=(facts.quote(f"{key}.condition"),)),
                Cell(words=(facts.arm(rule.arm),)),
                part(facts, f"{key}.share"),
                gain_cell(gains, f"{key}.gain", rule.gain, marked=True),
            )
        )
    caption: Sentence = ("The readable rules, learned once and valued on the others: ", *gains.counted())
    return Table(
        caption=caption,
        name="leaves-table",
        head=(("Where",), ("Arm",), ("Share",), ("Gain",)),
        rows=tuple(rows),
    )
