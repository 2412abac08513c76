"""What may go wrong between the engine and a venue, drawn from one source of chance (RELIABILITY 10)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """One kind of trouble at the venue or on the way to it."""

    LOST_REQUEST = "lost_request"
    LATE_REQUEST = "late_request"
    LOST_RESPONSE = "lost_response"
    ERROR_BEFORE = "5xx_before_accept"
    ERROR_AFTER = "5xx_after_accept"
    TOO_MANY = "429"
    BANNED = "418"
    REFUSED = "reject"
    DUPLICATE = "duplicate_id"
    DIES_AFTER_ACCEPT = "link_dies_after_accept"
    GAP_AT_EXIT = "gap_as_exit_arrives"
    BAD_FIELD = "bad_field"
    WRONG_ACCOUNT = "wrong_account"
    EVENT_DROPPED = "event_dropped"
    EVENT_DOUBLED = "event_doubled"
    EVENT_DELAYED = "event_delayed"
    EVENT_REORDERED = "event_reordered"
    DISCONNECT = "disconnect"
    MUTE = "mute"
    LAG = "visibility_lag"
    PARTIAL = "partial_fill"
    TRADING_HALT = "trading_halt"
    GAP = "gap_through_both"
    ID_ROLLBACK = "id_rollback"
    CLOCK_JUMP = "clock_jump"
    MUTE_FEED = "mute_feed"
    SIGTERM = "sigterm"
    DOUBLE_START = "double_start"
    FROZEN = "frozen"
    SUSPENDED = "suspended"


WRITE_FAULTS = (
    Fault.LOST_REQUEST,
    Fault.LATE_REQUEST,
    Fault.LOST_RESPONSE,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.TOO_MANY,
    Fault.BANNED,
    Fault.REFUSED,
    Fault.DUPLICATE,
    Fault.DIES_AFTER_ACCEPT,
    Fault.GAP_AT_EXIT,
    Fault.BAD_FIELD,
)
READ_FAULTS = (
    Fault.LOST_REQUEST,
    Fault.LOST_RESPONSE,
    Fault.ERROR_BEFORE,
    Fault.TOO_MANY,
    Fault.BANNED,
    Fault.BAD_FIELD,
    Fault.WRONG_ACCOUNT,
)
EVENT_FAULTS = (
    Fault.EVENT_DROPPED,
    Fault.EVENT_DOUBLED,
    Fault.EVENT_DELAYED,
    Fault.EVENT_REORDERED,
    Fault.BAD_FIELD,
    Fault.WRONG_ACCOUNT,
)


@dataclass(frozen=True, slots=True)
class FaultMix:
    """How often what goes wrong. `per_call`: share of calls and events that suffer; `weights` split it."""

    per_call: float = 0.0
    weights: Mapping[Fault, float] | None = None
    per_minute: Mapping[Fault, float] | None = None
    """Things that happen by themselves: disconnect, mute, trading halt, gap, id rollback, clock jump."""
    partial_ratio: float = 0.0
    """Share of executions that come in parts."""
    reads: float = 1.0
    """How often queries and messages suffer, of how often orders do."""
    lag: bool = False
    """Queries may show the venue as it was up to its visibility lag ago."""


CALM_MIX = FaultMix()


class FaultPlan:
    """Draws faults while it is `active`, and counts them."""

    def __init__(self, mix: FaultMix, random: Random) -> None:
        self.mix = mix
        self.random = random
        self.active = True
        self.counts: Counter[Fault] = Counter()
        self._writes = _table(mix, WRITE_FAULTS, 1.0)
        self._reads = _table(mix, READ_FAULTS, mix.reads)
        self._events = _table(mix, EVENT_FAULTS, mix.reads)

    def on_write(self) -> Fault | None:
        """What happens to an order, cancel or replace request."""
        return self._draw(self._writes)

    def on_read(self) -> Fault | None:
        """What happens to a query."""
        return self._draw(self._reads)

    def on_event(self) -> Fault | None:
        """What happens to a frame of the stream."""
        return self._draw(self._events)

    def lag_us(self, bound_us: int) -> int:
        """How far behind the books this query is answered."""
        if not (self.active and self.mix.lag and bound_us):
            return 0
        self.counts[Fault.LAG] += 1
        return round(self.random.random() * bound_us)

    def part_of(self, lots: int) -> int:
        """How many of `lots` an execution takes now: all, or a part."""
        if lots < 2 or not self.active or self.random.random() >= self.mix.partial_ratio:
            return lots
        self.counts[Fault.PARTIAL] += 1
        return self.random.randint(1, lots - 1)

    def _draw(self, table: tuple[tuple[float, Fault], ...]) -> Fault | None:
        if not (self.active and self.mix.per_call):
            return None
        drawn = self.random.random()
        if drawn >= self.mix.per_call:
            return None
        for bound, fault in table:
            if drawn < bound:
                self.counts[fault] += 1
                return fault
        return None


def _table(mix: FaultMix, kinds: tuple[Fault, ...], ratio: float) -> tuple[tuple[float, Fault], ...]:
    """Upper bounds on a draw, one for each kind with a weight; the last is the share that suffers."""
    weights = {kind: 1.0 for kind in kinds} if mix.weights is None else mix.weights
    total = sum(weights.get(kind, 0.0) for kind in kinds)
    if not total:
        return ()
    bounds, upto = [], 0.0
    for kind in kinds:
        if weights.get(kind, 0.0) > 0:
            upto += weights[kind]
            bounds.append((ratio * mix.per_call * upto / total, kind))
    return tuple(bounds)
