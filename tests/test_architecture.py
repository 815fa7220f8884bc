"""ARCHITECTURE.md says what is there: every package with its docstring, no other, and no file grows too long."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "cxcausal"
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
MOST_LINES = 400
ROW = re.compile(r"^\| `([\w.]+)` \| (.+) \|$", re.MULTILINE)


def _first_sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text, f"{path.relative_to(ROOT)} has no docstring"
    return " ".join(text.split("\n\n")[0].split())


def _packages() -> dict[str, str]:
    files = (*PACKAGE.rglob("__init__.py"), *PACKAGE.glob("[a-z]*.py"))
    return {_dotted(path): _first_sentence(path) for path in files}


def _dotted(path: Path) -> str:
    place = path.parent if path.name == "__init__.py" else path.with_suffix("")
    return ".".join(place.relative_to(ROOT).parts)


def test_every_package_has_its_row_and_every_row_its_package() -> None:
    assert dict(ROW.findall(PAGE)) == _packages()


def test_the_page_fits_on_a_page() -> None:
    assert len(PAGE.splitlines()) <= 100


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short_and_say_what_they_are(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert _first_sentence(path).endswith((".", "?"))
