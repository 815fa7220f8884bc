"""Anchors: what is kept of a ledger elsewhere, so that a chain that was cut off or rewritten whole shows it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import Problem, UsageError
from cxcausal.tracking.layout import now_text
from cxcausal.tracking.ledger import LEDGER
from cxcausal.tracking.ledger_chain import GENESIS, LedgerLine

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A head of the ledger; where a file was kept, also the hash of every line up to it, and the time.

    With the lines, the first that was changed or cut off can be named; with the head alone, only that one was.
    """

    head: str
    lines: tuple[str, ...] = ()
    at: str | None = None


def anchor_of(lines: Sequence[LedgerLine]) -> Anchor:
    """Return the anchor of a checked ledger as it stands now."""
    return Anchor(head=lines[-1].hash if lines else GENESIS, lines=tuple(line.hash for line in lines), at=now_text())


def anchor_bytes(anchor: Anchor) -> bytes:
    """Return the file of an anchor: one object of JSON, and nothing in it but hashes and a time."""
    return canonical_json(anchor) + b"\n"


def anchor_from(text: str) -> Anchor:
    """Return the anchor that `--anchor` names: a head, or a file of `audit anchor`.

    Raises:
        UsageError: it is neither.

    Example:
        >>> anchor_from("ab" * 32).head[:4]
        'abab'
    """
    if _HASH.fullmatch(text):
        return Anchor(head=text)
    try:
        content = json.loads(Path(text).read_bytes())
        kept = Anchor(head=content["head"], lines=tuple(content["lines"]), at=content["at"])
    except (OSError, ValueError, KeyError, TypeError):
        kept = None
    if kept is None or not all(_HASH.fullmatch(str(one)) for one in (kept.head, *kept.lines)):
        what = "this is neither a head of the ledger (64 hexadecimal digits) nor a file of `cxcausal audit anchor`"
        mend = "copy the head from a report's footer, an MLflow tag or an anchor file"
        raise UsageError(Problem(where=f"--anchor {text[:80]}", code="U240", what=what, mend=mend))
    return kept


def anchor_problems(lines: Sequence[LedgerLine], anchor: Anchor) -> tuple[Problem, ...]:
    """Return that the chain no longer has what was kept of it, at the first line where it differs.

    Args:
        lines: the checked chain.
        anchor: what was kept.
    """
    present = {GENESIS, *(line.hash for line in lines)}
    missing = (number for number, kept in enumerate(anchor.lines, start=1) if kept not in present)
    number = next(missing, None)
    if number is None and anchor.head in present:
        return ()
    place = f"{LEDGER}:{number or len(lines) + 1}"
    what = f"the ledger no longer contains the head {anchor.head[:16]}… that was kept"
    mend = "restore the ledger from version control; lines were cut off or rewritten since"
    return (Problem(where=place, code="I714", what=what, mend=mend),)
