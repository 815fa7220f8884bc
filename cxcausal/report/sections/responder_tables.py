"""Tables of who responds: the tests of every arm, the board of learners, and what predictions rest on."""

from collections.abc import Iterator, Mapping

from cxcausal.core.whom import AimHeterogeneity, ArmHeterogeneity, Candidate, Told
from cxcausal.report.blocks import Cell, Table
from cxcausal.report.facts import Facts
from cxcausal.report.gains import Gains
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import percent, place_for
from cxcausal.report.sections.gain_cells import gain_cell, plain_cell
from cxcausal.report.sections.score_cells import dash, part, whole
from cxcausal.report.text import Sentence

LEARNERS: Mapping[str, str] = {
    "constant": "One effect for everybody",
    "s": "S-learner",
    "t": "T-learner",
    "x": "X-learner",
    "dr": "DR learner",
    "r": "R-learner",
    "causal_forest": "Causal forest",
}
_TESTS = (
    *("Arm", "Judged on", "Mean gain", "Slope (BLP)", "Most less least (GATES)", "AUTOC", "Qini", "AUUC", "Error"),
    *("p", "Adjusted p"),
)


def tests_table(facts: Facts, at: int, aim: AimHeterogeneity) -> Table:
    """Return every arm's tests of whether predictions tell anything, and what they are worth."""
    key = path("heterogeneity", at)
    rows = [
        tuple(_tests(facts, aim, f"{key}.{path('arms', place)}", arm))
        for place, arm in enumerate(aim.arms)
        if arm.status == "ok"
    ]
    told = f"Whether predictions tell who responds, on {facts.people.many} whom nothing was learned from: "
    caption: Sentence = (told, *Gains(facts, aim.aim, each=True).counted())
    head = tuple((title,) for title in _TESTS)
    return Table(caption=caption, name=f"responders-table-{_letter(at)}", head=head, rows=tuple(rows), wide=True)


def _tests(facts: Facts, aim: AimHeterogeneity, key: str, arm: ArmHeterogeneity) -> Iterator[Cell]:
    gains = Gains(facts, aim.aim, each=True)
    yield Cell(words=(facts.arm(arm.arm),))
    yield whole(facts, f"{key}.n")
    yield gain_cell(gains, f"{key}.average", arm.average)
    yield plain_cell(facts, f"{key}.slope", arm.slope)
    for name in ("spread", "autoc", "qini", "auuc"):
        yield gain_cell(gains, f"{key}.{name}", getattr(arm, name))
    yield dash() if arm.error is None else _bare(gains, f"{key}.error", arm.error)
    for name in ("p", "p_adjusted"):
        found = facts.has(f"{key}.{name}")
        yield Cell(words=(facts.p_value(f"{key}.{name}"),), state="number") if found else dash()


def _bare(gains: Gains, key: str, value: float) -> Cell:
    return Cell(words=(gains.number(key, gains.style(Told(point=value), bare=True)),), state="number")


def learners_board(facts: Facts, at: int, aim: AimHeterogeneity) -> Table:
    """Return how well every learner did where it had not learned, and its part in what predicts."""
    key = path("heterogeneity", at, "learners")
    rows = tuple(
        (
            Cell(words=_learner(facts, f"{key}.{place}", one)),
            _loss(facts, f"{key}.{place}.loss", one),
            part(facts, f"{key}.{place}.weight"),
        )
        for place, one in enumerate(aim.learners)
    )
    return Table(
        caption=(
            "Learners of “",
            facts.quote(path("heterogeneity", at, "label")),
            "”: their loss out of fold against one effect for everybody (less is better), and their part in predicting",
        ),
        name=f"effect-learners-table-{_letter(at)}",
        head=(("Learner",), ("Loss against one effect",), ("Part",)),
        rows=rows,
    )


def _learner(facts: Facts, key: str, one: Candidate) -> Sentence:
    known = LEARNERS.get(one.name)
    return (known,) if known else (facts.quote(f"{key}.name"),)


def _loss(facts: Facts, key: str, one: Candidate) -> Cell:
    if one.loss is None:
        return dash()
    place = place_for(100 * one.loss) if one.loss else 0
    return Cell(words=(facts.number(derived("percent", key), percent(place)),), state="number")


def drivers_table(facts: Facts, at: int, aim: AimHeterogeneity) -> Table:
    """Return how much of what predictions tell apart is lost where a modifier's values are shuffled."""
    key = path("heterogeneity", at, "drivers")
    rows = tuple(
        (Cell(words=(facts.quote(f"{key}.{place}.modifier"),)), part(facts, f"{key}.{place}.importance"))
        for place in range(len(aim.drivers))
    )
    return Table(
        caption=("What predictions rest on: the share of what they tell apart that is lost without it",),
        name=f"drivers-table-{_letter(at)}",
        head=(("Known beforehand",), ("Lost without it",)),
        rows=rows,
    )


def _letter(at: int) -> str:
    """Return a name for the aim at a place, so that tables of several aims have names of their own."""
    return f"aim{at}"
