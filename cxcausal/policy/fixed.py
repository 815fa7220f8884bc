"""Rules that learn nothing: nobody, everybody with one arm, and the rule in use today."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from cxcausal.core.held_out import SOME_ARM
from cxcausal.core.rows import Floats
from cxcausal.policy.seen import Chooser, Seen, Setting, one_hot


@dataclass(frozen=True, kw_only=True)
class Everybody:
    """Every customer gets one arm; nobody, where that is the control."""

    arm: int
    name: str
    label: str

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:
        """Return one rule per arm that contacts."""
        arms = enumerate(setting.rows.arms)
        return tuple(
            cls(arm=place, name=f"everybody:{arm}", label=f"Everybody: {labels.get(arm, arm)}")
            for place, arm in arms
            if place
        )

    def learn(self, seen: Seen) -> Chooser:  # noqa: ARG002 - there is nothing to learn
        """Return the rule itself."""
        return self

    def shares(self, seen: Seen) -> Floats:
        """Return the one arm for everybody."""
        return one_hot(np.full(seen.m, self.arm), len(seen.setting.rows.arms))


class Nobody(Everybody):
    """Every customer gets the control."""

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:  # noqa: ARG003 - one for all plans
        """Return the rule."""
        return (cls(arm=0, name="nobody", label="Nobody"),)


@dataclass(frozen=True, kw_only=True)
class CurrentRule:
    """Every customer gets what the rule in use gives them."""

    name: str = "current_rule"
    label: str = "The rule in use today"

    @classmethod
    def of(cls, setting: Setting, labels: Mapping[str, str]) -> tuple[Self, ...]:  # noqa: ARG003 - one for all plans
        """Return the rule where the plan declares one."""
        return () if setting.rules.current is None else (cls(),)

    def learn(self, seen: Seen) -> Chooser:
        """Return the rule with the arm that gains most here, for those of whom it says no more than a contact."""
        return InUse(some_arm=seen.best_contact())


@dataclass(frozen=True, kw_only=True)
class InUse:
    """The rule in use, with an arm for contacts that it does not tell apart."""

    some_arm: int

    def shares(self, seen: Seen) -> Floats:
        """Return the arms of the column that the plan names."""
        current = seen.setting.rules.current
        if current is None:
            raise ValueError("the plan names no rule in use")
        arms = current[seen.side.units].astype(np.intp)
        return one_hot(np.where(arms == SOME_ARM, self.some_arm, arms), len(seen.setting.rows.arms))
