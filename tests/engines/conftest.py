"""The engines beside the embedded one, each started once per worker and only where a test asks for it."""

from tests.engines.postgres import postgres
from tests.engines.spark import spark

__all__ = ["postgres", "spark"]
