"""The randomised design licenses what the registry can run."""

from cxcausal.core.protocols import Design
from cxcausal.core.registry import Registry
from cxcausal.designs.randomized import Randomized


def test_everything_it_names_is_registered() -> None:
    design: Design = Randomized()
    assert Registry(kind="designs").load(design.name) is Randomized
    assert design.default_method in Registry(kind="estimators").names()
    assert set(design.checks) <= set(Registry(kind="checks").names())


def test_it_licenses_the_effect_of_assignment_at_grade_a() -> None:
    assert (Randomized().grade, Randomized().default_estimand) == ("A", "itt")
    assert "srm" in Randomized().checks
