"""The worked example of CONTRIBUTING.md adds a check in four files, and it works as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"```(?:python|markdown)\n(?:# |<!-- )(file|line): (\S+?)(?: -->)?\n(.*?)```", re.DOTALL)
ANCHOR = {
    "cxcausal/core/registry.py": '        "tiny_arm": "cxcausal.checks.tiny_arm:TinyArm",\n',
    "CHANGELOG.md": "## Unreleased\n\n",
}


def _apply(target: Path) -> list[str]:
    touched = []
    for kind, name, body in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        path = target / name
        if kind == "line":
            before = path.read_text(encoding="utf-8")
            assert before.count(ANCHOR[name]) == 1
            path.write_text(before.replace(ANCHOR[name], ANCHOR[name] + body), encoding="utf-8")
        else:
            path.write_text(body, encoding="utf-8")
        touched.append(name)
    return touched


def test_the_worked_example_adds_a_check_in_four_files(tmp_path: Path) -> None:
    for folder in ("cxcausal", "tests", "configs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CHANGELOG.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    touched = _apply(tmp_path)
    assert len(touched) == len(set(touched)) == 4

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    places = ["tests/checks/test_lopsided_arms.py", "tests/conformance/test_checks.py"]
    run = subprocess.run(
        [*command, *places, "-k", "lopsided"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed" in run.stdout
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) > 4, "the conformance suite did not pick the check up"  # type: ignore[index]
