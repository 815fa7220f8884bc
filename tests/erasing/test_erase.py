"""A customer's erasure: out of kept units, on record without an id, and every run still verifies."""

import hashlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxcausal.data.erasing import keyed_hashes, without_customers
from cxcausal.tracking import ledger, tracker
from cxcausal.tracking.erasing import NOTE
from cxcausal.tracking.files import write_atomic
from cxcausal.tracking.layout import KEPT_UNITS
from cxcausal.tracking.project_key import project_key
from tests.e2e.project import ROOT, Finished, Project, customers

GONE = [f"CUST{i:07d}" for i in range(30)]
WORDS = ("--reason", "requests of November", "--as", "privacy@example.com")


def twin(text: str, key: bytes) -> str:
    """The keyed hash once more, in other words."""
    inner = hashlib.sha256(f"{key.hex()}{text}".encode()).hexdigest()
    return hashlib.sha256(f"{key.hex()}{inner}".encode()).hexdigest()[:32]


def keep(root: Path, directory: Path, names: list[str]) -> None:
    key = project_key(root)
    homes = [f"H{at // 2}" for at in range(len(names))]
    table = pa.table(
        {
            "key": [twin(name, key) for name in names],
            "nth": [1] * len(names),
            "id:household": [twin(home, key) for home in homes],
            "number:spend": [float(at) for at in range(len(names))],
        }
    )
    path = directory / KEPT_UNITS
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path, write_page_checksum=True)


@pytest.fixture
def kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, list[Path]]:
    """A project with two runs, each of which kept its units, whoever writes them in this version."""
    frame = customers(400)
    written = tracker._write_files

    def with_units(store: Any, *given: Any) -> None:
        keep(project.root, store.directory, list(frame["customer_id"]))
        written(store, *given)

    monkeypatch.setattr(tracker, "_write_files", with_units)
    project.data(frame)
    path = project.plan()
    ids = [project.cx("run", path, "--json").json["run_id"] for _ in range(2)]
    return project, [project.root / ".cxcausal/runs/callback" / run_id for run_id in ids]


def erased(project: Project, names: list[str], *words: str) -> Finished:
    path = project.write("forget.txt", "\n".join(names))
    done = project.cx("erase", "--ids", str(path), *WORDS, *words)
    path.unlink()
    return done


def keys_in(directory: Path) -> set[str]:
    return set(pq.read_table(directory / KEPT_UNITS)["key"].to_pylist())


def test_hashes_are_those_of_kept_units() -> None:
    assert keyed_hashes(["ä", "1"], b"k" * 32) == {twin("ä", b"k" * 32), twin("1", b"k" * 32)}


def test_customers_are_gone_and_runs_still_verify(kept: tuple[Project, list[Path]]) -> None:
    project, folders = kept
    key = project_key(project.root)
    done = erased(project, [*GONE, "nobody", "", f" {GONE[0]} "], "--json")
    assert done.code == 0, done.err
    assert {name: done.json[name] for name in ("listed", "runs", "rows")} == {"listed": 31, "runs": 2, "rows": 60}
    for folder in folders:
        assert not keys_in(folder) & {twin(name, key) for name in GONE}
        assert len(keys_in(folder)) == 370
        assert (folder / KEPT_UNITS).stat().st_mode & 0o777 == 0o600
    assert project.cx("audit", "verify").code == 0
    line = ledger.read(project.root)[-1]
    assert (line.kind, line.actor, line.payload["reason"]) == ("erase", "privacy@example.com", "requests of November")
    assert [item["run_id"] for item in line.payload["rewritten"]] == [folder.name for folder in folders]
    everything = [
        path for part in (".cxcausal", "audit") for path in (project.root / part).rglob("*") if path.is_file()
    ]
    for raw in [*(path.read_bytes() for path in everything), done.out.encode(), done.err.encode()]:
        assert GONE[7].encode() not in raw
        assert hashlib.sha256(GONE[7].encode()).hexdigest().encode() not in raw


def test_again_and_again(kept: tuple[Project, list[Path]]) -> None:
    project, folders = kept
    for names, runs in ((GONE[:20], 2), (GONE[:20], 0), (GONE[15:], 2)):
        assert erased(project, names, "--json").json["runs"] == runs
        assert project.cx("audit", "verify").code == 0
    assert len(keys_in(folders[0])) == 370


