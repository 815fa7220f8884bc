"""Worlds with known truth: data as a company would have them, and beside them what a perfect analysis would say."""

from cxcausal.simulate.files import WORLDS, WrittenWorld, simulate, write
from cxcausal.simulate.outreach import Drawn, OutreachWorld
from cxcausal.simulate.truth import TrueEffect, Truth

__all__ = ["WORLDS", "Drawn", "OutreachWorld", "TrueEffect", "Truth", "WrittenWorld", "simulate", "write"]
