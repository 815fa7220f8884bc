"""Worlds with known truth: data as a company would have them, and beside them what a perfect analysis would say."""

from cxcausal.simulate.files import WORLDS, World, WrittenWorld, simulate, write
from cxcausal.simulate.handoff import HandoffDrawn, HandoffWorld, HiddenHandoffWorld, LateHandoffWorld
from cxcausal.simulate.handoff_truth import HandoffTruth, TrueHandoff
from cxcausal.simulate.moments import MomentsDrawn, MomentsWorld, net_values_given
from cxcausal.simulate.moments_truth import MomentsTruth
from cxcausal.simulate.outreach import Drawn, OutreachWorld
from cxcausal.simulate.truth import TrueEffect, Truth

__all__ = [
    "WORLDS",
    "Drawn",
    "HandoffDrawn",
    "HandoffTruth",
    "HandoffWorld",
    "HiddenHandoffWorld",
    "LateHandoffWorld",
    "MomentsDrawn",
    "MomentsTruth",
    "MomentsWorld",
    "OutreachWorld",
    "TrueEffect",
    "TrueHandoff",
    "Truth",
    "World",
    "WrittenWorld",
    "net_values_given",
    "simulate",
    "write",
]
