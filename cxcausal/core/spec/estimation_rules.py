"""What must be true of how a plan wants effects estimated."""

from collections.abc import Iterator

from cxcausal.core.registry import Registry
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.models import Estimation
from cxcausal.core.spec.nodes import Finding


def second_opinions_exist(draft: Draft) -> Iterator[Finding]:
    """Every other method that is to be asked is one that can answer."""
    estimation: Estimation | None = draft.values.get("estimation")
    known = Registry(kind="opinions").names()
    for at, name in enumerate(estimation.also if estimation is not None else ()):
        if name not in known:
            what = f"there is no second opinion '{name}'"
            yield Finding(path=("estimation", "also", at), code="P391", what=what, mend=suggestion(name, known))


ESTIMATION_RULES: tuple[Rule, ...] = (second_opinions_exist,)
