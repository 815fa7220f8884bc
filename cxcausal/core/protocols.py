"""The ports: what a component of each kind must offer, and what the pipeline needs from the edges."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from cxcausal.core.answers import Answer
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, Estimate, Grade
from cxcausal.core.rows import Rows, RowsWanted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxcausal.core.spec.models import ExperimentSpec, Metric

Answers = Mapping[Query, Answer]


class Dataset(Protocol):
    """The data edge: it answers queries with aggregates and never hands out a row."""

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """(name, SHA-256) of every input file."""

    @property
    def fingerprint(self) -> str:
        """One hash over all inputs."""

    @property
    def data_cut(self) -> str | None:
        """The ISO date up to which outcomes were observed; None where the plan doesn't say."""

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """The values of every segment."""

    def answer(self, queries: Sequence[Query]) -> Answers:
        """Return one answer per query, computed in as few passes over the data as possible."""

    def repeated_rows(self) -> tuple[str, tuple[int, ...]]:
        """Return the file, and the numbers of a few rows whose unit stood before in the same arm; never an id."""


class DatasetWithRows(Dataset, Protocol):
    """A data edge that also hands out units, to what learns from them."""

    def rows(self, wanted: RowsWanted) -> Rows:
        """Return the analysed units as columns, for one run and in memory only."""


class ArrayStore(Protocol):
    """Where arrays that took long to compute are kept, by a hash of all that they were computed from."""

    def load(self, key: str) -> "Mapping[str, NDArray[Any]] | None":
        """Return the arrays of a key; None where there are none, or none that are whole."""

    def save(self, key: str, arrays: "Mapping[str, NDArray[Any]]") -> None:
        """Keep arrays; where there is no room, don't."""


class Answering(Protocol):
    """Whatever answers all that components ask, by sums or by scores."""

    def answer(self, queries: Sequence[Query]) -> Answers:
        """Return one answer per query."""


class Check(Protocol):
    """A question about validity; its fields are its options in YAML, `on_breach` among them."""

    name: ClassVar[str]

    def queries(self, spec: "ExperimentSpec") -> tuple[Query, ...]:
        """Return what this check needs to know; nothing, where it does not apply to the plan."""

    def judge(self, spec: "ExperimentSpec", answers: Answers) -> CheckResult:
        """Return the verdict with its number and one sentence."""


class Comparison(Protocol):
    """An effect whose error level is not decided yet: multiplicity rules choose it, and the row is made then."""

    @property
    def confirmatory(self) -> bool:
        """Whether it belongs to the family of success metrics × arms against control, over everybody."""

    def at(self, alpha: float) -> Estimate:
        """Return the row whose interval errs with probability alpha (on one side for guardrails, else on two)."""


class Estimator(Protocol):
    """From aggregates to the effects of one metric: every arm, population and scale that the plan asks for.

    A companion has the same shape; its rows say `companion`, and never decide.
    """

    name: ClassVar[str]

    def queries(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Mapping[str, tuple[str, ...]]
    ) -> tuple[Query, ...]:
        """Return the aggregates that the rows of this metric need."""

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Mapping[str, tuple[str, ...]], answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return one effect per contrast × population × scale, with a reason wherever a row can't be computed."""


class Design(Protocol):
    """What happened: it licenses an estimand, an evidence grade, gates and estimators.

    `companions` name what is told beside the estimator's rows; each is asked about every metric, and has no rows for
    those it doesn't concern. `unfit` are checks that make no sense here, whoever asks for them.
    """

    name: ClassVar[str]
    grade: ClassVar[Grade]
    default_estimand: ClassVar[str]
    default_method: ClassVar[str]
    companions: ClassVar[tuple[str, ...]]
    checks: ClassVar[tuple[str, ...]]
    unfit: ClassVar[frozenset[str]]


class StageStore(Protocol):
    """Where the pipeline keeps what a stage produced, so that a run can be resumed and audited."""

    def save(self, stage: str, payload: Mapping[str, Any]) -> None:
        """Write one stage's result atomically."""


class StageMemory(Protocol):
    """What an earlier attempt at the same run left, and where this one leaves what only a next attempt needs."""

    def load(self, stage: str) -> Mapping[str, Any] | None:
        """Return what was saved or kept of a stage; None where there is nothing whole."""

    def keep(self, stage: str, payload: Mapping[str, Any]) -> None:
        """Write one stage's result atomically until the run is recorded: it is never part of the record."""
