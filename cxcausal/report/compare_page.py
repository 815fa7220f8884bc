"""One self-contained page about two runs: what moved, and what of data, plan, code and environment is not the same."""

from collections.abc import Iterable, Mapping

from cxcausal.core.compared import CheckPair, EffectPair, Interval, RunComparison, Side, VerdictPair
from cxcausal.core.tree_changes import Change
from cxcausal.core.whom import Told
from cxcausal.core.whom_pairs import RulePair, WhomPair, WhomSide
from cxcausal.core.wording import number, percent
from cxcausal.report.charts.svg import Node, markup, node
from cxcausal.report.keys import path
from cxcausal.report.small_page import page_of
from cxcausal.report.text import MISSING, Html, Number, Piece, Quote, Sentence, html

EFFECT_HEADS = ("effect", "first run", "second run", "difference", "beyond chance")
RULE_HEADS = ("rule: gain per customer", *EFFECT_HEADS[1:])
_TITLES: Mapping[str, str] = {
    "inputs": "Input files",
    "data": "Data",
    "plan": "Plan",
    "code": "Code",
    "environment": "Environment",
}
_SIDE_ROWS: Mapping[str, str] = {
    "run_id": "run",
    "experiment": "experiment",
    "created_at": "made at",
    "verdict": "verdict",
    "recommended_arm": "for",
    "grade": "evidence grade",
    "capped_by": "capped by",
    "registered": "registered",
    "data_cut": "data until",
    "rows": "rows",
    "analysed": "customers analysed",
}
_LONGEST = 200
_MORE_CSS = (
    ".part{display:block}table{margin:.5rem 0 1.5rem}td{vertical-align:top;overflow-wrap:anywhere}"
    "td:first-child{overflow-wrap:normal}"
)


def compare_page(comparison: RunComparison) -> str:
    """Return the page as HTML; no script, font or address is needed to see it.

    Args:
        comparison: the two runs. Every number and every word of others carries its key in `to_dict()`.
    """
    return page_of(f"Two runs of {comparison.second.experiment}", _body(comparison), _MORE_CSS)


def effect_cells(pair: EffectPair, base: str = "") -> tuple[Sentence, ...]:
    """Return a pair of effects in the cells of its line; `base` is its path in the comparison."""
    who = f"{pair.metric}: {pair.arm} against {pair.control}"
    where = "" if pair.population == "all" else f", {pair.population.replace('=', ' is ', 1)}"
    relative = ", relative" if pair.scale == "relative" else ""
    beyond = {True: "yes", False: "no", None: MISSING}[pair.beyond]
    return (
        (Quote(path=path_of(base, "metric"), text=f"{who}{where}{relative}"),),
        _interval(pair.first, path_of(base, "first"), pair.scale),
        _interval(pair.second, path_of(base, "second"), pair.scale),
        _difference(pair, base),
        (beyond,),
    )


def rule_cells(pair: RulePair, base: str = "") -> tuple[Sentence, ...]:
    """Return what a rule gains in the cells of its line; `base` is its path in the comparison."""
    beyond = {True: "yes", False: "no", None: MISSING}[pair.beyond]
    return (
        (Quote(path=path_of(base, "label"), text=pair.label),),
        *(_gain(getattr(pair, name), path_of(base, name)) for name in ("first", "second")),
        _difference(pair, base),
        (beyond,),
    )


def recommended_cells(whom: WhomPair) -> tuple[tuple[Sentence, ...], ...]:
    """Return what either run recommends, and whom it finds harmed, in the cells of their lines."""
    sides = (("first", whom.first), ("second", whom.second))
    return (
        (("recommended",), *(_recommended(side, path("whom", name)) for name, side in sides)),
        (("harmed",), *(_harmed(side, path("whom", name)) for name, side in sides)),
    )


def value_in_words(value: object) -> str:
    """Return any value of a plan or a manifest on one short line."""
    text = MISSING if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def path_of(base: str, name: str) -> str:
    """Return the key of a field of the record at `base`."""
    return f"{base}.{name}" if base else name


def _body(comparison: RunComparison) -> Html:
    parts = [
        markup(node("h1", "Two runs side by side")),
        Html(f'<p class="lead">{html((Quote(path="sentence", text=comparison.sentence),))}</p>'),
        _sides(comparison.first, comparison.second),
        _section("Verdicts", ("arm", "first run", "second run"), _verdicts(comparison.verdicts)),
        _section("Effects", EFFECT_HEADS, _effects(comparison.effects)),
        *(() if comparison.whom is None else _whom(comparison.whom)),
        _section("Checks", ("check", "first run", "second run"), _checks(comparison.checks)),
        *(
            _section(_TITLES[name], ("key", "first run", "second run"), _changes(name, found))
            for name, found in comparison.parts.items()
        ),
        markup(node("h2", "To keep in mind")),
        *(
            Html(f"<p>{html((Quote(path=path('notes', at), text=text),))}</p>")
            for at, text in enumerate(comparison.notes)
        ),
    ]
    return Html(f'<main id="content"><section class="part"><div class="body">{"".join(parts)}</div></section></main>')


