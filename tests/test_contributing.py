"""The worked examples of CONTRIBUTING.md add components of four kinds, and they work as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"```(?:python|markdown)\n(?:# |<!-- )(file|line): (\S+?)(?: -->)?\n(.*?)```", re.DOTALL)
CHECKS = '        "tiny_arm": "cxcausal.checks.tiny_arm:TinyArm",\n'
COMPANIONS = '        "complier": "cxcausal.estimators.complier:Complier",\n'
LEARNERS = '        "constant": "cxcausal.heterogeneity.learners.constant:Constant",\n'
POLICIES = '        "top_risk": "cxcausal.policy.top_risk:TopRisk",\n'
UNRELEASED = "## Unreleased\n\n"
LISTED = '    companions: ClassVar[tuple[str, ...]] = ("winsorized", "parts", "response", "complier")\n'


def _example(heading: str) -> str:
    """Return the section of CONTRIBUTING.md that begins with a heading."""
    sections = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## ")
    (found,) = (section for section in sections if section.startswith(heading))
    return found


def _apply(target: Path, text: str, anchors: dict[str, str], replaced: tuple[str, ...] = ()) -> list[str]:
    touched = []
    for kind, name, body in BLOCK.findall(text):
        path = target / name
        if kind == "line":
            before, anchor = path.read_text(encoding="utf-8"), anchors[name]
            assert before.count(anchor) == 1
            path.write_text(before.replace(anchor, body if name in replaced else anchor + body), encoding="utf-8")
        else:
            path.write_text(body, encoding="utf-8")
        touched.append(name)
    return touched


def _copy(target: Path) -> None:
    for folder in ("cxcausal", "tests", "configs"):
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CHANGELOG.md", "pyproject.toml"):
        shutil.copy(ROOT / name, target / name)


def _passed(target: Path, places: list[str], named: str) -> int:
    """Run the tests of one component in the changed copy and return how many passed; none may fail."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, *places, "-k", named],
        cwd=target,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = re.search(r"(\d+) passed", run.stdout)
    assert found is not None, run.stdout
    return int(found[1])


def test_the_worked_example_adds_a_check_in_four_files(tmp_path: Path) -> None:
    _copy(tmp_path)
    touched = _apply(
        tmp_path, _example("Add a check"), {"cxcausal/core/registry.py": CHECKS, "CHANGELOG.md": UNRELEASED}
    )
    assert len(touched) == len(set(touched)) == 4
    places = ["tests/checks/test_lopsided_arms.py", "tests/conformance/test_checks.py"]
    assert _passed(tmp_path, places, "lopsided") > 4, "the conformance suite did not pick the check up"


def test_the_worked_example_adds_a_companion_in_five_files(tmp_path: Path) -> None:
    _copy(tmp_path)
    design = "cxcausal/designs/randomized.py"
    anchors = {"cxcausal/core/registry.py": COMPANIONS, "CHANGELOG.md": UNRELEASED, design: LISTED}
    touched = _apply(tmp_path, _example("Add a companion"), anchors, replaced=(design,))
    assert len(touched) == len(set(touched)) == 5
    places = ["tests/estimators/test_equal_variances.py", "tests/conformance/test_companions.py"]
    assert _passed(tmp_path, places, "equal_variances") > 3, "the conformance suite did not pick the companion up"


@pytest.mark.parametrize(
    ("heading", "anchor", "test"),
    [
        ("Add a learner of effects", LEARNERS, "tests/heterogeneity/test_transformed.py"),
        ("Add a rule for whom to contact", POLICIES, "tests/policy/test_cautious.py"),
    ],
)
def test_the_worked_examples_add_a_learner_and_a_rule_in_four_files(
    tmp_path: Path, heading: str, anchor: str, test: str
) -> None:
    _copy(tmp_path)
    anchors = {"cxcausal/core/registry.py": anchor, "CHANGELOG.md": UNRELEASED}
    touched = _apply(tmp_path, _example(heading), anchors)
    assert len(touched) == len(set(touched)) == 4
    assert _passed(tmp_path, [test], "test") == 1
