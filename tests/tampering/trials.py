"""One tamper after the other, each audited: whether it was found, and where it was."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cxcausal.tracking.audit import Audit, audit
from tests.tampering.catalog import CATALOG, Trace
from tests.tampering.workshop import tampering


@dataclass(kw_only=True)
class Tally:
    """How many tampers of each kind were made, found and located; `missed` says which were not."""

    made: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    located: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)


def tried(root: Path, count: int, *, seed: int = 0, first: int = 0) -> Tally:
    """Tamper `count` times with a project, by number, in turn through the catalog, and audit each time."""
    tally = Tally()
    names = list(CATALOG)
    for number in range(first, first + count):
        name = names[number % len(names)]
        with tampering(root, random.Random(f"{seed}:{number}")) as shop:  # noqa: S311 - no secret
            trace = CATALOG[name](shop)
            audited = audit(root, anchor=shop.anchor)
        tally.made[name] += 1
        tally.found[name] += bool(audited.problems)
        if located(audited, trace):
            tally.located[name] += 1
        else:
            tally.missed.append(f"{number} {name}: wanted {trace}, got {[str(one) for one in audited.problems]}")
    return tally


def located(audited: Audit, trace: Trace) -> bool:
    """Return whether a problem with the right code names the right place."""
    return any(
        one.code in trace.codes and any(place in one.where for place in trace.places) for one in audited.problems
    )
