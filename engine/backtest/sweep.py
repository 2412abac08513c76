"""Many parameter sets of the gap rule over the same bars, in one loop that can be compiled.

What the kernel of `engine.backtest.brackets` does without an account, each instrument by itself: the list of
trades is the same, bit for bit. For one set that kernel says more; for hundreds this one is a hundred times
quicker where numba is installed (extra `research`), and the same without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.backtest.brackets import BracketRule, Tape
from engine.backtest.costs import Costs, cost_table
from engine.backtest.fills import (
    CASHED,
    EPSILON,
    NOTHING,
    TARGET,
    TIME,
    after_split,
    cents,
    commission,
    exit_on,
    fillable,
    sale_fees,
    slippage,
    tick_of,
    whole_shares,
)
from engine.backtest.signals import Signals
from engine.jit import fast, kernel


@dataclass(frozen=True, slots=True)
class SweepSet:
    """One set of parameters: which gaps are bought, and how the brackets are left."""

    gap_max: float = -0.03
    rule: BracketRule = field(default_factory=BracketRule)


@dataclass(frozen=True, slots=True)
class SweepTrades:
    """The trades (N,) of one set, by instrument, then time; names are those of `BracketTrade`."""

    place: np.ndarray
    last_place: np.ndarray
    reason: np.ndarray
    sessions: np.ndarray
    entry: np.ndarray
    exit: np.ndarray
    paid: np.ndarray
    got: np.ndarray
    shares: np.ndarray
    fees: np.ndarray
    pnl: np.ndarray

    def __len__(self) -> int:
        return len(self.place)


class Sweep:
    """Bars, signals and costs that all sets share. `notional`: USD of each bracket."""

    def __init__(self, tape: Tape, signals: Signals, costs: Costs, notional: float) -> None:
        table = tape.table
        self._starts = np.append(np.flatnonzero(table.row == 0), len(table.row))
        self._session = np.array(tape.session, dtype=np.int64)
        self._bars = np.array(
            (tape.open, tape.high, tape.low, tape.close, tape.volume, tape.ratio, tape.split),
            dtype=np.float64,
        )
        self._is_dividend = _dividends(self._bars[5])
        self._signals = np.array((signals.gap, signals.adv, signals.sigma), dtype=np.float64)
        self._is_open = signals.is_open
        table_of = cost_table(costs, tape.sessions)
        self._fees = np.array((table_of.sec, table_of.taf, table_of.taf_cap))
        self._costs = np.array(
            (
                table_of.half_spread,
                table_of.impact,
                table_of.per_share,
                table_of.least,
                table_of.most_ratio,
                table_of.scale,
            )
        )
        self._notional = notional
        room = int(np.count_nonzero(signals.is_open))
        self._whole = np.empty((4, room), dtype=np.int64)
        self._real = np.empty((7, room))

    def trades(self, one: SweepSet) -> SweepTrades:
        """All trades of one set."""
        count = self._walk(one)
        place, last, reason, sessions = self._whole[:, :count].copy()
        return SweepTrades(place, last, reason, sessions, *self._real[:, :count].copy())

    def returns(self, sets: Sequence[SweepSet]) -> list[np.ndarray]:
        """Net returns of the trades of each set, by instrument, then time: profit over what was paid."""
        found = []
        for one in sets:
            count = self._walk(one)
            _, _, paid, _, shares, _, pnl = self._real[:, :count]
            found.append(pnl / (shares * paid))
        return found

    def _walk(self, one: SweepSet) -> int:
        rule = one.rule
        terms = np.array(
            (
                one.gap_max,
                rule.stop_pct,
                rule.target_pct,
                rule.max_sessions,
                rule.jumps,
                rule.through_ticks,
                -1.0 if rule.volume_share is None else rule.volume_share,
                self._notional,
            ),
            dtype=np.float64,
        )
        shared = self._session, self._bars, self._is_dividend, self._fees, terms, self._costs
        return int(
            fast(walk_brackets)(self._starts, self._signals, self._is_open, *shared, self._whole, self._real)
        )


def _dividends(ratio: np.ndarray) -> np.ndarray:
    """As `corporate_action_kind` tells a dividend from a split, for each bar."""
    return np.asarray((ratio <= 1) & (ratio > 0.8 + 1e-6))


_GAP_MAX, _STOP, _TARGET, _SESSIONS, _JUMPS, _THROUGH, _VOLUME, _NOTIONAL = range(8)
"""Places in `terms`."""
_HALF_SPREAD, _IMPACT, _PER_SHARE, _LEAST, _MOST, _SCALE = range(6)
"""Places in `costs`."""
_OPEN, _HIGH, _LOW, _CLOSE, _TRADED, _RATIO, _SPLIT = range(7)
"""Places in `bars`."""


@kernel
def walk_brackets(
    starts: np.ndarray,
    signals: np.ndarray,
    is_open: np.ndarray,
    session: np.ndarray,
    bars: np.ndarray,
    is_dividend: np.ndarray,
    rates: np.ndarray,
    terms: np.ndarray,
    costs: np.ndarray,
    whole: np.ndarray,
    real: np.ndarray,
) -> int:
    """Write the trades of one set into `whole` (4, M) and `real` (7, M); how many there are."""
    gaps, opens, volumes = signals[0], bars[_OPEN], bars[_TRADED]
    gap_max, volume_share = terms[_GAP_MAX] + EPSILON, terms[_VOLUME]
    count = 0
    for owner in range(len(starts) - 1):
        place, end = starts[owner], starts[owner + 1]
        while place < end:
            if not is_open[place] or not gaps[place] <= gap_max:
                place += 1
                continue
            entry = opens[place]
            shares = whole_shares(terms[_NOTIONAL], entry)
            if volume_share >= 0:
                shares = min(shares, fillable(volumes[place], volume_share))
            if shares < 1:
                place += 1
                continue
            whole[0][count], real[0][count], real[4][count] = place, entry, shares
            adv, sigma = signals[1][place], signals[2][place]
            at = hold_bracket(
                place, end, adv, sigma, session, bars, is_dividend, rates, terms, costs, count, whole, real
            )
            if at < 0:
                # Its bars are over: the bracket stays open, and nothing can come after it.
                break
            count += 1
            place = at + 1
    return count


@kernel
def hold_bracket(
    first: int,
    end: int,
    adv: float,
    sigma: float,
    session: np.ndarray,
    bars: np.ndarray,
    is_dividend: np.ndarray,
    rates: np.ndarray,
    terms: np.ndarray,
    costs: np.ndarray,
    row: int,
    whole: np.ndarray,
    real: np.ndarray,
) -> int:
    """Carry the bracket of `row` from its entry to its last bar; -1 where the bars end first."""
    entry, shares, volume_share = real[0][row], real[4][row], terms[_VOLUME]
    half_spread, impact, scale = costs[_HALF_SPREAD], costs[_IMPACT], costs[_SCALE]
    per_share, least, most = costs[_PER_SHARE], costs[_LEAST], costs[_MOST]
    paid = entry * (1 + slippage(half_spread, impact, sigma, shares * entry, adv))
    fees = scale * commission(shares, per_share, least, shares * paid, most)
    stop, target = entry * (1 - terms[_STOP]), entry * (1 + terms[_TARGET])
    through = terms[_THROUGH] * tick_of(target)
    left, dollars, held, leaving = shares, 1.0, 0, NOTHING
    sold = raw = proceeds = money = 0.0
    for at in range(first, end):
        reason = NOTHING
        if at > first and bars[_RATIO][at] != 1.0:
            ratio, prior, meant = bars[_RATIO][at], bars[_CLOSE][at - 1], bars[_SPLIT][at]
            before, owned = dollars, left
            dollars /= ratio
            if is_dividend[at]:
                money += cents(left * prior * (1 - ratio))
            else:
                left = after_split(owned, meant)
                paid_out = cents((owned / meant - left) * prior * ratio)
                money += paid_out
                if left == 0:
                    sold, reason = 1.0, CASHED
                    raw = proceeds = paid_out / owned * before
        if reason == NOTHING:
            held += 1
            price = bars[_OPEN][at] * dollars
            if leaving != NOTHING:
                reason = leaving
            else:
                high, low = bars[_HIGH][at] * dollars, bars[_LOW][at] * dollars
                jumps = terms[_JUMPS] > 0 and held > 1
                reason, price = exit_on(price, high, low, stop, target, through, jumps)
            if reason == NOTHING and held >= terms[_SESSIONS]:
                reason, price = TIME, bars[_CLOSE][at] * dollars
            if reason == NOTHING:
                continue
            can = left
            if volume_share >= 0:
                can = min(can, fillable(bars[_TRADED][at], volume_share))
            if can < left and reason != TARGET:
                leaving = reason
            if can > 0:
                got = price
                if reason != TARGET:
                    got = price * (1 - slippage(half_spread, impact, sigma, can * price, adv))
                value, now = can * got / dollars, session[at]
                fees += scale * (
                    sale_fees(can, value, rates[0][now], rates[1][now], rates[2][now])
                    + commission(can, per_share, least, value, most)
                )
                bought = can / dollars
                left -= can
                sold += bought
                raw += bought * price
                proceeds += bought * got
                money += value
            if left > 0:
                continue
        whole[1][row], whole[2][row], whole[3][row] = at, reason, held
        real[1][row], real[2][row], real[3][row] = raw / sold, paid, proceeds / sold
        real[5][row], real[6][row] = fees, money - shares * paid - fees
        return at
    return -1
