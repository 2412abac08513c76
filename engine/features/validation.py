"""What a value must pass before it is stored (SPEC 1.8), and what makes a stored one suspect.

Refused: of another type, infinite, out of the declared range, of an unknown feature. Suspect, so stored and
not served: outside the trailing distribution of its own feature and entity, four times as wide as from the
5th to the 95th percentile of the values before it, of which there must be 100; and a price that jumps from
the last good one by more than 12 hourly deviations, until a second source says nearly the same. Flags,
categories and features that are looked at for their tails have no such distribution.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.features.registry import Array, Dtype, FeatureRecord
from engine.model.candidates import MissingReason
from engine.model.features import FeatureLayout, FeatureVector, Refusal
from engine.money import EPSILON

TRAIL = 250
"""Newest vectors that a distribution is made of."""
LEAST = 100
WIDENING = 4.0
JUMP = 12.0
AGREEMENT = 0.02
"""A second source agrees within this fraction of the price."""
REFRESH = 25
"""Vectors between two looks at the distribution, once there are LEAST."""
PRICES = frozenset({"price_usd", "open_price", "prev_close"})
TAILED = frozenset({"gap_dn", "gap_atr", "spy_gap", "gap_breadth"})
"""Mostly near zero, and wanted for the days when they are not."""
GOOD, SUSPECT = 0, 1
REASONS = tuple(MissingReason)
"""A mark of 2 + k is the k-th: why there is no value."""
_US_PER_HOUR = 3_600_000_000
_KEPT = 1_000


def mark_of(reason: MissingReason) -> int:
    """How a reason stands beside a value."""
    return 2 + REASONS.index(reason)


def reason_of(mark: int, value: float) -> MissingReason | None:
    """Why a stored value is not served; None when it is."""
    if mark > SUSPECT:
        return REASONS[mark - 2]
    if mark == SUSPECT:
        return MissingReason.OUT_OF_RANGE
    return MissingReason.MISSING if value != value else None


@dataclass(frozen=True, slots=True)
class Checked:
    """A vector as it is to be stored: `marks` (K,) uint8; `refused` counts what was taken out of it."""

    values: Array
    marks: npt.NDArray[np.uint8]
    refused: Mapping[tuple[str, Refusal], int]
    is_taken: bool = True


@dataclass(frozen=True, slots=True)
class Trail:
    """The newest vectors that are stored of an entity and layout, at most TRAIL, oldest first.

    `values`, `marks`: (N, K); `times`: (N,) when they were true; `newest_known`: of all stored, -1 of none.
    """

    values: Array
    marks: npt.NDArray[np.uint8]
    times: npt.NDArray[np.int64]
    newest_known: int


@dataclass(slots=True)
class _Past:
    """The trail of one entity in one layout, and what is suspect against it."""

    values: Array
    times: npt.NDArray[np.int64]
    newest_known: int
    count: int = 0
    low: Array | None = None
    high: Array | None = None
    hourly: Array | None = None  # deviation of ln price an hour, of the layout's prices
    good: dict[int, float] = field(default_factory=dict)
    waiting: dict[int, tuple[float, str]] = field(default_factory=dict)

    def is_odd(self, place: int, value: float) -> bool:
        """Whether a value lies outside the trail."""
        if self.low is None or self.high is None:
            return False
        return bool(value < self.low[place] or value > self.high[place])


class _Rules:
    """The declared type and range of each place of a layout, as columns."""

    def __init__(self, layout: FeatureLayout, records: Mapping[str, FeatureRecord]) -> None:
        found = [records.get(name) for name in layout.ids]
        self.unknown = np.array([record is None for record in found])
        self.low = np.array([-math.inf if r is None or r.minimum is None else _low(r) for r in found])
        self.high = np.array(
            [math.inf if r is None or r.maximum is None else r.maximum + EPSILON for r in found]
        )
        self.whole = np.array([r is not None and r.dtype is not Dtype.FLOAT for r in found])
        judged = [r is not None and r.dtype in (Dtype.FLOAT, Dtype.INT) and r.id not in TAILED for r in found]
        self.judged = np.array(judged)
        self.prices = [place for place, name in enumerate(layout.ids) if name in PRICES]


def _low(record: FeatureRecord) -> float:
    least = record.minimum or 0.0
    return float(np.nextafter(least, math.inf)) if record.minimum_excluded else least - EPSILON


class Guard:
    """Looks at vectors before they are stored, entity by entity, in the order in which they became known.

    `recall` says of an entity and layout what is stored.
    """

    def __init__(
        self,
        records: Mapping[str, FeatureRecord],
        recall: Callable[[str, FeatureLayout], Trail],
    ) -> None:
        self._records = records
        self._recall = recall
        self._rules: dict[FeatureLayout, _Rules] = {}
        self._pasts: OrderedDict[tuple[str, FeatureLayout], _Past] = OrderedDict()

    def check(self, vector: FeatureVector) -> Checked:
        """Judge one vector; what is taken becomes part of the trail."""
        layout = vector.layout
        rules = self._rules.get(layout)
        if rules is None:
            rules = self._rules[layout] = _Rules(layout, self._records)
        past = self._past(vector.entity, layout)
        values = np.array(vector.values, dtype=np.float64)
        marks = np.zeros(len(layout.ids), dtype=np.uint8)
        if len(values) != len(layout.ids):
            raise ValueError(
                f"layout {layout.name} has {len(layout.ids)} features, {len(values)} values came"
            )
        if vector.ts_event > vector.ts_known or vector.ts_known < past.newest_known:
            return Checked(values, marks, {(layout.name, Refusal.CLOCK): 1}, is_taken=False)
        refused = self._refuse(rules, layout, values, marks)
        for name, reason in vector.missing.items():
            marks[layout.ids.index(name)] = mark_of(reason)
        self._suspect(rules, past, vector, values, marks)
        self._remember(rules, past, vector, values)
        return Checked(values, marks, refused)

    def forget(self, entities: Sequence[str]) -> None:
        """Recall these anew: what was checked of them was not stored after all."""
        for key in [key for key in self._pasts if key[0] in entities]:
            del self._pasts[key]

    def _past(self, entity: str, layout: FeatureLayout) -> _Past:
        key = (entity, layout)
        past = self._pasts.get(key)
        if past is None:
            past = self._pasts[key] = self._recalled(entity, layout)
            if len(self._pasts) > _KEPT:
                self._pasts.popitem(last=False)
        else:
            self._pasts.move_to_end(key)
        return past

    def _recalled(self, entity: str, layout: FeatureLayout) -> _Past:
        trail, rules = self._recall(entity, layout), self._rules[layout]
        past = _Past(np.full((TRAIL, len(layout.ids)), np.nan), np.zeros(TRAIL, np.int64), trail.newest_known)
        past.count = len(trail.times)
        past.values[: past.count], past.times[: past.count] = trail.values, trail.times
        for place in rules.prices:
            known = trail.values[:, place][(trail.marks[:, place] == GOOD) & (trail.values[:, place] > 0.0)]
            if len(known):
                past.good[place] = float(known[-1])
        _refresh(past, rules)
        return past

    def _refuse(
        self, rules: _Rules, layout: FeatureLayout, values: Array, marks: npt.NDArray[np.uint8]
    ) -> dict[tuple[str, Refusal], int]:
        """Take out what is not the feature's type or range."""
        infinite = np.isinf(values)
        fractional = rules.whole & (values != np.floor(values)) & ~np.isnan(values) & ~infinite
        outside = ((values < rules.low) | (values > rules.high)) & ~infinite
        bad = infinite | fractional | outside | rules.unknown
        if not bad.any():
            return {}
        refused: dict[tuple[str, Refusal], int] = {}
        for place in np.flatnonzero(bad).tolist():
            reason = Refusal.RANGE
            if rules.unknown[place]:
                reason = Refusal.UNKNOWN
            elif infinite[place]:
                reason = Refusal.NOT_FINITE
            elif fractional[place]:
                reason = Refusal.TYPE
            refused[layout.ids[place], reason] = 1
        values[bad] = np.nan
        marks[bad] = mark_of(MissingReason.OUT_OF_RANGE)
        return refused

    def _suspect(
        self, rules: _Rules, past: _Past, vector: FeatureVector, values: Array, marks: npt.NDArray[np.uint8]
    ) -> None:
        if past.low is not None and past.high is not None:
            odd = rules.judged & ((values < past.low) | (values > past.high))
            marks[odd] = SUSPECT
        for number, place in enumerate(rules.prices):
            price = float(values[place])
            if not price > 0.0:
                continue
            last, told = past.good.get(place), past.waiting.get(place)
            hourly = math.nan if past.hourly is None else float(past.hourly[number])
            jumps = last is not None and abs(math.log(price / last)) > JUMP * hourly
            # A level that two sources agreed on stays good although the trail lies elsewhere.
            is_there = last is not None and past.is_odd(place, last)
            if jumps or (marks[place] == SUSPECT and not is_there):
                agrees = told is not None and told[1] != vector.source
                if not (agrees and told is not None and abs(price / told[0] - 1.0) <= AGREEMENT + EPSILON):
                    marks[place] = SUSPECT
                    past.waiting[place] = (price, vector.source)
                    continue
            marks[place] = GOOD
            past.good[place] = price
            past.waiting.pop(place, None)

    def _remember(self, rules: _Rules, past: _Past, vector: FeatureVector, values: Array) -> None:
        past.newest_known = vector.ts_known
        if past.count < TRAIL:
            past.values[past.count], past.times[past.count] = values, vector.ts_event
        else:
            place = past.count % TRAIL
            past.values[place], past.times[place] = values, vector.ts_event
        past.count += 1
        if past.count >= LEAST and (past.low is None or past.count % REFRESH == 0):
            _refresh(past, rules)


