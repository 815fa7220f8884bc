"""A plan whose sections have been validated one by one: what is valid is there, so that rules can run on it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cxcausal.core.spec.designs import Design
from cxcausal.core.spec.models import (
    Analysis,
    Data,
    Decision,
    EstimandChoice,
    Metric,
    Policy,
)
from cxcausal.core.spec.nodes import Finding, Path
from cxcausal.core.spec.project import Project


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A valid metric with its role (a key of `metrics`) and its path in the plan."""

    role: str
    path: Path
    metric: Metric


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The valid sections of a plan, others without what is wrong in them; None, or nothing, where nothing is valid.

    Attributes:
        project: the project around the plan.
        sources: the named data sources.
        values: every valid top-level value by key, as `ExperimentSpec` wants it.
        metrics: the valid metrics of every role.
        unread: what was found wrong in sections that are here without it.
        missing_metrics: names of metrics that could not be read, so that nobody is told twice.
    """

    project: Project
    sources: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Planned, ...] = ()
    unread: tuple[Finding, ...] = ()
    missing_metrics: tuple[str, ...] = ()

    @property
    def data(self) -> Data | None:
        """The valid `data` section."""
        return self.values.get("data")

    @property
    def design(self) -> Design | None:
        """The valid `design` section."""
        return self.values.get("design")

    @property
    def analysis(self) -> Analysis | None:
        """The valid `analysis` section."""
        return self.values.get("analysis")

    @property
    def estimand(self) -> EstimandChoice | None:
        """The valid `estimand` section."""
        return self.values.get("estimand")

    @property
    def policy(self) -> Policy | None:
        """The valid `policy` section."""
        return self.values.get("policy")

    @property
    def decision(self) -> Decision | None:
        """The valid `decision` section."""
        return self.values.get("decision")

    def names(self, key: str) -> tuple[str, ...]:
        """Return a valid top-level list of columns, such as `covariates`; empty where it isn't valid."""
        names: tuple[str, ...] = self.values.get(key, ())
        return names


Rule = Callable[[Draft], Iterator[Finding]]
