"""The designs of a plan: one treatment block, and a union on `type` for what differs."""

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from cxcausal.core.causal_graph import CausalGraph
from cxcausal.core.dot import read_dot
from cxcausal.core.spec.scalars import Count, Date, Label, NonNegative, Number, Share, Text


class Part(BaseModel):
    """Any block of a design: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Arm(Part):
    """One way of treating a customer: what it is called, costs and can deliver."""

    label: Text | None = None
    share: Share | None = None
    unit_cost: NonNegative = 0.0
    cost_basis: Literal["assigned", "received"] = "assigned"
    capacity: Count | None = None


class Treatment(Part):
    """What was done to whom; `arms` is filled in for a 0/1 column that leaves it empty."""

    column: Text
    control: Label
    arms: dict[Label, Arm]
    received: Text | None = None

    def label(self, arm: str) -> str:
        """Return an arm's label, or its name where it has none."""
        return self.arms[arm].label or arm


class _Design(Part):
    treatment: Treatment
    strata: tuple[Text, ...] = ()
    contrasts: tuple[tuple[Label, Label], ...] = ()


class _Epoch(Part):
    """A time of enrolment with its own shares, until the next one begins."""

    shares: dict[Label, Share]

    @property
    def begins(self) -> str:
        """Its first day, the key `from`: a word of Python, so that no attribute can be written so."""
        return str(getattr(self, "from"))

    @property
    def fractions(self) -> dict[str, Fraction]:
        """The share of every arm, exactly."""
        return {arm: Fraction(share) for arm, share in self.shares.items()}


if TYPE_CHECKING:
    Epoch = _Epoch
else:
    Epoch = create_model("Epoch", __base__=_Epoch, __doc__=_Epoch.__doc__, **{"from": (Date, ...)})


class Randomized(_Design):
    """A coin decided."""

    type: Literal["randomized"]
    epochs: tuple[Epoch, ...] | None = None


class NegativeControls(Part):
    """Outcomes that the treatment can't change, and exposures that can't change the outcome."""

    outcomes: tuple[Text, ...] = ()
    exposures: tuple[Text, ...] = ()


class Observational(_Design):
    """Nobody tossed a coin: the declared confounders must make the arms comparable.

    A plan's `graph` is a file's path or DOT text; a resolved plan holds the text, or the path of a file not yet there.
    """

    type: Literal["observational"]
    confounders: tuple[Text, ...] = ()
    graph: Text | None = None
    never_adjust: tuple[Text, ...] = ()
    negative_controls: NegativeControls = NegativeControls()

    @property
    def causal_graph(self) -> CausalGraph | None:
        """What the graph draws; None without one, or as long as its file is not there."""
        return read_dot(self.graph) if self.graph is not None and "{" in self.graph else None


class Instrument(Part):
    """What was randomised, where the treatment itself was chosen."""

    column: Text
    control: Label
    share: Share | None = None


class Encouragement(_Design):
    """The offer was randomised, and customers chose."""

    type: Literal["encouragement"]
    instrument: Instrument


class Panel(Part):
    """The units and periods of a roll-out, and when each unit was first treated."""

    unit: Text
    period: Text
    first_treated: Text
    comparison: Literal["not_yet_treated", "never_treated"] = "not_yet_treated"
    anticipation: Count = 0


class StaggeredRollout(_Design):
    """Units adopted one after the other."""

    type: Literal["staggered_rollout"]
    panel: Panel


class Running(Part):
    """The score, and the cut-off at which the treatment changes."""

    column: Text
    cutoff: Number
    treated: Literal["above", "below"]


class Threshold(_Design):
    """A score above a cut-off decided."""

    type: Literal["threshold"]
    running: Running


Design = Annotated[
    Randomized | Observational | Encouragement | StaggeredRollout | Threshold, Field(discriminator="type")
]