def _sides(first: Side, second: Side) -> Html:
    rows = [
        (
            (label,),
            _value(getattr(first, name), path("first", name)),
            _value(getattr(second, name), path("second", name)),
        )
        for name, label in _SIDE_ROWS.items()
    ]
    return _section("The runs", ("", "first run", "second run"), rows)


def _section(title: str, heads: tuple[str, ...], rows: Iterable[tuple[Sentence, ...]]) -> Html:
    """Return a heading and its table, or that nothing differs."""
    lines = ["".join(f"<td>{html(cell)}</td>" for cell in row) for row in rows]
    heading = markup(node("h2", title))
    if not lines:
        return Html(f"{heading}{markup(node('p', 'Nothing differs.'))}")
    head = markup(node("thead", _head(heads)))
    return Html(f"{heading}<table>{head}<tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>")


def _head(heads: tuple[str, ...]) -> Node:
    return node("tr", *(node("th", text, scope="col") for text in heads))


def _verdicts(pairs: tuple[VerdictPair, ...]) -> list[tuple[Sentence, ...]]:
    return [
        tuple(_value(getattr(pair, name), path("verdicts", at, name)) for name in ("arm", "first", "second"))
        for at, pair in enumerate(pairs)
    ]


def _effects(pairs: tuple[EffectPair, ...]) -> list[tuple[Sentence, ...]]:
    """Return the headline effects; the others stand in the JSON."""
    return [effect_cells(pair, path("effects", at)) for at, pair in enumerate(pairs) if pair.headline]


def _whom(whom: WhomPair) -> tuple[Html, ...]:
    """Return whom to contact: what is recommended, and what every rule gains."""
    rules = (rule_cells(rule, path("whom", "rules", at)) for at, rule in enumerate(whom.rules))
    heads = ("", "first run", "second run")
    return (_section("Whom to contact", heads, recommended_cells(whom)), _section("What rules gain", RULE_HEADS, rules))


def _recommended(side: WhomSide, base: str) -> Sentence:
    name = "reason" if side.reason is not None else "label"
    return (Quote(path=path_of(base, name), text=getattr(side, name) or MISSING),)


def _harmed(side: WhomSide, base: str) -> Sentence:
    """Return the groups that are reliably harmed, one after another."""
    pieces: list[Piece] = []
    for at, group in enumerate(side.harmed):
        pieces += ["; " if at else "", Quote(path=path(base, "harmed", at), text=group)]
    return tuple(pieces) or (MISSING,)


def _gain(told: Told, base: str) -> Sentence:
    if told.point is None:
        return (MISSING,)
    return (_number(told.point, path_of(base, "point"), "absolute"), *_ends(told.low, told.high, base, "absolute"))


def _checks(pairs: tuple[CheckPair, ...]) -> list[tuple[Sentence, ...]]:
    return [
        tuple(_value(getattr(pair, name), path("checks", at, name)) for name in ("name", "first", "second"))
        for at, pair in enumerate(pairs)
        if pair.first != pair.second
    ]


def _changes(name: str, changes: tuple[Change, ...]) -> list[tuple[Sentence, ...]]:
    return [
        tuple(_value(getattr(change, part), path(name, at, part)) for part in ("key", "first", "second"))
        for at, change in enumerate(changes)
    ]


def _value(value: object, key: str) -> Sentence:
    """Return any value with its key."""
    if isinstance(value, bool) or value is None or not isinstance(value, int | float):
        return (Quote(path=key, text=value_in_words(value)),)
    return (Number(key=key, value=value, text=number(value, digits=6)),)


def _interval(interval: Interval | None, base: str, scale: str) -> Sentence:
    """Return an effect with its interval, or why there is none."""
    if interval is None:
        return (MISSING,)
    if interval.point is None:
        return (Quote(path=path_of(base, "reason"), text=interval.reason or MISSING),)
    ends = _ends(interval.low, interval.high, base, scale)
    return (_number(interval.point, path_of(base, "point"), scale), *ends)


def _difference(pair: EffectPair | RulePair, base: str) -> Sentence:
    scale = pair.scale if isinstance(pair, EffectPair) else "absolute"
    reason: Sentence = (Quote(path=path_of(base, "reason"), text=pair.reason),) if pair.reason else ()
    if pair.difference is None:
        return reason or (MISSING,)
    told = _number(pair.difference, path_of(base, "difference"), scale)
    ends = _ends(pair.low, pair.high, base, scale)
    return (told, *(ends or ((" ", *reason) if reason else ())))


def _ends(low: float | None, high: float | None, base: str, scale: str) -> Sentence:
    if low is None and high is None:
        return ()
    named: list[Piece] = [" ("]
    for at, (name, value) in enumerate((("low", low), ("high", high))):
        named += [" to "] if at else []
        named.append(MISSING if value is None else _number(value, path_of(base, name), scale))
    return (*named, ")")


def _number(value: float, key: str, scale: str) -> Number:
    return Number(key=key, value=value, text=percent(value) if scale == "relative" else number(value))
