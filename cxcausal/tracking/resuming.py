"""Which run that ended early can go on, and why another one can't."""

from dataclasses import dataclass
from pathlib import Path

from cxcausal.core.errors import CxCausalError, Problem, UsageError
from cxcausal.tracking import ledger
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.start import Start, read_start

_ANEW = "leave out --resume to analyse anew"


@dataclass(frozen=True, kw_only=True)
class Resumable:
    """A run that goes on under its own id, and what its reader should know: nothing, or why nothing is reused."""

    run_id: str
    warning: str | None = None


def resumable(root: Path, experiment: str, start: Start, run_id: str | None = None) -> Resumable:
    """Return the newest run of this plan on these data that was killed or failed, or the one that is named.

    Args:
        root: the project's root.
        experiment: the plan's id.
        start: what the run would begin with now.
        run_id: the run that is meant; None for the newest that fits.

    Raises:
        UsageError: there is none, or the one that is meant can't go on, with the reason.
    """
    reap(root, experiment)
    folders = [folder for folder in reversed(run_folders(root)) if folder.parent.name == experiment]
    named = folders if run_id is None else [folder for folder in folders if folder.name == run_id]
    if not named:
        what = f"{experiment} has no run" + ("" if run_id is None else f" {run_id[:40]}")
        raise _refused("U220" if run_id is None else "U222", what, f"`cxcausal list --json` names runs; or {_ANEW}")
    entered = {line.payload.get("run_id") for line in ledger.read(root)}
    reasons = [(folder.name, _reason(folder, start, entered=folder.name in entered)) for folder in named]
    fitting = next((name for name, reason in reasons if reason is None), None)
    if fitting is None:
        name, reason = reasons[0]
        raise _refused("U221", f"the run {name} can't go on: {reason}", _ANEW)
    return Resumable(run_id=fitting, warning=_changed(root, experiment, fitting, start))


def _reason(folder: Path, start: Start, *, entered: bool) -> str | None:
    """Return why a run can't go on; None where it can."""
    try:
        status = read_status(folder).status
    except CxCausalError:
        return "its status can't be read"
    if status == "FINISHED" or entered:
        return "it is finished and recorded" if status == "FINISHED" else "the ledger has it already"
    if status == "RUNNING":
        return "it is still at work, in another process or on another host"
    began = read_start(folder)
    return "it ended before its data were read" if began is None else _other(began, start)


def _other(began: Start, start: Start) -> str | None:
    """Return what a run was begun with that is not what is asked for now."""
    if began.rerun != start.rerun:
        return "it is a rerun" if began.rerun else "it is no rerun"
    if began.plan_hash != start.plan_hash:
        return "it was begun with another plan"
    same = (began.inputs, began.fingerprint) == (start.inputs, start.fingerprint)
    return None if same else "it was begun on other data"


def _changed(root: Path, experiment: str, run_id: str, start: Start) -> str | None:
    """Return that nothing is reused, where what computes is not what it was."""
    folder = next(one for one in run_folders(root) if one.parent.name == experiment and one.name == run_id)
    began = read_start(folder)
    if began is None or began.computed_from == start.computed_from:
        return None
    changed = [name for name in ("engine", "timezone", "machine") if getattr(began, name) != getattr(start, name)]
    words = ["the code"] * (began.package_sha256 != start.package_sha256) + [_WORDS[name] for name in changed]
    return f"{' and '.join(words)} changed since the run {run_id} began, so all of it is computed anew"


_WORDS = {"engine": "the project's engine", "timezone": "the project's time zone", "machine": "the machine's software"}


def _refused(code: str, what: str, mend: str) -> UsageError:
    return UsageError(Problem(where="--resume", code=code, what=what, mend=mend))
