"""The verb that chooses among fresh customers: score."""

from pathlib import Path
from typing import Any

import click

from cxcausal import api
from cxcausal.cli.errors import emit
from cxcausal.cli.session import progress, warn
from cxcausal.core.signs import visible
from cxcausal.core.wording import count, number


@click.command()
@click.argument("experiment")
@click.option("--on", required=True, metavar="DATA", help="The fresh customers: a file or glob.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="What is written: .csv or .parquet.")
@click.option("--budget", type=click.FloatRange(min=0), help="For the whole file; the plan's per customer otherwise.")
@click.option("--run", metavar="RUN", help="The run whose model is meant; the newest with a model otherwise.")
@click.option("--force", is_flag=True, help="Replace --out where it exists.")
@click.option("--despite-verdict", is_flag=True, help="Score although the run stopped, or came to no decision.")
@click.option("--as", "actor", metavar="WHO", help="Who acts, for the ledger; CXCAUSAL_ACTOR or git otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
def score(experiment: str, *, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - click's types
    """Write for each of fresh customers whom to contact and how, what it is expected to gain, and why.

    EXPERIMENT is the path of a plan, or an experiment's id. Budget and capacity hold for the file as a whole; who may
    not be contacted never is. Where choosing by prediction was not shown to pay, everybody gets the run's best single
    arm, or nobody anything. Exits with 4 where a column is missing or of another kind, with 5 where the run's verdict
    does not allow it, and with 7 where the model is not the one that was recorded.

    \b
    Example:
      cxcausal score callback-2026q4 --on fresh.parquet --out treat.parquet
      cxcausal score callback-2026q4 --on fresh.csv --out treat.csv --budget 60000
    """  # noqa: D301 - click's mark for text that must keep its lines
    done = api.score(experiment, api.ScoreAsked(**options), progress=progress())
    for text in done.warnings:
        warn(visible(text))
    if as_json:
        emit(done.to_dict())
    else:
        _tell(done)


def _tell(done: api.Scored) -> None:
    control, *treated = done.arms
    contacted = sum(done.arms[arm] for arm in treated)
    each = ", ".join(f"{arm} {count(done.arms[arm])}" for arm in treated)
    click.echo(visible(f"{done.experiment}: {count(contacted)} of {count(done.rows)} customers to contact ({each})"))
    if done.not_eligible or done.outside:
        words = f"not contacted: {count(done.not_eligible)} who may not be, {count(done.outside)} of another population"
        click.echo(words)
    if done.budget is not None:
        click.echo(f"cost: {number(done.cost)} of {number(done.budget)}")
    if done.gain is not None:
        unit = f" {done.unit}" if done.unit else ""
        click.echo(visible(f"expected gain against {control} for everybody: {number(done.gain)}{unit}"))
    for text in done.notes:
        click.echo(f"note: {visible(text)}")
    click.echo(f"run {done.run_id}, rule {done.rule}")
    click.echo(f"written: {visible(done.path)}")
