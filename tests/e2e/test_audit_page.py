"""`docs/audit.md` as it stands: its commands are run, its codes exist, and an auditor's own commands find it sound."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.project import ROOT, Project, customers

PAGE = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def words_of(line: str) -> list[str]:
    return [word.strip("'") for word in re.findall(r"'[^']*'|\S+", line)][1:]


def lived(project: Project) -> None:
    """Run the page's first commands; the plan changes before it is amended, and the data come before it is run."""
    approvers = ["bea@example.com", "cem@example.com"]
    project.plan(approvers=approvers)
    for line in BLOCKS[0].splitlines():
        verb = line.split()[1]
        if verb == "amend":
            project.plan(approvers=approvers, analysis={"alpha": 0.01})
        if verb == "run":
            project.data(customers())
        done = project.cx(*words_of(line))
        assert (done.code, line) == (0, line), done.err


def checked(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing of ours to be found by it."""
    plain = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    return subprocess.run(words, cwd=folder, env=plain, capture_output=True, text=True, check=False)


def test_the_commands_work_and_the_archive_is_checked_by_what_it_brings(project: Project) -> None:
    lived(project)
    log = project.cx("audit", "log", "callback").out.splitlines()
    assert [line.split()[4] for line in log] == [
        "registered", "amended", "analysed", "stopped", "approved", "decided", "printed",
    ]  # fmt: skip
    for line in "".join(BLOCKS[1:]).splitlines():
        done = project.cx(*words_of(line))
        assert (done.code, line) == (0, line), done.err
    assert project.cx("audit", "export", "callback", "--out", "callback.zip").code == 2
    folder = project.root / "callback"
    with zipfile.ZipFile(project.root / "callback.zip") as archive:
        archive.extractall(folder)
    head = json.loads((project.root / "anchor.json").read_bytes())["head"]
    sums = checked(folder, "sha256sum", "-c", "SHA256SUMS")
    assert (sums.returncode, sums.stderr) == (0, "")
    found = checked(folder, sys.executable, "-I", "verify.py", head)
    assert (found.returncode, found.stderr) == (0, "")
    assert "7 ledger lines, 1 runs" in found.stdout
    assert found.stdout.endswith(f"sound\nhead {head}\n")
    names = {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()}
    assert names == {"README.md", "SHA256SUMS", "anchor.json", "ledger.jsonl", "ledger.txt", "runs", "verify.py"}
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"CUST0" not in kept
    _tampered(folder)


def _tampered(folder: Path) -> None:
    """The auditor's page finds what was changed in the archive, wherever it was."""
    results = next(folder.glob("runs/*/*/results/results.json"))
    for path, old, new, place in (
        (results, b'"ship"', b'"stop"', "results.json: is not the file that the run wrote"),
        (folder / "ledger.jsonl", b'"pilot"', b'"ship"', "ledger.jsonl:6: this line was changed"),
    ):
        before = path.read_bytes()
        assert old in before
        path.write_bytes(before.replace(old, new))
        found = checked(folder, sys.executable, "-I", "verify.py")
        assert (found.returncode, place in found.stdout, "NOT SOUND" in found.stdout) == (1, True, True)
        path.write_bytes(before)
    found = checked(folder, sys.executable, "-I", "verify.py", "ab" * 32)
    assert (found.returncode, "the head that was kept is not in it" in found.stdout) == (1, True)


def test_every_code_of_the_page_exists_and_every_code_of_an_audit_is_on_the_page() -> None:
    told = set(re.findall(r"\bI7\d\d\b", PAGE))
    files = [*(ROOT / "cxcausal/tracking").glob("*.py")]
    used = set(re.findall(r'"(I7\d\d)"', "".join(path.read_text(encoding="utf-8") for path in files)))
    assert told == used - {"I730", "I731", "I732"}


def test_the_record_that_a_broken_ledger_leaves_is_neither_exported_nor_anchored(project: Project) -> None:
    project.data(customers())
    assert project.cx("run", project.plan()).code == 0
    (project.root / "audit/ledger.jsonl").write_bytes(b"{}\n")
    for words in (("log",), ("anchor",), ("export", "callback", "--out", "x.zip"), ("verify",)):
        done = project.cx("audit", *words)
        assert (done.code, "I711" in done.err) == (7, True)
    assert not (project.root / "x.zip").exists()
    assert project.cx("list").code == 0


@pytest.mark.parametrize("text", ["abc", "missing.json", "experiments/callback.yaml"])
def test_what_is_no_anchor_is_refused(project: Project, text: str) -> None:
    project.plan()
    done = project.cx("audit", "verify", "--anchor", text)
    assert (done.code, "U240" in done.err) == (2, True)


def test_branches_are_joined(project: Project) -> None:
    assert project.cx("register", project.plan()).code == 0
    ledger = project.root / "audit/ledger.jsonl"
    common = ledger.read_bytes()
    assert project.cx("stop", "callback").code == 0
    ours = ledger.read_bytes()
    ledger.write_bytes(common)
    shutil.rmtree(project.root / ".cxcausal/runs", ignore_errors=True)
    assert project.cx("stop", "callback", "--reason", "theirs").code == 0
    ledger.write_bytes(ours + ledger.read_bytes().removeprefix(common))
    assert "cxcausal audit merge" in project.cx("audit", "verify").err
    assert project.cx("audit", "merge", "--json").json["merged"] is True
    assert project.cx("audit", "merge", "--json").json["merged"] is False
    assert project.cx("audit", "verify").code == 0
