"""A plan with nothing left to look up: the spec, where every value came from, and the hash of what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.plan_hash import hash_of
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.nodes import Node, Path, dotted, find, leaves
from cxcausal.core.spec.project import Project

BUILT_IN = "built-in default"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A valid plan after resolution.

    Attributes:
        spec: everything that is asked for, with defaults and library definitions written out.
        project: the project around the plan.
        provenance: for every leaf, by its dotted path, `file:line:column` or `built-in default`.
        plan_path: the plan's file as it was given.
        plan_hash: the SHA-256 of the plan's meaning; comments, key order and spelling of numbers don't count.
        notes: sentences that a reader of the results should know.
        removed: the defaults that the plan takes out with null, each with the place where it does.
    """

    spec: ExperimentSpec
    project: Project
    provenance: Mapping[str, str]
    plan_path: FilePath
    plan_hash: str
    notes: tuple[str, ...] = ()
    removed: Mapping[Path, str] = field(default_factory=dict)

    @property
    def plan(self) -> dict[str, Any]:
        """The resolved plan as bare maps, lists and scalars, without empty keys."""
        return meaning_of(self.spec)

    def placed(self, problem: Problem) -> Problem:
        """Return a problem that names a key of the plan by the key's `file:line:column` instead.

        A problem about anything else, or about a key that the plan left to its default, stays as it is.
        """
        place = self._place_of(problem.where)
        if place is None:
            return problem
        return replace(problem, where=place, what=f"{problem.where}: {problem.what}")

    def _place_of(self, key: str) -> str | None:
        below = (source for path, source in self.provenance.items() if path == key or path.startswith(f"{key}."))
        return next((source for source in below if source != BUILT_IN), None)


def meaning_of(spec: ExperimentSpec) -> dict[str, Any]:
    """Return what a plan says, as the content that its hash is taken over.

    Keys that are not set are left out, so that a later version with more keys gives old plans their old hash.
    """
    full = spec.model_dump(mode="json")
    return {key: _without_unset(value) for key, value in full.items() if value is not None}


def spec_of(meaning: Mapping[str, Any]) -> ExperimentSpec:
    """Return the plan that `meaning_of` was taken of, where it was stored with a run.

    Raises:
        PlanError: it was stored by a version whose plans this one can't read.
    """
    try:
        return ExperimentSpec.model_validate(dict(meaning))
    except ValueError as error:
        what, mend = "the plan that was stored with this run can't be read by this version", "name another run"
        raise PlanError(Problem(where="plan/resolved.json", code="R814", what=what, mend=mend)) from error


def _without_unset(value: Any) -> Any:  # noqa: ANN401 - bare content
    """Drop keys that are None, but for value maps, where None means missing."""
    if isinstance(value, list):
        return [_without_unset(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: item if key == "map" else _without_unset(item) for key, item in value.items() if item is not None}


def plan_hash(spec: ExperimentSpec) -> str:
    """Return the SHA-256 of a plan's meaning; secrets count as written, never by their value."""
    return hash_of(meaning_of(spec))


def provenance_of(spec: ExperimentSpec, merged: Node) -> dict[str, str]:
    """Return where every leaf of the resolved plan came from."""
    return {dotted(path): _source(merged, path) for path, _ in leaves(meaning_of(spec))}


def _source(merged: Node, path: Path) -> str:
    """Return the place of a leaf, of the scalar that became a list of one, or that it is built in."""
    node = find(merged, path)
    if node is None and isinstance(path[-1], int):
        above = find(merged, path[:-1])
        node = above if above is not None and not above.elements else None
    if node is None:
        return BUILT_IN
    return BUILT_IN if node.place.file == BUILT_IN else str(node.place)
