"""The columns that a source must have, told with what it has instead."""

from difflib import get_close_matches

from cxcausal.core.errors import DataError, Problem
from cxcausal.core.personal import told_name
from cxcausal.core.signs import differences, likeness, quoted
from cxcausal.core.spec.models import Data

_NAMED_AT_MOST = 40


def require_columns(label: str, columns: tuple[str, ...], needed: tuple[str, ...], data: Data) -> None:
    """Refuse data that lack a column which the plan names, or have one that it computes.

    Raises:
        DataError: one problem per column.
    """
    problems = [_absent(label, name, columns) for name in needed if name not in columns]
    stored = {name.casefold() for name in columns}
    problems += [
        _there_already(label, name) for name in (*data.formulas, *data.from_events) if name.casefold() in stored
    ]
    if problems:
        raise DataError(problems)


def nearest(name: str, known: tuple[str, ...]) -> str | None:
    """Return the known name that is most like this one, blanks and case aside.

    Example:
        >>> nearest("Control ", ("control", "gig"))
        'control'
    """
    folded = {likeness(candidate): candidate for candidate in known}
    near = get_close_matches(likeness(name), folded, n=1)
    return folded[near[0]] if near else None


def _absent(label: str, name: str, columns: tuple[str, ...]) -> Problem:
    near = nearest(name, columns)
    hint = f"did you mean '{near}'? " if near else ""
    hidden = differences(near, name) if near else ""
    hint = f"did you mean {quoted(near)}? {hidden}; " if near and hidden else hint
    return Problem(
        where=f"{label} column {name}",
        code="D210",
        what=f"the plan names the column '{name}', and the data have none of that name",
        mend=f"{hint}{_listed(columns)}",
    )


def _there_already(label: str, name: str) -> Problem:
    what = f"the plan computes '{name}', and the data have a column of that name already"
    return Problem(where=f"{label} column {name}", code="D214", what=what, mend="give the computed column another name")


def _listed(columns: tuple[str, ...]) -> str:
    """List column names, unless they look like the values of a first row."""
    if any(not name.strip() or name.lstrip("+-").replace(".", "", 1).isdigit() or "@" in name for name in columns):
        return "the first row doesn't look like a header; put the column names there"
    more = f" and {len(columns) - _NAMED_AT_MOST} more" if len(columns) > _NAMED_AT_MOST else ""
    return f"columns: {', '.join(told_name(name) for name in columns[:_NAMED_AT_MOST])}{more}"
