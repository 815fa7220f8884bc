"""The verb aa: how often a plan would alarm for nothing, on the user's own data."""

from pathlib import Path

import click

from cxcausal import api
from cxcausal.cli.errors import emit
from cxcausal.cli.session import progress
from cxcausal.core.errors import ExitCode
from cxcausal.core.wording import count, percent
from cxcausal.pipeline.aa_result import AaResult
from cxcausal.report.aa_page import HEADS, aa_page, cells_of, named
from cxcausal.tracking.files import write_atomic

_ALARMING = frozenset({"too_many", "not_known"})


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--on", metavar="DATA", help="A file or glob to read in place of the plan's data.source.")
@click.option("--replicates", type=click.IntRange(min=1), default=500, show_default=True, help="Tosses of the coin.")
@click.option("--seed", type=click.IntRange(min=0), help="Decides the tosses; the plan's analysis.seed otherwise.")
@click.option("--out", type=click.Path(path_type=Path), help="A folder for a page with pictures of the p-values.")
@click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
@click.pass_context
def aa(  # noqa: PLR0913 - click's options
    ctx: click.Context,
    /,
    path: Path,
    on: str | None,
    replicates: int,
    seed: int | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Tell how often a plan would alarm for nothing on your own data: A/A, before anything is read.

    The arms are forgotten, and the plan's coin is tossed anew many times: by its shares, randomisation unit, strata
    and epochs. Each time the plan's own estimator, rule for several metrics, guardrails and checks run, on your own
    outcomes. As the arms then differ by chance alone, every effect that is seen is a false alarm: about alpha of the
    tosses should have one. Intervals that ignore what shares a fate, such as a household, show here as too many.

    The smallest effect in sight is what these data would show with the plan's power. Real arms are never compared, so
    it can be asked at any time, also of past customers without arms. Nothing is recorded.

    Exits with 5 where a success metric alarms more often than promised beyond doubt, or none could be computed.

    \b
    Example:
      cxcausal aa experiments/callback.yaml
      cxcausal aa experiments/callback.yaml --on data/2025.parquet --replicates 2000 --out aa/
    """  # noqa: D301 - click's mark for text that must keep its lines
    result = api.aa(path, on=on, tosses=replicates, seed=seed, progress=progress())
    if out is not None:
        _draw(result, out)
    if as_json:
        emit(result.to_dict())
    else:
        _tell(result)
    if result.answer in _ALARMING:
        ctx.exit(ExitCode.GATE)


def _tell(result: AaResult) -> None:
    click.echo(result.sentence)
    coin = f"{count(result.randomization_units)} randomised units, tossed {count(result.tosses)} times"
    click.echo(f"{coin} from seed {result.seed}; rates lie between the limits with {percent(result.confidence)}")
    table = [HEADS, *(cells_of(row) for row in result.rows if row.status == "ok")]
    widths = [max(len(line[place]) for line in table) for place in range(len(HEADS))]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for row in (row for row in result.rows if row.status != "ok"):
        click.echo(f"not computed: {named(row)}: {row.reason}")
    for note in result.notes:
        click.echo(note)


def _draw(result: AaResult, out: Path) -> None:
    write_atomic(out / "index.html", aa_page(result).encode("utf-8"))
