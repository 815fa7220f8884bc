"""The words of a page that no coin stands behind."""

from collections.abc import Mapping

INSTEAD: Mapping[str, str] = {
    "Difference": "What an arm adds to or takes from the control's average, once like is compared with like.",
    "Net value": "Margin that the contact brings minus what it costs, against the control, for those the effect is of.",
    "Adjusted": (
        "Freed of differences between the arms in what was known beforehand; of others, that nobody measured, not."
    ),
}
"""Terms that mean something else here."""
NOT_HERE = frozenset({"Estimand itt", "Estimand late", "Sample ratio"})
BY_OPINION: tuple[tuple[str, str, str], ...] = (
    (
        "overlap_weighting",
        "Overlap weighting",
        "Averages under weights that make both arms look like those for whom either was a real possibility.",
    ),
    ("matching", "Matching", "Everybody is compared with the one in the other arm who was most like them beforehand."),
    (
        "parametric_aipw",
        "Textbook AIPW",
        "AIPW with straight lines and a logistic regression on everybody at once; nothing is learned by machine.",
    ),
    (
        "linear_dml",
        "Linear DML",
        "What is left of the outcome is compared with what is left of the treatment, once both were predicted.",
    ),
    (
        "dr_learner",
        "DR learner",
        "Everybody's own effect by the corrected predictions of AIPW, put on a straight line, then averaged.",
    ),
    ("causal_forest", "Causal forest", "Many trees that look for groups with effects of their own, then averaged."),
)
"""What is told in addition where a second opinion was heard: its name in results, its term and its meaning."""
MORE: tuple[tuple[str, str], ...] = (
    ("Estimand ate", "The effect on everybody who was analysed."),
    ("Estimand att", "The effect on those who got the arm."),
    (
        "Estimand ato",
        "The effect on those for whom every arm was a real possibility; who that is, is a matter of degree.",
    ),
    ("Naive difference", "The averages of the arms as they are; it mixes the effect with who got what, and why."),
    ("Allowed for, or adjusted for", "Held alike between the arms: only customers alike in it are compared."),
    ("AIPW", "Each arm's average, predicted for all and corrected by those who were in it; either half may be wrong."),
    ("Overlap", "Whether customers of one arm also had a chance of the other; without it there is nothing to compare."),
    ("As good as", "How many equally weighted customers a weighted group is worth."),
    ("Standardised difference", "A gap between two averages, in standard deviations, so that columns can be compared."),
    ("Negative control", "Something that the contact cannot have changed; where it differs, the groups differ."),
    ("Strength", "What share of the variation that is left an unmeasured difference would explain."),
    (
        "Robustness value",
        "The strength, with the outcome and with who got what, at which an unmeasured difference explains all.",
    ),
    ("E-value", "By how many times an unmeasured cause would have to raise both risks to explain the effect."),
    ("Refuter", "Something is tampered with on purpose, such that a known answer must come out."),
    ("Learner", "How a chance or an average is predicted from what was known; it never sees those it predicts."),
)
