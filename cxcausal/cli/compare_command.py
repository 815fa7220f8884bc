"""The verb compare: two runs side by side."""

from pathlib import Path

import click

from cxcausal import api
from cxcausal.cli.errors import emit
from cxcausal.cli.session import hint, progress
from cxcausal.core.compared import RunComparison
from cxcausal.core.signs import visible
from cxcausal.report.compare_page import (
    EFFECT_HEADS,
    RULE_HEADS,
    compare_page,
    effect_cells,
    recommended_cells,
    rule_cells,
    value_in_words,
)
from cxcausal.report.text import plain
from cxcausal.tracking.files import write_atomic


@click.command()
@click.argument("first", metavar="RUN|EXPERIMENT")
@click.argument("second", metavar="[RUN]", required=False)
@click.option("--html", "page", type=click.Path(path_type=Path), metavar="FILE", help="Write the comparison as a page.")
@click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
def compare(first: str, second: str | None, page: Path | None, *, as_json: bool) -> None:
    """Show two runs side by side: effects, verdicts, checks, data, plan, code and environment.

    An experiment's id, or the path of its plan, stands for its last two runs. An effect has moved beyond chance where
    the interval of the difference, from the combined error of both runs, excludes zero. Both runs are checked against
    their manifests first (exit code 7).

    \b
    Example:
      cxcausal compare proactive-outreach
      cxcausal compare 01J9ZK3V4M5N6P7Q8R9S0T1V2W 01JA0B1C2D3E4F5G6H7J8K9M0N --html compared.html
    """  # noqa: D301 - click's mark for text that must keep its lines
    found = api.compare(first, second, progress=progress())
    if page is not None:
        write_atomic(page, compare_page(found).encode("utf-8"))
    if as_json:
        emit(found.to_dict())
        return
    _tell(found)
    if page is None:
        hint("`--html FILE` writes this as a page, `--json` every effect")


def _tell(found: RunComparison) -> None:
    """Write the comparison as tables."""
    click.echo(found.sentence)
    for name, side in (("first", found.first), ("second", found.second)):
        until = f", data until {side.data_cut}" if side.data_cut else ""
        verdict = side.verdict.replace("_", " ").upper()
        click.echo(f"{name}: run {side.run_id} of {side.created_at[:16]}: {verdict}, grade {side.grade}{until}")
    _table("effects", EFFECT_HEADS, [[plain(c) for c in effect_cells(pair)] for pair in found.effects if pair.headline])
    heads = ("", "first", "second")
    if found.whom is not None:
        _table("whom to contact", heads, [[plain(cell) for cell in row] for row in recommended_cells(found.whom)])
        _table("rules", RULE_HEADS, [[plain(cell) for cell in rule_cells(rule)] for rule in found.whom.rules])
    _table(
        "checks",
        heads,
        [[pair.name, str(pair.first), str(pair.second)] for pair in found.checks if pair.first != pair.second],
    )
    for name, changes in found.parts.items():
        rows = [[change.key, value_in_words(change.first), value_in_words(change.second)] for change in changes]
        _table(name, heads, rows)
    for note in found.notes:
        click.echo(f"note: {visible(note)}")


def _table(title: str, heads: tuple[str, ...], rows: list[list[str]]) -> None:
    """Write a table with aligned columns, or one line where nothing differs."""
    if not rows:
        click.echo(f"{title}: nothing differs")
        return
    click.echo(f"{title}:")
    table = [list(heads), *([visible(cell) for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in table) for place in range(len(heads))]
    for line in table:
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
