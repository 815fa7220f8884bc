"""cxcausal: what is human contact worth?"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cxcausal.api import assign, list_runs, load_experiment, plan, register, run_experiment, simulate
    from cxcausal.core.errors import CxCausalError, DataError, GateError, IntegrityError, MachineError, PlanError
    from cxcausal.core.protocols import Dataset
    from cxcausal.core.results import CheckResult, Estimate, RunResult
    from cxcausal.core.spec.models import ExperimentSpec
    from cxcausal.report.render import render_report
    from cxcausal.uplift import UpliftModel, UpliftPolicy

__all__ = [
    "CheckResult",
    "CxCausalError",
    "DataError",
    "Dataset",
    "Estimate",
    "ExperimentSpec",
    "GateError",
    "IntegrityError",
    "MachineError",
    "PlanError",
    "RunResult",
    "UpliftModel",
    "UpliftPolicy",
    "assign",
    "list_runs",
    "load_experiment",
    "plan",
    "register",
    "render_report",
    "run_experiment",
    "simulate",
]

_HOMES = {
    "cxcausal.api": ("assign", "list_runs", "load_experiment", "plan", "register", "run_experiment", "simulate"),
    "cxcausal.core.errors": ("CxCausalError", "DataError", "GateError", "IntegrityError", "MachineError", "PlanError"),
    "cxcausal.core.protocols": ("Dataset",),
    "cxcausal.core.results": ("CheckResult", "Estimate", "RunResult"),
    "cxcausal.core.spec.models": ("ExperimentSpec",),
    "cxcausal.report.render": ("render_report",),
    "cxcausal.uplift": ("UpliftModel", "UpliftPolicy"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Import a public name when it is first asked for, so that `import cxcausal` costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'cxcausal' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
