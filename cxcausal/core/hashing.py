"""Hashes of 64-bit keys, vectorised: the same bits on every machine."""

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mixed(keys: Keys, *salts: int) -> Keys:
    """Return keys hashed with salts, by the finaliser of SplitMix64 (Steele et al. 2014).

    Source: https://doi.org/10.1145/2714064.2660195
    """
    found = keys.astype(np.uint64, copy=True)
    with np.errstate(over="ignore"):
        for salt in (*salts, 0):
            found += np.uint64((salt + 1) * _GOLDEN % 2**64)
            found = (found ^ (found >> np.uint64(30))) * np.uint64(_FIRST)
            found = (found ^ (found >> np.uint64(27))) * np.uint64(_SECOND)
            found ^= found >> np.uint64(31)
    return found
