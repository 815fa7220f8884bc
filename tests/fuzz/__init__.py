"""Fuzzing: plans and data files that are broken at random, by number, and what may never come of them."""
