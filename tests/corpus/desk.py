"""What a reader has on the desk who mends data: the plan, the files, and the message at hand."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

Plan = dict[str, Any]
Told = Mapping[str, str]
_WHERE = re.compile(r"^(?P<file>.+?)(?: row (?P<row>\d+))?(?: column (?P<column>.+))?$")
HELD = pd.DataFrame(
    {
        "id": ["k1", "k2", "k3", "k4"],
        "arm": ["none", "gig", "none", "gig"],
        "churned": [0, 1, 0, 1],
        "spend": [1.5, 2.5, 0.0, 7.0],
        "entered": ["2026-01-01"] * 4,
        "seen": ["2026-03-01"] * 4,
    }
)
"""What the system holds that the files were exported from: who is told to export again can do so."""


class Desk:
    """A plan, its folder, and where the message at hand points to."""

    def __init__(self, root: Path, plan: Plan, problem: Told) -> None:
        key = re.match(r"(data\.[\w.]+): ", problem["what"])
        self.where = key[1] if key else problem["where"]
        found = _WHERE.match(self.where)
        self.root, self.plan, self.problem = root, plan, problem
        self.data: Plan = plan["data"]
        self.name = found["file"] if found else ""
        self.column = found["column"] if found else None
        told = re.search(r"rows? ([\d, ]+)", problem["what"]) or re.search(r"among them ([\d, ]+)", problem["what"])
        first = [int(found["row"])] if found and found["row"] else []
        self.rows = [int(number) for number in told[1].split(",")] if told else first

    @property
    def path(self) -> Path:
        return self.root / self.name

    @property
    def delimiter(self) -> str:
        return str(self.data.get("csv", {}).get("delimiter", ","))

    def lines(self) -> list[str]:
        return self.path.read_bytes().decode("utf-8").splitlines(keepends=True)

    def write(self, lines: Sequence[str]) -> bool:
        self.path.write_bytes("".join(lines).encode())
        return True

    def cells(self) -> list[str]:
        """Return the values of the column in the rows that were named, as they are stored."""
        if self.path.suffix == ".parquet":
            return [str(pd.read_parquet(self.path)[self.column].iloc[row - 1]) for row in self.rows]
        if self.path.suffix == ".csv":
            frame = self.frame()
            return [str(frame[self.column].iloc[row - 2]) for row in self.rows]
        return []

    def frame(self) -> pd.DataFrame:
        return pd.read_csv(self.path, dtype=str, sep=self.delimiter, keep_default_na=False)

    def change(self, how: Callable[[str], str]) -> bool:
        """Change every value of the column in a CSV file."""
        if self.path.suffix != ".csv":
            return False
        frame = self.frame()
        frame[self.column] = frame[self.column].map(how)
        frame.to_csv(self.path, index=False, sep=self.delimiter)
        return True
