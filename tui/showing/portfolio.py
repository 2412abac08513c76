"""What Portfolio shows, made from the engine's books, its record of values and its closed trades."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.core import Engine
from engine.execution.bracket import Bracket
from engine.model.ids import symbol_of
from engine.model.orders import OrderState
from engine.model.positions import RoundTrip
from engine.money import ZERO
from engine.risk.daily import day_of, start_us
from engine.statistics.returns import sharpe
from engine.statistics.sharpe import sharpe_interval, sharpe_probability
from engine.statistics.trades import MEANINGFUL, WinRate, trade_figures, win_rate
from tui.showing.equity import day_returns
from tui.showing.realised import Realised
from tui.showing.trades import Trades
from tui.shown.portfolio import (
    InstrumentRow,
    PortfolioView,
    PositionRow,
    RateView,
    RoundTripRow,
    StrategyRow,
)

MOST_TRIPS = 100
MOST_INSTRUMENTS = 50
HOUR_US = 3_600_000_000
MONTH_US = 30 * 24 * HOUR_US
LONGEST_SAMPLE = 756
"""Daily returns, three years: a longer bootstrap would be felt, and says nothing more of today."""
_MAY_FILL = frozenset({OrderState.SENDING, OrderState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class _Sharpe:
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    probability: float | None = None
    reason: str = ""
    days: int = 0


@dataclass(frozen=True, slots=True)
class _Closed:
    """What follows from closed trades alone."""

    win: RateView
    win_30d: RateView
    win_30d_before: RateView
    win_change: float | None
    best: RoundTripRow | None
    worst: RoundTripRow | None
    profit_factor: float | None
    expectancy: Decimal | None
    round_trips: tuple[RoundTripRow, ...]
    strategies: tuple[StrategyRow, ...]
    instruments: tuple[InstrumentRow, ...]


class PortfolioMaker:
    """Of one engine. Keeps what only a closed trade, or the end of a day, can change."""

    def __init__(self, engine: Engine, trades: Trades) -> None:
        self._engine = engine
        self._trades = trades
        self._realised = Realised(engine)
        self._closed: tuple[tuple[int, int], _Closed] | None = None
        self._sharpe: tuple[tuple[int, int], _Sharpe] | None = None

    def make(self) -> PortfolioView:
        """As of now."""
        engine = self._engine
        risk, record = engine.risk.view(), engine.risk.record
        equity, now = risk.equity, engine.parts.clock.now_us()
        put_in = engine.books.initial_cash + engine.books.deposits
        change = None if equity is None else equity - put_in
        day = None if equity is None else equity - risk.day_start
        fall = None if risk.drawdown is None else float(risk.drawdown)
        worst, worst_us = deepest(engine, fall)
        positions = tuple(position_rows(engine))
        held = exposure(engine)
        closed, sharpe = self._closed_now(now), self._sharpe_now()
        return PortfolioView(
            equity=equity,
            put_in=put_in,
            change=change,
            change_ratio=_ratio(change, put_in),
            started_us=record.started_us,
            day_start=risk.day_start,
            day_pnl=day,
            day_pnl_ratio=_ratio(day, risk.day_start),
            realised_today=self._realised.since(self._day_start(now)),
            win=closed.win,
            win_30d=closed.win_30d,
            win_30d_before=closed.win_30d_before,
            win_change=closed.win_change,
            best=closed.best,
            worst=closed.worst,
            sharpe=sharpe.ratio,
            sharpe_low=sharpe.low,
            sharpe_high=sharpe.high,
            sharpe_probability=sharpe.probability,
            sharpe_reason=sharpe.reason,
            sharpe_days=sharpe.days,
            profit_factor=closed.profit_factor,
            expectancy=closed.expectancy,
            drawdown_ratio=fall,
            worst_drawdown_ratio=worst,
            worst_drawdown_us=worst_us,
            exposure=held,
            exposure_ratio=_ratio(held, equity),
            positions=positions,
            unknown=sum(row.unknown for row in positions),
            round_trips=closed.round_trips,
            strategies=closed.strategies,
            instruments=closed.instruments,
        )

    def _day_start(self, now: int) -> int:
        roll = self._engine.parts.day_roll
        return start_us(day_of(now, roll), roll)

    def _closed_now(self, now: int) -> _Closed:
        key = (self._trades.version, now // HOUR_US)
        if self._closed is None or self._closed[0] != key:
            self._closed = key, _closed(self._engine, self._trades.newest_first(), now)
        return self._closed[1]

    def _sharpe_now(self) -> _Sharpe:
        key = (self._trades.version, self._engine.risk.record.finished_days)
        if self._sharpe is None or self._sharpe[0] != key:
            self._sharpe = key, _sharpe(self._engine, len(self._trades.newest_first()))
        return self._sharpe[1]


def deepest(engine: Engine, fall: float | None) -> tuple[float | None, int | None]:
    """The worst drawdown ever marked and when, or that of now where it is worse. `fall`: of now."""
    record = engine.risk.record
    worst = float(record.worst)
    if fall is not None and fall > worst:
        return fall, engine.parts.clock.now_us()
    return (None, None) if fall is None and record.worst_us is None else (worst, record.worst_us)


def exposure(engine: Engine) -> Decimal | None:
    """What is held at its last prices; None where one is not known."""
    total = ZERO
    for bracket in engine.brackets.open():
        if bracket.held != ZERO:
            last = engine.picture.last_decimal(bracket.instrument)
            if last is None:
                return None
            total += bracket.held * last
    return total


def may_still_buy(bracket: Bracket) -> Decimal:
    """Shares that an entry whose fate is not known may have bought beyond those that are proved."""
    entry = bracket.entry
    return entry.remaining if entry.state in _MAY_FILL else ZERO


def entry_average(bracket: Bracket) -> Decimal | None:
    """What a share was paid, in today's dollars; None where nothing was bought."""
    fills = bracket.entry.fills
    bought = sum((fill.quantity for fill in fills), ZERO)
    return sum((f.quantity * f.price for f in fills), ZERO) / bought * bracket.ratio if bought else None


