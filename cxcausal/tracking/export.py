"""An archive of the record that an auditor checks with `sha256sum -c` and a page of plain Python."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cxcausal.core.errors import IntegrityError, Problem, UsageError
from cxcausal.tracking import ledger, verify_export
from cxcausal.tracking.anchors import anchor_bytes, anchor_of
from cxcausal.tracking.files import write_atomic
from cxcausal.tracking.layout import EFFECTS, MANIFEST_FILE, PLAN, REPORT, RESULTS, runs_folder
from cxcausal.tracking.ledger_chain import RECORDING, LedgerLine
from cxcausal.tracking.ledger_words import told
from cxcausal.tracking.manifest import verify_manifest

FILES = (MANIFEST_FILE, PLAN, RESULTS, EFFECTS, REPORT)
"""What of a run is exported: no stage, and nothing that has a row of a customer."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_README = """# A record of experiments, to be checked

What is in here: the audit ledger (`ledger.jsonl`, every line of the project: the chain of hashes needs all of them; in
words in `ledger.txt`), and under `runs/` of each exported run its manifest, resolved plan, results, effects and report.
Rows of customers are never exported, nor are intermediate files; the manifest lists their hashes.

Check it in this folder, with nothing installed but Python 3:

    sha256sum -c SHA256SUMS
    python3 verify.py

The first command checks that these are the files that were exported. The second, a page to read, checks the chain of
the ledger, and every file of every run against its manifest and the ledger. It prints the ledger's head, and every run
of these experiments that is on record and not in here: ask for it.

What this does not show: whoever has the project can write a whole new chain. It is shown to be the old one by a head
that somebody kept elsewhere before (a report's footer, a commit, an MLflow tag, an anchor file):

    python3 verify.py HEAD

Names of people are as they were asserted; `actor_source` in the ledger says how. Times are of the clocks of the
machines that wrote them.
"""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """An archive: where it lies, its SHA-256, the runs in it, the ones that are not on this disk, the ledger's head."""

    path: Path
    sha256: str
    runs: tuple[str, ...]
    absent: tuple[str, ...]
    head: str


def export(root: Path, name: str, out: Path) -> Exported:
    """Write an archive of one run, or of all runs of an experiment, with the whole ledger.

    Args:
        root: the project's root.
        name: a run's id or an experiment's.
        out: the archive's file, which must not exist.

    Raises:
        UsageError: nothing of that name is on record, or the file exists.
        IntegrityError: the ledger or a run is not what was recorded; nothing is written.
        MachineError: the disk refuses.
    """
    if out.exists():
        what, mend = "the file exists already", "give --out another name"
        raise UsageError(Problem(where=str(out), code="U243", what=what, mend=mend))
    lines = ledger.read(root)
    wanted = _wanted(lines, name)
    folders = {line.payload["run_id"]: runs_folder(root) / line.experiment / line.payload["run_id"] for line in wanted}
    here = [line for line in wanted if folders[line.payload["run_id"]].is_dir()]
    _refuse_broken(here, folders)
    content = _archive(root, lines, [folders[line.payload["run_id"]] for line in here])
    write_atomic(out, content)
    present = {line.payload["run_id"] for line in here}
    return Exported(
        path=out,
        sha256=sha256(content).hexdigest(),
        runs=tuple(sorted(present)),
        absent=tuple(run_id for run_id in folders if run_id not in present),
        head=lines[-1].hash,
    )


def _wanted(lines: Sequence[LedgerLine], name: str) -> list[LedgerLine]:
    """Return the lines that recorded the run, or the runs of the experiment."""
    own = [line for line in lines if line.kind in RECORDING]
    found = [line for line in own if name in {line.payload["run_id"], line.experiment}]
    if found:
        return found
    what, mend = f"no run or experiment of the name {name!r} is on record", "see `cxcausal audit log`"
    raise UsageError(Problem(where="ledger", code="U241", what=what, mend=mend))


def _refuse_broken(lines: Sequence[LedgerLine], folders: dict[str, Path]) -> None:
    """Raise where a run is not what was recorded: an archive must not make it look sound."""
    for line in lines:
        if verify_manifest(folders[line.payload["run_id"]]) != line.payload["manifest"]:
            where = f"{line.experiment}/{line.payload['run_id']}"
            what = f"has another manifest than line {line.seq} of the ledger"
            raise IntegrityError(Problem(where=where, code="I704", what=what, mend="run `cxcausal audit verify`"))


def _archive(root: Path, lines: Sequence[LedgerLine], folders: Sequence[Path]) -> bytes:
    """Return the archive's bytes; equal records give equal archives but for the anchor's time."""
    files = {
        "README.md": _README.encode(),
        "verify.py": Path(verify_export.__file__).read_bytes(),
        "ledger.jsonl": ledger.ledger_path(root).read_bytes(),
        "ledger.txt": "".join(f"{one.text}\n" for one in told(lines)).encode(),
        "anchor.json": anchor_bytes(anchor_of(lines)),
    }
    for folder in folders:
        for name in FILES:
            files[f"runs/{folder.parent.name}/{folder.name}/{name}"] = (folder / name).read_bytes()
    sums = "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted({**files, "SHA256SUMS": sums.encode()}.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
