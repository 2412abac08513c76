"""What memory may change of how `gaps` decides: pure functions of closed trades (SPEC 3.10, 3.11).

Nothing else adapts: stop, target, size, position and sector limits, breakers and universe are a person's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from engine.model.candidates import Vote
from engine.model.ids import CorrelationId, InstrumentId
from engine.model.policy import ClosedTrade, GapsPolicy, Param, ParamMove, TickerStanding, TickerState
from engine.model.positions import ExitReason
from engine.money import EPSILON
from engine.ports import Sessions
from engine.strategies.beta import beta_cdf
from engine.strategies.gaps_config import GapsConfig

PRIOR_WINS, PRIOR_LOSSES = 5.6, 4.4
"""Beta prior at the long-run 56 % of the original's back-test of 94 trades, worth ten trades."""
BREAK_EVEN = 0.571
"""Share of targets among target and stop that a bracket of +6 % and -8 % pays nothing at: 0.08 / 0.14."""
GOOD = 0.62
SURE_BELOW, SURE_ABOVE = 0.80, 0.90
LEAST_PROFIT_FACTOR = 1.5
LEAST_DECIDED = 20
"""Trades closed at target or stop that a step needs."""
BCS_STEP, Q_STEP = 0.25, 0.01
BOUNDS: Mapping[Param, tuple[float, float]] = {Param.BCS_MIN: (5.5, 8.0), Param.Q_MIN: (0.60, 0.75)}
"""The `_highvix` keys move by the same amounts and have no bounds of their own."""
STEPS_PER_QUARTER = 4
REVIEW_EVERY = 10
"""Closed trades between two reviews; the weekly one comes in any case."""
EJECT_AFTER, EJECT_BELOW = 4, 0.35
MONITOR_AFTER, MONITOR_BELOW = 2, 0.45
EJECTED_SESSIONS = 60
COOLDOWN_PROFIT, COOLDOWN_LOSS, COOLDOWN_MANUAL = 1, 3, 5
"""Sessions after that of an exit in which the instrument is left alone."""
_BY_HAND = frozenset({ExitReason.MANUAL, ExitReason.EMERGENCY})
_PARTNERS = ((Param.BCS_MIN, Param.BCS_MIN_HIGHVIX, BCS_STEP), (Param.Q_MIN, Param.Q_MIN_HIGHVIX, Q_STEP))
_DIGITS = 6
_REWARDS = {
    ExitReason.TARGET: 1.0,
    ExitReason.STOP: -1.0,
    ExitReason.TIME: -0.2,
    ExitReason.NEWS: -1.0,
}
_REWARD_PER_SESSION = -0.01


def default_policy(config: GapsConfig, policy_id: str) -> GapsPolicy:
    """What the configuration alone asks for: no trade was closed yet."""
    return GapsPolicy(policy_id, config.bcs_min, config.bcs_min_highvix, config.q_min, config.q_min_highvix)


def reward(reason: ExitReason, sessions: int) -> float | None:
    """Target +1, stop and news -1, time -0.2, minus 0.01 a session (SPEC 3.10); None: not rated."""
    base = _REWARDS.get(reason)
    return None if base is None else base + _REWARD_PER_SESSION * sessions


def shrunk_rate(wins: int, n: int) -> float:
    """Share of wins drawn towards the long run: (5.6 + wins) / (10 + n)."""
    return (PRIOR_WINS + wins) / (PRIOR_WINS + PRIOR_LOSSES + n)


def first_after(calendar: Sessions, day: date, skipped: int) -> date:
    """The session after `day` that has `skipped` sessions between; weekdays where the calendar ends."""
    known = calendar.between(day + timedelta(days=1), day + timedelta(days=2 * skipped + 14))
    if len(known) > skipped:
        return known[skipped].day
    left, at = skipped - len(known), known[-1].day if known else day
    while left >= 0:
        at += timedelta(days=1)
        left -= at.weekday() < 5
    return at


