"""What must be true of the learners that a plan names, and which ones will be used where it names none."""

from collections.abc import Iterator

from cxcausal.core.registry import DEFAULT_LEARNER, Registry
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.models import Estimation
from cxcausal.core.spec.nodes import Finding

_ROLES = ("outcome", "propensity")


def learners_are_known(draft: Draft) -> Iterator[Finding]:
    """Learners are named as they are registered."""
    estimation = _estimation(draft)
    declared = {} if estimation is None else {role: getattr(estimation.nuisance, role) for role in _ROLES}
    for role, name in declared.items():
        if name is None:
            continue
        names = Registry(kind="learners").names()
        if name not in names:
            yield Finding(
                path=("estimation", "nuisance", role),
                code="P392",
                what=f"there is no learner named '{name}'",
                mend=suggestion(name, names),
            )


def learner_notes(draft: Draft) -> Iterator[str]:
    """Yield which learners will be used, where the plan leaves one open and something is learned."""
    estimation = _estimation(draft) or Estimation()
    observed = isinstance(draft.design, Observational)
    roles = _ROLES if observed else ("outcome",)
    left = [role for role in roles if getattr(estimation.nuisance, role) is None]
    if left and (observed or estimation.method == "aipw"):
        roles_left = " and ".join(left)
        yield f"What effects are adjusted by is learned by `{DEFAULT_LEARNER}`: no learner is named for {roles_left}."


def _estimation(draft: Draft) -> Estimation | None:
    found: Estimation | None = draft.values.get("estimation")
    return found


LEARNER_RULES: tuple[Rule, ...] = (learners_are_known,)
