"""The hand-off world: trouble brings customers of a failing bot to a person, and the truth of it is known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import Problem, UsageError
from cxcausal.simulate.handoff_hidden import Strengths
from cxcausal.simulate.handoff_late import LateExtract, delay_days, late_extract, leaving_day
from cxcausal.simulate.handoff_outcomes import (
    PERSON_COST,
    ROUTES,
    After,
    Pull,
    contact_rate,
    draw_after,
    draw_after_noise,
)
from cxcausal.simulate.handoff_people import CHANNELS, Conversations, draw_conversations, draw_routes
from cxcausal.simulate.handoff_truth import (
    HandoffTruth,
    effects_of,
    reference_cause,
    reference_pull,
    reference_side,
    side_of,
)
from cxcausal.simulate.population import INTENTS, TIERS, Floats, Ints

Column = npt.NDArray[Any]

_STREAMS = ("people", "route", "time", "noise", "ids", "before", "again", "delay")
_FIRST_STREAM = 100
_QUARTER = (np.datetime64("2026-04-01T00:00:00", "s"), 91)
_EXTRACTED_AT = np.datetime64("2026-10-01T00:00:00", "s")
_DAY = 86_400
_MOST_SCALE = 2.0
_MOST_STRENGTH = 0.2


@dataclass(frozen=True, kw_only=True)
class HandoffDrawn:
    """A drawn world: what an analyst would be given, and the truth that they would not.

    Attributes:
        columns: name → array of shape (n,); a missing answer is NaN, a missing time NaT.
        truth: true effects, per estimand and intent.
    """

    columns: Mapping[str, Column]
    truth: HandoffTruth


@dataclass(frozen=True, kw_only=True)
class HandoffWorld:
    """Conversations with a bot, some handed to a person; everything that decides about it stands in the columns.

    Attributes:
        n: customers, one conversation each; about three in ten are not what the question is about.
        seed: fixes every byte.
        effect_scale: multiplies every effect of meeting a person; 0 is a world in which the route changes nothing.

    Raises:
        UsageError: an option has no meaning.

    Example:
        >>> truth = HandoffWorld(n=2_000, seed=1).draw().truth.effect("churn_90d", "ato")
        >>> truth.expected < 0 < truth.naive
        True
    """

    name: ClassVar[str] = "handoff"
    costs: ClassVar[Mapping[str, float]] = {"human": PERSON_COST}
    n: int = 20_000
    seed: int = 1
    effect_scale: float = 1.0

    def __post_init__(self) -> None:
        """Tell every option that makes no sense, at once."""
        _refuse(self)

    def draw(self) -> HandoffDrawn:
        """Return the data and the truth; equal worlds give equal draws."""
        return _draw(self, None, late=False)


@dataclass(frozen=True, kw_only=True)
class HiddenHandoffWorld:
    """The same with a cause that no column shows: frustration voiced by phone brings people, and drives away.

    Attributes:
        n, seed, effect_scale: as in `HandoffWorld`.
        hidden_route, hidden_churn, hidden_contacts: how strong the hidden cause is, as partial R² (`Strengths`).

    Raises:
        UsageError: an option has no meaning.

    Example:
        >>> truth = HiddenHandoffWorld(n=2_000, seed=1).draw().truth
        >>> round(truth.hidden.partial_r2["route"], 4)
        0.05
        >>> row = truth.effect("churn_90d", "ato")
        >>> row.adjusted > row.expected + 0.02
        True
    """

    name: ClassVar[str] = "handoff-hidden"
    costs: ClassVar[Mapping[str, float]] = {"human": PERSON_COST}
    n: int = 20_000
    seed: int = 1
    effect_scale: float = 1.0
    hidden_route: float = 0.05
    hidden_churn: float = 0.05
    hidden_contacts: float = 0.05

    def __post_init__(self) -> None:
        """Tell every option that makes no sense, at once."""
        _refuse(self)

    def draw(self) -> HandoffDrawn:
        """Return the data and the truth; equal worlds give equal draws."""
        asked = Strengths(route=self.hidden_route, churn=self.hidden_churn, contacts=self.hidden_contacts)
        return _draw(self, asked, late=False)


@dataclass(frozen=True, kw_only=True)
class LateHandoffWorld:
    """The same conversations in a careless extract, which makes those handed over immortal until they are.

    The time zero of those who met a person is the hand-off, two hours to fourteen days after the failed intent, and
    whoever had cancelled before could not be handed over, so is counted with the bot.

    Attributes:
        n, seed, effect_scale: as in `HandoffWorld`.

    Raises:
        UsageError: an option has no meaning.

    Example:
        >>> truth = LateHandoffWorld(n=2_000, seed=1).draw().truth
        >>> truth.late.adjusted_churn["ato"] < truth.effect("churn_90d", "ato").expected - 0.02
        True
    """

    name: ClassVar[str] = "handoff-late"
    costs: ClassVar[Mapping[str, float]] = {"human": PERSON_COST}
    n: int = 20_000
    seed: int = 1
    effect_scale: float = 1.0

    def __post_init__(self) -> None:
        """Tell every option that makes no sense, at once."""
        _refuse(self)

    def draw(self) -> HandoffDrawn:
        """Return the data and the truth; equal worlds give equal draws."""
        return _draw(self, None, late=True)


AnyHandoff = HandoffWorld | HiddenHandoffWorld | LateHandoffWorld


@dataclass(frozen=True, kw_only=True)
class _Happened:
    """Who met whom, when the bot failed, and by how many seconds the extract is late."""

    person: Floats
    seconds: Ints
    late_by: Ints


def _draw(world: AnyHandoff, asked: Strengths | None, *, late: bool) -> HandoffDrawn:
    rng = {name: np.random.default_rng([world.seed, _FIRST_STREAM + i]) for i, name in enumerate(_STREAMS)}
    scale, pull = world.effect_scale, reference_pull(asked, world.effect_scale)
    people = draw_conversations(world.n, rng["people"])
    noise = draw_after_noise(world.n, rng["noise"])
    after = {route: draw_after(people, route, noise, pull=pull, scale=scale) for route in ROUTES}
    person = draw_routes(people, rng["route"], pull=pull.route)
    seconds = rng["time"].integers(0, _QUARTER[1] * _DAY, world.n)
    late_by = np.zeros(world.n, dtype=np.int64)
    if late:
        days = delay_days(rng["delay"].random(world.n))
        left = people.eligible & (after["bot"].churned == 1) & (leaving_day(noise.churn_day) < days)
        person = np.where(left, 0.0, person)
        late_by = np.where(people.eligible & (person == 1), (days * _DAY).astype(np.int64), 0)
    happened = _Happened(person=person, seconds=seconds, late_by=late_by)
    columns = {
        **_conversation(people, happened, rng),
        **_known_before(people, rng["before"], pull),
        **_results(after, person),
    }
    return HandoffDrawn(columns=columns, truth=_truth(people, pull, scale=scale, hidden=asked is not None, late=late))


def _truth(people: Conversations, pull: Pull, *, scale: float, hidden: bool, late: bool) -> HandoffTruth:
    sample, reference = side_of(people.take(people.eligible), pull, scale=scale), reference_side(pull, scale)
    extract: LateExtract | None = None
    if late:
        extract = late_extract(reference.chance, reference.views["churned"].everybody)
    return HandoffTruth(
        effects=effects_of(sample, reference, observed=not late),
        hidden=reference_cause(pull, scale) if hidden else None,
        late=extract,
    )


def _conversation(
    people: Conversations, happened: _Happened, rng: Mapping[str, np.random.Generator]
) -> dict[str, Column]:
    """Return the conversation; the bot goes on failing only where it stays, and has no time of failing if it didn't."""
    start, _ = _QUARTER
    failed_at = start + (happened.seconds + happened.late_by).astype("timedelta64[s]")
    again = rng["again"].poisson(0.8, people.n) * (happened.person == 0)
    return {
        "customer_id": np.char.zfill((rng["ids"].permutation(people.n) + 1).astype(np.str_), 9),
        "channel": np.array(CHANNELS)[people.channel],
        "bot_failed_intents": people.failed * (1 + again),
        "first_failed_intent_at": np.where(people.failed == 1, failed_at, np.datetime64("NaT", "s")),
        "extracted_at": np.full(people.n, _EXTRACTED_AT),
        "route": np.array(ROUTES)[happened.person.astype(np.int64)],
    }


