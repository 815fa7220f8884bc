"""MLflow, quiet: nothing of it on stdout, and its logs nowhere."""

import contextlib
import logging
import sys
from collections.abc import Iterator

_NOISY = ("mlflow", "alembic", "sqlalchemy")


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep what MLflow prints from stdout, and its logs from anywhere."""
    levels = {name: logging.getLogger(name).level for name in _NOISY}
    try:
        with contextlib.redirect_stdout(sys.stderr):
            import mlflow  # noqa: F401, PLC0415 - its import sets up its loggers, which are then lowered

            for name in _NOISY:
                logging.getLogger(name).setLevel(logging.CRITICAL)
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
