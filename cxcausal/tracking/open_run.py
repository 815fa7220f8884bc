"""A run while it is being computed: exceptions, Ctrl-C and SIGTERM each leave the status they deserve."""

import contextlib
from pathlib import Path
from types import TracebackType

from cxcausal.core.errors import CxCausalError, IntegrityError, MachineError
from cxcausal.core.interrupts import TERMINATED, Interrupts, Terminated, held
from cxcausal.tracking.layout import MANIFEST_FILE
from cxcausal.tracking.reaper import is_entered
from cxcausal.tracking.run_store import RunStore

__all__ = ["TERMINATED", "OpenRun", "Terminated"]


class OpenRun:
    """A context manager: makes the run's folder on entry, gives the run its final status on exit.

    Example:
        >>> import tempfile
        >>> with OpenRun(Path(tempfile.mkdtemp()), "outreach") as store:
        ...     store.save("flow", {"rows": 10})
        >>> store.status().status, store.status().reason
        ('FAILED', 'ended without a manifest')
    """

    def __init__(self, root: Path, experiment: str, *, resumes: str | None = None) -> None:
        """Remember where the run will lie, or which run goes on; nothing is written yet."""
        self._root, self._resumes = root, resumes
        self._experiment = experiment
        self._store: RunStore | None = None
        self._interrupts = Interrupts()

    def __enter__(self) -> RunStore:
        """Make the run and, in the main thread, listen for Ctrl-C and SIGTERM."""
        self._interrupts.__enter__()
        try:
            with held():
                self._store = self._opened()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self._store

    def _opened(self) -> RunStore:
        if self._resumes is None:
            return RunStore.create(self._root, self._experiment)
        return RunStore.reopen(self._root, self._experiment, self._resumes)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Mark the run FINISHED, FAILED or KILLED, and put the old signal handlers back; errors go on rising."""
        try:
            with held():
                if self._store is not None:
                    _close(self._store, self._interrupts.exception() if self._interrupts.hidden_by(error) else error)
        finally:
            self._interrupts.__exit__(kind, error, trace)


def _close(store: RunStore, error: BaseException | None) -> None:
    """Give the run the status that the way it ended deserves."""
    if error is None and (store.directory / MANIFEST_FILE).exists():
        _finish_verified(store)
    elif error is None:
        store.finish("FAILED", "ended without a manifest")
    else:
        _close_failed(store, error)


def _close_failed(store: RunStore, error: BaseException) -> None:
    """Mark a run whose error goes on rising; a disk that takes no status either leaves that to the reaper.

    A run that the ledger has in full is FINISHED, whatever failed after that.
    """
    with contextlib.suppress(IntegrityError, MachineError):
        if is_entered(store.root, store.directory):
            store.finish("FINISHED")
        elif isinstance(error, KeyboardInterrupt | Terminated):
            store.finish("KILLED", "interrupted" if isinstance(error, KeyboardInterrupt) else "SIGTERM")
        else:
            store.finish("FAILED", _reason(error))


def _finish_verified(store: RunStore) -> None:
    """Mark the run FINISHED; where its files don't match the manifest, mark it FAILED and let the error rise."""
    try:
        store.finish("FINISHED")
    except IntegrityError as error:
        store.finish("FAILED", _reason(error))
        raise


def _reason(error: BaseException) -> str:
    """Name the error by type and codes only: its text may quote the data."""
    if isinstance(error, CxCausalError):
        codes = ", ".join(dict.fromkeys(problem.code for problem in error.problems))
        return f"{type(error).__name__}: {codes}"
    return type(error).__name__