def test_few_are_not_counted(kept: tuple[Project, list[Path]]) -> None:
    project, _ = kept
    assert erased(project, GONE[:2], "--json").json["rows"] is None
    assert "fewer than 10 rows are gone" in erased(project, GONE[2:4]).out


def test_a_whole_household(kept: tuple[Project, list[Path]]) -> None:
    project, folders = kept
    assert erased(project, ["H0", "H1"], "--column", "household", "--json").json["runs"] == 2
    assert len(keys_in(folders[0])) == 396
    assert erased(project, ["H2"], "--column", "nothing", "--json").json["runs"] == 0
    assert erased(project, ["H2"], "--json").json["runs"] == 0


def test_killed_between_the_ledger_and_the_files(
    kept: tuple[Project, list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, folders = kept
    erased(project, GONE[:12])

    def broken(path: Path, content: bytes) -> None:
        if path.name == "units.parquet":
            raise OSError(28, "No space left on device")
        write_atomic(path, content)

    with monkeypatch.context() as dying:
        dying.setattr("cxcausal.tracking.erasing.write_atomic", broken)
        assert erased(project, GONE).code == 6
    assert project.cx("audit", "verify").code == 0
    assert len(keys_in(folders[0])) == 388
    assert erased(project, GONE, "--json").json["runs"] == 2
    assert (project.cx("audit", "verify").code, len(keys_in(folders[0]))) == (0, 370)


def test_tampering_is_not_taken_for_an_erasure(kept: tuple[Project, list[Path]]) -> None:
    project, (folder, _) = kept
    erased(project, GONE)
    honest, note = (folder / KEPT_UNITS).read_bytes(), (folder / NOTE).read_bytes()
    changed = without_customers(folder / KEPT_UNITS, keyed_hashes(["CUST0000100"], project_key(project.root)))
    assert changed is not None
    (folder / KEPT_UNITS).write_bytes(changed.content)
    told = project.cx("audit", "verify")
    assert (told.code, "I702" in told.err + told.out) == (7, True)
    assert erased(project, GONE[:1]).code == 7
    digest = hashlib.sha256(changed.content).hexdigest()
    (folder / NOTE).write_text(json.dumps([{"path": KEPT_UNITS, "sha256": digest, "size": 1}]), encoding="utf-8")
    told = project.cx("audit", "verify")
    assert (told.code, "F845" in told.err + told.out) == (7, True)
    (folder / KEPT_UNITS).write_bytes(honest)
    (folder / NOTE).write_bytes(b"[")
    assert project.cx("audit", "verify").code == 7
    (folder / NOTE).write_bytes(note)
    assert project.cx("audit", "verify").code == 0


@pytest.mark.parametrize(
    ("content", "words", "code", "error"),
    [
        (None, (), 4, "F841"),
        (b"\xff\xfe\x00", (), 4, "F841"),
        (b"\n \n", (), 4, "F842"),
        (b"CUST0000001", ("--reason", " "), 2, "U233"),
        (b"CUST0000001", ("--reason", "CUST0000001 asked"), 2, "U233"),
        (b"ann.lee@example.com", ("--reason", "asked (ann.lee@example.com)"), 2, "U233"),
    ],
)
def test_what_is_refused(
    content: bytes | None, words: tuple[str, ...], code: int, error: str, project: Project
) -> None:
    path = project.root / "ann.lee@example.com.txt"
    if content is not None:
        path.write_bytes(content)
    done = project.cx("erase", "--ids", str(path), *WORDS, *words)
    assert (done.code, error in done.err) == (code, True), done.err
    assert not any(secret in done.err + done.out for secret in ("ann.lee", "CUST0000001"))
    assert ledger.read(project.root) == ()


def test_without_kept_units_it_is_recorded_all_the_same(project: Project) -> None:
    done = erased(project, GONE)
    assert done.code == 0
    assert "no run kept any of them" in done.out
    assert [line.kind for line in ledger.read(project.root)] == ["erase"]


def test_the_example_of_the_page(project: Project) -> None:
    text = (ROOT / "docs/privacy.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"```sh\ncxcausal (.*?)\n```", text)
    project.write("forget.txt", "1\n2\n")
    assert project.cx(*shlex.split(command)).code == 0
    (line,) = ledger.read(project.root)
    assert (line.kind, line.actor, line.payload["listed"]) == ("erase", "privacy@example.com", 2)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    from cxcausal.core.errors import DataError  # noqa: PLC0415 - only here

    path = tmp_path / "units.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(DataError, match="F844"):
        without_customers(path, frozenset())
