"""The fast look at CSV files agrees with Python's own reader, or leaves the file to it."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxcausal.data import csv_scan
from cxcausal.data.csv_scan import regular_rows

PLAIN = b'id,arm,note\n1,none,x\n2,gig,"a, ""quoted""\nnote"\n3,gig,\n'


def by_python(text: bytes) -> tuple[int, int] | None:
    """Return (width, rows) where all rows are as wide as the header, None where the reader or a width objects."""
    try:
        found = [row for row in csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True) if row]
    except (csv.Error, UnicodeDecodeError):
        return None
    widths = {len(row) for row in found}
    return (widths.pop(), len(found) - 1) if len(widths) == 1 and len(found) > 1 else None


def scanned(text: bytes) -> tuple[int, int] | None:
    found = regular_rows(io.BytesIO(text), ",", utf8=True)
    return None if found is None else (len(next(csv.reader([found[0].decode()]))), found[1])


@pytest.mark.parametrize("chunk", [1, 7, 33, 1 << 24])
@pytest.mark.parametrize("text", [PLAIN, PLAIN.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + PLAIN, PLAIN[:-1]])
def test_plain_files_are_told_at_once(monkeypatch: pytest.MonkeyPatch, chunk: int, text: bytes) -> None:
    monkeypatch.setattr(csv_scan, "_CHUNK", max(chunk, len(text) if chunk == 1 else chunk))
    assert scanned(text) in ({(3, 3), None} if chunk < len(text) else {(3, 3)})


@pytest.mark.parametrize(
    "text",
    [
        b"a,b\n1,2,3\n4\n",  # widths that make up for each other
        b"a,b\n1,2\n\n3,4\n",
        b"a,b\n1,2\r3,4\n",
        b"a,b\n1,2\0\n",
        b"a,b\n1,\xff\n",
        b'a,b\n1,"2\n',
        b'a,b\n1,"2"x\n',
        b'a,b\n1,x"2"\n',
        b"a\n1\n",
        b"a,b\n",
        b"",
    ],
)
def test_what_is_not_plain_is_left_to_the_reader(text: bytes) -> None:
    assert scanned(text) is None


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet='ab,"\n\r;é', max_size=40))
def test_it_never_disagrees_with_python(body: str) -> None:
    text = ("x,y\n" + body).encode()
    found = scanned(text)
    assert found is None or found == by_python(text)


def test_large_files_cross_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    notes = ['"a, b"', "plain", '"two\nlines"', '"say ""hi"""', ""]
    text = "id,note,n\n" + "".join(f"{i},{notes[rng.integers(5)]},{i * 7}\n" for i in range(4_000))
    monkeypatch.setattr(csv_scan, "_CHUNK", 997)
    assert scanned(text.encode()) == by_python(text.encode()) == (3, 4_000)
    assert scanned((text + "1,2\n").encode()) is None
