"""Whom the plan randomises and counts, in one noun: customers, households, voters; else units."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cxcausal.core.wording import count

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec


@dataclass(frozen=True, kw_only=True)
class People:
    """The noun for one and for many."""

    one: str
    many: str

    def counted(self, n: int) -> str:
        """Return a count with its noun.

        Example:
            >>> People(one="branch", many="branches").counted(1200)
            '1,200 branches'
        """
        return f"{count(n)} {self.one if n == 1 else self.many}"

    def in_unit(self, unit: str) -> str:
        """Return what a number is counted in, of these people.

        Example:
            >>> voters = People(one="voter", many="voters")
            >>> voters.in_unit("share of customers"), voters.in_unit("EUR per customer"), voters.in_unit("points")
            ('share of voters', 'EUR per voter', 'points')
        """
        shared = re.sub(r"^share of customers$", f"share of {self.many}", unit)
        return re.sub(r"\bper customer$", f"per {self.one}", shared)


UNITS = People(one="unit", many="units")
_NOUNS = {
    item.one: item
    for item in (
        UNITS,
        *(People(one=noun, many=f"{noun}s") for noun in ("customer", "household", "user", "member", "account")),
        *(People(one=noun, many=f"{noun}s") for noun in ("voter", "pupil", "student", "patient", "client", "agent")),
        *(People(one=noun, many=f"{noun}s") for noun in ("employee", "team", "store", "order", "session", "contact")),
        *(People(one=noun, many=f"{noun}s") for noun in ("conversation", "subscriber", "visitor", "donor", "letter")),
        People(one="branch", many="branches"),
        People(one="person", many="people"),
        People(one="city", many="cities"),
    )
}
_BY_MANY = {item.many: item for item in _NOUNS.values()}
_COLUMN = re.compile(r"(?i)([a-z]+)[_ ]?(?:id|ids|key|no|nr|number|hash)?")
_LABEL = re.compile(r"(?is)([a-z]+)\s+(?:who|that|which)\s+(.+)")


def people_of(plan: Mapping[str, Any]) -> People:
    """Return the noun that the plan's unit column bears, else that of a success metric's label, else units.

    Example:
        >>> people_of({"data": {"unit": "household_id"}}).many
        'households'
        >>> people_of({"metrics": {"success": [{"label": "Voters who changed their mind"}]}}).one
        'voter'
        >>> people_of({"data": {"unit": "rownames"}}).many
        'units'
    """
    column = _COLUMN.fullmatch(str((plan.get("data") or {}).get("unit") or ""))
    named = _NOUNS.get(column[1].lower().removesuffix("_")) if column else None
    if named is not None:
        return named
    labels = (str(metric.get("label") or "") for metric in (plan.get("metrics") or {}).get("success") or ())
    return next((found[0] for label in labels if (found := who_does_what(label))), UNITS)


def people_in(spec: "ExperimentSpec") -> People:
    """Return the same of a resolved plan."""
    labels = [{"label": metric.label} for metric in spec.metrics.success]
    return people_of({"data": {"unit": spec.data.unit}, "metrics": {"success": labels}})


def whom_in(spec: "ExperimentSpec") -> People:
    """Return the same, and customers where the plan has no noun: what is told of them needs people."""
    found = people_in(spec)
    return _NOUNS["customer"] if found == UNITS else found


def who_does_what(label: str) -> tuple[People, str] | None:
    """Return the noun and the predicate of a label that has both.

    Example:
        >>> who_does_what("Customers who leave in a month")[1]
        'leave in a month'
        >>> who_does_what("Spend") is None
        True
    """
    found = _LABEL.fullmatch(label)
    people = _BY_MANY.get(found[1].lower()) if found else None
    return (people, found[2]) if found and people else None
