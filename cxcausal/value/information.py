"""What knowing more is worth: a perfect answer, and the data of four more weeks or of as many customers again."""

from dataclasses import replace
from datetime import date
from math import exp, pi, sqrt

from scipy.special import ndtr

from cxcausal.core.answers import Flow
from cxcausal.core.results import ArmValue, Information, ValueResult

_DAYS = 28


def expected_gain(mean: float, spread: float) -> float:
    """Return E max(0, v) − max(0, E v) for v ~ Normal(mean, spread²): what is gained by choosing after v is known.

    With u = mean / spread it is spread · (φ(u) − |u| Φ(−|u|)), the unit normal loss (Raiffa & Schlaifer 1961,
    *Applied Statistical Decision Theory*, chapter 5).

    Args:
        mean: the expected net value of going ahead; not going ahead is worth zero.
        spread: standard deviation of what is to become known of it.

    Example:
        >>> round(expected_gain(0.0, 1.0), 6), round(expected_gain(-2.0, 1.0), 6), expected_gain(3.0, 0.0)
        (0.398942, 0.008491, 0.0)
    """
    if spread <= 0:
        return 0.0
    u = abs(mean / spread)
    return max(spread * (exp(-u * u / 2) / sqrt(2 * pi) - u * float(ndtr(-u))), 0.0)


def gain_of_more(mean: float, se: float, share: float) -> float:
    """Return what more data are worth before the choice, as a fraction `share` of those behind mean and se.

    Under a flat prior net value is Normal(mean, se²) now, and its variance falls to se² / (1 + share); the mean will
    by then have moved with the variance that is lost, se² · share / (1 + share).

    Example:
        >>> half, whole = gain_of_more(0.0, 1.0, 1.0), expected_gain(0.0, 1.0)
        >>> round(half / whole, 6)
        0.707107
    """
    return expected_gain(mean, se * sqrt(share / (1 + share)))


def four_weeks_of(flow: Flow) -> float | None:
    """Return how many units four more weeks of enrolment would add, as a fraction of those analysed.

    The pace is that from the first to the last time zero; it is not known where all units came on one day.

    Example:
        >>> flow = Flow(rows=560, filtered_out=0, enrolled=560, immature=60, analysed=500, randomization_units=560,
        ...             enrolled_from="2026-01-01", enrolled_to="2026-02-25")
        >>> four_weeks_of(flow)
        0.56
    """
    if flow.enrolled_from is None or flow.enrolled_to is None or not flow.analysed:
        return None
    days = (date.fromisoformat(flow.enrolled_to) - date.fromisoformat(flow.enrolled_from)).days
    return _DAYS * flow.enrolled / (days + 1) / flow.analysed if days else None


def with_information(value: ValueResult | None, four_weeks: float | None) -> ValueResult | None:
    """Return the money with what knowing more is worth, for every arm that has a net value.

    Each arm is weighed against the control alone, at central assumptions, as if nothing were known but the data (a
    flat prior), for the customers of the roll-out, less its one-off cost; without a population for those of the arm.

    Args:
        value: as it was computed; None where the plan has no money.
        four_weeks: how much four more weeks would add, as a fraction of the data.
    """
    if value is None:
        return None
    return replace(value, arms=tuple(_informed(arm, four_weeks) for arm in value.arms))


def _informed(arm: ArmValue, four_weeks: float | None) -> ArmValue:
    if arm.net_se is None:
        return arm
    net, customers = arm.rollout, arm.rollout_customers
    if net is None or customers is None:
        if "central" not in arm.net_total:
            return arm  # a choice about customers whom nobody can count has no total to lose
        net, customers = arm.net_total["central"], arm.n_treated if arm.total_customers is None else arm.total_customers
    se = arm.net_se * customers
    return replace(
        arm,
        information=Information(
            customers=customers,
            perfect=expected_gain(net.point, se),
            doubled=gain_of_more(net.point, se, 1.0),
            four_weeks=None if four_weeks is None else gain_of_more(net.point, se, four_weeks),
        ),
    )
