"""From the path of a plan file to the resolved plan, or to everything that is wrong with it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path as FilePath

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.signs import visible
from cxcausal.core.spec.layers import layered
from cxcausal.core.spec.learner_rules import learner_notes
from cxcausal.core.spec.library import read_library
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.nodes import Finding, Node, find, locate
from cxcausal.core.spec.plan_rules import notes_of
from cxcausal.core.spec.policy_rules import policy_notes
from cxcausal.core.spec.project import find_root, read_project
from cxcausal.core.spec.resolve import Resolved, plan_hash, provenance_of
from cxcausal.core.spec.rules import broken_rules
from cxcausal.core.spec.sections import validate_sections
from cxcausal.core.spec.yaml_loader import read_yaml

MAX_MESSAGE = 400


def load_experiment(path: str | FilePath, *, root: FilePath | None = None) -> Resolved:
    """Read, resolve and validate a plan.

    Args:
        path: the plan file.
        root: the project's root; by default the nearest folder above the plan, or above the working directory,
            that holds `configs/project.yaml`, else the working directory.

    Raises:
        PlanError: with every problem of the plan and of the configuration it needs, in the order of the file.

    Example:
        >>> load_experiment("experiments/callback.yaml").spec.id  # doctest: +SKIP
        'callback-2026q4'
    """
    file = FilePath(path)
    folder = root or find_root(file.parent) or find_root(FilePath.cwd()) or FilePath.cwd()
    return _resolved(file, folder.resolve())


def _resolved(file: FilePath, root: FilePath) -> Resolved:
    shown = file.as_posix()
    reading = read_yaml(file, shown)
    if reading.node is None or not reading.complete:
        raise PlanError(_in_order(reading.problems, shown))
    project, of_project = read_project(root)
    library, of_library = read_library(root)
    merged = layered(reading.node, project, library)
    draft, findings = validate_sections(merged.raw, project, tuple(library.sources), merged.unknown)
    told = _told((*findings, *broken_rules(draft)), merged.node, reading.node)
    problems = _in_order((*reading.problems, *of_project, *of_library, *merged.problems, *told), shown)
    if problems:
        raise PlanError(problems)
    spec = ExperimentSpec(**draft.values)
    return Resolved(
        spec=spec,
        project=project,
        provenance=provenance_of(spec, merged.node),
        plan_path=file,
        plan_hash=plan_hash(spec),
        notes=(*merged.notes, *notes_of(draft), *learner_notes(draft), *policy_notes(draft)),
        removed={path: str(place) for path, place in merged.removed},
    )


def _told(findings: Iterable[Finding], merged: Node, plan: Node) -> Iterable[Problem]:
    """Return findings with their places; a required key that is there but empty is told at its own place."""
    for item in findings:
        empty = find(plan, item.path) if find(merged, item.path) is None else None
        place = locate(plan if empty is not None else merged, item.path, "key" if empty is not None else item.at)
        what = item.what.replace("is missing", "is empty") if empty is not None and item.code == "P202" else item.what
        yield Problem(where=str(place), code=item.code, what=what, mend=item.mend)


def _in_order(problems: Iterable[Problem], plan_file: str) -> tuple[Problem, ...]:
    """Sort by file (the plan first), line and column, and tell one value's first problem of the YAML only."""
    kept: dict[tuple[str, str], Problem] = {}
    broken: set[str] = set()
    for problem in problems:
        if problem.where not in broken:
            kept.setdefault((problem.where, problem.what), problem)
        if problem.code.startswith("P1"):
            broken.add(problem.where)
    lines = (replace(item, what=_one_line(item.what), mend=_one_line(item.mend)) for item in kept.values())
    return tuple(sorted(lines, key=lambda problem: _position(problem, plan_file)))


def _one_line(text: str) -> str:
    """Return text that can't break a line, move a terminal's cursor or flood it."""
    return visible(text.strip(), MAX_MESSAGE)


def _position(problem: Problem, plan_file: str) -> tuple[bool, str, int, int]:
    file, line, column = problem.where.rsplit(":", 2)
    return file != plan_file, file, int(line), int(column)
