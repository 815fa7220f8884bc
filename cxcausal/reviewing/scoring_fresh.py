"""Fresh customers: whom to contact and how, by the model of a run, within what there is."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import fsum, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.model_facts import CHOOSING, ModelFacts
from cxcausal.core.progress import SILENT, Progress, Wrote
from cxcausal.core.wording import counted, number
from cxcausal.reviewing.choosing_model import Chosen, chosen_model

if TYPE_CHECKING:
    from cxcausal.data.fresh import Fresh
    from cxcausal.reviewing.fresh_gains import Gathered
    from cxcausal.reviewing.fresh_rows import Told
    from cxcausal.stats.allotting import Limits
    from cxcausal.stats.drift import Drift


@dataclass(frozen=True, kw_only=True)
class ScoreAsked:
    """What is asked of a scoring.

    Attributes:
        on: the file or glob of fresh customers. out: where to write; .csv or .parquet.
        budget: for the whole file, in the unit of the plan's costs; the plan's own per customer by default.
        run: the run whose model is meant. force: replace `out`.
        despite_verdict: score by a run that concluded nothing good. actor: who asks, for the ledger.
    """

    on: str
    out: Path
    budget: float | None = None
    run: str | None = None
    force: bool = False
    despite_verdict: bool = False
    actor: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What was written, and nothing of any customer.

    Attributes:
        experiment, run_id: whose model. path, sha256: of the file. rows: in it.
        eligible: customers who may be contacted. not_eligible, outside: those who may not be, or are of another
            population.
        arms: arm → customers, of those who may be contacted. cost: of all contacts. budget: what there was; None
            without a limit. capacity: arm → places.
        rule: what decided. targeting: whether choosing by prediction was shown to pay.
        gain: the sum of expected gains, more being better; None where nobody is contacted. aim, unit: what it is of.
        missing, unknown: modifier → customers without a value, or with one that the model does not know.
        drift: how far the modifiers have moved. inputs: hashes of what was read. ledger_hash: of the line about it.
        notes: sentences. warnings: sentences that ask for attention.
    """

    experiment: str
    run_id: str
    path: str
    sha256: str
    rows: int
    eligible: int
    not_eligible: int
    outside: int
    arms: Mapping[str, int]
    cost: float
    budget: float | None
    capacity: Mapping[str, int]
    rule: str
    targeting: bool
    gain: float | None
    aim: str
    unit: str
    missing: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    drift: "tuple[Drift, ...]" = ()
    inputs: tuple[tuple[str, str], ...] = ()
    ledger_hash: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and text."""
        return asdict(self)


def score(
    experiment: str | Path, asked: ScoreAsked, *, root: Path | None = None, progress: Progress = SILENT
) -> Scored:
    """Write, for every customer of a file, the arm, its expected effect and why; and say so in the ledger.

    Budget and capacity hold exactly for the file as a whole, whose population are the customers who may be contacted.

    Args:
        experiment: the path of a plan, or an experiment's id.
        asked: file, target, budget and run.
        root: the project's root; by default the nearest one above the plan, or above the working folder.
        progress: told how far the work is.

    Raises:
        UsageError: there is no model, `out` can't be written or is what is read, or the budget is no sum.
        GateError: the run's verdict does not allow it.
        DataError: the customers' columns are not those of the run's data.
        IntegrityError: the model is not what was recorded.
    """
    from cxcausal.data.fresh import open_fresh
    from cxcausal.data.fresh_columns import Wanted
    from cxcausal.data.treat_file import refuse_input, refuse_target
    from cxcausal.reviewing.fresh_gains import gathered
    from cxcausal.reviewing.fresh_rows import Told

    refuse_target(asked.out, force=asked.force)
    _refuse_budget(asked.budget)
    with progress.stage("reading the model"):
        chosen = chosen_model(experiment, asked.run, root, despite_verdict=asked.despite_verdict)
        effects = chosen.saved.effects()
    looked, facts = chosen.saved.modifiers, chosen.saved.facts
    wanted = Wanted(
        numbers=tuple(one.name for one in looked if one.kind == "number"),
        texts=tuple(one.name for one in looked if one.kind == "text"),
        eligible=facts.eligible,
    )
    timezone, place = chosen.project.timezone, chosen.project.root
    with open_fresh(chosen.spec, place, asked.on, wanted, timezone=timezone, progress=progress) as fresh:
        refuse_input(asked.out, fresh.files)
        found = gathered(fresh, effects, chosen.saved, progress)
        limits = _limits(facts, found.eligible, asked.budget)
        with progress.stage("dealing out what there is"):
            given = found.given(facts, limits)
        told = Told(facts=facts, effects=effects, found=found, given=given)
        gain = told.write(fresh, asked.out, progress)
    progress.tell(Wrote(what="customers to contact", path=str(asked.out)))
    return _recorded(_scored(chosen, asked, fresh, told, limits, gain), chosen, asked)


def _refuse_budget(budget: float | None) -> None:
    """Refuse what is no sum of money."""
    from cxcausal.core.errors import Problem, UsageError

    if budget is not None and not (isfinite(budget) and budget >= 0):
        what, mend = "a budget is a number from 0 on", "name a sum; without --budget the plan's own counts"
        raise UsageError(Problem(where="--budget", code="U647", what=what, mend=mend))


def _limits(facts: ModelFacts, eligible: int, budget: float | None) -> "Limits":
    """Return what there is for so many customers: what is asked, or else the plan's own."""
    from cxcausal.stats.allotting import limits_for

    if budget is None and facts.budget is not None:
        budget = facts.budget * eligible
    return limits_for(facts.arms, facts.cost, budget, facts.capacity, eligible)


