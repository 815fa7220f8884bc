"""MLflow against the record: every param, metric, tag, input and artifact of our runs, and runs of nobody."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cxcausal.core.errors import Problem
from cxcausal.tracking.audit_runs import SeenRun
from cxcausal.tracking.files import sha256_file
from cxcausal.tracking.layout import MANIFEST_FILE, STATE
from cxcausal.tracking.mlflow_runs import MlflowRun, Points
from cxcausal.tracking.model_folder import MODEL, NOTE
from cxcausal.tracking.projection import ARTIFACTS, Projection, project
from cxcausal.tracking.redaction import without_secrets
from cxcausal.tracking.sync import sent_state

_ANEW = "trust the record on disk: delete this run in MLflow for good, then run `cxcausal sync`"
_OURS = ("cx.", "mlflow.runName")


@dataclass(frozen=True, kw_only=True)
class Told:
    """One recorded run, what MLflow should say of it, and what it says."""

    seen: SeenRun
    wanted: Projection
    run: MlflowRun


def compared(
    root: Path, uri: str, recorded: Sequence[SeenRun], runs: Sequence[MlflowRun], *, files: bool, alone: bool
) -> Iterator[Problem]:
    """Yield everything in MLflow that is not as the record has it.

    Args:
        root: the project's root.
        uri: the resolved address of the store.
        recorded: runs of this disk whose files the ledger vouches for.
        runs: what MLflow has in our experiments.
        files: whether MLflow's artifacts lie on this disk and are compared as well.
        alone: whether the store belongs to this project only, so that a run of nobody was smuggled in.
    """
    by_id = {run.mlflow_id: run for run in runs}
    by_tag: defaultdict[str, list[MlflowRun]] = defaultdict(list)
    for run in runs:
        by_tag[run.tags.get("cx.run_id", "")].append(run)
    claimed: set[str] = set()
    for seen in recorded:
        found = _found(seen, uri, by_id, by_tag)
        if isinstance(found, Problem):
            yield found
        elif found is not None:
            claimed.add(found.mlflow_id)
            yield from _differences(root, seen, found, files=files)
    if alone:
        yield from (_smuggled(run) for run in runs if run.mlflow_id not in claimed and run.status != "RUNNING")


def _found(
    seen: SeenRun, uri: str, by_id: Mapping[str, MlflowRun], by_tag: Mapping[str, Sequence[MlflowRun]]
) -> MlflowRun | Problem | None:
    """Return MLflow's run of a recorded one, the problem that it is gone, or None where it still waits."""
    note = sent_state(seen.folder)
    sent = note is not None and note.state == "projected" and note.tracking_uri == without_secrets(uri)
    if note is not None and sent and (known := by_id.get(note.mlflow_run_id or "")) is not None:
        return known
    tagged = next(iter(by_tag.get(seen.folder.name, ())), None)
    if sent:
        return _at(seen, "", "I740", "was sent to MLflow, which no longer has it", "run `cxcausal sync`")
    return None if tagged is None or tagged.status == "RUNNING" else tagged


def _differences(root: Path, seen: SeenRun, run: MlflowRun, *, files: bool) -> Iterator[Problem]:
    """Yield every difference of one run."""
    assert seen.line is not None  # noqa: S101 - a vouched run has a line
    manifest_hash = seen.line.payload["manifest"]
    wanted = project(seen.results, manifest_hash=manifest_hash, ledger_hash=seen.line.hash)
    told = Told(seen=seen, wanted=wanted, run=run)
    yield from chain(_attributes(told), _params(told), _tags(told), _metrics(told), _inputs(told))
    if files:
        yield from _artifacts(root, told, manifest_hash)


def _attributes(told: Told) -> Iterator[Problem]:
    run, wanted = told.run, told.wanted
    pairs = {
        "experiment": (run.experiment, wanted.experiment),
        "name": (run.name, wanted.run_id),
        "status": (run.status, "FINISHED"),
        "start": (run.started_ms, wanted.started_ms),
        "life": ("active" if run.active else "deleted", "active"),
    }
    for key, (there, here) in pairs.items():
        if there != here:
            yield _at(told.seen, f" {key}", "I746", f"is {there!r} in MLflow, and {here!r} in the record")