def _refresh(past: _Past, rules: _Rules) -> None:
    """The bounds of what is not suspect, from the trail; NaN, so no bound, with fewer than LEAST values."""
    rows = min(past.count, TRAIL)
    if rows < LEAST:
        return
    trail = past.values[:rows]
    low, high = _quantiles(trail)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    # One that never moved has no width to measure by.
    reach = np.where(half > 0.0, WIDENING * half, np.nan)
    past.low, past.high = middle - reach, middle + reach
    order = np.argsort(past.times[:rows], kind="stable")
    hours = np.diff(past.times[:rows][order]) / _US_PER_HOUR
    past.hourly = np.array([_hourly(trail[order, place], hours) for place in rules.prices])


def _quantiles(trail: Array) -> tuple[Array, Array]:
    """5th and 95th percentile of each column, by linear interpolation; NaN with fewer than LEAST values."""
    ordered = np.sort(trail, axis=0)
    known = (~np.isnan(ordered)).sum(axis=0)
    columns = np.arange(trail.shape[1])

    def at(share: float) -> Array:
        place = share * np.maximum(known - 1, 0)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(known - 1, 0))
        start = ordered[below, columns]
        return np.asarray(
            np.where(known >= LEAST, start + (place - below) * (ordered[above, columns] - start), np.nan)
        )

    return at(0.05), at(0.95)


def _hourly(prices: Array, hours: Array) -> float:
    """Deviation of ln price an hour, from the moves between its stored values; NaN with too few."""
    usable = (prices[1:] > 0.0) & (prices[:-1] > 0.0) & (hours > 0.0)
    if usable.sum() < LEAST - 1:
        return math.nan
    moves = np.log(prices[1:][usable] / prices[:-1][usable])
    return float(np.sqrt(np.dot(moves, moves) / hours[usable].sum()))
