"""One row of the table R1-R12: what was measured, what was to be reached, and how that is shown."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

WIDTH = 100


class Verdict(StrEnum):
    """What a row came to."""

    MET = "met"
    SMALLER = "met at this size"
    MISSED = "MISSED"


@dataclass(frozen=True, slots=True)
class Row:
    """`problems` are why it is missed. `smaller`: in what the run was smaller than the goal asks for.

    `beyond`: parts of the property that no run of this program can measure; they are named, and fail nothing.
    """

    id: str
    property: str
    figure: str
    goal: str
    command: str
    problems: tuple[str, ...] = ()
    smaller: str = ""
    beyond: str = ""

    @property
    def verdict(self) -> Verdict:
        """Missed with one problem; met at its whole size otherwise, or at a smaller one."""
        if self.problems:
            return Verdict.MISSED
        return Verdict.SMALLER if self.smaller else Verdict.MET

    def lines(self) -> tuple[str, ...]:
        """As it is printed."""
        title = f"{self.id:4}{self.property}"
        found = [f"{title:{WIDTH - 17}} {self.verdict:>16}"]
        found += _indented("", self.figure)
        found += _indented("to reach: ", self.goal)
        for problem in self.problems:
            found += _indented("missed: ", problem)
        if self.smaller:
            found += _indented("smaller: ", self.smaller)
        if self.beyond:
            found += _indented("not measured here: ", self.beyond)
        # A command is never broken: it is copied.
        return (*found, f"    {self.command}")


def _indented(head: str, text: str) -> list[str]:
    return textwrap.wrap(head + text, WIDTH, initial_indent="    ", subsequent_indent="      ")


def exit_code(rows: Iterable[Row]) -> int:
    """1 when any row was missed."""
    return int(any(row.verdict is Verdict.MISSED for row in rows))


def table(rows: Sequence[Row]) -> str:
    """All rows and the count of each verdict."""
    counts = [f"{sum(row.verdict is verdict for row in rows)} {verdict}" for verdict in Verdict]
    return "\n".join(
        [*(line for row in rows for line in row.lines()), f"{len(rows)} rows: " + ", ".join(counts)]
    )


def document(rows: Sequence[Row], scale: str, seconds: float, parts: dict[str, float]) -> dict[str, object]:
    """The same for a program."""
    return {
        "scale": scale,
        "seconds": round(seconds, 1),
        "processor_seconds": {name: round(taken, 1) for name, taken in parts.items()},
        "ok": exit_code(rows) == 0,
        "rows": [{**asdict(row), "verdict": row.verdict.value} for row in rows],
    }
