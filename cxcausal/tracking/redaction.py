"""Secrets out of addresses, before an address is written anywhere."""

import re
from typing import Any

from cxcausal.core.canonical import json_ready

_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s]*@")
_TELLING = "password|passwd|pwd|secret|token|signature|sig|key"
_QUERY = re.compile(rf"(?P<key>[?&;][^=&;#\s]*(?:{_TELLING})[^=&;#\s]*=)[^&;#\s]+", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Return `text` with user names, passwords and secret query values of its addresses replaced.

    Example:
        >>> without_secrets("postgresql://ann:pa55@db/x?sslmode=on&api_key=abc")
        'postgresql://***@db/x?sslmode=on&api_key=***'
        >>> without_secrets("data/outreach.csv")
        'data/outreach.csv'
    """
    return _QUERY.sub(r"\g<key>***", _CREDENTIALS.sub(r"\g<scheme>***@", text))


def without_secrets_in(value: object) -> Any:  # noqa: ANN401 - the tree is as free as JSON
    """Return `value` as JSON's lists, dicts and scalars, with every text inside freed of secrets.

    Example:
        >>> without_secrets_in({"data": {"source": "postgresql://ann:x@db/t"}})
        {'data': {'source': 'postgresql://***@db/t'}}
    """
    return _redacted(json_ready(value))


def _redacted(value: Any) -> Any:  # noqa: ANN401 - the tree is as free as JSON
    """Walk a tree of JSON and redact its texts; keys stay."""
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    return without_secrets(value) if isinstance(value, str) else value
