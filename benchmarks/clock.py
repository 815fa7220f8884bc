"""How long calls take, by the clock and of the processor, and the largest memory; needs nothing but Python."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

Took = dict[str, float]
"""`seconds` by the clock, and seconds `used` of the processor by all threads, which other processes hardly change."""


def took(call: Callable[[], object]) -> Took:
    """Return how long one call took."""
    begun, used = time.perf_counter(), time.process_time()
    call()
    return {"seconds": time.perf_counter() - begun, "used": time.process_time() - used}


def median(times: Sequence[Took]) -> Took:
    """Return the median of each kind of seconds.

    Example:
        >>> median([{"seconds": 3.0, "used": 1.0}, {"seconds": 1.0, "used": 2.0}, {"seconds": 2.0, "used": 9.0}])
        {'seconds': 2.0, 'used': 2.0}
    """
    return {kind: sorted(each[kind] for each in times)[len(times) // 2] for kind in times[0]}


def together(*times: Took) -> Took:
    """Return the sum of each kind of seconds."""
    return {kind: sum(each[kind] for each in times) for kind in times[0]}


def peak_mib() -> float:
    """Return the largest resident size of this process alone, as Linux counts it since its start."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
