"""Pages that are made again from a recorded run, with what stands on record by now."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from cxcausal.core.errors import IntegrityError, Problem, UsageError
from cxcausal.core.plan_order import in_plan_order
from cxcausal.core.results import RunResult
from cxcausal.core.stored import record_from
from cxcausal.tracking import ledger
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.acts import recorded_run
from cxcausal.tracking.layout import RESULTS, runs_folder
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.lifecycle import record_of
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.readings import reading_of
from cxcausal.tracking.tracker import publish_report

Render = Callable[[RunResult, str], str]
"""From a result and the ledger's head to a page."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A page that was made again: of which run, where it lies, its SHA-256, and the ledger's line about it."""

    experiment: str
    run_id: str
    path: Path
    sha256: str
    ledger_hash: str


def render_again(root: Path, name: str, actor: Actor, render: Render) -> Rendered:
    """Make the page of a run, or of an experiment's newest run, with the record as of now, and write that it was made.

    The run's own page stays as it was; the copy under `reports/` is replaced.

    Raises:
        UsageError: there is no such run on record, or its folder is not on this disk.
        IntegrityError: its files are not those that were recorded.
    """
    with ledger.writing(root) as chain:
        line = recorded_run(chain.lines, name)
        stored = stored_result(root, line)
        facts = record_of(
            chain.lines, line.experiment, stored.run_id, data_cut=stored.data.data_cut, reading=reading_of(line)
        )
        read_on = None if stored.record is None else stored.record.read_on
        page = render(replace(stored, record=replace(facts, read_on=read_on)), chain.heads[0]).encode()
        digest = sha256(page).hexdigest()
        entry = ledger.Entry(
            kind="render",
            experiment=line.experiment,
            actor=actor,
            payload={"run_id": stored.run_id, "sha256": digest},
        )
        written = ledger.append_to(root, chain, entry)
        path = publish_report(root, line.experiment, stored.run_id, page)
    return Rendered(
        experiment=line.experiment, run_id=stored.run_id, path=path, sha256=digest, ledger_hash=written.hash
    )


def stored_result(root: Path, line: LedgerLine) -> RunResult:
    """Return the result of a recorded run as it was, arms in the plan's order.

    Raises:
        UsageError: the run's folder is not on this disk.
        IntegrityError: its files are not those that were recorded.
    """
    folder = runs_folder(root) / line.experiment / line.payload["run_id"]
    where = f"{line.experiment}/{folder.name}"
    if not folder.is_dir():
        what = "the run is on record, but its folder is not on this disk"
        raise UsageError(Problem(where=where, code="U242", what=what, mend="do it where the run was made"))
    if verify_manifest(folder) != line.payload["manifest"]:
        what = f"has another manifest than line {line.seq} of the ledger"
        raise IntegrityError(Problem(where=where, code="I704", what=what, mend="run `cxcausal audit verify`"))
    return in_plan_order(record_from(RunResult, json.loads((folder / RESULTS).read_bytes())))
