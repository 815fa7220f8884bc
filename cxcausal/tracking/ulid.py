"""Identifiers that sort by time: a 48-bit clock and 80 random bits in 26 characters."""

import secrets
import threading
import time
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
_RANDOM_BITS = 80
_TOP = 1 << 128


def _milliseconds() -> int:
    """Return the wall clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _random_bits() -> int:
    """Return 80 random bits from the operating system."""
    return secrets.randbits(_RANDOM_BITS)


class UlidSource:
    """Makes ULIDs that rise strictly within one process, also when the clock stands still or runs back.

    Source: the ULID specification, https://github.com/ulid/spec.

    Example:
        >>> source = UlidSource(clock=lambda: 0, randomness=lambda: 0)
        >>> source.new()
        '00000000000000000000000000'
        >>> source.new()
        '00000000000000000000000001'
    """

    def __init__(self, clock: Callable[[], int] = _milliseconds, randomness: Callable[[], int] = _random_bits) -> None:
        """Take a clock in milliseconds and a source of 80-bit integers; both replaceable in tests."""
        self._clock = clock
        self._randomness = randomness
        self._last = -1
        self._lock = threading.Lock()

    def new(self) -> str:
        """Return the next identifier: 26 characters of Crockford's base 32, upper case."""
        with self._lock:
            fresh = (self._clock() << _RANDOM_BITS) | self._randomness()
            same_millisecond = (fresh >> _RANDOM_BITS) <= (self._last >> _RANDOM_BITS)
            self._last = self._last + 1 if same_millisecond and self._last >= 0 else fresh
            return _encode(self._last % _TOP)


def is_ulid(text: str) -> bool:
    """Return whether `text` is spelled like one of our identifiers.

    Example:
        >>> is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV"), is_ulid("../../etc")
        (True, False)
    """
    return len(text) == LENGTH and set(text) <= set(ALPHABET) and text[0] <= "7"


def milliseconds_of(ulid: str) -> int:
    """Return when an identifier was made, in milliseconds since 1970.

    Example:
        >>> milliseconds_of("01ARZ3NDEKTSV4RRFFQ69G5FAV")
        1469922850259
    """
    made = 0
    for sign in ulid[:10]:
        made = 32 * made + ALPHABET.index(sign)
    return made


def _encode(number: int) -> str:
    """Return 128 bits as 26 characters, the most significant first."""
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


_SOURCE = UlidSource()


def new_ulid() -> str:
    """Return an identifier that sorts after every earlier one of this process."""
    return _SOURCE.new()
