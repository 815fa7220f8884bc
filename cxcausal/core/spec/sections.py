"""The sections of a merged plan, validated one by one, so that one bad section doesn't hide what is wrong elsewhere."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from cxcausal.core.spec.checks import read_checks
from cxcausal.core.spec.designs import Design
from cxcausal.core.spec.draft import Draft, Planned
from cxcausal.core.spec.keys import EXAMPLES
from cxcausal.core.spec.layers import ROLES
from cxcausal.core.spec.messages import findings_of, homes_of, missing, suggestion
from cxcausal.core.spec.models import ExperimentSpec, Metric, Metrics
from cxcausal.core.spec.nodes import Finding, Path
from cxcausal.core.spec.project import Project
from cxcausal.core.spec.pruning import without
from cxcausal.core.spec.scalars import shown

CONFIGURED = frozenset({"value_model", "currency"})
"""Keys of the resolved plan that a plan file can't set."""

DESIGNS: Mapping[str, Any] = {
    get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(get_args(Design)[0])
}
"""The models of the designs, by type."""


def plan_keys() -> tuple[str, ...]:
    """Return the top-level keys of a plan file."""
    return tuple(name for name in ExperimentSpec.model_fields if name not in CONFIGURED)


def validate_sections(
    raw: Mapping[str, Any], project: Project, sources: tuple[str, ...], unknown_metrics: tuple[str, ...]
) -> tuple[Draft, tuple[Finding, ...]]:
    """Validate every section of a merged plan.

    Args:
        raw: the bare content of the merged plan.
        project: the project around it.
        sources: the named data sources.
        unknown_metrics: names that the metric library doesn't have (already told).

    Returns:
        The valid sections, and everything that is wrong with the others.
    """
    work = _Sections()
    work.top_level(raw)
    planned = work.metrics(raw.get("metrics"), some_unknown=bool(unknown_metrics)) if "metrics" in raw else ()
    draft = Draft(
        project=project,
        sources=sources,
        values=work.values,
        metrics=planned,
        unread=tuple(work.cut_out),
        missing_metrics=(*unknown_metrics, *work.unread),
    )
    return draft, tuple(map(_with_home, work.findings))


def _with_home(finding: Finding) -> Finding:
    """Say where an unknown key belongs, where no other key is close and it has one home elsewhere."""
    if finding.code != "P201" or not finding.mend.startswith("use one of"):
        return finding
    homes = homes_of(str(finding.path[-1]), ExperimentSpec)
    return replace(finding, mend=f"it belongs in {homes[0]}") if len(homes) == 1 else finding


@cache
def _hints() -> Mapping[str, Any]:
    return get_type_hints(ExperimentSpec, include_extras=True)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - any annotation of the models
    return TypeAdapter(kind)


class _Sections:
    """The valid values and the findings of one pass."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.findings: list[Finding] = []
        self.unread: list[str] = []
        self.cut_out: list[Finding] = []

    def top_level(self, raw: Mapping[str, Any]) -> None:
        for key, value in raw.items():
            if key not in ExperimentSpec.model_fields:
                mend = suggestion(key, plan_keys())
                self._note(Finding(path=(key,), code="P201", what=f"unknown key '{key}'", mend=mend, at="key"))
            elif key == "design":
                self._design(value)
            elif key == "checks":
                self.values[key], found = read_checks(value)
                self.findings.extend(found)
            elif key != "metrics":
                self._section(key, value)
        for key, field in ExperimentSpec.model_fields.items():
            if field.is_required() and key not in raw:
                self._note(missing((key,)))

    def _note(self, finding: Finding) -> None:
        self.findings.append(finding)

    def _read(self, kind: Any, value: Any, path: Path) -> Any:  # noqa: ANN401 - any annotation and content
        """Return a value validated as a type, or None with findings noted."""
        try:
            return _adapter(kind).validate_python(value)
        except ValidationError as error:
            self.findings.extend(findings_of(error, kind, path))
            return None

    def _rest(self, kind: Any, value: Any, path: Path) -> Any:  # noqa: ANN401 - see _read
        """Return a section validated as a type, without what is wrong and noted; None where that leaves no section."""
        before = len(self.findings)
        read = self._read(kind, value, path)
        found = self.findings[before:]
        if read is not None or not found:
            return read
        left = without(value, [finding.path[len(path) :] for finding in found])
        try:
            read = None if left is None else _adapter(kind).validate_python(left)
        except ValidationError:
            return None
        self.cut_out.extend(found)
        return read

    def _section(self, key: str, value: Any) -> None:  # noqa: ANN401 - see _read
        read = self._rest(_hints()[key], value, (key,))
        if read is not None:
            self.values[key] = read

    def _design(self, value: Any) -> None:  # noqa: ANN401 - see _read
        """Validate a design as what its type says it is."""
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(value, dict):
            self._read(DESIGNS["randomized"], value, ("design",))
        elif kind is None:
            self._note(missing(("design", "type")))
        elif not isinstance(kind, str) or kind not in DESIGNS:
            what, mend = f"there is no design of type {shown(kind)}", suggestion(str(kind), DESIGNS)
            self._note(Finding(path=("design", "type"), code="P209", what=what, mend=mend))
        else:
            read = self._rest(DESIGNS[kind], value, ("design",))
            if read is not None:
                self.values["design"] = read

    def metrics(self, raw: Any, *, some_unknown: bool) -> tuple[Planned, ...]:  # noqa: ANN401 - see _read
        """Validate every metric by itself; the section counts as valid when all of them are."""
        before = len(self.findings)
        if not isinstance(raw, dict):
            self._read(Metrics, raw, ("metrics",))
            return ()
        for role in raw:
            if role not in ROLES:
                what = f"unknown key '{role}' in metrics"
                path: Path = ("metrics", role)
                self._note(Finding(path=path, code="P201", what=what, mend=suggestion(role, ROLES), at="key"))
        if "success" not in raw:
            self._note(missing(("metrics", "success")))
        elif raw["success"] == [] and not some_unknown:
            what = "metrics.success: at least one metric is needed"
            mend = f"name what the treatment is for, such as `success: {EXAMPLES['success']}`"
            self._note(Finding(path=("metrics", "success"), code="P204", what=what, mend=mend))
        planned = tuple(item for role in ROLES if role in raw for item in self._role(role, raw[role]))
        if len(self.findings) == before and not some_unknown:
            by_role = {role: tuple(item.metric for item in planned if item.role == role) for role in ROLES}
            self.values["metrics"] = Metrics(**by_role)
        return planned

    def _role(self, role: str, items: Any) -> list[Planned]:  # noqa: ANN401 - see _read
        if not isinstance(items, list):
            mend = f"put it in brackets, such as {role}: [churn_90d]"
            what = f"metrics.{role}: a list is wanted here"
            self._note(Finding(path=("metrics", role), code="P203", what=what, mend=mend))
            return []
        planned = []
        for at, item in enumerate(items):
            path: Path = ("metrics", role, at)
            metric = self._read(Metric, item, path)
            if metric is not None:
                planned.append(Planned(role=role, path=path, metric=metric))
            elif isinstance(item, dict):
                self.unread.append(str(item.get("name")))
        return planned