def _known_before(people: Conversations, rng: np.random.Generator, pull: Pull) -> dict[str, Column]:
    earlier = rng.poisson(contact_rate(people, people.hidden, pull=pull))
    return {
        "tenure_months": people.tenure_months,
        "tier": np.array(TIERS)[people.tier],
        "intent": np.array(INTENTS)[people.intent],
        "complexity": people.complexity,
        "sentiment_before": people.sentiment,
        "bot_turns_before": people.bot_turns,
        "contacts_prev_90d": people.contacts_prev_90d,
        "margin_prev_90d": people.margin_prev,
        "contacts_prev_year": people.contacts_prev_90d + earlier,
    }


def _results(after: Mapping[str, After], person: Floats) -> dict[str, Column]:
    seen = {
        name: np.where(person == 1, getattr(after["human"], name), getattr(after["bot"], name))
        for name in After.__dataclass_fields__
    }
    whole = np.int64
    return {
        "handle_minutes_after": seen["minutes"],
        "resolved": seen["resolved"].astype(whole),
        "churned_90d": seen["churned"].astype(whole),
        "complained_30d": seen["complained"].astype(whole),
        "csat_answered": seen["csat_answered"].astype(whole),
        "csat": np.where(seen["csat_answered"] == 1, seen["csat"], np.nan),
        "margin_90d": seen["margin"],
    }


def _refuse(world: AnyHandoff) -> None:
    problems = [
        Problem(where=f"simulate {world.name} {option}", code="U244", what=what, mend=mend)
        for option, what, mend in _wrong(world)
    ]
    if problems:
        raise UsageError(problems)


def _wrong(world: AnyHandoff) -> Iterator[tuple[str, str, str]]:
    if world.n < 1:
        yield "n", f"{world.n} customers can't be drawn", "ask for at least 1"
    if world.seed < 0:
        yield "seed", f"{world.seed} is negative", "use a whole number from 0"
    if not 0 <= world.effect_scale <= _MOST_SCALE:
        yield "effect_scale", f"{world.effect_scale} is out of range", "use 0 to 2; 0 is a null world"
    for option in ("hidden_route", "hidden_churn", "hidden_contacts"):
        strength = getattr(world, option, 0.0)
        if not 0 <= strength <= _MOST_STRENGTH:
            mend = "use a partial R² from 0 to 0.2; 0.05 is a strong hidden cause"
            yield option, f"{strength} is out of range", mend