def position_rows(engine: Engine) -> list[PositionRow]:
    """Everything that is held or may be; what is not certain comes last."""
    found = [b for b in engine.brackets.open() if b.held != ZERO or b.entry.state is OrderState.UNKNOWN]
    rows = [_position_row(engine, bracket) for bracket in found]
    return sorted(rows, key=lambda row: row.unknown)


def _position_row(engine: Engine, bracket: Bracket) -> PositionRow:
    last = engine.picture.last_decimal(bracket.instrument)
    average, most = entry_average(bracket), bracket.held + may_still_buy(bracket)
    is_marked = last is not None and average is not None and bracket.held != ZERO
    targets_left = bracket.progress.tiers_done < len(bracket.exit_plan.targets)
    target = bracket.target_now if targets_left else None
    day, days = bracket.sessions_held + 1, bracket.max_sessions
    return PositionRow(
        ticket=bracket.ticket,
        number=bracket.number,
        symbol=symbol_of(bracket.instrument),
        strategy=bracket.strategy,
        quantity=bracket.held,
        quantity_high=most,
        average=average,
        last=None if last is None else float(last),
        value=None if last is None else bracket.held * last,
        value_high=None if last is None else most * last,
        pnl=bracket.held * (last - average) if is_marked and last and average else None,
        pnl_ratio=_change(average, last) if is_marked else None,
        stop_price=bracket.stop_now,
        stop_ratio=_change(last, bracket.stop_now),
        target_price=target,
        target_ratio=_change(last, target),
        day=day if days is None else min(day, days),
        max_days=days,
        unknown=bracket.has_unknown,
        protected=bracket.held > ZERO and bracket.cover >= bracket.held,
    )


def _change(before: Decimal | None, after: Decimal | None) -> float | None:
    return float(after / before) - 1 if before and after is not None else None


def _ratio(value: Decimal | None, of: Decimal | None) -> float | None:
    return float(value / of) if value is not None and of is not None and of > ZERO else None


def rate_view(rate: WinRate) -> RateView:
    """As faces are shown it."""
    return RateView(rate.n, rate.wins, rate.ratio, rate.low, rate.high, rate.is_too_few)


