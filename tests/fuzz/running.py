"""An analysis in this process: all that `run` does, but for the record that it keeps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxcausal import running
from cxcausal.cli.errors import emit
from cxcausal.core.errors import ExitCode
from cxcausal.core.progress import SILENT
from cxcausal.core.results import RunResult
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.placing import placing
from cxcausal.pipeline.analyse import analyse
from cxcausal.pipeline.preconditions import refuse_repeated_units
from cxcausal.pipeline.reading import refuse_early
from cxcausal.pipeline.support import refuse_unsupported
from cxcausal.report.render import render_report
from tests.fuzz.judging import CANARY

RUN_ID = "0" * 26


class NoStore:
    """Keeps nothing."""

    def save(self, stage: str, payload: Mapping[str, Any]) -> None:
        """Do nothing."""


def analysed(path: Path, on: str | None = None) -> int:
    """Analyse a plan and print the result as `run --json` does; return the exit code.

    Raises:
        CxCausalError: as `run` does.
        AssertionError: the page tells an id.
    """
    resolved = load_experiment(path)
    with placing(resolved, on):
        refuse_unsupported(resolved.spec)
        with running.opened(resolved, on, SILENT) as dataset:
            refuse_repeated_units(resolved.spec, dataset)
            refuse_early(resolved.spec, dataset)
            result = analyse(resolved.spec, dataset, running.context_of(resolved, RUN_ID), NoStore())
    return _told(result)


def _told(result: RunResult) -> int:
    page = render_report(result, ledger_head="")
    assert CANARY not in page, "an id stands on the page"
    emit(result.to_dict())
    return ExitCode.GATE if result.verdict == "no_decision" else ExitCode.OK
