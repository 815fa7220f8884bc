"""The words of who responds and whom to contact, in plain language."""

RESPONDERS: tuple[tuple[str, str], ...] = (
    (
        "Held-out",
        "Judged on customers of whom nothing had been learned, so that no gain is told where it was found.",
    ),
    (
        "Doubly robust score",
        "What a customer tells about an arm's average: a prediction, corrected by how far it missed where it was seen.",
    ),
    (
        "Slope (BLP)",
        "How much of what predictions tell apart is there: nothing of it at zero, all of it at one.",
    ),
    (
        "GATES",
        "The gains of groups that were predicted alike, from the least to the most promising fifth.",
    ),
    (
        "RATE",
        "How much more than the average those gain whom predictions put first, averaged over how many are contacted.",
    ),
    ("AUTOC", "The RATE that weighs all shares alike, so that the very first count most; zero if nothing is told."),
    ("Qini", "The RATE that weighs a share by its size, so that the many count more than the very first."),
    (
        "AUUC",
        "The area under the uplift curve: the gain of contacting the most promising share, averaged over all shares.",
    ),
    ("Error of groups", "How far the fifths' gains lie from what was predicted for them, less what chance leaves."),
)
"""What is told in addition where it was asked who responds."""

TARGETING: tuple[tuple[str, str], ...] = (
    (
        "Policy value",
        "What a rule for whom to contact gains per customer who may be contacted, against contacting nobody.",
    ),
    ("Best single arm", "The arm that gains most if everybody gets it, as learned before it was judged."),
    ("Regret", "What a rule gains less than the best rule that was valued."),
    ("Frontier", "What each budget gains where it is spent on those who are predicted to gain most for it."),
    ("By lot", "The best arm for as many customers as the budget pays for, whoever they are."),
    (
        "Fréchet bounds",
        "The least and the most customers who may be worse off; averages can tell no more, as nobody is seen twice.",
    ),
)
"""What is told in addition where whom to contact was valued."""
