"""Names of the other choices under which a specification check tells effects."""

LINEAR, BOOSTED, FEWER = "linear learners", "boosted learners", "without effect modifiers"
ONE_SPLIT, TRIMMED = "one split", "without those who had almost no choice"
JUDGED = (LINEAR, BOOSTED, FEWER)
"""What another analyst might have chosen for the same effect; the others are told for information."""
