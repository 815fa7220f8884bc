"""Somebody who may write the whole project wants a result to look better than it was: each way is told."""

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from cxcausal.core.canonical import canonical_json, sha256_of
from tests.e2e.project import Project, customers
from tests.e2e.test_audit_page import checked
from tests.e2e.test_record import page_one, registered, registered_run


def lines_of(project: Project) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project.root / "audit/ledger.jsonl").read_bytes().splitlines()]


def chained(project: Project, lines: list[dict[str, Any]]) -> None:
    """Write a ledger in which every hash fits."""
    previous = "0" * 64
    for number, line in enumerate(lines, start=1):
        line.update(seq=number, previous=previous)
        previous = line["hash"] = sha256_of({key: value for key, value in line.items() if key != "hash"})
    (project.root / "audit/ledger.jsonl").write_bytes(b"".join(canonical_json(line) + b"\n" for line in lines))


def forged(folder: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """Change the results of a run, let its manifest vouch for them, and return the manifest's SHA-256."""
    results, manifest = folder / "results/results.json", folder / "manifest.json"
    found, listed = json.loads(results.read_bytes()), json.loads(manifest.read_bytes())
    change(found)
    results.write_bytes(canonical_json(found))
    for item in listed["artifacts"]:
        if item["path"] == "results/results.json":
            item.update(sha256=sha256(results.read_bytes()).hexdigest(), size=results.stat().st_size)
    manifest.write_bytes(canonical_json(listed))
    return sha256(manifest.read_bytes()).hexdigest()


def _larger(results: dict[str, Any]) -> None:
    for row in results["effects"]:
        row["point"] = None if row["point"] is None else 1.5 * row["point"]


def unpacked(project: Project) -> Path:
    assert project.cx("audit", "export", "callback", "--out", "callback.zip").code == 0
    with zipfile.ZipFile(project.root / "callback.zip") as archive:
        archive.extractall(project.root / "callback")
    return project.root / "callback"


def verified(folder: Path) -> tuple[int, str]:
    done = checked(folder, sys.executable, "-I", "verify.py")
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_second_recording_of_a_run_is_found_though_chain_and_anchor_hold(project: Project) -> None:
    registered_run(project)
    assert project.cx("audit", "anchor", "--out", "anchor.json").code == 0
    archive = unpacked(project)
    before = lines_of(project)
    (folder,) = (project.root / ".cxcausal/runs/callback").iterdir()
    again = json.loads(json.dumps(before[-1]))
    again["payload"]["manifest"] = forged(folder, _larger)
    chained(project, [*before, again])
    (folder / "mlflow.json").unlink()
    (project.root / ".cxcausal/mlflow.db").unlink()
    found = project.cx("audit", "verify", "--anchor", "anchor.json", "--json")
    (problem,) = found.json["errors"]
    assert (found.code, problem["where"], problem["code"]) == (7, "audit/ledger.jsonl:3", "I719")
    assert "line 2 has recorded" in problem["what"]
    for words in (("replay", folder.name), ("approve", "callback"), ("rerun", "callback"), ("report", "callback")):
        assert (words, project.cx(*words).code) == (words, 7)
    shutil.copy(project.root / "audit/ledger.jsonl", archive / "ledger.jsonl")
    code, said = verified(archive)
    assert (code, "ledger.jsonl:3: this line records a run that a line above it" in said) == (1, True)


def test_an_archive_names_the_runs_that_it_does_not_have(project: Project) -> None:
    path = registered_run(project)
    (unwelcome,) = (project.root / ".cxcausal/runs/callback").iterdir()
    project.data(customers(lift=-0.12), "data/better.csv")
    assert project.cx("run", path, "--on", "data/better.csv").code == 0
    shutil.rmtree(unwelcome)
    code, said = verified(unpacked(project))
    assert code == 0
    assert f"not in this archive, though on record: callback/{unwelcome.name}, ship, on 20" in said


def test_an_archive_with_results_that_the_ledger_contradicts_is_not_sound(project: Project) -> None:
    registered_run(project)
    lines = lines_of(project)
    (folder,) = (project.root / ".cxcausal/runs/callback").iterdir()
    lines[-1]["payload"]["manifest"] = forged(folder, lambda results: results.update(verdict="stop"))
    chained(project, lines)
    code, said = verified(unpacked(project))
    assert (code, "says verdict 'stop', and the ledger says 'ship'" in said) == (1, True)


def _read(project: Project, *words: str) -> str:
    """Run an analysis and return its page one; what the terminal says stands before it."""
    done = project.cx("run", *words)
    assert done.code == 0, done.err
    page = max((project.root / "reports").glob("*/*/index.html"), key=lambda path: path.parent.name)
    return done.out + page_one(page)


def test_reading_until_the_answer_is_good_stands_on_page_one(project: Project) -> None:
    path = registered(project)
    project.data(customers(lift=-0.01))
    project.data(customers(lift=-0.1), "data/better.csv")
    first = _read(project, path)
    assert "HOLD" in first
    assert _read(project, path).count("reading") == first.count("reading"), "the same data again are no other reading"
    second = _read(project, path, "--on", "data/better.csv")
    assert "SHIP" in second
    assert second.count("of an experiment that was planned to be read once") == 2, "terminal and page"
    assert "This is reading 2 of an experiment" in " ".join(second.split())
    assert "Registered first" in first
    assert "Registered first" not in second
    assert "An earlier analysis, of other data or by another plan: hold on 20" in " ".join(second.split())
    assert "The data were read from data/better.csv , not from where the plan says." in second
    assert "not from where the plan says" not in first
    (better,) = {path.parent for path in (project.root / "reports").glob("*/*/index.html") if "SHIP" in page_one(path)}
    again = page_one(Path(project.cx("report", better.name, "--json").json["path"]))
    assert ("reading 2 of" in again, "data/better.csv" in again, "analysis, of other data" in again) == (True,) * 3
    assert "reading 2 of" not in page_one(Path(project.cx("report", _oldest(project), "--json").json["path"]))
    assert project.cx("audit", "verify").code == 0


def _oldest(project: Project) -> str:
    return str(min(path.name for path in (project.root / ".cxcausal/runs/callback").iterdir()))


def test_the_same_data_under_another_name_are_told(project: Project) -> None:
    project.data(customers(lift=-0.01))
    _read(project, project.plan())
    other = project.plan(name="again", id="callback_again", analysis={"alpha": 0.2})
    told = _read(project, other)
    assert "The same data were analysed before as “ callback ”: hold on 20" in told
    assert "planned to be read once" not in told


def _without(project: Project, number: int) -> Path:
    """Analyse, then erase customers who left, from the kept units and from the data; return the run's folder."""
    frame = customers(lift=-0.01)
    project.data(frame)
    assert project.cx("run", project.plan()).code == 0
    gone = frame[(frame["arm"] == "none") & (frame["churned"] == 1)]["customer_id"][:number]
    project.write("forget.txt", "\n".join(gone))
    assert project.cx("erase", "--ids", "forget.txt", "--reason", "requests", "--as", "privacy@example.com").code == 0
    project.data(frame[~frame["customer_id"].isin(gone)])
    (folder,) = (project.root / ".cxcausal/runs/callback").iterdir()
    return folder


def test_inconvenient_customers_who_were_erased_are_the_cause_that_is_told(project: Project) -> None:
    folder = _without(project, 100)
    replayed = project.cx("replay", folder.name, "--json")
    assert (replayed.code, replayed.json["outcome"]) == (0, "DATA_ERASED"), replayed.err
    assert any("Customers were erased from what this run kept" in note for note in replayed.json["notes"])
    done = project.cx("rerun", "callback", "--json")
    assert done.code == 8, done.err
    movement = done.json["movement"]
    assert movement["units"]["erased"] == 100
    (effect,) = movement["effects"]
    moved = {step["cause"]: step["change"] for step in effect["steps"] if step["change"]}
    assert moved.keys() == {"erased"}
    assert abs(moved["erased"] - (effect["now"] - effect["before"])) < 1e-12
    assert project.cx("audit", "verify").code == 0


def test_kept_units_with_a_note_that_the_ledger_does_not_know_are_not_used(project: Project) -> None:
    folder = _without(project, 100)
    note = folder / "kept/erased.json"
    (entry,) = json.loads(note.read_bytes())
    path = folder / "kept/units.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    note.write_bytes(canonical_json([{**entry, "sha256": sha256(path.read_bytes()).hexdigest()}]))
    for words in (("replay", folder.name), ("rerun", "callback"), ("audit", "verify")):
        done = project.cx(*words)
        assert (words, done.code, "F845" in done.err) == (words, 7, True)


def test_changes_that_somebody_accepted_stand_on_page_one(project: Project) -> None:
    frame = customers(base=0.8)
    project.data(frame)
    path = project.plan()
    assert project.cx("run", path).code == 0
    project.data(frame.assign(churned=1 - frame["churned"]))
    assert project.cx("rerun", path).code == 4
    done = project.cx("rerun", path, "--accept-changes", "the sign was wrong", "--json")
    assert done.code == 8
    told = page_one(project.root / done.json["report"])
    assert "would have been refused were accepted: “ the sign was wrong ”" in told
    assert "Registered first" not in told
    assert "Read 2 times, and the plan is one to be read once" in told


def test_a_clock_that_was_set_back_is_told(project: Project) -> None:
    registered_run(project)
    lines = lines_of(project)
    assert project.cx("audit", "verify", "--json").json["notes"] == []
    lines[1]["at"] = f"2019{lines[1]['at'][4:]}"
    chained(project, lines)
    (folder,) = (project.root / ".cxcausal/runs/callback").iterdir()
    (folder / "mlflow.json").unlink()
    (project.root / ".cxcausal/mlflow.db").unlink()
    found = project.cx("audit", "verify", "--json")
    (note,) = found.json["notes"]
    assert (found.code, note.startswith("audit/ledger.jsonl:2 (analyse) is dated 2019-")) == (0, True), found.err


def test_the_copy_of_a_run_that_was_changed_is_evidence_and_no_stranger(project: Project) -> None:
    registered_run(project)
    (folder,) = (project.root / ".cxcausal/runs/callback").iterdir()
    forged(folder, _larger)
    (problem,) = project.cx("audit", "verify", "--json").json["errors"]
    assert (problem["code"], problem["where"]) == ("I704", f"callback/{folder.name}")


def test_another_key_does_not_make_new_customers_of_the_old_ones(project: Project) -> None:
    project.data(customers())
    assert project.cx("run", project.plan()).code == 0
    (project.root / ".cxcausal/key").unlink()
    movement = project.cx("rerun", "callback", "--json").json["movement"]
    assert "the project's key is not the one" in movement["together"]
    assert movement["effects"][0]["pooled"] is None
