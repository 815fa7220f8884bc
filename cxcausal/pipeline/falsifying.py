"""What the data say of a plan's graph: its columns, as numbers, to the tests of what it calls unrelated."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Rows, RowsWanted
from cxcausal.core.spec.designs import Observational

if TYPE_CHECKING:
    from cxcausal.core.falsified import Falsified
    from cxcausal.core.protocols import DatasetWithRows
    from cxcausal.core.queries import FalsifyQuery
    from cxcausal.core.spec.models import ExperimentSpec


def falsified(spec: "ExperimentSpec", dataset: "DatasetWithRows", query: "FalsifyQuery") -> "Falsified":
    """Return which independences of the plan's graph the analysed units contradict."""
    from cxcausal.identify.encoding import encoded  # noqa: PLC0415 - only plans that ask for it pay
    from cxcausal.identify.falsify import falsify  # noqa: PLC0415

    design = spec.design
    graph = design.causal_graph if isinstance(design, Observational) else None
    assert graph is not None  # noqa: S101 - only plans with a graph ask
    names = tuple(column for _, column in query.columns)
    rows = dataset.rows(RowsWanted(covariates=names))
    held = {node: _values(rows, column, design.treatment.column) for node, column in query.columns}
    columns, matrix = encoded({node: values for node, values in held.items() if values is not None})
    return falsify(graph, columns, matrix, np.random.default_rng(spec.analysis.seed))


def _values(rows: Rows, column: str, treatment: str) -> npt.NDArray[Any] | None:
    """Return a column's values, None where it was not read."""
    if column == treatment:
        return np.array(rows.arms, dtype=object)[rows.arm]
    if column in rows.numbers:
        return rows.numbers[column]
    if column not in rows.texts:
        return None
    text = rows.texts[column]
    return np.array([level or None for level in text.levels], dtype=object)[text.codes]
