"""What is made up or replayed decides nothing outside a simulation, through the real engine (SPEC 5.6)."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from engine.errors import ConfigError
from engine.execution.gating import StrategyTerms
from engine.features.history import StoredHistory
from engine.model.events import Alarm
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import Bar, FeedState, Headline, MarketBatch, Provenance, Quote, SessionPhase, Trade
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState
from engine.ports import BarColumns
from engine.risk.limits import RiskConfig
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig

SESSION = date(2016, 1, 4)
ABC = instrument_id("ABC")
MADE_UP = sorted(set(Provenance) - {Provenance.LIVE})


def bars(instrument: InstrumentId, level: float) -> BarColumns:
    days = np.busday_offset(np.datetime64(SESSION, "D"), np.arange(-300, 0), roll="forward")
    close = level * (1 + 0.02 * np.sin(1.3 * np.arange(300)))
    close[-1] = level
    columns = (close.copy() for _ in range(4))
    return BarColumns(instrument, days.astype("datetime64[D]"), *columns, np.full(300, 2e6), np.ones(300))


@pytest.fixture
def outcome(live: Callable[..., None], sessions: Any) -> Callable[..., tuple[ProposalState | None, str]]:
    """What became of a clean gap whose quote and headline come from there, on an account of that kind."""
    hours, strategy = sessions.on(SESSION), Gaps(GapsConfig(), RiskConfig(), lambda: 0)

    def run(quoted: Provenance, told: Provenance, kind: AccountKind) -> tuple[ProposalState | None, str]:
        found: list[tuple[ProposalState | None, str]] = []

        async def test(make: Callable[[], Engine], venue: Any) -> None:
            engine = make()
            await engine.start()
            await asyncio.sleep(5.0)  # the venue was looked at twice
            ts = engine.parts.clock.now_us()
            quotes = (Quote(ABC, 9.39, 9.40, ts, ts, quoted),)
            headline = Headline(
                (ABC,), "ABC opens a new plant", "wire", ts - 60_000_000, ts - 60_000_000, told
            )
            batches = (
                MarketBatch(ts - 60_000_000, headlines=(headline,)),
                MarketBatch(
                    ts,
                    trades=(Trade(ABC, 9.40, ts, ts, Provenance.LIVE, is_open=True),),
                    quotes=quotes,
                    session=SESSION,
                    phase=SessionPhase.OPEN,
                ),
            )
            for batch in batches:
                engine.restate(batch)
                engine.take(batch)
                engine.decide(batch)
                engine.finish(batch)
            ((*verdicts,),) = engine.verdicts.values()
            for verdict in verdicts:
                entry = engine.tickets.of_candidate(verdict.candidate.correlation)
                found.append((None, verdict.reason) if entry is None else (entry.state, entry.reason))
            await engine.stop()

        live(
            test,
            cash="10000",
            kind=kind,
            dataset=False,
            strategies=(strategy,),
            terms={strategy.name: StrategyTerms("paper", "naive", 8, 3)},
            history=lambda session: StoredHistory({ABC: bars(ABC, 10.0)}, session),
            index=lambda name, session: bars(instrument_id(name), 20.0 if name == "VIX" else 200.0),
            news_feed="news",
            feeds=lambda: (FeedState("news", hours.open_us, 3_600_000_000, 1),),
        )
        return found[0] if found else (None, "no candidate")

    return run


@pytest.mark.parametrize("kind", [AccountKind.PAPER, AccountKind.SIMULATION])
def test_what_is_live_may_decide(outcome: Callable[..., Any], kind: AccountKind) -> None:
    assert outcome(Provenance.LIVE, Provenance.LIVE, kind) == (ProposalState.PENDING, "")


@pytest.mark.parametrize("provenance", MADE_UP)
def test_a_made_up_quote_makes_no_candidate_on_a_paper_account(
    outcome: Callable[..., Any], provenance: Provenance
) -> None:
    assert outcome(provenance, Provenance.LIVE, AccountKind.PAPER) == (None, "no candidate")


@pytest.mark.parametrize("provenance", MADE_UP)
def test_a_made_up_headline_is_refused_on_a_paper_account(
    outcome: Callable[..., Any], provenance: Provenance
) -> None:
    assert outcome(Provenance.LIVE, provenance, AccountKind.PAPER) == (None, f"{provenance} news")


@pytest.mark.parametrize("provenance", MADE_UP)
def test_a_made_up_price_moves_no_mark_and_no_stop_of_a_paper_account(
    live: Callable[..., None], provenance: Provenance
) -> None:
    told: list[str] = []

    async def test(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        await engine.start()
        ts = engine.parts.clock.now_us()
        trade, quote = Trade(ABC, 3.0, ts, ts, provenance), Quote(ABC, 2.99, 3.0, ts, ts, provenance)
        bar = Bar(ABC, 3.0, 3.0, 3.0, 3.0, 1e6, ts - 60_000_000, ts, provenance)
        for _ in range(2):
            engine.take(MarketBatch(ts, trades=(trade,), bars=(bar,), quotes=(quote,)))
        assert engine.picture.last(ABC) is None
        assert not engine.picture.is_heard(ABC, ts)
        assert engine.tape.bars(ABC) is None
        shown = engine.picture.quote(ABC)
        assert shown is not None
        assert (shown.bid, shown.ask, shown.provenance) == (None, None, provenance)
        await engine.stop()

    live(
        test,
        cash="10000",
        kind=AccountKind.PAPER,
        publish=lambda event: told.append(event.text) if isinstance(event, Alarm) else None,
    )
    words = f"{provenance} data, allowed on simulation accounts only, this is paper"
    assert told == [f"{name} left out: {words}" for name in ("bars", "trades", "quotes")]


@pytest.mark.parametrize("provenance", MADE_UP)
def test_an_account_outside_a_simulation_is_given_no_made_up_market(
    live: Callable[..., None], provenance: Provenance
) -> None:
    async def test(make: Callable[[], Engine], venue: Any) -> None:
        with pytest.raises(ConfigError, match=f"{provenance} data, allowed on simulation accounts only"):
            make()

    live(test, kind=AccountKind.PAPER, provenance=provenance)


@pytest.mark.parametrize("provenance", MADE_UP)
def test_a_simulation_may_trade_on_what_is_made_up(
    outcome: Callable[..., Any], provenance: Provenance
) -> None:
    assert outcome(provenance, provenance, AccountKind.SIMULATION)[0] is ProposalState.PENDING
