"""The observational design: nobody tossed a coin, so the declared confounders must make the arms comparable."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.results import Grade


@dataclass(frozen=True, kw_only=True)
class Observational:
    """Licenses adjusted effects at grade C: for the overlap, for those treated, for everybody."""

    name: ClassVar[str] = "observational"
    grade: ClassVar[Grade] = "C"
    default_estimand: ClassVar[str] = "ato"
    default_method: ClassVar[str] = "aipw"
    companions: ClassVar[tuple[str, ...]] = ("naive", "targets", "second_opinions")
    checks: ClassVar[tuple[str, ...]] = (
        "identification",
        "time_zero",
        "overlap",
        "balance",
        "negative_controls",
        "placebo_period",
        "duplicates",
        "maturity",
        "missing_outcome",
        "differential_missingness",
        "leakage",
        "specification",
        "tiny_arm",
        "sensitivity",
        "refutation",
        "agreement",
    )
    unfit: ClassVar[frozenset[str]] = frozenset({"srm", "srm_by_segment", "pre_period_balance"})