def _closed(engine: Engine, trips: Sequence[RoundTrip], now: int) -> _Closed:
    figures = trade_figures([trip.pnl for trip in trips])
    young = win_rate([trip.pnl for trip in trips if now - MONTH_US < trip.exit_us])
    before = win_rate([t.pnl for t in trips if now - 2 * MONTH_US < t.exit_us <= now - MONTH_US])
    known = not (young.is_too_few or before.is_too_few)
    by_profit = sorted(trips, key=lambda trip: trip.pnl)
    return _Closed(
        win=rate_view(figures.rate),
        win_30d=rate_view(young),
        win_30d_before=rate_view(before),
        win_change=(young.ratio or 0.0) - (before.ratio or 0.0) if known else None,
        best=trip_row(by_profit[-1]) if trips else None,
        worst=trip_row(by_profit[0]) if trips else None,
        profit_factor=figures.profit_factor if figures.is_meaningful else None,
        expectancy=figures.expectancy if figures.is_meaningful else None,
        round_trips=tuple(map(trip_row, trips[:MOST_TRIPS])),
        strategies=_strategies(engine, trips),
        instruments=_instruments(trips),
    )


def _strategies(engine: Engine, trips: Iterable[RoundTrip]) -> tuple[StrategyRow, ...]:
    stages = {str(name): terms.stage for name, terms in engine.parts.terms.items()}
    traded: defaultdict[str, list[RoundTrip]] = defaultdict(list, {name: [] for name in stages})
    for trip in trips:
        traded[trip.strategy].append(trip)
    rows = [StrategyRow(name, stages.get(name, ""), *_sums(found)) for name, found in sorted(traded.items())]
    return tuple(sorted(rows, key=lambda row: -row.win.n))


def _instruments(trips: Iterable[RoundTrip]) -> tuple[InstrumentRow, ...]:
    traded: defaultdict[str, list[RoundTrip]] = defaultdict(list)
    for trip in trips:
        traded[trip.instrument].append(trip)
    rows = [_instrument_row(found) for _, found in sorted(traded.items())]
    return tuple(sorted(rows, key=lambda row: -row.net)[:MOST_INSTRUMENTS])


def _instrument_row(trips: Sequence[RoundTrip]) -> InstrumentRow:
    profits = [trip.pnl for trip in trips]
    figures = trade_figures(profits)
    return InstrumentRow(
        symbol_of(trips[0].instrument),
        *_sums(trips),
        max(profits),
        min(profits),
        figures.profit_factor if figures.is_meaningful else None,
        figures.expectancy if figures.is_meaningful else None,
    )


def _sums(trips: Sequence[RoundTrip]) -> tuple[RateView, float | None, Decimal]:
    """Win rate, mean return and net profit."""
    mean = sum(trip.return_ratio for trip in trips) / len(trips) if trips else None
    profits = [trip.pnl for trip in trips]
    return rate_view(win_rate(profits)), mean, sum(profits, ZERO)


def trip_row(trip: RoundTrip) -> RoundTripRow:
    """A finished trade as faces are shown it."""
    return RoundTripRow(
        ticket=trip.ticket,
        number=trip.number,
        symbol=symbol_of(trip.instrument),
        strategy=trip.strategy,
        exit=trip.exit_reason.value,
        entry_us=trip.entry_us,
        exit_us=trip.exit_us,
        quantity=trip.quantity,
        entry_price=trip.entry_price,
        exit_price=trip.exit_price,
        pnl=trip.pnl,
        return_ratio=trip.return_ratio,
        fees=trip.fees,
        sessions=trip.sessions,
    )


def _sharpe(engine: Engine, trades: int) -> _Sharpe:
    returns, periods = day_returns(engine)
    days = len(returns)
    if trades < MEANINGFUL:
        return _Sharpe(reason=f"not meaningful: {trades} of {MEANINGFUL} trades", days=days)
    if days < MEANINGFUL:
        return _Sharpe(reason=f"not meaningful: {days} of {MEANINGFUL} days", days=days)
    ratio = sharpe(returns, periods)
    if ratio is None:
        return _Sharpe(reason="the account's value stood still, or was not positive", days=days)
    low, high = sharpe_interval(returns[-LONGEST_SAMPLE:], periods) or (None, None)
    return _Sharpe(ratio, low, high, sharpe_probability(returns), "", days)
