"""The randomised design: a coin decided, so the difference of the arms is the effect of being assigned."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.results import Grade


@dataclass(frozen=True, kw_only=True)
class Randomized:
    """Licenses the intention-to-treat effect at grade A, once its checks have passed."""

    name: ClassVar[str] = "randomized"
    grade: ClassVar[Grade] = "A"
    default_estimand: ClassVar[str] = "itt"
    default_method: ClassVar[str] = "difference_in_means"
    companions: ClassVar[tuple[str, ...]] = ("winsorized", "parts", "response", "complier")
    checks: ClassVar[tuple[str, ...]] = (
        "srm",
        "srm_by_segment",
        "mixed_assignment",
        "duplicates",
        "maturity",
        "missing_outcome",
        "differential_missingness",
        "pre_period_balance",
        "leakage",
        "tiny_arm",
    )
    unfit: ClassVar[frozenset[str]] = frozenset()
