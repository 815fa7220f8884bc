"""What somebody hands to a model, column by column: whatever holds numbers or texts is taken, and no value is told."""

from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import DataError, Problem

if TYPE_CHECKING:
    import pandas as pd

_KINDS = {
    "number": ((Real, Decimal, np.bool_), "numbers", "give it numbers of any type, empty where one is missing"),
    "text": ((str,), "texts", "give it texts, such as by .astype(str), empty where one is missing"),
}


def columns_of(given: object, kinds: Mapping[str, str]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns that a model looks at, numbers as floats with NaN, texts as objects with None.

    Args:
        given: a pandas DataFrame, with any columns beside these.
        kinds: column → `number` or `text`.

    Raises:
        DataError: it is no DataFrame, a column is not there, or not of its kind; all problems at once.

    Example:
        >>> import pandas as pd
        >>> columns_of(pd.DataFrame({"age": [30, None], "tier": ["gold", None]}), {"age": "number"})
        {'age': array([30., nan])}
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    if not isinstance(given, pd.DataFrame):
        what = "the model is asked about something else than a pandas DataFrame"
        raise DataError(Problem(where="predict", code="P430", what=what, mend="give it one, with a row per customer"))
    problems = [problem for name, kind in kinds.items() if (problem := _wrong(given, name, kind)) is not None]
    if problems:
        raise DataError(problems)
    return {name: _values(given[name], kind) for name, kind in kinds.items()}


def _wrong(given: "pd.DataFrame", name: str, kind: str) -> Problem | None:
    types, words, mend = _KINDS[kind]
    if name not in given.columns:
        return Problem(
            where=f"column {name}", code="P431", what="the model looks at it, and it is not there", mend="add it"
        )
    column = given[name]
    if kind == "number" and column.dtype.kind in "fiub":
        return None
    odd = sum(not isinstance(value, types) for value in column[column.notna()])
    if not odd:
        return None
    return Problem(where=f"column {name}", code="P431", what=f"not all of its values are {words}", mend=mend)


def _values(column: "pd.Series[Any]", kind: str) -> npt.NDArray[Any]:
    if kind == "number":
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    found = column.astype(object)
    return np.asarray(found.where(found.notna(), None).to_numpy())
