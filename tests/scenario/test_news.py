"""Headlines through the real engine: what is told before an opening decides, what comes later does not."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from engine.execution.gating import StrategyTerms
from engine.features.history import StoredHistory
from engine.model.candidates import Verdict, Vote
from engine.model.ids import InstrumentId, instrument_id, symbol_of
from engine.model.market import FeedState, Headline, MarketBatch, Provenance, Quote, SessionPhase
from engine.ports import BarColumns
from engine.risk.limits import RiskConfig
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig
from tui.showing.desk import deck
from tui.showing.details import detail
from tui.shown.deck import LinkState, MarketView
from tui.shown.details import GapDetail, HeadlineRow, Topic

HOUR_US = 3_600_000_000
SESSION = date(2016, 1, 4)
CLEAN, TOLD, STALE, LATE = (instrument_id(symbol) for symbol in ("CLEAN", "TOLD", "STALE", "LATE"))
SEVERE = "Company \x1b[31mprices\x1b[0m $20M public offering"


def bars(instrument: InstrumentId, level: float) -> BarColumns:
    days = np.busday_offset(np.datetime64(SESSION, "D"), np.arange(-300, 0), roll="forward")
    close = level * (1 + 0.02 * np.sin(1.3 * np.arange(300)))
    close[-1] = level
    return BarColumns(
        instrument,
        days.astype("datetime64[D]"),
        *(close.copy() for _ in range(4)),
        np.full(300, 2e6),
        np.ones(300),
    )


HISTORY = {name: bars(name, 10.0) for name in (CLEAN, TOLD, STALE, LATE)}


Look = Callable[[Engine], None]


@pytest.fixture
def opening(live: Callable[..., None], sessions: Any) -> Callable[..., None]:
    """Opens a session where all four stocks gap 6 % lower after these headlines were told, then looks."""
    hours = sessions.on(SESSION)
    strategy = Gaps(GapsConfig(entries_per_session=10), RiskConfig(), lambda: 0)

    def run(told: tuple[Headline, ...], look: Look, spoke_us: int = hours.open_us, **changes: Any) -> None:
        async def test(make: Callable[[], Engine], venue: Any) -> None:
            engine = make()
            await engine.start()
            quotes = tuple(
                Quote(name, 9.39, 9.40, hours.open_us, hours.open_us, Provenance.SYNTHETIC)
                for name in HISTORY
            )
            opened = MarketBatch(hours.open_us, quotes=quotes, session=SESSION, phase=SessionPhase.OPEN)
            for batch in (MarketBatch(hours.open_us - 60_000_000, headlines=told), opened):
                engine.restate(batch)
                engine.take(batch)
                engine.decide(batch)
                engine.finish(batch)
            look(engine)
            await engine.stop()

        parts = {
            "cash": "10000",
            "strategies": (strategy,),
            "terms": {strategy.name: StrategyTerms("paper", "naive", 8, 10)},
            "history": lambda session: StoredHistory(HISTORY, session),
            "index": lambda name, session: bars(instrument_id(name), 20.0 if name == "VIX" else 200.0),
            "news_feed": "news",
            "feeds": lambda: (FeedState("news", spoke_us, HOUR_US, len(told)),),
        }
        live(test, **{**parts, **changes})

    return run


@pytest.fixture
def judged(opening: Callable[..., None]) -> Callable[..., dict[str, Verdict]]:
    """The verdicts of that opening; a ticket stands beside each proposal."""

    def run(*told: Headline, **changes: Any) -> dict[str, Verdict]:
        found: dict[str, Verdict] = {}

        def look(engine: Engine) -> None:
            for verdict in (verdict for verdicts in engine.verdicts.values() for verdict in verdicts):
                found[symbol_of(verdict.candidate.instrument)] = verdict
                entry = engine.tickets.of_candidate(verdict.candidate.correlation)
                assert (entry is None) is (verdict.proposal is None)

        opening(told, look, **changes)
        return found

    return run


@pytest.fixture
def tell(sessions: Any) -> Callable[..., Headline]:
    """A headline about one stock, told and known so many hours before the opening."""
    open_us = sessions.on(SESSION).open_us

    def make(name: InstrumentId, title: str, hours: float, known_hours: float | None = None) -> Headline:
        known = hours if known_hours is None else known_hours
        times = (open_us - int(hours * HOUR_US), open_us - int(known * HOUR_US))
        return Headline((name,), title, "wire", *times, Provenance.SYNTHETIC)

    return make


def test_a_severe_headline_blocks_a_stale_one_and_a_later_one_do_not(judged: Any, tell: Any) -> None:
    found = judged(
        tell(TOLD, SEVERE, 2),
        tell(STALE, SEVERE, 80, known_hours=0.5),
        tell(LATE, SEVERE, 1, known_hours=-0.1),
        tell(CLEAN, "Company names new plant", 1),
    )
    assert {symbol: verdict.reason for symbol, verdict in found.items()} == {
        "CLEAN": "",
        "TOLD": "news: offering",
        "STALE": "",
        "LATE": "",
    }
    sentry = {report.agent: report for report in found["TOLD"].reports}["newssentry"]
    assert (sentry.vote, sentry.hard) == (Vote.VETO, True)
    assert sentry.reasons[0] == (
        'severe news, offering, 2h ago, limit none in 3d: "Company prices $20M public offering" (wire)'
    )
    assert found["TOLD"].candidate.feature("news_severity_24h") == 2
    assert found["LATE"].candidate.feature("news_severity_24h") == 0


def test_a_source_that_went_silent_blocks_every_entry(judged: Any, sessions: Any) -> None:
    open_us = sessions.on(SESSION).open_us
    found = judged(spoke_us=open_us - HOUR_US - 1_000_000)
    assert {verdict.reason for verdict in found.values()} == {"news not known"}


def opened_up(engine: Engine, name: InstrumentId) -> GapDetail:
    """What a person sees who opens a candidate of this opening."""
    verdict = next(
        verdict
        for verdicts in engine.verdicts.values()
        for verdict in verdicts
        if verdict.candidate.instrument == name
    )
    found = detail(engine, Topic.GAP, verdict.candidate.correlation)
    assert isinstance(found, GapDetail)
    return found


SECTORS = {TOLD: "Health", CLEAN: "Tech"}
NAMES = {TOLD: "Told\x1b[2J Biologics", CLEAN: "Clean Chips"}


def test_a_ticket_opened_up_shows_prices_gates_news_and_charts(
    opening: Any, tell: Any, sessions: Any
) -> None:
    open_us = sessions.on(SESSION).open_us
    told = (
        tell(CLEAN, "First of two", 3),
        tell(CLEAN, "Second of two", 1),
        tell(CLEAN, "Not yet", 1, known_hours=-1),
    )

    def look(engine: Engine) -> None:
        found = opened_up(engine, CLEAN)
        assert (found.symbol, found.name, found.sector) == ("CLEAN", "Clean Chips", "Tech")
        assert [report.agent for report in found.reports].count("newssentry") == 1
        assert len(found.gates) == 11
        assert found.headlines == (
            HeadlineRow(open_us - HOUR_US, "Second of two", "wire"),
            HeadlineRow(open_us - 3 * HOUR_US, "First of two", "wire"),
        )
        prices = (found.stop_price, found.entry_price, found.target_price)
        assert all(price is not None for price in prices)
        assert list(prices) == sorted(prices, key=float)
        assert found.gap_ratio == pytest.approx(-0.06)
        days, minutes = found.charts
        assert (days.period, len(days.ts), days.close[-1], days.volume[-1]) == ("1d", 60, 10.0, 2e6)
        assert days.ts[-1] == 1_451_606_400_000_000
        assert (minutes.period, minutes.ts, minutes.volume) == ("5m", (open_us,), ())
        assert minutes.close == (pytest.approx(9.395),)

    opening(told, look, sector_of=SECTORS.get, name_of=NAMES.get)


def test_a_blocked_candidate_opened_up_has_no_prices_and_harmless_words(opening: Any, tell: Any) -> None:
    def look(engine: Engine) -> None:
        found = opened_up(engine, TOLD)
        assert (found.entry_price, found.stop_price, found.target_price, found.gates) == (
            None,
            None,
            None,
            (),
        )
        assert found.name == "Told Biologics"
        assert [row.title for row in found.headlines] == ["Company prices $20M public offering"]
        row = next(row for row in shown(engine) if row.symbol == "TOLD")
        assert (row.reason, row.sector, row.name) == ("news: offering", "Health", "Told Biologics")
        assert row.filters is None
        assert detail(engine, Topic.GAP, "nobody") is None

    opening((tell(TOLD, SEVERE, 2),), look, sector_of=SECTORS.get, name_of=NAMES.get)


def test_without_sources_sector_and_name_are_not_known(opening: Any) -> None:
    def look(engine: Engine) -> None:
        found = opened_up(engine, CLEAN)
        assert (found.sector, found.name, found.headlines) == (None, None, ())
        assert {(row.sector, row.name) for row in shown(engine)} == {(None, None)}

    opening((), look)


def test_the_minute_chart_comes_first_after_an_hour(opening: Any, sessions: Any) -> None:
    open_us = sessions.on(SESSION).open_us

    def look(engine: Engine) -> None:
        for minute in range(5, 60, 5):
            ts = open_us + minute * 60_000_000
            quotes = (Quote(CLEAN, 9.4, 9.5, ts, ts, Provenance.SYNTHETIC),)
            engine.take(MarketBatch(ts, quotes=quotes, session=SESSION))
        assert [chart.period for chart in opened_up(engine, CLEAN).charts] == ["5m", "1d"]
        assert [chart.period for chart in opened_up(engine, TOLD).charts] == ["1d", "5m"]

    opening((), look)


def shown(engine: Engine) -> Any:
    """The rows of the Gaps list."""
    market = MarketView("synthetic", False, None, 1, 1, False)
    return deck(engine, None, market, LinkState.IN_PROCESS, ()).gaps


def test_days_before_a_split_are_drawn_in_todays_shares_and_broken_days_are_left_out(opening: Any) -> None:
    columns = bars(CLEAN, 10.0)
    columns.open[:-5], columns.high[:-5] = 20.0, 20.0
    columns.low[:-5], columns.close[:-5] = 20.0, 20.0
    columns.event_ratio[-5] = 0.5
    columns.volume[-2] = np.nan
    history = {**HISTORY, CLEAN: columns}

    def look(engine: Engine) -> None:
        days = opened_up(engine, CLEAN).charts[0]
        assert len(days.ts) == 59
        assert days.close[-5] == pytest.approx(10.0)
        assert days.volume[-5] == pytest.approx(4e6)
        assert days.volume[-1] == pytest.approx(2e6)

    opening((), look, history=lambda session: StoredHistory(history, session))
