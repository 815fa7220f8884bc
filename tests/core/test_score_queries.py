"""The kinds of score queries, once as a type and once as what can be asked for at run time."""

from typing import get_args

from cxcausal.core.score_queries import SCORE_QUERIES, ScoreQuery


def test_every_kind_is_in_both() -> None:
    assert get_args(ScoreQuery) == SCORE_QUERIES
