"""Whom to contact in two runs side by side: records whose fields are keys of `compare --json` and of a movement."""

from dataclasses import dataclass, field

from cxcausal.core.whom import Told


@dataclass(frozen=True, kw_only=True)
class WhomSide:
    """What one run said about whom to contact.

    Attributes:
        recommended, targeting: as in its policy. label: of the recommended rule, for readers.
        harmed: groups that an arm reliably harms, by name and arm.
        reason: why nothing is told of it; None where it is.
    """

    recommended: str | None = None
    label: str | None = None
    targeting: bool = False
    harmed: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RulePair:
    """What one rule gains against contacting nobody, per eligible customer, in both runs.

    Attributes:
        name, label: of the rule. first, second: its gain in either, with its range.
        difference: second minus first; low, high: its range, from the combined error.
        beyond: whether that range excludes zero; None where there is none. reason: why there is no difference.
    """

    name: str
    label: str
    first: Told = field(default_factory=Told)
    second: Told = field(default_factory=Told)
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    beyond: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class WhomPair:
    """Whom to contact in both runs.

    Attributes:
        aim, unit: what gains are of, in the second run where it has a policy.
        first, second: what either recommends. changed: whether both recommend something, and not the same.
        rules: every rule that either valued.
        no_longer_harmed, newly_harmed: groups that only one of them names.
        sentence: the same in words.
    """

    aim: str
    unit: str
    first: WhomSide
    second: WhomSide
    changed: bool
    rules: tuple[RulePair, ...] = ()
    no_longer_harmed: tuple[str, ...] = ()
    newly_harmed: tuple[str, ...] = ()
    sentence: str = ""