def _params(told: Told) -> Iterator[Problem]:
    yield from _texts(told, "param", "I741", told.run.params, told.wanted.params)


def _tags(told: Told) -> Iterator[Problem]:
    """Yield differences of our tags; those that people add are theirs."""
    ours = {key: value for key, value in told.run.tags.items() if key.startswith(_OURS)}
    yield from _texts(told, "tag", "I743", ours, told.wanted.tags)


def _texts(told: Told, kind: str, code: str, there: Mapping[str, str], here: Mapping[str, str]) -> Iterator[Problem]:
    for key in sorted({*there, *here}):
        if there.get(key) != here.get(key):
            yield _at(told.seen, f" {kind} {key}", code, _how(key, there, here))


def _metrics(told: Told) -> Iterator[Problem]:
    moment = told.wanted.started_ms
    wanted: Points = {key: ((value, moment, 0),) for key, value in told.wanted.metrics.items()}
    for key in sorted({*told.run.metrics, *told.run.latest, *wanted}):
        for there in (told.run.metrics, told.run.latest):
            if not _same(there.get(key), wanted.get(key)):
                yield _at(told.seen, f" metric {key}", "I742", _how(key, there, wanted))
                break


def _same(one: tuple[tuple[float, int, int], ...] | None, other: tuple[tuple[float, int, int], ...] | None) -> bool:
    """Return whether two metrics have the same points; no number is equal to NaN."""
    return one == other and not any(math.isnan(value) for value, _, _ in one or ())


def _inputs(told: Told) -> Iterator[Problem]:
    wanted = {(item.name, item.digest, item.sha256) for item in told.wanted.inputs}
    for name, _, _ in sorted(wanted ^ set(told.run.inputs), key=str):
        yield _at(told.seen, f" input {name}", "I747", "has another hash in MLflow than in the record, or none")


def _artifacts(root: Path, told: Told, manifest_hash: str) -> Iterator[Problem]:
    """Yield MLflow's copies that differ from the files that the manifest lists, and an address that leads elsewhere."""
    ending = f"{STATE}/artifacts/{told.seen.folder.parent.name}/{told.run.mlflow_id}/artifacts"
    if not (told.run.artifacts or "").endswith(f"/{ending}"):
        yield _at(told.seen, " artifacts", "I744", "lie somewhere else than this project puts them")
        return
    folder = root / ending
    of_model = tuple(name for name in told.seen.artifacts if name.startswith(f"{MODEL}/"))
    names = (*ARTIFACTS, *of_model)
    wanted = {name: manifest_hash if name == MANIFEST_FILE else told.seen.artifacts[name] for name in names}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    present -= {f"{MODEL}/{NOTE}"}
    for name in sorted({*wanted, *present}):
        if name not in present:
            yield _at(told.seen, f" artifact {name}", "I744", "is missing in MLflow")
        elif name not in wanted:
            yield _at(told.seen, f" artifact {name}", "I744", "was added in MLflow later")
        elif sha256_file(folder / name) != wanted[name]:
            yield _at(told.seen, f" artifact {name}", "I744", "is not the file that the run wrote")


def _how(key: str, there: Mapping[str, object], here: Mapping[str, object]) -> str:
    """Return in which way a value differs; values stay out, as anybody may have written anything into MLflow."""
    if key not in there:
        return "was removed in MLflow"
    return "was added in MLflow" if key not in here else "has another value in MLflow than in the record"


def _smuggled(run: MlflowRun) -> Problem:
    what = "is in MLflow, but no run on record has it"
    mend = "bring the ledger and the folder of the run that it is a copy of; delete it only if there never was one"
    return Problem(where=f"mlflow {run.experiment}/{run.mlflow_id}", code="I745", what=what, mend=mend)


def _at(seen: SeenRun, place: str, code: str, what: str, mend: str = _ANEW) -> Problem:
    return Problem(where=f"mlflow {seen.name}{place}", code=code, what=what, mend=mend)
