"""What many sessions showed together, in numbers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.session import Result

READY_MAX_S = 15.0
"""RELIABILITY 1, R11."""


@dataclass
class Figures:
    """Of sessions that were added one after the other, in any order."""

    sessions: int = 0
    brackets: int = 0
    crashes: int = 0
    virtual_s: float = 0.0
    families: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Invariant -> the lowest seed that violated it, and how."""
    gaps: list[tuple[int, Decimal]] = field(default_factory=list)
    worst_us: int = 0
    """The longest time without a stop where more than 15 % of the calls suffer."""
    covered: Decimal = Decimal(0)
    ready_us: list[int] = field(default_factory=list)
    """Of each recovery that ended, or that took longer than it may and never did."""
    restarts: int = 0

    def add(self, results: Iterable[Result]) -> None:
        """Take more sessions in."""
        for result in results:
            self.sessions += 1
            self.brackets += result.brackets
            self.crashes += result.crashes
            self.virtual_s += result.virtual_s
            self.families[result.family] += 1
            self.faults.update(result.faults)
            for name, text in result.violations:
                self.violations[name] += 1
                if name not in self.first or result.seed < self.first[name][0]:
                    self.first[name] = (result.seed, text)
            self.gaps += result.gaps
            self.worst_us = max([self.worst_us, *(lasted for lasted, _ in result.worse_gaps)])
            self.covered += result.covered
            self.restarts += len(result.restarts)
            for restart in result.restarts:
                # One that was cut short by the next crash before its time was up shows nothing.
                if restart.took_us is not None or restart.took_up_us > READY_MAX_S * 1e6:
                    self.ready_us.append(restart.took_up_us)

    def unprotected_s(self) -> tuple[float, float, float]:
        """Seconds without a stop: the middle share, the 99th of a hundred, the worst."""
        return of_shares(sorted(self.gaps), self.covered)

    def ready_s(self) -> tuple[float, float, float]:
        """Seconds until a restart is ready: the middle one, the 95th of a hundred, the worst."""
        return tuple(at_ratio(sorted(self.ready_us), ratio) / 1e6 for ratio in (0.5, 0.95, 1.0))  # type: ignore[return-value]


def at_ratio(sorted_values: Sequence[int], ratio: float) -> int:
    """The smallest value that at least `ratio` of them do not exceed; 0 of none."""
    if not sorted_values:
        return 0
    place = -(-len(sorted_values) * ratio // 1)
    return sorted_values[max(int(place), 1) - 1]


def of_shares(lots: Sequence[tuple[int, Decimal]], covered: Decimal) -> tuple[float, float, float]:
    """Seconds of the middle share, of the 99th of a hundred, and of the worst. `covered` shares took none.

    `lots`: (microseconds, shares), shortest first.
    """
    total = covered + sum((shares for _, shares in lots), Decimal(0))
    found, seen = [0.0, 0.0], covered
    for lasted, shares in lots:
        for place, ratio in enumerate((Decimal("0.5"), Decimal("0.99"))):
            if seen < total * ratio <= seen + shares:
                found[place] = lasted / 1e6
        seen += shares
    return found[0], found[1], lots[-1][0] / 1e6 if lots else 0.0
