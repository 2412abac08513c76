"""The full rule over stored bars, from forecasts to figures: at 1x and 2x cost, beside what it must beat.

The account begins where the first model does and lives through every session to the last bar. What is taken
is decided before anybody knows what it will cost: at twice the cost the same decisions are paid for twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from engine.backtest.brackets import BracketKernel, BracketRule, BracketRun, Decide, Purse, Tape, by_session
from engine.backtest.costs import Costs
from engine.backtest.figures import (
    AccountTable,
    NetTrade,
    TradeTable,
    account_table,
    net_trades,
    trade_table,
)
from engine.backtest.full import Decisions, FullRule, Rows, shares_of
from engine.backtest.naive import NaiveTrade
from engine.model.evidence import EdgeEvidence
from engine.ports import BarColumns
from engine.risk.limits import RiskConfig
from engine.statistics.returns import SESSIONS_A_YEAR, max_drawdown, sharpe, yearly_growth
from engine.strategies.evidence import edge_evidence
from engine.strategies.gaps_config import GapsConfig

MULTIPLES = (1, 2)
"""Costs that every result is told at (SPEC 9.4)."""
EVIDENCE_SEED = 11
STEP = 0.20
"""How far each threshold is moved (SPEC 9.6)."""
THRESHOLDS: Mapping[str, tuple[str, ...]] = {
    "gap_min": ("gap_min",),
    "gap_max": ("gap_max",),
    "price_max": ("price_max",),
    "adv_min_usd": ("adv_min_usd",),
    "rsi2_max": ("rsi2_max",),
    "dist_200_min": ("dist_200_min",),
    "liquidity_delta_min_pct": ("liquidity_delta_min_pct",),
    "slippage_max_pct": ("slippage_max_pct",),
    "q_min": ("q_min", "q_min_highvix"),
    "bcs_min": ("bcs_min", "bcs_min_highvix"),
    "stop_pct": ("stop_pct",),
    "target_pct": ("target_pct",),
    "max_sessions": ("max_sessions",),
    "size_pct": ("size_pct", "size_pct_highvix"),
}
"""What is moved -> the keys that move with it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a study is run with."""

    config: GapsConfig
    risk: RiskConfig
    costs: Costs
    initial_cash: float
    trials: int
    """Configurations that were tried before and with this one."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run: its trades, its account since `first`, and how equity went, session by session."""

    trades: tuple[NetTrade, ...]
    table: TradeTable
    account: AccountTable
    days: tuple[date, ...]
    equity: np.ndarray
    """At the closes (T,)."""
    falls: np.ndarray
    """From the highest until then, at or below 0 (T,)."""
    denied: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Moved:
    """A result with one threshold moved."""

    key: str
    value: float
    factor: float
    table: TradeTable
    sharpe: float | None
    total: float


@dataclass(frozen=True, slots=True)
class Dated:
    """Evidence as it stood before the session `day`: trades that had ended by then."""

    day: date
    evidence: EdgeEvidence


@dataclass(frozen=True, slots=True)
class Held:
    """Buying at the first close and holding."""

    total: float
    yearly: float | None
    sharpe: float | None
    max_drawdown: float


@dataclass(frozen=True, slots=True)
class Study:
    """All of it. `results`: multiple of the cost -> result; `passed`: gate -> rows that got past it (N,)."""

    rows: Rows
    rule: FullRule
    tape: Tape
    terms: Terms
    passed: Mapping[str, np.ndarray]
    results: Mapping[int, Result]
    naive: Result
    spy: Held | None
    evidence: EdgeEvidence
    path: tuple[Dated, ...]
    moved: tuple[Moved, ...]

    @property
    def opened(self) -> date | None:
        """The first day on which the evidence gate stood open; None: never."""
        return next((one.day for one in self.path if one.evidence.is_shown), None)


