"""What must be true of a ramp-up's epochs: in order, every arm with its share, and nothing said twice."""

from collections.abc import Iterator
from fractions import Fraction

from cxcausal.core.spec.design_rules import SHARE_TOLERANCE
from cxcausal.core.spec.designs import Epoch, Randomized
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.nodes import Finding, Path

_EPOCHS: Path = ("design", "epochs")
_FEWEST = 2


def epochs_in_order(draft: Draft) -> Iterator[Finding]:
    """There are at least two epochs, and each begins after the one before it."""
    epochs = _epochs(draft)
    if epochs is None:
        return
    if len(epochs) < _FEWEST:
        what, mend = "a ramp-up has at least two epochs", "with one split, give every arm its share instead"
        yield Finding(path=_EPOCHS, code="P351", what=what, mend=mend, at="key")
    days = [epoch.begins for epoch in epochs]
    for at in range(1, len(days)):
        if days[at] <= days[at - 1]:
            what = f"the epoch from {days[at]} does not come after the one from {days[at - 1]}"
            yield Finding(path=(*_EPOCHS, at, "from"), code="P351", what=what, mend="write the epochs in order")


def epochs_share_out(draft: Draft) -> Iterator[Finding]:
    """Every epoch gives every arm its share, and the shares are of the whole."""
    if draft.design is None:
        return
    arms = draft.design.treatment.arms
    for at, epoch in enumerate(_epochs(draft) or ()):
        path: Path = (*_EPOCHS, at, "shares")
        for arm in (name for name in epoch.shares if name not in arms):
            what = f"there is no arm '{arm}' to share out to"
            yield Finding(path=(*path, arm), code="P352", what=what, mend=suggestion(arm, arms), at="key")
        absent = [name for name in arms if name not in epoch.shares]
        total = sum(epoch.fractions.values(), Fraction())
        if absent:
            what = f"the epoch from {epoch.begins} has no share for arm '{absent[0]}'"
            mend = "give every arm a share in every epoch; an arm that began later is another experiment"
            yield Finding(path=path, code="P352", what=what, mend=mend, at="key")
        elif abs(total - 1) > SHARE_TOLERANCE:
            what = f"the shares of the epoch from {epoch.begins} sum to {float(total):.6g}"
            yield Finding(path=path, code="P352", what=what, mend="make them sum to 1", at="key")


def epochs_alone_share_out(draft: Draft) -> Iterator[Finding]:
    """With epochs no arm has a share of its own."""
    if draft.design is None or _epochs(draft) is None:
        return
    for name, arm in draft.design.treatment.arms.items():
        if arm.share is not None:
            what = f"arm '{name}' has a share, and the epochs have shares as well"
            path: Path = ("design", "treatment", "arms", name, "share")
            yield Finding(path=path, code="P353", what=what, mend="keep the shares of the epochs alone", at="key")


def epochs_need_time_zero(draft: Draft) -> Iterator[Finding]:
    """Nobody can be put into an epoch without the time at which they entered."""
    if _epochs(draft) is not None and draft.data is not None and draft.data.time_zero is None:
        what = "epochs need to know when each unit entered"
        mend = "name the column of that time as data.time_zero"
        yield Finding(path=_EPOCHS, code="P354", what=what, mend=mend, at="key")


def _epochs(draft: Draft) -> tuple[Epoch, ...] | None:
    return draft.design.epochs if isinstance(draft.design, Randomized) else None


EPOCH_RULES: tuple[Rule, ...] = (
    epochs_in_order,
    epochs_share_out,
    epochs_alone_share_out,
    epochs_need_time_zero,
)