def standing_of(trades: Sequence[ClosedTrade], calendar: Sessions) -> TickerStanding:
    """Of one instrument by its own closed trades, at least one, in order of exit."""
    n, wins = len(trades), sum(trade.is_won for trade in trades)
    rate = shrunk_rate(wins, n)
    if n >= EJECT_AFTER and rate < EJECT_BELOW - EPSILON:
        until = first_after(calendar, trades[-1].exit_session, EJECTED_SESSIONS)
        return TickerStanding(TickerState.EJECTED, rate, wins, n, until)
    is_weak = n >= MONITOR_AFTER and rate < MONITOR_BELOW - EPSILON
    return TickerStanding(TickerState.MONITORED if is_weak else TickerState.ACTIVE, rate, wins, n)


def cooldown_until(trade: ClosedTrade, calendar: Sessions) -> date:
    """First session in which its instrument may be entered again."""
    if trade.exit_reason in _BY_HAND:
        skipped = COOLDOWN_MANUAL
    else:
        is_profit = trade.is_won and trade.exit_reason is not ExitReason.STOP
        skipped = COOLDOWN_PROFIT if is_profit else COOLDOWN_LOSS
    return first_after(calendar, trade.exit_session, skipped)


class VoteScores:
    """How often each agent voted right: approvals that won and vetoes that lost are right.

    A candidate that was traded and also followed on paper counts once, by what was traded. An abstention is
    no vote.
    """

    def __init__(self, trades: Iterable[ClosedTrade] = ()) -> None:
        self._right: defaultdict[str, int] = defaultdict(int)
        self._scored: defaultdict[str, int] = defaultdict(int)
        self._decided: dict[CorrelationId, ClosedTrade] = {}
        for trade in trades:
            self.add(trade)

    def add(self, trade: ClosedTrade) -> None:
        """One more that ended."""
        known = self._decided.get(trade.correlation)
        if known is None or known.shadow:
            if known is not None:
                self._count(known, -1)
            self._decided[trade.correlation] = trade
            self._count(trade, 1)

    def _count(self, trade: ClosedTrade, by: int) -> None:
        for agent, vote in trade.votes.items():
            if vote is not Vote.ABSTAIN:
                self._scored[agent] += by
                self._right[agent] += by * ((vote is Vote.APPROVE) == trade.is_won)

    def accuracy(self) -> dict[str, tuple[float, int]]:
        """Agent -> (share of right votes, votes scored)."""
        return {agent: (self._right[agent] / n, n) for agent, n in sorted(self._scored.items()) if n}


def remembered(
    thresholds: GapsPolicy,
    real: Iterable[ClosedTrade],
    accuracy: Mapping[str, tuple[float, int]],
    calendar: Sessions,
) -> GapsPolicy:
    """The thresholds with everything that closed trades and scored votes add to them."""
    in_order = sorted((trade for trade in real if not trade.shadow), key=_by_exit)
    of_instrument: defaultdict[InstrumentId, list[ClosedTrade]] = defaultdict(list)
    for trade in in_order:
        of_instrument[trade.instrument].append(trade)
    return replace(
        thresholds,
        closed_trades=len(in_order),
        accuracy=accuracy,
        standings={name: standing_of(own, calendar) for name, own in of_instrument.items()},
        cooldown_until={name: cooldown_until(own[-1], calendar) for name, own in of_instrument.items()},
    )


class Direction(StrEnum):
    """Where a review moves the thresholds."""

    RAISE = "raise"
    LOWER = "lower"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Findings:
    """What the decided trades say. `profit_factor` None: there was no loss, or no trade at all."""

    wins: int
    losses: int
    p_below: float
    """Chance that the true share of targets is under the break-even."""
    p_above: float
    """Chance that it is above what counts as good."""
    profit_factor: float | None
    trades: tuple[CorrelationId, ...]
    """Closed at target or stop, by exit."""

    @property
    def n(self) -> int:
        """Trades closed at target or stop."""
        return self.wins + self.losses

    @property
    def direction(self) -> Direction:
        """Where the thresholds should go by these trades alone."""
        if self.n < LEAST_DECIDED:
            return Direction.KEEP
        if self.p_below > SURE_BELOW + EPSILON:
            return Direction.RAISE
        gains = self.profit_factor is None or self.profit_factor > LEAST_PROFIT_FACTOR + EPSILON
        return Direction.LOWER if self.p_above > SURE_ABOVE + EPSILON and gains else Direction.KEEP

    def words(self) -> str:
        """The measured numbers against their limits, as one sentence."""
        if self.n < LEAST_DECIDED:
            return f"{self.n} trades closed at target or stop, {LEAST_DECIDED} are needed"
        factor = "none lost" if self.profit_factor is None else f"profit factor {self.profit_factor:.2f}"
        return (
            f"{self.wins} of {self.n} at target: P(rate < {BREAK_EVEN}) {self.p_below:.3f}, limit"
            f" {SURE_BELOW:.2f}; P(rate > {GOOD}) {self.p_above:.3f}, limit {SURE_ABOVE:.2f} with"
            f" {factor}, limit {LEAST_PROFIT_FACTOR}"
        )


