"""What Python users and the command line call: it wires the edges (plan, data, tracking, report) to the pipeline."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.progress import SILENT, Progress, Wrote
from cxcausal.core.spec.load import load_experiment
from cxcausal.preparing import aa, assign, check_assignment, plan
from cxcausal.reviewing.acting import Acted, amend, approve, decide, report, states, stop
from cxcausal.reviewing.auditing import audit_anchor, audit_export, audit_log, audit_merge
from cxcausal.reviewing.comparing import compare
from cxcausal.reviewing.erasing import erase
from cxcausal.reviewing.holding_out import HoldOut, hold_out
from cxcausal.reviewing.records import audit, list_runs, sync
from cxcausal.reviewing.registering import Registered, register
from cxcausal.reviewing.replaying import Replay, replay
from cxcausal.reviewing.rerunning import Query, Rerunned, rerun
from cxcausal.reviewing.scoring_fresh import ScoreAsked, Scored, score
from cxcausal.running import Run, run_experiment, run_tracked, statements

if TYPE_CHECKING:
    from cxcausal.simulate.files import WrittenWorld

__all__ = [
    "Acted",
    "HoldOut",
    "Query",
    "Registered",
    "Replay",
    "Rerunned",
    "Run",
    "ScoreAsked",
    "Scored",
    "aa",
    "amend",
    "approve",
    "assign",
    "audit",
    "audit_anchor",
    "audit_export",
    "audit_log",
    "audit_merge",
    "check_assignment",
    "compare",
    "decide",
    "erase",
    "hold_out",
    "list_runs",
    "load_experiment",
    "plan",
    "register",
    "replay",
    "report",
    "rerun",
    "run_experiment",
    "run_tracked",
    "score",
    "simulate",
    "statements",
    "states",
    "stop",
    "sync",
]


def simulate(
    name: str,
    out: str | Path,
    *,
    progress: Progress = SILENT,
    **options: Any,  # noqa: ANN401 - the world's own fields
) -> "WrittenWorld":
    """Draw a world with known truth and write its data, and its truth beside them, to `out`.

    Args:
        name: the world, such as `outreach` or `handoff`.
        out: path of the Parquet file; the truth goes to `<out without suffix>.truth.json`.
        progress: told how far the work is.
        options: the world's fields, such as `n`, `seed`, `arms`, `shares`, `effect_scale`.
    """
    from cxcausal.simulate.files import simulate as draw

    with progress.stage("drawing the world"):
        written = draw(name, out, **options)
    progress.tell(Wrote(what="data", path=str(written.data)))
    return written
