"""PostgreSQL's failures in our words: its own could quote rows, users and hosts."""

from cxcausal.core.errors import CxCausalError, DataError, MachineError, Problem

_UNREACHED = (
    (("password authentication", "no password supplied", "pg_hba.conf", "role"), "it refuses the user or the password"),
    (("does not exist",), "it has no database of that name"),
    (("could not translate host", "resolve host", "Name or service"), "there is no such host"),
    (("refused", "No such file", "No route"), "nothing answers at that host and port"),
    (("timeout", "timed out"), "it did not answer in time"),
    (("SSL", "certificate"), "it and this machine don't agree on encryption"),
    (("too many", "remaining connection slots"), "it has no connection left"),
    (("starting up", "shutting down"), "it is starting or stopping"),
)
"""What a message of the driver holds, and what it means; in other languages the reason stays untold."""
_ENDED = {
    "08": ("the connection to the database was lost", "check the network and the server, and run again"),
    "25P04": ("the server ended the transaction, which took too long", "let its administrator raise the limit"),
    "40001": ("the server took rows away that were being read", "read from the primary, or run again"),
    "42501": ("this user may not read the table", "let its owner GRANT SELECT on it, and USAGE on its schema"),
    "53100": ("the server's disk is full", "let its administrator free space for temporary files"),
    "53": ("the server is out of memory or connections", "run again when it has less to do"),
    "54": (
        "the plan needs more columns at once than the database can hold",
        "name fewer covariates or levels, or export the table to Parquet",
    ),
    "55P03": ("another session keeps the table locked", "wait until it is done, and run again"),
    "57014": ("the server ended a statement that took too long", "raise statement_timeout for this user"),
    "57": ("the server ended the connection", "run again when it is up"),
}
"""By the first characters of SQLSTATE, the longest that fits."""
_TOO_LARGE = "22003"


def unreached(error: Exception, where: str) -> MachineError:
    """Return that no connection could be made; neither the URL nor its parts are told."""
    told = str(error)
    found = next((words for signs, words in _UNREACHED if any(sign in told for sign in signs)), None)
    what = "the database can't be reached" + ("" if found is None else f": {found}")
    mend = "check that the server runs, and the host, port, database, user and password behind the URL"
    return MachineError(Problem(where=where, code="D115", what=what, mend=mend))


def ended(state: str | None, where: str) -> CxCausalError:
    """Return what a failure in the middle means.

    Args:
        state: SQLSTATE; None where the connection broke, or a value can't be fetched.
        where: names the data.

    Example:
        >>> print(ended("57P01", "shop.units").problems[0])
        shop.units D116 the server ended the connection — run again when it is up
    """
    if state == _TOO_LARGE:
        what, mend = "a number is too large, or too near 0, to be computed with", "correct it, or leave such rows out"
        return DataError(Problem(where=where, code="D306", what=what, mend=mend))
    code = state or "08"
    known = next((code[:length] for length in (5, 2) if code[:length] in _ENDED), None)
    what, mend = (f"the database failed ({code})", "look that code up in its log") if known is None else _ENDED[known]
    return MachineError(Problem(where=where, code="D116", what=what, mend=mend))
