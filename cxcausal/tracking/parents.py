"""The run that a rerun is held against: what it found, what it was made of, and what it kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cxcausal.core.errors import IntegrityError, Problem, UsageError
from cxcausal.tracking import ledger
from cxcausal.tracking.code_state import code_state
from cxcausal.tracking.erasing import vouched_erasures
from cxcausal.tracking.layout import KEPT_UNITS, MANIFEST_FILE, PLAN, RESULTS, runs_folder
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.manifest import machine, verify_manifest

ANALYSES = frozenset({"analyse", "rerun"})


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A finished run as it was recorded, its files checked against their hashes.

    Attributes:
        results: the object of `run --json`. plan: the resolved plan. manifest: what it was made of.
        kept: the units it kept; None where it kept none, or they were removed.
        why_none: why, as the end of a sentence.
        erased: whether customers were erased from what it kept.
    """

    run_id: str
    experiment: str
    directory: Path
    results: Mapping[str, Any]
    plan: Mapping[str, Any]
    manifest: Mapping[str, Any]
    kept: Path | None
    why_none: str | None
    erased: bool = False


def analyses_of(root: Path, experiment: str) -> tuple[LedgerLine, ...]:
    """Return the ledger's lines about analyses of an experiment, oldest first."""
    return tuple(line for line in ledger.read(root) if line.experiment == experiment and line.kind in ANALYSES)


def parent_of(root: Path, experiment: str, run_id: str | None = None) -> Parent:
    """Return the newest finished run of an experiment that lies on this disk, or the one that is named.

    Raises:
        UsageError: there is none.
        IntegrityError: its files are not those that were recorded.
    """
    lines = [line for line in analyses_of(root, experiment) if run_id in {None, line.payload["run_id"]}]
    for line in reversed(lines):
        folder = runs_folder(root) / experiment / str(line.payload["run_id"])
        if folder.is_dir():
            return replace(_parent(folder, line), erased=vouched_erasures(folder, ledger.read(root)))
    what = f"the experiment '{experiment}' has no finished run yet, so there is none to be held against"
    mend = "analyse it first with `cxcausal run`"
    if lines:
        what = f"what the runs of '{experiment}' found is not on this disk, so there is nothing to be held against"
        mend = (
            "restore the folder .cxcausal/runs from a copy or the machine that ran it, or analyse with `cxcausal run`"
        )
    elif run_id is not None:
        what = f"the experiment '{experiment}' has no finished run {run_id[:26]}"
        mend = f"`cxcausal audit log {experiment}` names its runs; without --parent the newest one is taken"
    raise UsageError(Problem(where="rerun", code="R804", what=what, mend=mend))


def _parent(folder: Path, line: LedgerLine) -> Parent:
    if verify_manifest(folder) != line.payload["manifest"]:
        what = f"has another manifest than line {line.seq} of the ledger says"
        mend = "restore the run's folder and the ledger from copies that belong together"
        raise IntegrityError(Problem(where=f"{folder.parent.name}/{folder.name}", code="I704", what=what, mend=mend))
    kept = folder / KEPT_UNITS
    return Parent(
        run_id=folder.name,
        experiment=folder.parent.name,
        directory=folder,
        results=_read(folder / RESULTS),
        plan=_read(folder / PLAN),
        manifest=_read(folder / MANIFEST_FILE),
        kept=kept if kept.is_file() else None,
        why_none=None if kept.is_file() else _why_none(folder),
    )


def _why_none(folder: Path) -> str:
    """Return why a run has no units."""
    note = folder / "stages/kept.json"
    reason = _read(note).get("reason") if note.is_file() else "it was made by a version that keeps none"
    return str(reason or "they were removed when their time was over")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def code_differences(root: Path, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return how today's code differs from that of a manifest: the package, and else the project's commit."""
    then, now = manifest["code"], code_state(root)
    if then["package_sha256"] != now.package_sha256:
        return ("the package",)
    same = (then["git_commit"], then["git_dirty"]) == (now.git_commit, now.git_dirty)
    return () if same else ("the project's commit",)


def environment_differences(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return how this machine differs from that of a manifest: `what then → now` each."""
    then, now = manifest["machine"], machine()
    told = [
        f"{name} {then[name]} → {getattr(now, name)}"
        for name in ("platform", "processor", "python", "blas")
        if then[name] != getattr(now, name)
    ]
    packages = sorted({*then["packages"], *now.packages} - {"cxcausal"})
    versions = [(name, then["packages"].get(name, "none"), now.packages.get(name, "none")) for name in packages]
    return (*told, *(f"{name} {old} → {new}" for name, old, new in versions if old != new))
