"""Honest records of every shape, in which an audit must find nothing."""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import GateError
from cxcausal.core.plan_hash import hash_of
from cxcausal.core.spec.resolve import meaning_of
from cxcausal.tracking import ledger
from cxcausal.tracking.acts import Change, amend, stop
from cxcausal.tracking.audit import audit
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.tracker import Tracker
from tests.tampering.projects import ANN, CEM, filled, recorded, signed, spec_of

NOWHERE = "http://127.0.0.1:9"
_NO_PROCESS = 2**30


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project under way: where it lies, where an empty MLflow store can be had, and where choices come from."""

    root: Path
    template: Path
    draw: random.Random


Shape = Callable[[Place], None]


def made(root: Path, template: Path) -> Path:
    """Return a project's root with an empty MLflow store."""
    (root / ".cxcausal").mkdir(parents=True)
    shutil.copyfile(template, root / ".cxcausal/mlflow.db")
    return root


def _more(place: Place, root: Path | None = None, uri: str | None = None) -> None:
    recorded(root or place.root, "callback", place.draw, uri=uri)


def _newest(root: Path) -> Path:
    """Return the folder of the newest run that was recorded here."""
    return max((folder for folder in run_folders(root) if (folder / "mlflow.json").exists()), key=lambda one: one.name)


def waiting(place: Place) -> None:
    """A run that no store took, sent later or not."""
    _more(place, uri=NOWHERE)
    if place.draw.random() < 0.5:
        Tracker(place.root).sync()


def failed(place: Place) -> None:
    """A run that ended with an error."""
    with suppress(ArithmeticError), Tracker(place.root).open("callback"):
        raise ArithmeticError


def died(place: Place) -> None:
    """A process that died: before its run was on record, or just after; reaped or not yet."""
    with Tracker(place.root).open("callback"):
        pass
    for folder in (run_folders(place.root)[0], max(run_folders(place.root))):
        status = replace(read_status(folder), status="RUNNING", ended_at=None, reason=None, process=_NO_PROCESS)
        (folder / "status.json").write_bytes(canonical_json(status))
    if place.draw.random() < 0.5:
        reap(place.root)


def under_way(place: Place) -> None:
    """A run that was being computed and sent when the audit came."""
    folder = _newest(place.root)
    status = replace(read_status(folder), status="RUNNING", ended_at=None)
    (folder / "status.json").write_bytes(canonical_json(status))
    note = json.loads((folder / "mlflow.json").read_bytes())
    (folder / "mlflow.json").write_bytes(canonical_json({**note, "state": "pending", "mlflow_run_id": None}))
    with closing(sqlite3.connect(place.root / ".cxcausal/mlflow.db")) as store, store:
        store.execute("UPDATE runs SET status = 'RUNNING' WHERE name = ?", (folder.name,))
        store.execute("DELETE FROM metrics WHERE run_uuid IN (SELECT run_uuid FROM runs WHERE status = 'RUNNING')")


def other_machine(place: Place) -> None:
    """A clone on another machine, where runs are added; the ledger comes back by git."""
    clone = made(place.root.parent / "clone", place.template)
    shutil.copytree(place.root / "audit", clone / "audit")
    _more(place, clone)
    shutil.copyfile(ledger.ledger_path(clone), ledger.ledger_path(place.root))
    assert audit(clone).problems == ()
    shutil.rmtree(clone)


def merged(place: Place) -> None:
    """Two branches with runs of their own, joined."""
    clone = made(place.root.parent / "branch", place.template)
    shutil.copytree(place.root / "audit", clone / "audit")
    common = ledger.ledger_path(place.root).read_bytes()
    _more(place, clone)
    _more(place)
    theirs = ledger.ledger_path(clone).read_bytes().removeprefix(common)
    with ledger.ledger_path(place.root).open("ab") as handle:
        handle.write(theirs)
    ledger.merge(place.root, ANN)
    shutil.rmtree(clone)


def fresh_clone(place: Place) -> None:
    """Nothing but the ledger, as git has it."""
    shutil.rmtree(place.root / ".cxcausal")
    shutil.rmtree(place.root / "reports")


def emptied(place: Place) -> None:
    """MLflow lost every run, and `sync` sent them again."""
    shutil.rmtree(place.root / ".cxcausal/artifacts")
    with closing(sqlite3.connect(place.root / ".cxcausal/mlflow.db")) as store, store:
        for table in ("inputs", "params", "tags", "metrics", "latest_metrics", "runs"):
            store.execute(f"DELETE FROM {table}")  # noqa: S608 - our own list
    assert audit(place.root).problems != ()
    Tracker(place.root).sync()


def tidied(place: Place) -> None:
    """Copies of reports were removed, and a page beside them written by hand."""
    shutil.rmtree(place.root / "reports")
    (place.root / "reports/callback").mkdir(parents=True)
    (place.root / "reports/callback/notes.html").write_text("<p>ours</p>", encoding="utf-8")


def moved(place: Place) -> None:
    """The project's folder got another name, and back."""
    elsewhere = place.root.parent / "elsewhere"
    place.root.rename(elsewhere)
    assert [str(found) for found in audit(elsewhere).problems] == []
    elsewhere.rename(place.root)


def ruled(place: Place) -> None:
    """A plan that is amended after results were seen, a run of it, approved and decided upon, and the end of it all."""
    plan = {**meaning_of(spec_of("callback")), "question": f"Does a call keep customers, {place.draw.random()}?"}
    change = Change(
        experiment="callback", plan_hash=hash_of(plan), plan=plan, reason="a clearer question", results_seen=True
    )
    amend(place.root, change, ANN)
    _more(place)
    signed(place.root, _newest(place.root).name)
    with suppress(GateError):
        stop(place.root, "callback", "enough", CEM)


def noted(place: Place) -> None:
    """People wrote their own tags and a description in MLflow."""
    with closing(sqlite3.connect(place.root / ".cxcausal/mlflow.db")) as store, store:
        for key in ("mlflow.note.content", "team", "reviewed"):
            store.execute(
                "INSERT OR IGNORE INTO tags (key, value, run_uuid) SELECT ?, 'yes', run_uuid FROM runs", (key,)
            )


SHAPES: dict[str, Shape] = {
    "waiting": waiting,
    "failed": failed,
    "died": died,
    "other machine": other_machine,
    "merged": merged,
    "tidied": tidied,
    "moved": moved,
    "noted": noted,
    "ruled": ruled,
    "emptied": emptied,
    "under way": under_way,
    "fresh clone": fresh_clone,
}
_LAST = ("emptied", "under way", "fresh clone")


def built(folder: Path, template: Path, number: int) -> tuple[Path, tuple[str, ...]]:
    """Return an honest project and the names of the shapes that it was given: each number has others."""
    draw = random.Random(f"honest:{number}")  # noqa: S311 - no secret
    root = made(folder / "project", template)
    filled(root, draw.randrange(1, 4), seed=number)
    free = [name for name in SHAPES if name not in _LAST]
    names = draw.sample(free, draw.randrange(1, 4))
    if number % 4 == 0:
        names.append(_LAST[number // 4 % len(_LAST)])
    for name in names:
        SHAPES[name](Place(root=root, template=template, draw=draw))
    return root, tuple(names)
