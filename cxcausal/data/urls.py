"""URLs of databases, in which the names of secrets stand until a connection is made."""

import os
import re
from urllib.parse import quote

from cxcausal.core.errors import MachineError, Problem

SECRET = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def expanded(url: str, where: str) -> str:
    """Return a URL with the values of its secrets, which must never be told.

    What stands for a user or a password is taken as it is, and written the way that URLs want it.

    Args:
        url: as the plan or the project's file writes it.
        where: names the URL in messages.

    Raises:
        MachineError: an environment variable is not set.

    Example:
        >>> os.environ["CX_EXAMPLE_PASSWORD"] = "p@ss"
        >>> expanded("postgresql://ann:${env:CX_EXAMPLE_PASSWORD}@localhost/shop", "engine")
        'postgresql://ann:p%40ss@localhost/shop'
        >>> del os.environ["CX_EXAMPLE_PASSWORD"]
    """
    unset = [name for name in dict.fromkeys(SECRET.findall(url)) if name not in os.environ]
    if unset:
        what = f"the environment variable {' and '.join(unset)} is not set"
        raise MachineError(Problem(where=where, code="D113", what=what, mend="set it, and run again"))
    scheme, separator, rest = url.rpartition("://")
    login, at, address = rest.rpartition("@")
    login = SECRET.sub(lambda found: quote(os.environ[found[1]], safe=""), login)
    scheme, address = (SECRET.sub(lambda found: os.environ[found[1]], part) for part in (scheme, address))
    return f"{scheme}{separator}{login}{at}{address}"
