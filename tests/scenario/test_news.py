"""Headlines through the real engine: what is told before an opening decides, what comes later does not."""

from collections.abc import Callable
from datetime import date
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from engine.execution.gating import StrategyTerms
from engine.features.history import StoredHistory
from engine.model.candidates import Verdict, Vote
from engine.model.ids import InstrumentId, instrument_id, symbol_of
from engine.model.market import FeedState, Headline, MarketBatch, Provenance, Quote, SessionPhase
from engine.model.tickets import ProposalState
from engine.ports import BarColumns
from engine.risk.limits import RiskConfig
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig

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


@pytest.fixture
def judged(live: Callable[..., None], world: ModuleType, sessions: Any) -> Callable[..., dict[str, Verdict]]:
    """The verdicts of one opening where all four stocks gap 6 % lower after these headlines were told."""
    hours = sessions.on(SESSION)
    strategy = Gaps(GapsConfig(entries_per_session=10), RiskConfig(), lambda: 0)
    terms = StrategyTerms("paper", "naive", 8, 10)

    def run(*told: Headline, spoke_us: int = hours.open_us) -> dict[str, Verdict]:
        found: dict[str, Verdict] = {}

        async def test(make: Callable[[], Engine], venue: Any) -> None:
            engine = make()
            await engine.start()
            quotes = tuple(
                Quote(name, 9.39, 9.40, hours.open_us, hours.open_us, Provenance.SYNTHETIC)
                for name in HISTORY
            )
            opening = MarketBatch(hours.open_us, quotes=quotes, session=SESSION, phase=SessionPhase.OPEN)
            for batch in (MarketBatch(hours.open_us - 60_000_000, headlines=told), opening):
                engine.restate(batch)
                engine.take(batch)
                engine.decide(batch)
                engine.finish(batch)
            for verdict in engine.verdicts[strategy.name]:
                found[symbol_of(verdict.candidate.instrument)] = verdict
            for symbol, verdict in found.items():
                entry = engine.tickets.of_candidate(verdict.candidate.correlation)
                assert (entry is None) is (verdict.proposal is None), symbol
                assert entry is None or entry.state is not ProposalState.NEW
            await engine.stop()

        live(
            test,
            cash="10000",
            strategies=(strategy,),
            terms={strategy.name: terms},
            history=lambda session: StoredHistory(HISTORY, session),
            index=lambda name, session: bars(instrument_id(name), 20.0 if name == "VIX" else 200.0),
            news_feed="news",
            feeds=lambda: (FeedState("news", spoke_us, HOUR_US, len(told)),),
        )
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
