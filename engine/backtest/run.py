"""One back-test of the naive rule, from bars to the rows of its document."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from engine.backtest.document import TradeRow, TruncatedTrade, bars_left
from engine.backtest.limits import Denial, PortfolioRule, run_limited
from engine.backtest.naive import NaiveRule, NaiveTrade, naive_trades
from engine.errors import InvariantBroken
from engine.model.candidates import Regime
from engine.model.ids import InstrumentId, symbol_of
from engine.ports import BarColumns


@dataclass(frozen=True, slots=True)
class Limits:
    """The account that limits a back-test, and the regime at the open of each session."""

    portfolio: PortfolioRule
    regimes: Mapping[date, Regime]


@dataclass(frozen=True, slots=True)
class BacktestRun:
    """`candidates` counts all that the rule found, `denied` those that the account had no room for."""

    rows: tuple[TradeRow, ...]
    truncated: tuple[TruncatedTrade, ...]
    candidates: int
    denied: Mapping[Denial, int]


def backtest_naive(
    bars: Mapping[InstrumentId, BarColumns],
    rule: NaiveRule,
    first: date | None = None,
    last: date | None = None,
    limits: Limits | None = None,
) -> BacktestRun:
    """Trades with an entry session in first..last; `limits` None: each candidate is a trade of its own."""
    found = naive_trades(bars, rule, first, last)
    taken, denied = found, dict[Denial, int]()
    if limits is not None:
        run = run_limited(found, bars, limits.portfolio, limits.regimes)
        taken, denied = tuple(one.trade for one in run.taken), dict(run.denied)
    rows: list[TradeRow] = []
    truncated: list[TruncatedTrade] = []
    for trade in taken:
        if trade.is_complete:
            rows.append(_row(trade))
        else:
            left = bars_left(bars[trade.instrument], trade.session)
            truncated.append(TruncatedTrade(symbol_of(trade.instrument), trade.session, trade.entry, left))
    return BacktestRun(tuple(rows), tuple(truncated), len(found), denied)


def _row(trade: NaiveTrade) -> TradeRow:
    price, reason = trade.exit_price, trade.exit_reason
    if price is None or reason is None:
        raise InvariantBroken(f"{trade.instrument} of {trade.session} is complete but has no exit")
    return TradeRow(
        symbol=symbol_of(trade.instrument),
        session=trade.session,
        entry=trade.entry,
        exit=price,
        exit_reason=reason,
        ret=price / trade.entry - 1,
        sessions=trade.sessions,
    )
