"""The one stylesheet of the page, and the hash by which the page's security policy allows it and nothing else."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from cxcausal.report.palette import DARK, LIGHT, variables


@cache
def stylesheet() -> str:
    """Return the stylesheet: the palette for light, dark and print, then the rules."""
    rules = (files("cxcausal.report") / "templates" / "page.css").read_text(encoding="utf-8")
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}"
    return f":root{{{variables(LIGHT)}}}\n{dark}\n{rules}"


def security_policy() -> str:
    """Return the content security policy: nothing may load or run, and only our stylesheet applies."""
    return policy_for(stylesheet())


def policy_for(css: str) -> str:
    """Return the same policy for another stylesheet, the only one that applies."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
