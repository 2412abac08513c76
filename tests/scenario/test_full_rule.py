"""The full rule through the real engine on the virtual clock: what is wrong enters nothing, and says so.

Each bad input ends as a row of the why-not ledger and as the reason of a candidate's row on the screen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.agents.steering import AgentDesk, make_roster
from engine.core import Engine
from engine.execution.gating import StrategyTerms
from engine.features.history import StoredHistory
from engine.features.panel import BASE
from engine.model.commands import Actor, AgentMove, ApproveTicket, SteerAgent, WaiveEvidence
from engine.model.company import CompanyFacts, Filing, Halt, Listing, ListingKind, Reported
from engine.model.forecasts import Forecast
from engine.model.ids import InstrumentId, StrategyName, instrument_id, symbol_of
from engine.model.market import (
    CorporateAction,
    CorporateActionKind,
    FeedState,
    Headline,
    MarketBatch,
    Provenance,
    Quote,
    SessionPhase,
    Trade,
)
from engine.ports import BarColumns
from engine.risk.limits import RiskConfig
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig, GapsRule
from engine.strategies.knowledge import Knowledge
from tui.agentbooks import running_agents, stored_agents, strategies
from tui.showing.desk import deck
from tui.shown.deck import LinkState, MarketView, RowState

HOUR_US = 3_600_000_000
SESSION = date(2016, 1, 4)
LIVE = Provenance.LIVE
NINA = Actor("nina", "pts/1")
GOOD, OTHER = instrument_id("GOOD"), instrument_id("OTHER")
FORECAST = Forecast("m-1", 0.72, 0.70, 0.62, 0.76, 0.066, -0.084, -0.003, (), (), is_usable=True)


class Model:
    model_id = "m-1"
    inputs = BASE

    def forecast(self, values: Mapping[str, float]) -> Forecast:
        return FORECAST


def bars(instrument: InstrumentId, level: float = 10.0, count: int = 300) -> BarColumns:
    """A slow rise whose volume is steady."""
    days = np.busday_offset(np.datetime64(SESSION, "D"), np.arange(-count, 0), roll="forward")
    # The exchange is closed on New Year's Day: the last session before is the 31st.
    days = np.where(days == np.datetime64("2016-01-01"), np.datetime64("2015-12-31"), days)
    days[:-1] = np.busday_offset(np.datetime64("2015-12-31"), np.arange(-count + 1, 0), roll="forward")
    close = (
        level * np.exp(0.0002 * (np.arange(count) - count + 1)) * (1 + 0.01 * np.sin(1.3 * np.arange(count)))
    )
    close[-1] = level
    volume = 2e6 * (1 + 0.01 * np.random.default_rng(1).standard_normal(count))
    return BarColumns(
        instrument, days.astype("datetime64[D]"), *(close.copy() for _ in range(4)), volume, np.ones(count)
    )


def facts(name: InstrumentId) -> CompanyFacts:
    day = date(2015, 11, 5)
    listing = Listing(name, "NASDAQ", "x", ListingKind.STOCK, True, True, 0, 0, LIVE)
    shares = Reported(3e7, day, day, "10-Q", 0, 0, LIVE)
    told = Filing(name, "a", "8-K", ("2.02",), day, 0, 0, LIVE)
    return CompanyFacts(name, listing, shares, None, (told,), None, (), 0)


class Morning:
    """One opening; a test changes what it needs before `run`."""

    def __init__(self, live: Callable[..., None], hours: Any) -> None:
        self._live, self._hours = live, hours
        self.open_us = hours.open_us
        self.history = {name: bars(name) for name in (GOOD, OTHER)}
        self.quotes = {name: (9.39, 9.40, 0.0) for name in self.history}
        """Bid, ask, and how many seconds old."""
        self.index: dict[str, BarColumns | None] = {
            "VIX": bars(instrument_id("VIX"), 20.0),
            "SPY": bars(instrument_id("SPY"), 200.0),
        }
        self.told: tuple[Headline, ...] = ()
        self.actions: tuple[CorporateAction, ...] = ()
        self.knowledge = Knowledge(model=lambda session: Model(), company=facts)
        self.spoke_us = hours.open_us
        self.changes: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self.agents: AgentDesk | None = None

    def run(self, look: Callable[[Engine], Awaitable[None] | None]) -> None:
        """Open the session, then look."""

        async def test(make: Callable[[], Engine], venue: Any) -> None:
            engine = make()
            await engine.start()
            await engine.watch.ready()
            await asyncio.sleep(1)
            now = engine.parts.clock.now_us()
            quotes = tuple(
                Quote(name, bid, ask, ts, ts, LIVE)
                for name, (bid, ask, age_s) in self.quotes.items()
                for ts in (now - round(age_s * 1_000_000),)
            )
            trades = tuple(Trade(name, ask, now, now, LIVE) for name, (_, ask, _) in self.quotes.items())
            opened = MarketBatch(
                now,
                quotes=quotes,
                trades=trades,
                actions=self.actions,
                session=SESSION,
                phase=SessionPhase.OPEN,
            )
            for batch in (MarketBatch(now - 60_000_000, headlines=self.told), opened):
                engine.restate(batch)
                engine.take(batch)
                engine.decide(batch)
                engine.finish(batch)
            if (looking := look(engine)) is not None:
                await looking
            await engine.stop()

        strategy = Gaps(GapsConfig(rule=GapsRule.FULL, **self.settings), RiskConfig(), lambda: 0)
        parts: dict[str, Any] = {
            "cash": "10000",
            "dataset": False,
            "strategies": (strategy,),
            "terms": {strategy.name: StrategyTerms("paper", "naive", 8, 10, leaves_on_news=True)},
            "history": lambda session: StoredHistory(self.history, session),
            "index": lambda name, session: self.index[name],
            "sector_of": lambda name: name,
            "news_feed": "news",
            "feeds": lambda: (FeedState("news", self.spoke_us, HOUR_US, len(self.told)),),
            "knowledge": self.knowledge,
        }
        self._live(test, **{**parts, **self.changes})

    def outcome(self, name: InstrumentId = GOOD) -> dict[str, str]:
        """Who kept a candidate out, why, and what its row on the screen says; "" where a ticket waits."""
        found: dict[str, str] = {}

        def look(engine: Engine) -> None:
            rows = [row for row in engine.parts.journal.rows("whynot") if row["instrument"] == name]
            assert len(rows) == 1, "each candidate has one row in the ledger"
            view = deck(engine, None, MarketView("live", False, None, 1, 1, False), LinkState.IN_PROCESS, ())
            (shown,) = [row for row in view.gaps if row.symbol == symbol_of(name)]
            waits = [entry.ticket.instrument for entry in engine.tickets.waiting()]
            found.update(
                who=str(rows[0]["who"]),
                reason=str(rows[0]["reason"]),
                state=str(shown.state),
                shown=shown.reason,
                waits=str(name in waits),
            )
            assert (shown.state is RowState.BLOCKED) is (name not in waits)

        self.run(look)
        return found


@pytest.fixture
def morning(live: Callable[..., None], sessions: Any) -> Morning:
    return Morning(live, sessions.on(SESSION))


def test_everything_in_order_waits_for_a_person_with_all_it_must_know(morning: Morning) -> None:
    def look(engine: Engine) -> None:
        first, second = engine.tickets.waiting()
        found = first.ticket.assessment
        assert found is not None
        assert found.forecast == FORECAST
        gates = {gate.gate: gate for gate in first.ticket.gates}
        assert gates["G3"].reason.startswith("no evidence of an edge: no past proposals were followed")
        assert "BCS" in gates["G4"].value
        assert gates["G6"].reason.startswith("results of 2015-11-05; results expected 2016-02-04 +-7 d")
        assert gates["G7"].value.startswith("spread 0.11 %, slippage 0.0")
        assert first.ticket.model_id == "m-1"
        assert (first.ticket.instrument, second.ticket.instrument) == (GOOD, OTHER)
        about: Any = strategies(engine)["gaps"]
        assert (about["rule"], about["why"]) == ("full", 'gaps.rule = "full"; model m-1')

    morning.run(look)


def missing_vix(morning: Morning) -> None:
    morning.index["VIX"] = None


def missing_spy(morning: Morning) -> None:
    morning.index["SPY"] = None


def stale_quote(morning: Morning) -> None:
    morning.quotes[GOOD] = (9.39, 9.40, 16.0)


def unknown_earnings(morning: Morning) -> None:
    morning.knowledge = replace(morning.knowledge, company=lambda name: replace(facts(name), filings=()))


def few_bars(morning: Morning) -> None:
    morning.history[GOOD] = bars(GOOD, count=100)


def split_today(morning: Morning) -> None:
    morning.actions = (CorporateAction(GOOD, CorporateActionKind.SPLIT, 0.5, 10.0, SESSION, 0),)
    morning.quotes[GOOD] = (4.69, 4.70, 0.0)


def halted(morning: Morning) -> None:
    def known(name: InstrumentId) -> CompanyFacts:
        begun = morning.open_us - 300_000_000
        return replace(facts(name), halts=(Halt(name, "T1", None, begun, begun, LIVE),))

    morning.knowledge = replace(morning.knowledge, company=known)


def doubled_bars(morning: Morning) -> None:
    found = morning.history[GOOD]
    days = found.day.copy()
    days[-2] = days[-3]
    morning.history[GOOD] = replace(found, day=days)


def no_model(morning: Morning) -> None:
    morning.knowledge = replace(morning.knowledge, model=lambda session: None)


def broken_model(morning: Morning) -> None:
    class Broken(Model):
        def forecast(self, values: Mapping[str, float]) -> Forecast:
            raise ValueError("wrong shape")

    morning.knowledge = replace(morning.knowledge, model=lambda session: Broken())


def provider_down(morning: Morning) -> None:
    morning.knowledge = replace(morning.knowledge, company=None)


def news_down(morning: Morning) -> None:
    morning.spoke_us = morning.open_us - 2 * HOUR_US


def no_news(morning: Morning) -> None:
    morning.changes["news_feed"] = ""


@pytest.mark.parametrize(
    ("spoil", "who", "reason"),
    [
        (missing_vix, "sentinel", "regime unknown: vix_close is missing"),
        (missing_spy, "sentinel", "regime unknown: spy_dist_200 is missing"),
        (stale_quote, "trader", "the quote is 16s old, limit 15s"),
        (unknown_earnings, "screener", "earnings_unknown: no filing of results is known"),
        (few_bars, "screener", "100 daily bars before the session, 263 are needed"),
        (split_today, "screener", "corporate action of today by 0.5, limit 1 +- 0.05"),
        (halted, "screener", "trading is halted since 5 min"),
        (doubled_bars, "screener", "the daily bars are not in order:"),
        (no_model, "forecaster", "no_model: no model is registered"),
        (broken_model, "forecaster", "model m-1 gave no forecast: ValueError: wrong shape"),
        (provider_down, "screener", "its listing is not known"),
        (news_down, "newssentry", "the news are not known: news silent 72"),
        (no_news, "G6 news", "no news source: headlines and earnings dates are unknown"),
    ],
)
def test_a_bad_input_enters_nothing_and_says_why(
    morning: Morning, spoil: Callable[[Morning], None], who: str, reason: str
) -> None:
    spoil(morning)
    found = morning.outcome()
    assert found["who"] == who
    assert found["reason"].startswith(reason)
    assert found["waits"] == "False"
    assert found["shown"], "the row on the screen says why as well"


def test_a_bad_input_of_one_stock_leaves_the_other_alone(morning: Morning) -> None:
    few_bars(morning)
    assert morning.outcome(OTHER)["waits"] == "True"


def test_an_agent_that_a_person_paused_lets_nothing_pass_until_it_is_resumed(morning: Morning) -> None:
    def look(started: Engine) -> None:
        parts = started.parts
        roster = make_roster(parts.clock.now_us, lambda event: None)
        engine = Engine(replace(parts, agents=AgentDesk(roster, parts.journal, parts.clock.now_us)))
        assert {each["state"] for each in running_agents(engine)} == {"running"}
        assert engine.give(SteerAgent("trader", AgentMove.PAUSE, NINA)).ok
        again = engine.give(SteerAgent("trader", AgentMove.PAUSE, NINA))
        assert (again.ok, again.code) == (False, "illegal_move")
        assert engine.give(SteerAgent("nobody", AgentMove.PAUSE, NINA)).code == "unknown_agent"
        kinds = [line["kind"] for line in parts.journal.audit()]
        assert kinds.count("agent_steered") == 1
        assert roster.why_silent("trader") == "paused by nina on pts/1"
        assert stored_agents(parts.journal)[5]["state"] == "paused"
        # A restart finds it paused.
        restarted = make_roster(parts.clock.now_us, lambda event: None)
        AgentDesk(restarted, parts.journal, parts.clock.now_us).restore()
        assert restarted.why_silent("trader") == "paused by nina on pts/1"
        assert engine.give(SteerAgent("trader", AgentMove.RESUME, NINA)).ok
        assert roster.why_silent("trader") == ""
        assert engine.give(SteerAgent("trader", AgentMove.STOP, NINA)).ok
        stopped = make_roster(parts.clock.now_us, lambda event: None)
        AgentDesk(stopped, parts.journal, parts.clock.now_us).restore()
        assert stopped.why_silent("trader") == "stopped by nina on pts/1"
        assert engine.give(SteerAgent("trader", AgentMove.START, NINA)).ok
        assert {each["state"] for each in stored_agents(parts.journal)} == {"initialized"}

    morning.run(look)


def test_without_agents_at_work_a_command_about_one_is_refused(morning: Morning) -> None:
    def look(engine: Engine) -> None:
        assert engine.give(SteerAgent("trader", AgentMove.PAUSE, NINA)).code == "not_ready"
        waived = engine.give(WaiveEvidence(StrategyName("gaps"), "gaps WITHOUT EVIDENCE", NINA))
        assert waived.code == "not_configured"
        assert running_agents(engine) == []

    morning.run(look)


def test_bad_news_cancel_an_entry_that_works(morning: Morning) -> None:
    async def look(engine: Engine) -> None:
        entry = engine.tickets.waiting()[0]
        assert engine.give(ApproveTicket(entry.ticket.id, entry.sha256, "n-1", None, NINA)).ok
        await asyncio.sleep(1)
        now = engine.parts.clock.now_us()
        told = Headline((GOOD,), "GOOD prices a public offering", "wire", now, now, LIVE)
        engine.take(MarketBatch(now, headlines=(told,)))
        bracket = engine.brackets.get(entry.ticket.id)
        assert bracket is not None
        assert bracket.entry_unwanted
        (line,) = [line for line in engine.parts.journal.audit() if line["kind"] == "EntryUnwanted"]
        assert line["actor"] == "engine"

    morning.run(look)
