"""The page's colours by name, for light and dark: every pair that carries words keeps WCAG's contrast of 4.5."""

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#fcfbf8",
    "card": "#ffffff",
    "tint": "#f3f1ec",
    "ink": "#1b1f24",
    "soft": "#555c64",
    "line": "#dcd8cf",
    "mark": "#80868d",
    "faint": "#d3d0c8",
    "good": "#17663f",
    "bad": "#a5281f",
    "on-accent": "#ffffff",
    "ship": "#17663f",
    "ship_with_monitoring": "#0e6466",
    "pilot": "#1f549c",
    "hold": "#84540a",
    "stop": "#a5281f",
    "no_decision": "#474d55",
}
DARK: Mapping[str, str] = {
    "paper": "#14171a",
    "card": "#1b1f23",
    "tint": "#23282d",
    "ink": "#eceae5",
    "soft": "#b0b5ba",
    "line": "#363c42",
    "mark": "#878d94",
    "faint": "#3c4248",
    "good": "#6fcf9b",
    "bad": "#ff9a8d",
    "on-accent": "#14171a",
    "ship": "#6fcf9b",
    "ship_with_monitoring": "#67cfcf",
    "pilot": "#8fbcff",
    "hold": "#f0bd62",
    "stop": "#ff9a8d",
    "no_decision": "#c3c8ce",
}
VERDICTS = ("ship", "ship_with_monitoring", "pilot", "hold", "stop", "no_decision")
TEXT_PAIRS = (
    *((ink, ground) for ink in ("ink", "soft", "good", "bad") for ground in ("paper", "card", "tint")),
    *(("on-accent", verdict) for verdict in VERDICTS),
    *((verdict, ground) for verdict in VERDICTS for ground in ("paper", "card", "tint")),
)
"""(words, ground) that occur on the page: contrast at least 4.5."""
MARK_PAIRS = tuple((mark, ground) for mark in ("mark", "good", "bad") for ground in ("paper", "card"))
"""(mark, ground) of pictures: contrast at least 3."""


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, as WCAG 2.2 defines it (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).

    Example:
        >>> round(contrast("#000000", "#ffffff"), 1)
        21.0
    """
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)  # noqa: PLR2004
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def variables(palette: Mapping[str, str]) -> str:
    """Return the colours as CSS variables.

    Example:
        >>> variables({"ink": "#000000"})
        '--ink:#000000'
    """
    return ";".join(f"--{name}:{value}" for name, value in palette.items())
