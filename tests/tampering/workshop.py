"""Where a project is tampered with and put back: every change is undone, so that one project serves a thousand."""

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cxcausal.core.canonical import canonical_json, sha256_of
from cxcausal.tracking.anchors import Anchor, anchor_of
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.ledger import ledger_path, read
from cxcausal.tracking.sync import sent_state


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A project whose files and MLflow store are changed through this and nothing else.

    Attributes:
        root: the project. anchor: what was kept of its ledger. draw: where all choices come from.
    """

    root: Path
    anchor: Anchor
    draw: random.Random
    _undo: list[Callable[[], object]] = field(default_factory=list)

    def run(self) -> Path:
        """Return the folder of a run."""
        return self.draw.choice(run_folders(self.root))

    def write(self, path: Path, content: bytes) -> None:
        """Write a file, and remember what it was."""
        if path.exists():
            before = path.read_bytes()
            self._undo.append(lambda: path.write_bytes(before))
        else:
            self._undo.append(path.unlink)
        path.write_bytes(content)

    def remove(self, path: Path) -> None:
        """Take a file or a folder away."""
        aside = path.with_name(f"{path.name}.aside")
        away = self.root.parent / "aside" / aside.name
        away.parent.mkdir(exist_ok=True)
        path.rename(away)
        self._undo.append(lambda: away.rename(path))

    def copy(self, folder: Path, to: Path) -> None:
        """Copy a folder."""
        shutil.copytree(folder, to)
        self._undo.append(lambda: shutil.rmtree(to))

    def sql(self, *statements: str, **values: Any) -> None:
        """Change MLflow's tables."""
        path = self.root / ".cxcausal/mlflow.db"
        before = path.read_bytes()
        self._undo.append(lambda: path.write_bytes(before))
        with closing(sqlite3.connect(path)) as store, store:
            for statement in statements:
                store.execute(statement, values)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Read MLflow's tables."""
        with closing(sqlite3.connect(self.root / ".cxcausal/mlflow.db")) as store:
            return store.execute(statement, values).fetchall()

    def mlflow_id(self, folder: Path) -> str:
        """Return MLflow's id of a run."""
        sent = sent_state(folder)
        assert sent is not None
        assert sent.mlflow_run_id is not None
        return sent.mlflow_run_id

    def mlflow_folder(self, folder: Path) -> Path:
        """Return where MLflow keeps the artifacts of a run."""
        return self.root / ".cxcausal/artifacts" / folder.parent.name / self.mlflow_id(folder) / "artifacts"

    def ledger(self) -> list[bytes]:
        """Return the ledger's lines with their ends."""
        return ledger_path(self.root).read_bytes().splitlines(keepends=True)

    def write_ledger(self, lines: list[bytes]) -> None:
        """Write the ledger anew."""
        self.write(ledger_path(self.root), b"".join(lines))

    def rechain(self, number: int, change: Callable[[dict[str, Any]], None]) -> None:
        """Change a line's payload and hash everything from there on again, as a careful forger would."""
        lines = [json.loads(line) for line in self.ledger()]
        change(lines[number]["payload"])
        for position in range(number, len(lines)):
            line = lines[position]
            line["previous"] = lines[position - 1]["hash"] if position else "0" * 64
            line["hash"] = sha256_of({key: value for key, value in line.items() if key != "hash"})
        self.write_ledger([canonical_json(line) + b"\n" for line in lines])

    def put_back(self) -> None:
        """Undo everything, the last first."""
        while self._undo:
            self._undo.pop()()


@contextmanager
def tampering(root: Path, draw: random.Random) -> Iterator[Workshop]:
    """Yield a workshop and leave the project as it was."""
    shop = Workshop(root=root, anchor=anchor_of(read(root)), draw=draw)
    try:
        yield shop
    finally:
        shop.put_back()


def files_of(folder: Path) -> list[Path]:
    """Return every file of a run that is its own: neither status nor note."""
    mutable = {"status.json", "mlflow.json"}
    found = [Path(at) / name for at, _, names in os.walk(folder) for name in names if name not in mutable]
    return sorted(found)
