"""Two runs compared: effects, verdicts and checks, and what of data, plan, code and environment is not the same."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.compared import Customers, EffectPair, RunComparison, Side
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.small_cells import told_count
from cxcausal.core.tree_changes import tree_changes
from cxcausal.core.whom_pairs import WhomPair
from cxcausal.core.wording import counted, listed
from cxcausal.reviewing.pairing import check_pairs, effect_pairs, verdict_pairs
from cxcausal.reviewing.pairing_rules import whom_pair

if TYPE_CHECKING:
    from cxcausal.tracking.recorded_runs import RecordedRun

_NOT_A_DEFINITION = frozenset({"mde", "margin", "label", "version", "owner", "money"})
_COUNTS = ("rows", "filtered_out", "enrolled", "immature", "analysed", "randomization_units", "later", "unexposed")
_DATED = ("data_cut", "enrolled_from", "enrolled_to", "matures_on")
_BY_ARM = ("enrolled_by_arm", "immature_by_arm", "analysed_by_arm")
_NOTES: Mapping[Customers, str] = {
    "same": "Both runs read the same data, so their errors are not independent; the intervals of differences are wider "
    "than they need be.",
    "shared": "Many of the same customers stand behind both runs, so their errors are not independent; they move "
    "together, and the intervals of differences are wider than they need be.",
    "not_known": "The runs are of different experiments; the intervals of differences hold where no customer is in "
    "both.",
}


def compare(
    first: str, second: str | None = None, *, folder: Path | None = None, progress: Progress = SILENT
) -> RunComparison:
    """Return two finished runs side by side.

    Args:
        first: the id of a run; without a second, the id or the plan of an experiment, for its last two runs.
        second: the id of the run that it is compared with.
        folder: any folder of the project; the working folder by default.
        progress: told how far the work is.

    Raises:
        UsageError: there is no such run, or an experiment has fewer than two.
        IntegrityError: a run's files are not those that were recorded.
    """
    from cxcausal.core.spec.project import find_root
    from cxcausal.tracking.recorded_runs import newest_runs, recorded_run

    here = folder or Path.cwd()
    root = find_root(here) or here
    with progress.stage("checking and reading both runs"):
        if second is None:
            before, after = newest_runs(root, experiment_of(first), 2)
        else:
            before, after = recorded_run(root, first), recorded_run(root, second)
    return compared(before, after)


def experiment_of(text: str) -> str:
    """Return the id of an experiment that is named by its id or by the path of its plan."""
    from cxcausal.core.spec.load import load_experiment

    return load_experiment(text).spec.id if text.endswith((".yaml", ".yml")) else text


def compared(before: "RecordedRun", after: "RecordedRun") -> RunComparison:
    """Return two runs side by side."""
    first, second = before.results, after.results
    effects = effect_pairs(first["effects"], second["effects"], _redefined(first["plan"], second["plan"]))
    customers, whom = _customers(first, second), whom_pair(first, second)
    return RunComparison(
        first=_side(first),
        second=_side(second),
        customers=customers,
        sentence=_sentence(first, second, effects, whom),
        notes=(_NOTES[customers], *_more_notes(before, after)),
        verdicts=verdict_pairs(first["arms"], second["arms"], [pair.arm for pair in effects]),
        effects=effects,
        checks=check_pairs(first["checks"], second["checks"]),
        inputs=tree_changes(dict(first["data"]["inputs"]), dict(second["data"]["inputs"])),
        data=tree_changes(_data(first["data"]), _data(second["data"])),
        plan=tree_changes(first["plan"], second["plan"]),
        code=tree_changes(_code(before.manifest), _code(after.manifest)),
        environment=tree_changes(_environment(before), _environment(after)),
        whom=whom,
    )


def _side(results: Mapping[str, Any]) -> Side:
    data = results["data"]
    own = ("run_id", "experiment", "created_at", "verdict", "recommended_arm", "grade", "capped_by", "registered")
    return Side(
        **{name: results[name] for name in (*own, "report")},
        **{name: data[name] for name in ("data_cut", "fingerprint", "rows", "enrolled", "analysed")},
    )


def _customers(first: Mapping[str, Any], second: Mapping[str, Any]) -> Customers:
    """Return whether the same customers stand behind both runs, as far as it shows without looking at any."""
    if first["data"]["fingerprint"] == second["data"]["fingerprint"]:
        return "same"
    inputs = ({sha for _, sha in results["data"]["inputs"]} for results in (first, second))
    return "shared" if first["experiment"] == second["experiment"] or set.intersection(*inputs) else "not_known"


def _redefined(first: Mapping[str, Any], second: Mapping[str, Any]) -> frozenset[str]:
    """Return the metrics that both plans have and define differently."""
    mine, other = (_definitions(plan) for plan in (first, second))
    return frozenset(name for name in {*mine} & {*other} if mine[name] != other[name])


def _definitions(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    metrics = [metric for role in plan.get("metrics", {}).values() for metric in role or ()]
    return {
        metric["name"]: {key: value for key, value in metric.items() if key not in _NOT_A_DEFINITION}
        for metric in metrics
    }


def _data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flow of units, without what only few are in."""
    counts = {name: told_count(data[name]) for name in _COUNTS if data.get(name) is not None}
    arms = {name: {arm: told_count(n) for arm, n in data[name].items()} for name in _BY_ARM}
    return {**counts, **arms, **{name: data.get(name) for name in _DATED}}


def _code(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return dict(manifest["code"])


def _environment(run: "RecordedRun") -> dict[str, Any]:
    """Return versions, machine and lock file."""
    machine = dict(run.manifest["machine"])
    packages = {**run.results["versions"], **machine.pop("packages")}
    return {**machine, "packages": packages, "lock_file": run.manifest["lock_file"]}


def _more_notes(before: "RecordedRun", after: "RecordedRun") -> tuple[str, ...]:
    """Return what else a reader must know."""
    dirty = [run.results["run_id"] for run in (before, after) if run.manifest["code"]["git_dirty"]]
    if not dirty:
        return ()
    return (f"Files of the project were changed and not committed when {listed(dirty)} ran.",)


def _sentence(
    first: Mapping[str, Any], second: Mapping[str, Any], effects: tuple[EffectPair, ...], whom: WhomPair | None
) -> str:
    """Return the answer: whether the decision is another one, how many effects moved, and whom to contact."""
    return " ".join((_of_effects(first, second, effects), *(() if whom is None else (whom.sentence,))))


def _of_effects(first: Mapping[str, Any], second: Mapping[str, Any], effects: tuple[EffectPair, ...]) -> str:
    """Return whether the decision is another one, and how many effects moved."""
    was, now = (_decision(results) for results in (first, second))
    decision = f"The decision is the same: {now}" if was == now else f"The decision was {was}, and is {now}"
    shown = [pair for pair in effects if pair.headline and pair.scale == "absolute" and pair.beyond is not None]
    moved = [pair for pair in shown if pair.beyond]
    if not shown:
        return f"{decision}. No effect can be compared."
    named = listed([f"{pair.metric} ({pair.arm})" for pair in moved])
    told = f" moved by more than chance explains: {named}" if moved else " moved by more than chance explains"
    return f"{decision}. {len(moved) or 'None'} of {counted(len(shown), 'headline effect')}{told}."


def _decision(results: Mapping[str, Any]) -> str:
    arm = results["recommended_arm"]
    verdict = str(results["verdict"]).replace("_", " ")
    return f"{verdict} “{arm}”" if arm else verdict
