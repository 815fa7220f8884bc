"""All faults, in the order of `docs/failures.md`, whose tables are made from them."""

from itertools import groupby
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.machine_faults import MACHINE_FAULTS
from tests.faults.record_faults import RECORD_FAULTS

FAULTS: tuple[Fault, ...] = (*MACHINE_FAULTS, *RECORD_FAULTS)
PAGE = Path(__file__).resolve().parents[2] / "docs/failures.md"
_HEAD = "| fault | exit | new run | what happens |\n|---|---|---|---|\n"
_LEFT = {"nothing": "none", "gone": "none", "waiting": "FINISHED, waits for `sync`"}


def tables() -> str:
    """Return the page's tables, one per group, in Markdown."""
    groups = ((group, tuple(faults)) for group, faults in groupby(FAULTS, key=lambda fault: fault.group))
    return "\n".join(f"### {group}\n\n{_HEAD}{''.join(map(_row, faults))}" for group, faults in groups)


def _row(fault: Fault) -> str:
    return f"| `{fault.name}` | {fault.code} | {_LEFT.get(fault.left, fault.left)} | {fault.told} |\n"
