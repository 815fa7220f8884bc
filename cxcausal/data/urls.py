"""URLs of databases, in which the names of secrets stand until a connection is made."""

import os
import re
from urllib.parse import quote

from cxcausal.core.errors import MachineError, PlanError, Problem

DATABASES = frozenset({"postgresql", "postgres", "bigquery", "snowflake"})
"""Schemes of URLs whose tables are read where they lie."""
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


def scheme_of(url: str) -> str:
    """Return the scheme of a URL, of which all may be a secret; a name or a path that has none is its own.

    Raises:
        MachineError: the secret that a URL begins with is not set.

    Example:
        >>> scheme_of("postgresql://${env:CX_LOGIN}@localhost/shop"), scheme_of("spark")
        ('postgresql', 'spark')
    """
    secret = SECRET.match(url)
    text = url if secret is None else expanded(secret[0], "data.source")
    return text.partition("://")[0].lower()


def refuse_password(url: str, where: str) -> None:
    """Refuse a URL in which a password is written out: files are shared and kept.

    Raises:
        PlanError: it has one.
    """
    login = url.rpartition("@")[0].partition("://")[2]
    if SECRET.sub("", login.partition(":")[2]):
        what, mend = "the URL holds a password", "write ${env:NAME} in its place, and set that variable"
        raise PlanError(Problem(where=where, code="D108", what=what, mend=mend))
