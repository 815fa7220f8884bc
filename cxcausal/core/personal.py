"""Texts that look like somebody's: addresses and numbers of people, which are never told and name no file."""

import re

from cxcausal.core.errors import Problem

_ADDRESS = re.compile(r"[^\s@/\\]+@[^\s@/\\]+\.[^\s@/\\]{2,}")
_TELEPHONE = re.compile(r"\+\d(?:[ ()/.-]{0,2}\d){7,}")
_DIGITS_OF_AN_ID = 6


def names_somebody(text: str) -> bool:
    """Return whether a text holds an e-mail address or a telephone number with its country.

    Example:
        >>> names_somebody("data/ann.lee@example.com.csv"), names_somebody("data/+49 30 901820.csv")
        (True, True)
        >>> names_somebody("data/cut_20261122.csv")
        False
    """
    return _ADDRESS.search(text) is not None or _TELEPHONE.search(text) is not None


def may_be_an_id(value: str) -> bool:
    """Return whether a value may be somebody's, however often it is there: it has an `@`, or many digits.

    Example:
        >>> may_be_an_id("DE8937040044"), may_be_an_id("call_2026")
        (True, False)
    """
    return "@" in value or sum(sign.isdigit() for sign in value) >= _DIGITS_OF_AN_ID


def told_name(column: str) -> str:
    """Return a column's name as messages tell it: where a file lacks its header, it is a value of the first row.

    Example:
        >>> told_name("churned"), told_name("DE8937040044")
        ('churned', '…')
    """
    return "…" if may_be_an_id(column) else column


def named_after_somebody(where: str) -> Problem:
    """Return why a file with such a name is not read; the name itself is not told."""
    return Problem(
        where=where,
        code="F840",
        what="the name of a data file holds an e-mail address or a telephone number",
        mend="rename the file: names of files stand in the record, in reports and in MLflow",
    )
