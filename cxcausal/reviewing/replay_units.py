"""What a run kept of its units, as a replay needs it: the data as they were, and what became of them."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from cxcausal.core.protocols import DatasetWithRows as AnyDataset
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.reviewing.replay_classes import UnitCounts

if TYPE_CHECKING:
    from cxcausal.data.dataset import Dataset
    from cxcausal.tracking.recorded_run import RecordedRun


class KeptUnits(Protocol):
    """The units that a run kept: they answer what was asked then, and tell what became of them."""

    @property
    def dataset(self) -> AnyDataset:
        """The data as they were."""

    def changes(self, now: "Dataset") -> UnitCounts | None:
        """Return what became of the units in the data of today; None where that can't be told."""


class _Units:
    """The units of one run, read into an engine of their own when they are first needed."""

    def __init__(self, path: Path, spec: ExperimentSpec, root: Path, timezone: str, until: ExitStack) -> None:
        self._path, self._spec, self._root, self._timezone, self._until = path, spec, root, timezone, until

    @cached_property
    def dataset(self) -> AnyDataset:
        """The data as they were."""
        from cxcausal.data.engines import EMBEDDED, Session, start_engine
        from cxcausal.data.kept import kept_dataset, read_kept
        from cxcausal.data.sources import Source

        source = Source(kind="parquet", files=(), names=("kept units",))
        session = Session(engine=EMBEDDED, timezone=self._timezone)
        engine = self._until.enter_context(closing(start_engine(source, root=self._root, session=session)))
        with engine.translated():
            table = read_kept(engine, "kept_before", self._path, self._spec)
        return kept_dataset(engine, table, self._spec, "units_before")

    def changes(self, now: "Dataset") -> UnitCounts | None:
        """Keep the units of today for a moment, outside the project, and compare."""
        from cxcausal.data.kept import keep_units
        from cxcausal.data.movements import changes
        from cxcausal.tracking.project_key import project_key

        with TemporaryDirectory() as folder:
            kept = keep_units(now, self._spec, Path(folder), project_key(self._root), self._spec.reruns.max_units)
            if kept.path is None:
                return None
            found = changes(self._path, kept.path, self._spec)
        late = found.late + found.matured + found.new
        return UnitCounts(late=late, restated=found.restated, erased=found.erased)


@contextmanager
def kept_units(run: "RecordedRun", spec: ExperimentSpec) -> Iterator[KeptUnits | None]:
    """Open what a run kept of its units; None where it kept nothing, or it was removed since."""
    from cxcausal.tracking.layout import KEPT_UNITS

    path, timezone = run.directory / KEPT_UNITS, "UTC" if run.start is None else run.start.timezone
    with ExitStack() as until:
        yield _Units(path, spec, run.directory.parents[3], timezone, until) if path.is_file() else None
