"""Files that change while they are read are told, in place of whatever error that caused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cxcausal.core.errors import DataError
from cxcausal.data.sources import Source
from cxcausal.data.steady import Unchanged, stamps_of


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n", encoding="utf-8")
    return Source(kind="csv", files=(path,), names=("data/x.csv",))


def test_what_stays_is_fine(source: Source) -> None:
    with Unchanged(stamps_of([source])):
        source.files[0].read_bytes()


def read(source: Source, harm: Callable[[Path], object], error: BaseException | None = None) -> None:
    """Do harm to the file while it is being read, and fail of it or of something else."""
    with Unchanged(stamps_of([source])):
        harm(source.files[0])
        if error is not None:
            raise error


def test_a_change_and_a_removal_are_told_by_name(source: Source) -> None:
    with pytest.raises(DataError, match=r"^data/x\.csv D119 the file changed while it was read"):
        read(source, lambda path: path.write_text("a\n1\n2\n", encoding="utf-8"))
    with pytest.raises(DataError, match="D119 the file was removed"):
        read(source, Path.unlink, FileNotFoundError())


def test_other_errors_and_interrupts_rise_as_they_are(source: Source) -> None:
    with pytest.raises(KeyError):
        read(source, Path.exists, KeyError("x"))
    with pytest.raises(KeyboardInterrupt):
        read(source, Path.unlink, KeyboardInterrupt())