def _scored(chosen: Chosen, asked: ScoreAsked, fresh: "Fresh", told: "Told", limits: "Limits", gain: float) -> Scored:
    """Return what there is to say of the file."""
    from cxcausal.tracking.files import sha256_file

    facts, found = chosen.saved.facts, told.found
    counts = [int((told.given.arm == place).sum()) for place in range(len(facts.arms))]
    outside = int(found.outside.sum())
    capacity = {arm: place for arm, place in zip(facts.arms[1:], limits.places, strict=True) if place is not None}
    return Scored(
        experiment=chosen.experiment,
        run_id=chosen.run_id,
        path=str(asked.out),
        sha256=sha256_file(asked.out),
        rows=fresh.rows,
        eligible=found.eligible,
        not_eligible=fresh.rows - found.eligible - outside,
        outside=outside,
        arms=dict(zip(facts.arms, counts, strict=True)),
        cost=fsum(cost * n for cost, n in zip(facts.cost, counts, strict=True)),
        budget=limits.budget,
        capacity=capacity,
        rule=facts.rule,
        targeting=facts.targeting,
        gain=gain if isfinite(gain) else None,
        aim=facts.aim,
        unit=facts.unit,
        missing={name: n for name, n in found.missing.items() if n},
        unknown={name: n for name, n in found.unknown.items() if n},
        drift=found.drift,
        inputs=fresh.inputs,
        notes=(*chosen.notes, *_notes(facts, fresh, found)),
        warnings=tuple(_warnings(facts, fresh, found)),
    )


def _notes(facts: ModelFacts, fresh: "Fresh", found: "Gathered") -> Iterator[str]:
    """Yield what a reader of the file must know."""
    from cxcausal.tracking.model_card import rule_in_words

    if not facts.targeting:
        shown = "gain more than the best single arm" if facts.recommended == facts.rule in CHOOSING else "pay"
        yield f"Choosing customers by prediction was not shown to {shown}. {rule_in_words(facts)}"
    elif facts.recommended != facts.rule:
        yield f"The run recommends '{facts.recommended}', which is not applied to a file. {rule_in_words(facts)}"
    if fresh.left_out:
        names = ", ".join(fresh.left_out)
        yield f"The plan's filter asks for {names}, which is not known of fresh customers; that part was left out."
    for name, n in found.missing.items():
        if n:
            yield f"{name}: {counted(n, 'customer')} without a value"


def _warnings(facts: ModelFacts, fresh: "Fresh", found: "Gathered") -> Iterator[str]:
    """Yield how the customers are not those that the model was learned of."""
    outside = int(found.outside.sum())
    if outside == fresh.rows:
        yield "No customer of this file passes the plan's filter, so nobody is contacted."
    elif not found.eligible:
        yield f"No customer of this file may be contacted: of none is `{facts.eligible}` known to hold."
    for name, n in found.unknown.items():
        if n:
            yield (
                f"{name}: {counted(n, 'customer')} with a value that the model does not know; they are scored like "
                "those with the most frequent one, which nothing bears out: `known` is false for them, and where "
                "predictions choose they have no interval"
            )
    for one in found.drift:
        if one.moved == "no":
            continue
        how = "are not like" if one.moved == "much" else "have moved from"
        yield (
            f"{one.modifier}: these customers {how} those that the model was learned of "
            f"(population stability index {number(one.index)})"
        )


def _recorded(scored: Scored, chosen: Chosen, asked: ScoreAsked) -> Scored:
    """Write into the ledger that customers were scored, without an id, and return the same with that line's hash."""
    from cxcausal.tracking import ledger
    from cxcausal.tracking.actor import resolve_actor
    from cxcausal.tracking.files import sha256_file
    from cxcausal.tracking.model_folder import FACTS

    payload = {
        "run_id": scored.run_id,
        "plan_hash": chosen.saved.facts.plan_hash,
        "model": sha256_file(chosen.saved.folder / FACTS),
        "inputs": scored.inputs,
        "output": scored.sha256,
        "rows": scored.rows,
        "arms": dict(scored.arms),
        "cost": scored.cost,
        "budget": scored.budget,
        "rule": scored.rule,
        "despite_verdict": asked.despite_verdict,
    }
    root = chosen.project.root
    entry = ledger.Entry(
        kind="score", experiment=scored.experiment, actor=resolve_actor(root, asked.actor), payload=payload
    )
    return replace(scored, ledger_hash=ledger.append(root, entry).hash)
