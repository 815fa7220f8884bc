"""Many cases, one after the other or on several cores; each is made by its number alone."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from pathlib import Path

from tests.fuzz.case import Ended
from tests.fuzz.csvs import Bench, bench, run_csv
from tests.fuzz.files import run_file
from tests.fuzz.plans import run_plan
from tests.fuzz.projects import projects

_CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "contract"
_BATCH = 25
Run = Callable[[int, int], Ended]


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """The folders in which cases are run; the folder itself goes when the process ends."""

    folder: tempfile.TemporaryDirectory[str]
    roots: tuple[Path, ...]
    table: Bench
    runs: dict[str, Run]


def workshop(contract: Path | None = None) -> Workshop:
    """Make the folders: projects for plans, and one for data files."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz")
    base = Path(folder.name).resolve()
    seeds, table = projects(base, contract), bench(base)
    runs: dict[str, Run] = {
        "plans": partial(run_plan, seeds),
        "csvs": partial(run_csv, table),
        "files": partial(run_file, table),
    }
    return Workshop(folder=folder, roots=tuple(seed.root for seed in seeds), table=table, runs=runs)


@cache
def _own_workshop() -> Workshop:
    return workshop(_CONTRACT if _CONTRACT.is_dir() else None)


def run_batch(kind: str, seed: int, numbers: Sequence[int]) -> list[Ended]:
    """Run some cases in this process."""
    run = _own_workshop().runs[kind]
    return [run(seed, number) for number in numbers]


def run_cases(counts: dict[str, int], seed: int, *, jobs: int, seconds: float) -> Iterator[Ended]:
    """Yield cases as they end.

    Args:
        counts: how many of each kind.
        seed: of all of them.
        jobs: processes; one is this one.
        seconds: after which no further case begins.
    """
    batches = [
        (kind, seed, range(start, min(start + _BATCH, count)))
        for kind, count in counts.items()
        for start in range(0, count, _BATCH)
    ]
    ends = time.monotonic() + seconds
    if jobs == 1:
        in_time = (batch for batch in batches if time.monotonic() < ends)
        yield from chain.from_iterable(run_batch(*batch) for batch in in_time)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [pool.submit(run_batch, *batch) for batch in batches]
        for future in waiting:
            if time.monotonic() >= ends:
                future.cancel()
            if not future.cancelled():
                yield from future.result()
