"""What a run of brackets came to: its trades and its account in the figures of SPEC 9.1, 9.2, 9.3, 9.6."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.backtest.brackets import REASONS, BracketRun, BracketTrade, Tape
from engine.model.ids import symbol_of
from engine.statistics.resampling import MonteCarlo, bootstrapped, shuffled
from engine.statistics.returns import (
    SESSIONS_A_YEAR,
    calmar,
    exposure,
    max_drawdown,
    sharpe,
    sortino,
    volatility,
    yearly_growth,
)
from engine.statistics.sharpe import DeflatedSharpe, deflated_sharpe, sharpe_interval
from engine.statistics.trades import MEANINGFUL, WinRate, excursions, longest_losing_run, rate_of

RUIN = 0.15
"""Fall of equity at which the breaker's last level stops the account (SPEC 4.8.4)."""
SEED = 7


@dataclass(frozen=True, slots=True)
class NetTrade:
    """A finished trade as it is reported. Prices in entry-day dollars, `net` a fraction of what was paid."""

    symbol: str
    session: date
    left: date
    reason: str
    entry: float
    exit: float
    shares: float
    gross: float
    """exit / entry - 1 before slippage and fees."""
    net: float
    pnl: float
    sessions: int
    adverse: float
    favorable: float
    place: int


def net_trades(run: BracketRun, tape: Tape) -> tuple[NetTrade, ...]:
    """By session of the entry, in the order of entry."""
    return tuple(_net(trade, tape) for trade in sorted(run.trades, key=lambda trade: trade.number))


def _net(trade: BracketTrade, tape: Tape) -> NetTrade:
    return NetTrade(
        symbol_of(tape.instruments[tape.owner[trade.place]]),
        tape.sessions[tape.session[trade.place]],
        tape.sessions[tape.session[trade.last_place]],
        str(REASONS[trade.reason]),
        trade.entry,
        trade.exit,
        trade.shares,
        trade.exit / trade.entry - 1,
        trade.pnl / (trade.shares * trade.paid),
        trade.pnl,
        trade.sessions,
        trade.adverse,
        trade.favorable,
        trade.place,
    )


@dataclass(frozen=True, slots=True)
class TradeTable:
    """Figures of trades; returns are net fractions of what was paid, None where nothing can be said."""

    rate: WinRate
    mean: float | None
    median: float | None
    profit_factor: float | None
    payoff: float | None
    sessions: float | None
    """Mean holding; the entry session is 1."""
    ways: dict[str, int]
    losing_run: int
    mean_adverse: float | None
    worst_adverse: float | None
    mean_favorable: float | None
    best_favorable: float | None

    @property
    def is_meaningful(self) -> bool:
        """Whether there are trades enough for any ratio (SPEC 9.2)."""
        return self.rate.n >= MEANINGFUL


def trade_table(trades: Sequence[NetTrade]) -> TradeTable:
    """Of trades in any order; the longest losing run goes by the sessions they ended in."""
    nets = np.array([trade.net for trade in trades])
    won, lost = nets[nets > 0], -nets[nets < 0]
    ended = sorted(trades, key=lambda trade: (trade.left, trade.session, trade.symbol))
    moved = excursions([trade.adverse for trade in trades], [trade.favorable for trade in trades])
    return TradeTable(
        rate=rate_of(len(won), len(nets)),
        mean=float(nets.mean()) if len(nets) else None,
        median=float(np.median(nets)) if len(nets) else None,
        profit_factor=float(won.sum() / lost.sum()) if len(lost) else None,
        payoff=float(won.mean() / lost.mean()) if len(won) and len(lost) else None,
        sessions=float(np.mean([trade.sessions for trade in trades])) if trades else None,
        ways=counted(trades, lambda trade: trade.reason),
        losing_run=longest_losing_run(trade.net for trade in ended),
        mean_adverse=moved.mean_adverse,
        worst_adverse=moved.worst_adverse,
        mean_favorable=moved.mean_favorable,
        best_favorable=moved.best_favorable,
    )


def counted(trades: Iterable[NetTrade], key: Callable[[NetTrade], str]) -> dict[str, int]:
    """How many trades have each key, by key."""
    found: dict[str, int] = {}
    for trade in trades:
        found[key(trade)] = found.get(key(trade), 0) + 1
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class AccountTable:
    """Figures of the returns of sessions on all equity, idle cash included. `None`: nothing can be said."""

    sessions: int
    total: float
    yearly: float | None
    volatility: float | None
    sharpe: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    """95 % of a block bootstrap."""
    deflated: DeflatedSharpe | None
    sortino: float | None
    max_drawdown: float
    calmar: float | None
    invested: float | None
    """Share of sessions with a position at the close."""
    gross: float | None
    """Mean share of equity in positions."""
    turnover: float | None
    paths: MonteCarlo | None
    orders: MonteCarlo | None
    """The trades' effects on equity in other orders."""


def account_table(
    returns: np.ndarray, gross: np.ndarray, turnover: np.ndarray, effects: np.ndarray, trials: int
) -> AccountTable:
    """Of returns (T,) of sessions; `effects` (N,): each trade's profit as a share of equity before it."""
    interval = sharpe_interval(returns, SESSIONS_A_YEAR)
    shares = exposure(gross)
    return AccountTable(
        sessions=len(returns),
        total=float(np.prod(1 + returns) - 1),
        yearly=yearly_growth(returns, SESSIONS_A_YEAR),
        volatility=volatility(returns, SESSIONS_A_YEAR),
        sharpe=sharpe(returns, SESSIONS_A_YEAR),
        sharpe_low=None if interval is None else interval[0],
        sharpe_high=None if interval is None else interval[1],
        deflated=deflated_sharpe(returns, trials),
        sortino=sortino(returns, SESSIONS_A_YEAR),
        max_drawdown=max_drawdown(returns),
        calmar=calmar(returns, SESSIONS_A_YEAR),
        invested=None if shares is None else shares[0],
        gross=None if shares is None else shares[1],
        turnover=float(turnover.mean()) if len(turnover) else None,
        paths=bootstrapped(returns, RUIN, SEED),
        orders=shuffled(effects, RUIN, SEED),
    )
