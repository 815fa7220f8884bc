"""What the page reads: the result as a tree of keys, and its rows found by metric, arm and population."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cxcausal.core.people import People, people_of
from cxcausal.core.results import ArmValue, Estimate, RunResult
from cxcausal.report.clipping import clipped
from cxcausal.report.keys import derived, evaluate, lookup, path
from cxcausal.report.rounding import WHOLE, Style, format_number, format_p
from cxcausal.report.text import Number, Quote, Sentence

ROLES = {"success": "success", "guardrails": "guardrail", "secondary": "secondary", "exploratory": "exploratory"}
"""The plan's metric lists, and the role that their rows carry."""
CLIP = 72
_MISSING = "(missing)"


@dataclass(frozen=True, kw_only=True)
class PlannedMetric:
    """One metric of the plan: where it stands, and what the page needs of it.

    `currency` is set where the metric is money already: one unit of it is worth one unit of the plan's currency.
    """

    key: str
    role: str
    name: str
    type: str
    sign: int
    plan: Mapping[str, Any]
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the effects table and its number in the table."""

    index: int
    estimate: Estimate

    def key(self, name: str) -> str:
        """Return the key of one of the row's fields."""
        return path("effects", self.index, name)

    @property
    def computed(self) -> bool:
        """Whether the row holds an effect with its interval."""
        row = self.estimate
        return row.status == "ok" and row.point is not None and row.low is not None and row.high is not None

    @property
    def point(self) -> float:
        """The effect, where it is computed."""
        return float(self.estimate.point or 0.0)

    @property
    def low(self) -> float:
        """The lower end of the interval, where it is computed."""
        return float(self.estimate.low or 0.0)

    @property
    def high(self) -> float:
        """The upper end of the interval, where it is computed."""
        return float(self.estimate.high or 0.0)

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.computed and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Facts:
    """The result, as every section of the page reads it."""

    result: RunResult
    ledger_head: str | None = None

    @cached_property
    def tree(self) -> Mapping[str, Any]:
        """The result as plain data, with the ledger's head that the caller knew."""
        return {**self.result.to_dict(), "ledger_head": self.ledger_head}

    @cached_property
    def metrics(self) -> tuple[PlannedMetric, ...]:
        """Every planned metric, in the order of the plan."""
        return tuple(self._planned())

    def _planned(self) -> Iterator[PlannedMetric]:
        for group, role in ROLES.items():
            for index, item in enumerate(self.result.plan["metrics"].get(group) or ()):
                yield PlannedMetric(
                    key=path("plan", "metrics", group, index),
                    role=role,
                    name=item["name"],
                    type=item["type"],
                    sign=1 if item["desired_direction"] == "increase" else -1,
                    plan=item,
                    currency=self.currency if _is_money(item) else "",
                )

    @cached_property
    def people(self) -> People:
        """Whom the experiment counts."""
        return people_of(self.result.plan)

    @property
    def currency(self) -> str:
        """The currency of the plan's money."""
        return self.result.value.currency if self.result.value else str(self.result.plan.get("currency") or "")

    @property
    def control(self) -> str:
        """The control arm."""
        return str(self.result.plan["design"]["treatment"]["control"])

    @cached_property
    def treated_arms(self) -> tuple[str, ...]:
        """Every arm but the control, in the plan's order."""
        planned = self.result.plan["design"]["treatment"].get("arms") or {}
        return tuple(dict.fromkeys((*(str(arm) for arm in planned if arm != self.control), *self.result.arms)))

    @property
    def lead(self) -> str:
        """The arm page one speaks of: the recommended one, else the plan's first."""
        return self.result.recommended_arm or self.treated_arms[0]

    @property
    def has_accepted(self) -> bool:
        """Whether somebody let data or a plan pass that a rerun would have refused."""
        return self.result.movement is not None and self.result.movement.accepted is not None

    @property
    def observational(self) -> bool:
        """Whether arms came about without a coin, a rule or an offer."""
        return bool(self.result.plan["design"]["type"] == "observational")

    @property
    def withheld(self) -> bool:
        """Whether a failed gate keeps every number off page one."""
        return self.result.verdict == "no_decision"

    def number(self, key: str, style: Style = WHOLE) -> Number:
        """Return the number at a key as it is printed.

        Raises:
            KeyError: there is no number at that key.
        """
        value = evaluate(self.tree, key)
        if not isinstance(value, int | float):
            raise KeyError(key)
        return Number(key=key, value=value, text=format_number(value, style))

    def p_value(self, key: str) -> Number:
        """Return a p-value as it is printed."""
        value = float(evaluate(self.tree, key))
        return Number(key=key, value=value, text=format_p(value))

    def has(self, key: str) -> bool:
        """Return whether there is a value at a key."""
        return evaluate(self.tree, key) is not None

    def quote(self, key: str, *, clip: int | None = None) -> Quote:
        """Return the words at a path, cut to `clip` signs where page one needs them short."""
        text = str(lookup(self.tree, key))
        return Quote(path=key, text=clipped(text, clip) or text)

    def opening(self, key: str) -> Quote:
        """Return the words before the colon of a sentence that begins with its gist; the whole of any other."""
        whole = self.quote(key)
        gist, colon, _ = whole.text.partition(": ")
        return Quote(path=key, text=gist) if colon and len(gist) <= CLIP else whole

    def part(self, key: str, words: str) -> Quote:
        """Return some of the words at a key.

        Raises:
            KeyError: they are not there.
        """
        if words not in self.quote(key).text:
            raise KeyError(key)
        return Quote(path=key, text=words)

    def date(self, key: str) -> Quote:
        """Return the day of a moment that is written as in ISO 8601."""
        return Quote(path=key, text=str(lookup(self.tree, key))[:10])

    def arm(self, name: str, *, clip: int | None = CLIP) -> Quote:
        """Return an arm's label; its name where the plan has no label, or none that tells it from the other arms."""
        whole = self._whole_arm(name)
        others = [self._whole_arm(arm).text for arm in (self.control, *self.treated_arms) if arm != name]
        text = clipped(whole.text, clip, others)
        if text is not None:
            return Quote(path=whole.path, text=text)
        return Quote(path=path("plan", "design", "treatment", "arms", name), text=clipped(name, clip) or name)

    def _whole_arm(self, name: str) -> Quote:
        place = path("plan", "design", "treatment", "arms", name)
        return self.quote(f"{place}.label") if self.has(f"{place}.label") else Quote(path=place, text=name)

    def population(self, row: Row, *, clip: int | None = None) -> Sentence:
        """Return the name of a row's segment in words: `tier is premium`."""
        return self.group(row.key("population"), "=", clip=clip)

    def group(self, key: str, between: str, *, clip: int | None = None) -> Sentence:
        """Return a column and its value at a key in words, as groups are named everywhere: `tier is premium`.

        A value that the data leave empty is said to be missing. Without what stands between them it is one quote.
        """
        column, found, value = self.quote(key).text.partition(between)
        if not found:
            return (self.quote(key, clip=clip),)
        named: Sentence = (Quote(path=key, text=column), " is ")
        if value in {"", _MISSING}:
            return (*named, "missing")
        return (*named, Quote(path=key, text=clipped(value, clip) or value))

    def label(self, metric: PlannedMetric, *, clip: int | None = CLIP) -> Quote:
        """Return a metric's label; its name where the plan has no label, or none that tells it from the others."""
        whole = self._whole_label(metric)
        others = [self._whole_label(other).text for other in self.metrics if other != metric]
        text = clipped(whole.text, clip, others)
        return self.quote(f"{metric.key}.name", clip=clip) if text is None else Quote(path=whole.path, text=text)

    def _whole_label(self, metric: PlannedMetric) -> Quote:
        labelled = f"{metric.key}.label"
        return self.quote(labelled if self.has(labelled) else f"{metric.key}.name")

    def row(self, metric: str, arm: str, *, population: str = "all", scale: str = "absolute") -> Row | None:
        """Return the row to show for a metric, an arm against the control and a population: the headline first."""
        found = [
            row
            for row in self._rows(metric=metric, population=population, scale=scale)
            if row.estimate.arm == arm and row.estimate.control == self.control
        ]
        return min(found, key=self._preference, default=None)

    def unadjusted(self, row: Row) -> Row | None:
        """Return the row that tells the same effect as an adjusted one without adjustment; None where none does."""
        mine = row.estimate
        beside = self._rows(metric=mine.metric, population=mine.population, scale=mine.scale)
        wanted = (mine.arm, mine.control, mine.trimming, mine.level, "none")
        return next((one for one in beside if one.computed and _compared(one.estimate) == wanted), None)

    def companions(self, *, metric: str, method: str | None = None) -> Iterator[Row]:
        """Yield the rows that stand beside a metric's own effect, in the order of the table."""
        for index, estimate in enumerate(self.result.effects):
            if estimate.companion and estimate.metric == metric and method in {None, estimate.method}:
                yield Row(index=index, estimate=estimate)

    def _preference(self, row: Row) -> tuple[bool, bool, bool, int]:
        """Return what is shown first: the headline, then rows with numbers, of the headline's adjustment."""
        mine = row.estimate
        adjusted = (mine.metric, mine.adjustment) in self._headline_adjustments
        return (not mine.headline, not row.computed, not adjusted, row.index)

    @cached_property
    def _headline_adjustments(self) -> frozenset[tuple[str, str]]:
        return frozenset((row.metric, row.adjustment) for row in self.result.effects if row.headline)

    def rows(self, *, metric: str, population: str | None = None, scale: str | None = None) -> Iterator[Row]:
        """Yield a metric's rows to show, in the order of the table: of those that tell the same effect, the first."""
        shown: dict[tuple[str, str, str, str], Row] = {}
        for row in sorted(self._rows(metric=metric, population=population, scale=scale), key=self._preference):
            effect = row.estimate
            shown.setdefault((effect.arm, effect.control, effect.population, effect.scale), row)
        yield from sorted(shown.values(), key=lambda row: row.index)

    def _rows(self, *, metric: str, population: str | None, scale: str | None) -> Iterator[Row]:
        for index, estimate in enumerate(self.result.effects):
            wanted = estimate.metric == metric and population in {None, estimate.population}
            if wanted and not estimate.companion and scale in {None, estimate.scale}:
                yield Row(index=index, estimate=estimate)

    def by_role(self, *roles: str) -> Iterator[PlannedMetric]:
        """Yield the planned metrics of these roles."""
        yield from (metric for metric in self.metrics if metric.role in roles)

    def money_of(self, arm: str) -> tuple[str, ArmValue] | None:
        """Return an arm's place in the value result and its value; None where there is no money."""
        value = self.result.value
        for index, item in enumerate(value.arms if value else ()):
            if item.arm == arm and item.control == self.control:
                return path("value", "arms", index), item
        return None

    def level(self, row: Row) -> Number:
        """Return a row's confidence level in percent, with a decimal only where it needs one."""
        level = 100 * (row.estimate.level or 0.0)
        place = 0 if abs(level - round(level)) < 1e-6 else -1  # noqa: PLR2004 - a rounding guard
        return self.number(derived("percent", row.key("level")), Style(place=place, suffix="\N{NO-BREAK SPACE}%"))


def _compared(row: Estimate) -> tuple[str, str, str, float | None, str]:
    return row.arm, row.control, row.trimming, row.level, row.adjustment


def _is_money(metric: Mapping[str, Any]) -> bool:
    worth = (metric.get("money") or {}).get("per_unit")
    return metric["type"] == "mean" and isinstance(worth, int | float) and worth == 1
