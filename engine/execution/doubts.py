"""Differences between our books and the venue's: doubted at first, proved by a second look (RELIABILITY 7).

A fill that one answer shows and another does not yet is no difference. What two looks far enough apart find
with the same quantities, while no order of the instrument moves, is one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.clock import US_PER_S
from engine.execution.findings import Difference
from engine.model.ids import InstrumentId

PROOF_US = 2 * US_PER_S
"""Two looks at least so far apart."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A difference, since when it was found with the same quantities, and whether that is proof."""

    difference: Difference
    since_us: int
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a look changed."""

    doubts: Mapping[InstrumentId, Doubt]
    proved: tuple[Difference, ...]
    """Only those that were not before."""
    settled: tuple[InstrumentId, ...]
    """Proved once, and gone."""


def weigh(
    before: Mapping[InstrumentId, Doubt], found: Iterable[Difference], now_us: int, stepped: bool
) -> Weighed:
    """The doubts after a look. `stepped`: the venue lives in this process, any second look is proof."""
    doubts = {difference.instrument: _weighed(before, difference, now_us, stepped) for difference in found}
    proved = tuple(
        doubt.difference
        for name, doubt in doubts.items()
        if doubt.proved and not (name in before and before[name].proved and _is_same(before[name], doubt))
    )
    settled = tuple(name for name, doubt in before.items() if doubt.proved and name not in doubts)
    return Weighed(doubts, proved, settled)


def _weighed(
    before: Mapping[InstrumentId, Doubt], difference: Difference, now_us: int, stepped: bool
) -> Doubt:
    old = before.get(difference.instrument)
    fresh = Doubt(difference, now_us)
    if old is None or not _is_same(old, fresh):
        return fresh
    if old.proved:
        return old
    if not (difference.settled or stepped):
        return fresh
    return replace(old, proved=stepped or now_us - old.since_us >= PROOF_US)


def _is_same(one: Doubt, other: Doubt) -> bool:
    return one.difference.unexplained == other.difference.unexplained
