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
}


def is_robustness(check: str) -> bool:
    """Return whether a check belongs to no other light.

    Example:
        >>> is_robustness("srm"), is_robustness("negative_controls")
        (False, True)
    """
    return not any(check in names for names in LIGHTS.values())


def subject(check: str) -> str:
    """Return what a check is about, in words; its name with spaces where it is not one of ours.

    Example:
        >>> subject("srm"), subject("placebo_period")
        ('the split between the arms', 'placebo period')
    """
    return _SUBJECTS.get(check, check.replace("_", " "))