def run_study(
    rows: Rows,
    tape: Tape,
    naive: Sequence[NaiveTrade],
    spy: BarColumns | None,
    terms: Terms,
    quarters: Sequence[date],
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Study:
    """`naive`: the candidates of the baseline; `quarters`: first days on which the evidence is looked at.

    Rows without a forecast decide nothing. `told(done, total)` after each run.
    """
    total, done = 2 * len(THRESHOLDS) + len(MULTIPLES) + 1, 0
    first = _first(rows, tape)
    rule = FullRule(rows, terms.config, terms.risk, terms.costs.spread_bps)
    decisions = Decisions(rule, tape)
    shares = shares_of(rule, tape)
    results: dict[int, Result] = {}
    for multiple in MULTIPLES:
        results[multiple] = _result(tape, terms, terms.costs.times(multiple), decisions, shares, first)
        told(done := done + 1, total)
    baseline = _baseline(rows, tape, naive, terms, shares, first)
    told(done := done + 1, total)
    moved = []
    for one in sensitivity(rows, tape, terms, first):
        moved.append(one)
        told(done := done + 1, total)
    trades = results[1].trades
    return Study(
        rows=rows,
        rule=rule,
        tape=tape,
        terms=terms,
        passed=_passed(rule, decisions),
        results=results,
        naive=baseline,
        spy=None if spy is None else _hold(spy, results[1].days),
        evidence=_evidence(trades),
        path=tuple(
            Dated(day, _evidence([trade for trade in trades if trade.left < day])) for day in quarters
        ),
        moved=tuple(moved),
    )


def _first(rows: Rows, tape: Tape) -> int:
    """The session of the first forecast; the last session where there is none."""
    asked = rows.place[rows.outlook.is_there]
    return min((tape.session[place] for place in asked.tolist()), default=len(tape.sessions) - 1)


def _passed(rule: FullRule, decisions: Decisions) -> dict[str, np.ndarray]:
    """Rows that pass a gate and all before it."""
    left = np.ones(len(rule.rows.panel), dtype=np.bool_)
    found = {}
    for name, gate in rule.fixed.items():
        left = left & gate
        found[name] = left
    nothing = np.zeros(len(left), dtype=np.bool_)
    return found | {name: decisions.moved.get(name, nothing) for name in ("slippage", "EV", "BCS")}


def bracket_rule(config: GapsConfig) -> BracketRule:
    """How the strategy's brackets are left, filled as SPEC 9.5 says."""
    return BracketRule(config.stop_pct, config.target_pct, config.max_sessions)


def purse_of(terms: Terms, shares: Sequence[float]) -> Purse:
    """One account with the strategy's own limits (SPEC 3.7.3, 3.8)."""
    config = terms.config
    return Purse(
        terms.initial_cash,
        shares=shares,
        max_concurrent=config.max_concurrent,
        per_session=config.entries_per_session,
        cash_cover=config.cash_cover,
    )


def _result(
    tape: Tape, terms: Terms, costs: Costs, decide: Decide, shares: Sequence[float], first: int
) -> Result:
    run = BracketKernel(tape, bracket_rule(terms.config), costs, purse_of(terms, shares)).run(decide)
    trades = net_trades(run, tape)
    values = run.equity[first:]
    account = account_table(
        values[1:] / values[:-1] - 1,
        run.gross[first:],
        run.turnover[first:],
        _effects(run, tape),
        terms.trials,
    )
    return Result(
        trades=trades,
        table=trade_table(trades),
        account=account,
        days=tape.sessions[first:],
        equity=values[1:],
        falls=values[1:] / np.maximum.accumulate(values)[1:] - 1,
        denied={str(reason): count for reason, count in run.denied.items()},
    )


def _effects(run: BracketRun, tape: Tape) -> np.ndarray:
    """Each trade's profit as a share of equity before its session (N,)."""
    return np.array([trade.pnl / run.equity[tape.session[trade.place]] for trade in run.trades])


def _baseline(
    rows: Rows, tape: Tape, naive: Sequence[NaiveTrade], terms: Terms, shares: Sequence[float], first: int
) -> Result:
    """The naive rule in the same account at 1x cost, deepest gap first."""
    number = {name: at for at, name in enumerate(tape.instruments)}
    since = tape.sessions[first]
    taken = [trade for trade in naive if trade.session >= since]
    places = tape.table.places(
        np.array([number[trade.instrument] for trade in taken], dtype=np.int64),
        np.array([trade.row for trade in taken], dtype=np.int64),
    )
    row_of = {place: row for row, place in enumerate(rows.place.tolist())}
    at = np.array([row_of[place] for place in places.tolist()], dtype=np.int64)
    sigma = rows.value("realized_vol_20")[at] / np.sqrt(SESSIONS_A_YEAR)
    decide = by_session(tape, places, sigma, rows.value("adv_usd_20")[at])
    return _result(tape, terms, terms.costs, decide, shares, first)


def variants(config: GapsConfig) -> Iterator[tuple[str, float, GapsConfig]]:
    """What is moved, by which factor, and the configuration with it moved, one at a time."""
    for key, keys in THRESHOLDS.items():
        for factor in (1 - STEP, 1 + STEP):
            changes: dict[str, Any] = {name: _scaled(config, name, factor) for name in keys}
            yield key, factor, replace(config, **changes)


def sensitivity(rows: Rows, tape: Tape, terms: Terms, first: int) -> Iterator[Moved]:
    """The study at 1x cost with each threshold moved by a fifth either way."""
    for key, factor, config in variants(terms.config):
        rule = FullRule(rows, config, terms.risk, terms.costs.spread_bps)
        found = _result(
            tape,
            replace(terms, config=config),
            terms.costs,
            Decisions(rule, tape),
            shares_of(rule, tape),
            first,
        )
        value = float(getattr(config, key))
        yield Moved(key, value, factor, found.table, found.account.sharpe, found.account.total)


def _scaled(config: GapsConfig, key: str, factor: float) -> float | int:
    value = getattr(config, key)
    return round(value * factor) if isinstance(value, int) else value * factor


def _evidence(trades: Sequence[NetTrade]) -> EdgeEvidence:
    return edge_evidence([trade.net for trade in trades], [trade.session for trade in trades], EVIDENCE_SEED)


def _hold(spy: BarColumns, days: Sequence[date]) -> Held | None:
    """None where fewer than two of the days have a bar."""
    wanted = np.isin(spy.day.astype("datetime64[D]"), np.array(days, dtype="datetime64[D]"))
    closes = spy.close[wanted]
    if len(closes) < 2:
        return None
    returns = closes[1:] / closes[:-1] - 1
    return Held(
        float(np.prod(1 + returns) - 1),
        yearly_growth(returns, SESSIONS_A_YEAR),
        sharpe(returns, SESSIONS_A_YEAR),
        max_drawdown(returns),
    )