def posterior(wins: int, losses: int) -> tuple[float, float]:
    """P(rate < break-even) and P(rate > good) of Beta(5.6 + wins, 4.4 + losses)."""
    a, b = PRIOR_WINS + wins, PRIOR_LOSSES + losses
    return beta_cdf(BREAK_EVEN, a, b), 1 - beta_cdf(GOOD, a, b)


def findings_of(trades: Iterable[ClosedTrade]) -> Findings:
    """Of the closed trades; those followed on paper are not counted."""
    real = sorted((trade for trade in trades if not trade.shadow), key=_by_exit)
    decided = [trade for trade in real if trade.exit_reason in (ExitReason.TARGET, ExitReason.STOP)]
    wins = sum(trade.exit_reason is ExitReason.TARGET for trade in decided)
    gains = sum(trade.net for trade in real if trade.net > 0)
    losses = -sum(trade.net for trade in real if trade.net < 0)
    below, above = posterior(wins, len(decided) - wins)
    factor = gains / losses if losses > 0 else None
    names = tuple(trade.correlation for trade in decided)
    return Findings(wins, len(decided) - wins, below, above, factor, names)


def moves_of(direction: Direction, policy: GapsPolicy) -> tuple[ParamMove, ...]:
    """What one step changes: each threshold within its bounds, its `_highvix` key by the same amount.

    One that a person set beyond its bounds stays where it is.
    """
    moves: list[ParamMove] = []
    if direction is Direction.KEEP:
        return ()
    for param, partner, step in _PARTNERS:
        low, high = BOUNDS[param]
        now, also = getattr(policy, param), getattr(policy, partner)
        if not low <= now <= high:
            continue
        new = min(now + step, high) if direction is Direction.RAISE else max(now - step, low)
        if abs(new - now) > EPSILON:
            moves.append(ParamMove(param, now, round(new, _DIGITS)))
            moves.append(ParamMove(partner, also, round(also + new - now, _DIGITS)))
    return tuple(moves)


def moves_back(moves: Iterable[ParamMove], policy: GapsPolicy) -> tuple[ParamMove, ...]:
    """What takes a step back: by as much as it moved, and no further than to the bounds."""
    made = {move.param: move.new - move.old for move in moves}
    back: list[ParamMove] = []
    for param, partner, _ in _PARTNERS:
        low, high = BOUNDS[param]
        now, also = getattr(policy, param), getattr(policy, partner)
        new = now - made.get(param, 0.0)
        if low <= now <= high:
            new = min(max(new, low), high)
        if abs(new - now) > EPSILON:
            back.append(ParamMove(param, now, round(new, _DIGITS)))
            back.append(ParamMove(partner, also, round(also + new - now, _DIGITS)))
    return tuple(back)


def moved(policy: GapsPolicy, moves: Iterable[ParamMove], policy_id: str) -> GapsPolicy:
    """The policy after a step."""
    values = {move.param.value: move.new for move in moves}
    return GapsPolicy(
        policy_id,
        values.get(Param.BCS_MIN, policy.bcs_min),
        values.get(Param.BCS_MIN_HIGHVIX, policy.bcs_min_highvix),
        values.get(Param.Q_MIN, policy.q_min),
        values.get(Param.Q_MIN_HIGHVIX, policy.q_min_highvix),
        policy.closed_trades,
        policy.accuracy,
        policy.standings,
        policy.cooldown_until,
    )


def quarter_of(day: date) -> tuple[int, int]:
    """Calendar year and quarter."""
    return day.year, (day.month - 1) // 3


def _by_exit(trade: ClosedTrade) -> tuple[int, str]:
    return trade.exit_us, trade.correlation
