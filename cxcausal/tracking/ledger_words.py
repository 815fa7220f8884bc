"""The ledger in words: who did what, and when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cxcausal.tracking.ledger_chain import LedgerLine

_SHORT = 12
_MOST = 4


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line of the ledger in words; `how` says where the name of the actor came from."""

    seq: int
    at: str
    kind: str
    experiment: str
    by: str
    how: str
    words: str
    hash: str

    @property
    def text(self) -> str:
        """The whole line, as people read it."""
        return f"{self.seq:>4}  {self.at[:19]}  {self.experiment or '-'}  {self.by}  {self.words}"


def told(lines: Sequence[LedgerLine], experiment: str | None = None) -> tuple[LogLine, ...]:
    """Return the ledger in words, or what it says of one experiment, the newest last.

    Args:
        lines: of the checked ledger.
        experiment: whose lines are wanted; None for all.
    """
    return tuple(
        LogLine(
            seq=line.seq,
            at=line.at,
            kind=line.kind,
            experiment=line.experiment,
            by=line.actor,
            how=line.actor_source,
            words=_WORDS.get(line.kind, _other)(line.payload),
            hash=line.hash,
        )
        for line in lines
        if experiment in {None, line.experiment}
    )


def _register(payload: Mapping[str, Any]) -> str:
    return f"registered the plan {payload['plan_hash'][:_SHORT]}"


def _amend(payload: Mapping[str, Any]) -> str:
    keys = [change["key"] for change in payload.get("changes") or ()]
    more = f" and {len(keys) - _MOST} more" if len(keys) > _MOST else ""
    changed = f", changing {', '.join(keys[:_MOST])}{more}" if keys else ""
    stated = payload.get("results_seen")
    seen = "" if stated is None else (", results seen" if stated else ", results not seen")
    return f"amended the plan{changed}{seen}{_because(payload)}"


def _analyse(payload: Mapping[str, Any]) -> str:
    verdict = str(payload.get("verdict", "none")).replace("_", " ")
    return f"analysed the data: {verdict}, evidence grade {payload.get('grade', '-')}, run {payload['run_id']}"


def _rerun(payload: Mapping[str, Any]) -> str:
    return _analyse(payload).replace("analysed the data", "analysed the data anew")


def _stop(payload: Mapping[str, Any]) -> str:
    return f"stopped the experiment{_because(payload)}"


def _approve(payload: Mapping[str, Any]) -> str:
    return f"approved run {payload['run_id']}"


def _decide(payload: Mapping[str, Any]) -> str:
    decision, verdict = payload["decision"], payload["verdict"]
    against = f", against the rule's {verdict}" if decision != verdict else ""
    return f"decided {decision} upon run {payload['run_id']}{against}{_because(payload)}"


def _render(payload: Mapping[str, Any]) -> str:
    return f"printed the page of run {payload['run_id']} again"


def _merge(payload: Mapping[str, Any]) -> str:
    return f"joined {len(payload['heads'])} branches"


def _other(payload: Mapping[str, Any]) -> str:
    """Return the plain numbers and words of a line that another module writes."""
    plain = {key: value for key, value in payload.items() if isinstance(value, str | int | float)}
    return ", ".join(f"{key} {value}" for key, value in sorted(plain.items()))


def _assign(payload: Mapping[str, Any]) -> str:
    return f"assigned customers to arms ({_other(payload)})"


def _erase(payload: Mapping[str, Any]) -> str:
    return f"erased customers ({_other(payload)})"


def _score(payload: Mapping[str, Any]) -> str:
    """Return which customers were chosen, or that a promise was held against a hold-out."""
    if "rows" not in payload:
        return f"held what run {payload.get('parent', '-')} promised against a hold-out"
    arms = ", ".join(f"{arm} {n:,}" for arm, n in payload["arms"].items())
    despite = ", despite its verdict" if payload.get("despite_verdict") else ""
    return f"scored {payload['rows']:,} customers by run {payload['run_id']} ({arms}){despite}"


def _because(payload: Mapping[str, Any]) -> str:
    reason = payload.get("reason")
    return f": {reason}" if reason else ""


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "register": _register,
    "amend": _amend,
    "assign": _assign,
    "analyse": _analyse,
    "rerun": _rerun,
    "stop": _stop,
    "approve": _approve,
    "decide": _decide,
    "render": _render,
    "erase": _erase,
    "score": _score,
    "merge": _merge,
}
