"""What an A/A run found: how often each part of a plan alarmed while arms were dealt out anew, and what it can see."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

AlarmKind = Literal["metric", "guardrail_beyond", "guardrail_open", "family", "check"]
AlarmVerdict = Literal["as_promised", "too_many", "too_few_to_tell", "told"]
AaAnswer = Literal["as_promised", "too_many", "too_few_to_tell", "not_known"]


@dataclass(frozen=True, kw_only=True)
class AlarmRate:
    """One line: how often something alarmed although the arms differed by chance alone.

    Attributes:
        kind: `metric` (the interval excludes zero), `guardrail_beyond` (reliably beyond the margin), `guardrail_open`
            (not shown inside the margin), `family` (any success metric after the multiplicity rule), or `check`.
        name: the metric, the check, or `all success metrics`. role: of a metric. arm: compared with the control.
        tosses: how many tosses gave a number. alarms: how many of them alarmed. rate: their share.
        low, high: Monte-Carlo limits of the rate.
        promised: the rate that the plan allows; None where nothing promises one, and the verdict is `told`.
        verdict: as_promised, too_many, too_few_to_tell or told.
        uniform_p: whether p-values look uniform (small: they don't); None where they need not.
        bins: p-values counted in twenty equal parts of 0 to 1.
        smallest: the smallest effect (for guardrails: margin) that these data would show with the plan's power.
        se: the median standard error.
        status, reason: not_computed, and why, where no toss gave a number.
    """

    kind: AlarmKind
    name: str
    role: str = ""
    arm: str = ""
    tosses: int = 0
    alarms: int = 0
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    promised: float | None = None
    verdict: AlarmVerdict = "told"
    uniform_p: float | None = None
    bins: tuple[int, ...] = ()
    smallest: float | None = None
    se: float | None = None
    status: Literal["ok", "not_computed"] = "ok"
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class AaResult:
    """Whether a plan keeps its error rates on the user's own data.

    Attributes:
        answer: `too_many` where a success metric's rate lies wholly above its promise; `too_few_to_tell` where one
            can't be told; `not_known` where none could be computed.
        sentence: the same in words; notes: what a reader must know.
        tosses, seed: how often the coin was tossed, and from what.
        units: analysed; randomization_units: that the coin was tossed for, among all enrolled.
        shares: of the toss, by epoch and arm; the epoch is the empty text without a ramp-up.
        shares_from: `plan`, or `data` where the plan has none.
        confidence: of the limits of rates. alpha, power: the plan's.
        rows: success metrics first, then the family, guardrails, secondary metrics and checks.
        inputs: (name, SHA-256) of the data.
    """

    schema_version: int = 1
    experiment: str
    plan_hash: str
    answer: AaAnswer
    sentence: str
    notes: tuple[str, ...] = ()
    tosses: int
    seed: int
    units: int
    randomization_units: int
    shares: Mapping[str, Mapping[str, float]]
    shares_from: Literal["plan", "data"]
    confidence: float
    alpha: float
    power: float
    rows: tuple[AlarmRate, ...]
    inputs: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and text, in the order of the fields."""
        return asdict(self)
