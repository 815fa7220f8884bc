"""Formulas: planes of the same terms are added up before they are asked, and no unit's number hangs on others."""

import numpy as np

from cxcausal.heterogeneity.formulas import NEAR, Effect, Plane, Table, square_terms


def table(n: int) -> Table:
    matrix = np.random.default_rng(1).normal(size=(n, 4))
    return Table(matrix=matrix, filled=matrix)


def effect() -> Effect:
    rng, terms = np.random.default_rng(2), square_terms(4, np.ones(4, dtype=bool))
    one, two, three = (Plane(terms=terms, slopes=rng.normal(size=len(terms))) for _ in range(3))
    short = Plane(terms=terms[:3], slopes=np.ones(3))
    return Effect(arms=(((1.0, one), (-1.0, two)), ((0.5, three), (-1.0, two), (2.0, short))))


def test_an_effect_is_the_sum_of_its_planes() -> None:
    asked = table(500)
    alone = [sum(times * formula.of(asked) for times, formula in terms) for terms in effect().arms]
    assert np.allclose(effect().of(asked), np.column_stack(alone), rtol=1e-12, atol=1e-12)


def test_a_unit_is_told_the_same_among_many_and_by_rows_or_columns() -> None:
    many = table(NEAR + 7)
    told = effect().of(many)
    for units in (np.array([0]), np.array([NEAR + 6, 3]), np.arange(NEAR - 1, NEAR + 2)):
        assert np.array_equal(effect().of(many.at(units)), told[units])
    turned = Table(matrix=np.asfortranarray(many.matrix), filled=np.asfortranarray(many.filled))
    assert np.array_equal(effect().of(turned), told)
