"""From names in the plan to the components that will run, with their options filled in."""

from dataclasses import dataclass

from cxcausal.core.protocols import Check, Design, Estimator
from cxcausal.core.registry import Registry
from cxcausal.core.spec.models import ExperimentSpec


@dataclass(frozen=True, kw_only=True)
class Components:
    """The design, its checks, and the estimator with its companions, in the order of their rows."""

    design: Design
    estimators: tuple[Estimator, ...]
    checks: tuple[Check, ...]


def components_of(spec: ExperimentSpec) -> Components:
    """Return the components that the plan asks for; `refuse_unsupported` has already had its say."""
    design: Design = Registry(kind="designs").load(spec.design.type)()
    method = design.default_method if spec.estimation.method == "default" else spec.estimation.method
    estimator: Estimator = Registry(kind="estimators").load(method)()
    companions = Registry(kind="companions")
    # What stands beside compares whole arms, which are not alike where shares changed during enrolment.
    beside = (companions.load(name)() for name in design.companions if not spec.epochs)
    return Components(design=design, estimators=(estimator, *beside), checks=_checks(spec, design))


def _checks(spec: ExperimentSpec, design: Design) -> tuple[Check, ...]:
    registry = Registry(kind="checks")
    asked = [name for name in spec.checks if name in registry.names()]
    events = spec.data.events
    exposed = ("exposure",) if events is not None and events.exposure is not None else ()
    names = list(dict.fromkeys((*design.checks, *exposed, *asked)))
    names = [name for name in names if name not in design.unfit]
    wanted = (name for name in names if spec.checks.get(name, {}).get("on_breach") != "skip")
    return tuple(registry.load(name)(**spec.checks.get(name, {})) for name in wanted)
