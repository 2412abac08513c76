"""Back-test and replay as documents: the same shape from the kernel and from the real engine."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from engine.backtest.document import TradeRow, TruncatedTrade, bars_left, build_document, narration
from engine.backtest.limits import PortfolioRule
from engine.backtest.naive import NaiveRule
from engine.backtest.run import Limits, backtest_naive
from engine.execution.matching import GapFill
from engine.execution.records import restore_round_trip
from engine.model.candidates import Regime, Vote
from engine.model.ids import symbol_of
from engine.model.positions import RoundTrip
from engine.money import to_decimal
from engine.ports import Journal
from engine.sources.sessions import ExchangeSessions
from engine.strategies.regime import read_regime
from storage.paths import Home, StatePaths
from tui.settings import Settings
from tui.wiring.market import BarInputs, MarketData, load_market, open_sessions
from tui.wiring.replay import ReplayOptions, join, known_of, read_bars
from tui.wiring.runtime import RunOptions, Runtime

Narrate = Callable[[str], None]


async def replay_document(
    options: RunOptions, replay: ReplayOptions, with_rows: bool, narrate: Narrate
) -> dict[str, object]:
    """Run the real engine over the days and write down its round trips."""
    sessions = open_sessions(options.home)
    data = read_bars(replay, options, sessions, narrate)
    knowledge = known_of(options, data, narrate)
    return await run_document(join(options, replay, data, sessions, knowledge), data, with_rows, narrate)


async def run_document(
    runtime: Runtime, data: MarketData, with_rows: bool, narrate: Narrate
) -> dict[str, object]:
    """Run an engine to the end of its market and write down its round trips."""
    await runtime.start()
    try:
        await runtime.run_until_done()
        return _document_of(runtime, data, with_rows, narrate)
    finally:
        await runtime.stop()


def _document_of(runtime: Runtime, data: MarketData, with_rows: bool, narrate: Narrate) -> dict[str, object]:
    engine, bars = runtime.engine, data.bars
    hold = runtime.options.settings.config.gaps.max_sessions
    rows: list[TradeRow] = []
    truncated: list[TruncatedTrade] = []
    for row in engine.parts.journal.rows("round_trip"):
        trip = restore_round_trip(row)
        left = bars_left(bars[trip.instrument], trip.session)
        if left < hold:
            truncated.append(
                TruncatedTrade(symbol_of(trip.instrument), trip.session, float(trip.entry_price), left)
            )
        else:
            rows.append(trade_row(trip))
    for bracket in engine.brackets.open():
        left = bars_left(bars[bracket.instrument], bracket.session)
        entry = float(bracket.limit_price)
        truncated.append(TruncatedTrade(symbol_of(bracket.instrument), bracket.session, entry, left))
    for line in narration(_screened(engine.parts.journal), data.vix is not None):
        narrate(line)
    narrate(f"state kept in {runtime.state.folder}")
    return build_document(rows, truncated, data.vix, with_rows)


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """One back-test of the naive rule. `limits`: one account with its caps, else all candidates trade."""

    settings: Settings
    home: Home
    state: StatePaths
    inputs: BarInputs
    first: date | None
    last: date | None
    fill: GapFill
    hold: int
    limits: bool


def backtest_document(options: BacktestOptions, with_rows: bool, narrate: Narrate) -> dict[str, object]:
    """Read the bars, run the vectorised back-test and write it down."""
    sessions = open_sessions(options.home)
    market = load_market(options.inputs, options.state, sessions)
    for note in market.notes:
        narrate(note)
    return backtest_of(options, market, sessions, with_rows, narrate)


def backtest_of(
    options: BacktestOptions,
    market: MarketData,
    sessions: ExchangeSessions,
    with_rows: bool,
    narrate: Narrate,
) -> dict[str, object]:
    """The vectorised back-test on bars that are at hand."""
    gaps = options.settings.config.gaps
    rule = NaiveRule(
        price_min=gaps.price_min,
        price_max=gaps.price_max,
        adv_min_usd=gaps.adv_min_usd,
        stop_pct=gaps.stop_pct,
        target_pct=gaps.target_pct,
        max_sessions=options.hold,
        fill=options.fill,
    )
    limits = Limits(_portfolio(options.settings), _Regimes(market, sessions)) if options.limits else None
    run = backtest_naive(market.bars, rule, options.first, options.last, limits)
    for line in narration(run.candidates, market.vix is not None):
        narrate(line)
    for denial, count in run.denied.items():
        narrate(f"denied {denial}: {count:,}")
    return build_document(run.rows, run.truncated, market.vix, with_rows)


def _portfolio(settings: Settings) -> PortfolioRule:
    gaps, account = settings.config.gaps, settings.config.accounts["paper"]
    return PortfolioRule(
        initial_cash=to_decimal(account.initial_cash),
        size_pct=gaps.size_pct,
        size_pct_highvix=gaps.size_pct_highvix,
        max_concurrent=gaps.max_concurrent,
    )


class _Regimes(Mapping[date, Regime]):
    """The regime at the open of a session, read when it is asked for."""

    def __init__(self, market: MarketData, sessions: ExchangeSessions) -> None:
        self._market = market
        self._sessions = sessions

    def __getitem__(self, session: date) -> Regime:
        before = self._sessions.between(session - timedelta(days=14), session - timedelta(days=1))
        previous = before[-1].day if before else None
        vix, spy = self._market.index("VIX", session), self._market.index("SPY", session)
        return read_regime(vix, spy, session, previous).regime

    def __iter__(self) -> Iterator[date]:
        raise TypeError("every session has a regime")

    def __len__(self) -> int:
        raise TypeError("every session has a regime")


def _screened(journal: Journal) -> int:
    """How many candidates the rule let through, the account's limits aside."""
    found = 0
    for line in journal.audit():
        if line["kind"] == "candidate":
            reports = json.loads(str(line["body"]))["reports"]
            found += any(r["agent"] == "screener" and r["vote"] == Vote.APPROVE for r in reports)
    return found


def trade_row(trip: RoundTrip) -> TradeRow:
    """A finished trade of the engine as a row of the document."""
    return TradeRow(
        symbol_of(trip.instrument),
        trip.session,
        float(trip.entry_price),
        float(trip.exit_price),
        trip.exit_reason,
        trip.return_ratio,
        trip.sessions,
    )
