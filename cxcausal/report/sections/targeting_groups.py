"""Tables of groups: who gains and loses, who may be worse off one by one, whom the rule contacts, and the whole map."""

from cxcausal.core.whom import GroupEffect, MomentMap, PolicyResult, Told
from cxcausal.report.blocks import Cell, Table
from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains, level_of
from cxcausal.report.keys import derived, path
from cxcausal.report.sections.gain_cells import gain_cell
from cxcausal.report.sections.moments import named
from cxcausal.report.sections.score_cells import dash, part, whole
from cxcausal.report.sentences.harm import group_name, loses_money
from cxcausal.report.text import Sentence


def groups_table(facts: Facts, policy: PolicyResult) -> Table:
    """Return every group under every arm, with ranges that hold for all together."""
    gains = Gains(facts, policy.aim, each=True)
    rows = []
    for at, group in enumerate(policy.groups):
        key = path("policy", "groups", at)
        rows.append(
            (
                Cell(words=group_name(facts, at)),
                Cell(words=(facts.arm(group.arm),)),
                Cell(words=("the plan" if group.declared else "the data",)),
                whole(facts, f"{key}.n"),
                part(facts, f"{key}.share"),
                gain_cell(gains, f"{key}.gain", group.gain, marked=True),
                Cell(words=(_found(group, money=loses_money(facts, group)),)),
            )
        )
    level = level_of(facts, "policy.level")
    caption: Sentence = (
        *("Who gains and who loses: ", *gains.counted()),
        *(", with ranges that hold for all groups and arms together (", level, ")"),
    )
    head = ("Group", "Arm", "Named by", facts.people.many.capitalize(), "Share", "Gain", "Found")
    return Table(caption=caption, name="groups-table", head=tuple((t,) for t in head), rows=tuple(rows), wide=True)


def _found(group: GroupEffect, *, money: bool) -> str:
    if group.harmed:
        return "loses money" if money else "harmed"
    return "helped" if group.helped else "no reliable difference"


def harm_table(facts: Facts, policy: PolicyResult) -> Table:
    """Return between which bounds customers may be worse off one by one."""
    rows: list[tuple[Cell, ...]] = []
    for at, harm in enumerate(policy.harm):
        key = path("policy", "harm", at)
        label = next((facts.label(one) for one in facts.metrics if one.name == harm.metric), None)
        first = (
            Cell(words=(facts.arm(harm.arm),)),
            Cell(words=(label or facts.quote(f"{key}.metric"),)),
        )
        if harm.status != "ok":
            why: Sentence = (facts.quote(f"{key}.reason"),) if harm.reason else ("no reason on record",)
            rows.append((*first, Cell(words=("not computed, because: ", *why)), dash(), dash(), dash()))
            continue
        names = ("lowest", "highest", "lowest_limit", "highest_limit")
        rows.append((*first, *(_per_thousand(facts, f"{key}.{name}") for name in names)))
    many = facts.people.many
    caption = (
        f"How many {many} per 1,000 come out worse one by one (Fréchet bounds): averages cannot tell more, as nobody "
        "is seen both with and without the contact"
    )
    head = ("Arm", "Metric", "At least", "At most", "At least, with chance", "At most, with chance")
    return Table(caption=(caption,), name="harm-table", head=tuple((t,) for t in head), rows=tuple(rows))


def _per_thousand(facts: Facts, key: str) -> Cell:
    return Cell(words=(facts.number(derived("per_thousand", key)),), state="number") if facts.has(key) else dash()


def protected_table(facts: Facts, policy: PolicyResult) -> Table:
    """Return whom the recommended rule contacts, and what it gains, by protected group."""
    gains = Gains(facts, policy.aim, each=True)
    rows = []
    for at, group in enumerate(policy.protected):
        key = path("policy", "protected", at)
        rows.append(
            (
                Cell(words=(facts.quote(f"{key}.column"), ": ", facts.quote(f"{key}.level"))),
                whole(facts, f"{key}.n"),
                part(facts, f"{key}.share"),
                part(facts, f"{key}.contacted"),
                gain_cell(gains, f"{key}.gain", group.gain),
            )
        )
    caption: Sentence = ("The recommended rule by protected group: ", *gains.counted())
    head = ("Group", facts.people.many.capitalize(), "Share", "Contacted", "Gain of the rule")
    return Table(caption=caption, name="protected-table", head=tuple((t,) for t in head), rows=tuple(rows))


def moments_table(facts: Facts, policy: PolicyResult, found: MomentMap) -> Table:
    """Return every cell of the map with every arm's gain."""
    gains = Gains(facts, policy.aim, each=True)
    rows = []
    for at, cell in enumerate(found.cells):
        key = path("policy", "moments", "cells", at)
        both = (" · ", *named(facts, at, "column")) if found.columns else ()
        told = (cell.gains.get(arm, Told()) for arm in facts.treated_arms)
        rows.append(
            (
                Cell(words=(*named(facts, at, "row"), *both)),
                whole(facts, f"{key}.n"),
                *(
                    gain_cell(gains, f"{key}.{path('gains', arm)}", gain, marked=True)
                    for arm, gain in zip(facts.treated_arms, told, strict=True)
                ),
            )
        )
    level = level_of(facts, "policy.moments.level")
    caption: Sentence = (
        *("The whole map: ", *gains.counted(), ", with ranges that hold for all cells and arms together (", level, ")"),
    )
    head: tuple[Sentence, ...] = (
        ("Where",),
        (facts.people.many.capitalize(),),
        *((facts.arm(arm),) for arm in facts.treated_arms),
    )
    return Table(caption=caption, name="moments-table", head=head, rows=tuple(rows), wide=True)
