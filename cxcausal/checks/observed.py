"""What checks of observational designs share: when they have nothing to do, and how they word groups and shares."""

from dataclasses import dataclass

from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import number

_HUNDRED = 100


@dataclass(frozen=True, kw_only=True)
class Naming:
    """What is the same in every result of one check."""

    name: str
    on_breach: OnBreach
    threshold: float | None = None

    def told(self, verdict: CheckVerdict, text: str, value: float | None = None, p: float | None = None) -> CheckResult:
        """Return a result."""
        return CheckResult(
            name=self.name,
            verdict=verdict,
            on_breach=self.on_breach,
            value=value,
            threshold=self.threshold,
            p=p,
            text=text,
        )

    def elsewhere(self) -> CheckResult:
        """Return the result for a design in which nobody chose."""
        return self.told(
            "info", "This is looked at where nobody tossed a coin; here the design itself decided who got what."
        )

    def in_vain(self, reason: str) -> CheckResult:
        """Return the result where something is missing; `reason` is a clause."""
        return self.told("could_not_run", f"This could not be looked at: {reason}.")


def is_observational(spec: ExperimentSpec) -> bool:
    """Return whether nobody tossed a coin."""
    return isinstance(spec.design, Observational)


def in_hundred(share: float) -> str:
    """Return a share as so many in 100.

    Example:
        >>> in_hundred(0.724), in_hundred(0.0), in_hundred(0.001), in_hundred(0.998)
        ('72 in 100', 'none', 'fewer than 1 in 100', 'more than 99 in 100')
    """
    if share <= 0:
        return "none"
    hundredfold = share * _HUNDRED
    if hundredfold < 1:
        return "fewer than 1 in 100"
    if _HUNDRED - 1 < hundredfold < _HUNDRED:
        return "more than 99 in 100"
    return f"{round(hundredfold)} in 100"


def spread_of(smd: float, people: str) -> str:
    """Return a standardised difference in words.

    Example:
        >>> spread_of(-0.1234, "customers")
        '0.12 of the usual spread between customers'
    """
    return f"{number(abs(smd), digits=2)} of the usual spread between {people}"
