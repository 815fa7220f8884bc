"""What each check is about: the light that it belongs to, and its subject in plain words."""

from collections.abc import Mapping

LIGHTS: Mapping[str, tuple[str, ...]] = {
    "Assignment": (
        "srm",
        "srm_by_segment",
        "mixed_assignment",
        "exposure",
        "duplicates",
        "instrument_balance",
        "density",
        "interference",
    ),
    "Comparability": ("pre_period_balance", "balance", "overlap", "leakage", "pre_trends"),
    "Completeness": ("maturity", "missing_outcome", "differential_missingness", "tiny_arm", "freshness"),
}
"""The checks of each light; every other check is one of robustness."""
_OBSERVED: Mapping[str, tuple[str, ...]] = {
    "Why some were treated": (
        "identification",
        "time_zero",
        "overlap",
        *(name for name in LIGHTS["Assignment"] if name not in {"instrument_balance", "density"}),
    ),
    "Comparability": ("balance", "negative_controls", "placebo_period", "leakage", "pre_period_balance"),
    "Completeness": LIGHTS["Completeness"],
}
"""The same where nobody tossed a coin: agreement, specification, sensitivity and refutation are of robustness."""
TELLING = frozenset({"agreement", "specification", "sensitivity", "refutation"})
"""Checks whose sentences tell effects."""
_SUBJECTS = {
    "srm": "the split between the arms",
    "srm_by_segment": "the split within segments",
    "mixed_assignment": "whether anybody was in two arms",
    "exposure": "whether the arm changed who was exposed",
    "duplicates": "whether anybody was counted twice",
    "maturity": "whether every window is over",
    "missing_outcome": "missing outcomes",
    "differential_missingness": "whether answers are missing alike in all arms",
    "pre_period_balance": "whether the arms were alike before",
    "leakage": "whether something known before gives the outcome away",
    "freshness": "whether the data are fresh",
    "tiny_arm": "whether every arm is large enough",
    "identification": "whether what is declared closes every other way",
    "time_zero": "whether time zero is the same moment for all",
    "overlap": "whether the groups overlap",
    "balance": "whether the groups look alike after adjustment",
    "negative_controls": "whether something differs that cannot have changed",
    "placebo_period": "whether there was a difference before",
    "agreement": "whether other methods agree",
    "specification": "whether other reasonable choices agree",
    "sensitivity": "how strong an unmeasured difference would have to be",
    "refutation": "what tampering with the data does",
}


def lights_of(*, observational: bool) -> Mapping[str, tuple[str, ...]]:
    """Return the checks of each light but robustness, as they are told of a design."""
    return _OBSERVED if observational else LIGHTS


def is_robustness(check: str, *, observational: bool = False) -> bool:
    """Return whether a check belongs to no other light.

    Example:
        >>> is_robustness("srm"), is_robustness("balance"), is_robustness("negative_controls", observational=True)
        (False, False, False)
    """
    return not any(check in names for names in lights_of(observational=observational).values())


def subject(check: str) -> str:
    """Return what a check is about, in words; its name with spaces where it is not one of ours.

    Example:
        >>> subject("srm"), subject("honest_did")
        ('the split between the arms', 'honest did')
    """
    return _SUBJECTS.get(check, check.replace("_", " "))
