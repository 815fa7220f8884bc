"""One run under audit: its files against its manifest, its manifest against the ledger, its status and its copy."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cxcausal.core.errors import IntegrityError, Problem
from cxcausal.tracking.files import sha256_file
from cxcausal.tracking.layout import MANIFEST_FILE, REPORT, RESULTS
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.run_status import read_status

RESTORE = "restore the run's folder and the ledger from copies that belong together"
_ENDED_BADLY = frozenset({"FAILED", "KILLED"})


@dataclass(frozen=True, kw_only=True)
class SeenRun:
    """What an audit read of one run.

    Attributes:
        folder: the run's folder. line: the ledger's line about it, or None.
        problems: what does not match.
        manifest, results: their content, where the ledger vouches for it; otherwise empty.
    """

    folder: Path
    line: LedgerLine | None
    problems: tuple[Problem, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Experiment and run id."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def vouched(self) -> bool:
        """Whether the run's files are those that the ledger has."""
        return bool(self.results)

    @property
    def artifacts(self) -> Mapping[str, str]:
        """Path → SHA-256 of every file that the manifest lists."""
        return {item["path"]: item["sha256"] for item in self.manifest.get("artifacts", ())}


def look_at(root: Path, folder: Path, line: LedgerLine | None, rendered: frozenset[str]) -> SeenRun:
    """Read one run and compare it with its manifest, the ledger and the copy of its report.

    Args:
        root: the project's root.
        folder: the run's folder.
        line: the ledger's line that recorded it.
        rendered: SHA-256 of the pages that the ledger says were made of it later.
    """
    seen = SeenRun(folder=folder, line=line)
    try:
        status = read_status(folder).status
        if line is None:
            what = "is finished, but the ledger has no line about it"
            return _with(seen, problem(seen.name, "I703", what)) if status == "FINISHED" else seen
        if verify_manifest(folder) != line.payload["manifest"]:
            return _with(seen, problem(seen.name, "I704", f"has another manifest than line {line.seq} of the ledger"))
    except IntegrityError as error:
        return SeenRun(folder=folder, line=line, problems=error.problems)
    manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    results = json.loads((folder / RESULTS).read_bytes())
    found = SeenRun(folder=folder, line=line, manifest=manifest, results=results)
    return _with(found, *_beside(root, found, status, rendered))


def _beside(root: Path, seen: SeenRun, status: str, rendered: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with a recorded run outside of its manifest: its status, and the page that people read."""
    if status in _ENDED_BADLY:
        what = f"says {status}, but the ledger has it with every file in place"
        yield problem(f"{seen.name}/status.json", "I707", what, "restore the run's status.json from a copy")
    copy = root / "reports" / seen.folder.parent.name / seen.folder.name / "index.html"
    if copy.is_file() and sha256_file(copy) not in {seen.artifacts.get(REPORT), *rendered}:
        what = "is not the page that the run wrote, nor one that was rendered since"
        mend = f"render it again with `cxcausal report {seen.folder.name}`"
        yield problem(copy.relative_to(root).as_posix(), "I708", what, mend)


def problem(where: str, code: str, what: str, mend: str = RESTORE) -> Problem:
    """Return the problem that locates something of a run."""
    return Problem(where=where, code=code, what=what, mend=mend)


def _with(seen: SeenRun, *problems: Problem) -> SeenRun:
    """Return the run with what was found wrong about it."""
    return SeenRun(folder=seen.folder, line=seen.line, problems=problems, manifest=seen.manifest, results=seen.results)
