"""The verbs before the data: plan and assign."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cxcausal import api
from cxcausal.cli.errors import emit, tell
from cxcausal.cli.session import hint, progress, warn
from cxcausal.core.errors import ExitCode, Problem, UsageError
from cxcausal.core.spec.scalars import read_share
from cxcausal.core.wording import count, listed, number, percent
from cxcausal.planning.assumptions import EVERY, Assumptions
from cxcausal.planning.result import Assigned, PlanResult, PowerRow
from cxcausal.tracking.files import write_atomic

_JSON = click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
_BY_METRIC = ("base", "sd", "response", "rho", "icc")
_HEADS = ("metric", "arm", "role", "base", "wants", "power", "asked", "smallest", "units", "weeks")


def _stated(name: str, text: str) -> tuple[str, float]:
    """Read `metric=number`, or a number for every metric."""
    metric, equals, value = text.rpartition("=")
    try:
        return (metric.strip() if equals else EVERY), float(value)
    except ValueError:
        mend = f"write --{name} metric=number, such as --{name} churn=0.14"
        raise UsageError(Problem(where=f"--{name}", code="U220", what=f"{text!r} is no number", mend=mend)) from None


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--history", metavar="DATA", help="Past units that nobody treated: a file or glob.")
@click.option("--base", multiple=True, metavar="METRIC=X", help="Mean or rate without treatment, such as churn=0.14.")
@click.option("--sd", multiple=True, metavar="METRIC=X", help="Standard deviation of one unit's value.")
@click.option("--response", multiple=True, metavar="METRIC=X", help="Share of units with a value, such as csat=0.3.")
@click.option("--rho", multiple=True, metavar="[METRIC=]X", help="Correlation with the covariate of the adjustment.")
@click.option("--icc", multiple=True, metavar="[METRIC=]X", help="Intra-cluster correlation of what is randomised.")
@click.option("--cluster-size", type=float, help="Mean units per household or team.")
@click.option("--cluster-cv", type=float, help="Standard deviation of these sizes over their mean.")
@click.option("--units", type=click.IntRange(min=1), help="Units in all arms together.")
@click.option("--units-per-week", type=float, help="Units that can be enrolled in a week.")
@click.option("--weeks", type=click.IntRange(min=1), help="Weeks of enrolment, with --units-per-week.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the power curves as a picture (SVG).")
@_JSON
def plan(path: Path, history: str | None, out: Path | None, *, as_json: bool, **options: object) -> None:
    """Tell whether an experiment can answer its question: power, smallest effects, units and weeks.

    What is known comes from past data, or is stated. A no is an answer: the exit code is 0 either way.

    \b
    Example:
      cxcausal plan experiments/callback.yaml --base churn=0.14 --units 26000
      cxcausal plan experiments/callback.yaml --history data/2025.parquet --units-per-week 2000 --out power.svg
    """  # noqa: D301 - click's mark for text that must keep its lines
    result = api.plan(path, history=history, stated=_assumptions(options), progress=progress())
    if out is not None:
        _draw(result, out)
    if as_json:
        emit(asdict(result))
    else:
        _tell(result)


def _assumptions(options: dict[str, object]) -> Assumptions:
    texts: dict[str, Sequence[str]] = {name: options.pop(name) for name in _BY_METRIC}  # type: ignore[misc]
    read = {name: dict(_stated(name, text) for text in given) for name, given in texts.items()}
    return Assumptions(**read, **options)  # type: ignore[arg-type]


def _draw(result: PlanResult, out: Path) -> None:
    from cxcausal.report.charts.power_curve import power_curve  # noqa: PLC0415 - only who asks for it pays

    write_atomic(out, power_curve(result).encode("utf-8"))


def _tell(result: PlanResult) -> None:
    click.echo(result.sentence)
    if result.units is not None:
        click.echo(f"planned: {count(result.units)} units in all arms ({result.units_from})")
    table = [_HEADS, *(_cells(row) for row in result.rows)]
    widths = [max(len(line[place]) for line in table) for place in range(len(_HEADS))]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for text in (*(f"and: {reason}" for reason in result.reasons[1:]), *result.notes):
        click.echo(text)


def _cells(row: PowerRow) -> tuple[str, ...]:
    return (
        row.metric,
        row.arm,
        row.role,
        _number(row.base),
        _number(row.size),
        "-" if row.power is None else percent(row.power),
        percent(row.power_asked),
        _number(row.smallest),
        "-" if row.units_needed is None else count(row.units_needed),
        "-" if row.weeks_needed is None else count(row.weeks_needed),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else number(value)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--units", metavar="DATA", help="The units to assign, one row each.")
@click.option("--out", type=click.Path(path_type=Path), help="Where who is in which arm is written: .csv or .parquet.")
@click.option("--check", "log", metavar="DATA", help="A log of who was in which arm, to be derived again.")
@click.option("--salt", default="", envvar="CXCAUSAL_SALT", help="A secret text; CXCAUSAL_SALT otherwise.")
@click.option("--hold-out", metavar="SHARE", help="A share kept out of every experiment with this salt, such as 1/20.")
@click.option("--as", "actor", metavar="WHO", help="Who acts, for the ledger; CXCAUSAL_ACTOR or git otherwise.")
@_JSON
@click.pass_context
def assign(ctx: click.Context, /, path: Path, log: str | None, *, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - click's types
    """Put units into arms by a salted hash, or derive the arms of a log again and tell how many differ.

    The same plan, salt and units give the same bytes. A ledger line keeps the salt's hash and the counts, and no id.
    Exits with 7 where a log does not match.

    \b
    Example:
      cxcausal assign experiments/callback.yaml --units data/customers.parquet --out data/arms.csv --salt "$SALT"
      cxcausal assign experiments/callback.yaml --check data/log.csv --salt "$SALT"
    """  # noqa: D301 - see plan
    units, out, salt = options["units"], options["out"], options["salt"]
    if log is not None and units is None and out is None:
        _check(ctx, path, log, salt, as_json=as_json)
    elif log is None and units is not None and out is not None:
        share, actor = _share(options["hold_out"]), options["actor"]
        done = api.assign(path, units, out, salt=salt, hold_out=share, actor=actor, progress=progress())
        _tell_assigned(done, salted=bool(salt), as_json=as_json)
    else:
        mend = "give --units and --out to assign, or --check alone to check a log"
        raise UsageError(
            Problem(where="command line", code="U222", what="it isn't clear what to assign or check", mend=mend)
        )


def _share(text: str | None) -> str:
    """Return a share as an exact fraction; none is zero."""
    try:
        return "0" if text is None else read_share(text)
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
        raise UsageError(Problem(where="--hold-out", code="U223", what=what, mend=mend)) from None


def _tell_assigned(done: Assigned, *, salted: bool, as_json: bool) -> None:
    if not salted:
        warn("without a salt anyone who knows the plan can tell who is in which arm")
    if as_json:
        emit(asdict(done))
        return
    whole = sum(done.counts.values())
    tossed = "" if whole == done.rows else f", in {count(whole)} groups that were randomised whole"
    click.echo(f"{done.path}: {count(done.rows)} units{tossed}")
    click.echo(listed([f"{count(n)} in {arm}" for arm, n in done.counts.items()]))
    if done.held_out:
        click.echo(f"held out of every experiment with this salt, and not in the file: {count(done.held_out)}")
    hint("commit audit/ledger.jsonl, and keep the salt: the assignment can be checked only with it")


def _check(ctx: click.Context, path: Path, log: str, salt: str, *, as_json: bool) -> None:
    found = api.check_assignment(path, log, salt=salt, progress=progress())
    tell(found.problems)
    if as_json:
        facts = {"rows": found.rows, "mismatches": found.mismatches, "same_salt": found.same_salt}
        emit({"experiment": found.experiment, **facts}, found.problems)
    elif not found.problems:
        known = "" if found.same_salt else "; the ledger has no assignment to compare the salt with"
        click.echo(f"sound: {count(found.rows)} rows are as plan and salt say{known}")
    if found.problems:
        ctx.exit(ExitCode.INTEGRITY)
