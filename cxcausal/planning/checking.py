"""Whether a log of assignments is what plan and salt say, in words; and the shares that an assignment needs."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.wording import count
from cxcausal.planning.assignment import Coin
from cxcausal.planning.result import AssignmentCheck

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec


def shares_of(spec: "ExperimentSpec") -> Mapping[str, Fraction]:
    """Return the planned share of every arm.

    Raises:
        PlanError: the arms have none, or nobody assigns in this design.
    """
    if spec.design.type != "randomized":
        what = f"nobody assigns arms in a design of type '{spec.design.type}'"
        raise PlanError(Problem(where="design.type", code="P903", what=what, mend="use type: randomized"))
    if spec.epochs:
        what = "the arms' shares change by epoch, and an assignment is by one split"
        mend = "assign each epoch's units by a plan whose arms have its shares"
        raise PlanError(Problem(where="design.epochs", code="P903", what=what, mend=mend))
    if spec.shares is None:
        what, mend = "the arms have no shares to assign by", "give every arm its share, such as {share: 1/2}"
        raise PlanError(Problem(where="design.treatment.arms", code="P903", what=what, mend=mend))
    return spec.shares


def checked(spec: "ExperimentSpec", coin: Coin, recorded: str | None, *, rows: int, wrong: int) -> AssignmentCheck:
    """Return the check of a log.

    Args:
        spec: the plan.
        coin: the one that was tossed again.
        recorded: the salt's hash in the ledger's latest assignment; None where there is none.
        rows: of the log.
        wrong: how many of them have another arm.
    """
    same_salt = None if recorded is None else recorded == coin.salt_hash
    return AssignmentCheck(
        experiment=spec.id,
        rows=rows,
        mismatches=wrong,
        same_salt=same_salt,
        problems=tuple(_problems(spec, rows, wrong, same_salt=same_salt)),
    )


def _problems(spec: "ExperimentSpec", rows: int, wrong: int, *, same_salt: bool | None) -> Iterator[Problem]:
    if same_salt is False:
        what = "the salt is not the one with which the ledger's latest assignment was made"
        yield Problem(where=f"ledger {spec.id}", code="I720", what=what, mend="pass that salt with --salt")
    if wrong:
        what = f"{count(wrong)} of {count(rows)} rows name another arm than plan and salt give them"
        mend = "find out who was moved and by whom; shares, strata, id and salt must be those of the assignment"
        yield Problem(where=f"log of {spec.id}", code="I721", what=what, mend=mend)
