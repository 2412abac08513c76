"""Portfolio, Risk, Health, Log and the story of a bracket, as a real engine gives them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from engine.clock import US_PER_S
from engine.execution.gating import StrategyTerms
from engine.execution.ledger import read_ledger
from engine.execution.ticketbook import Entry, ticket_row
from engine.features.history import StoredHistory
from engine.model.commands import Actor, ClosePosition, Settle
from engine.model.events import RoundTripClosed
from engine.model.ids import StrategyName, instrument_id
from engine.model.market import FeedState, MarketBatch, Provenance, SessionPhase, Trade
from engine.model.orders import OrderRole, OrderType, TimeInForce
from engine.model.tickets import ProposalState
from engine.ports import BarColumns
from engine.risk.limits import DATASET, RiskConfig
from tui.link import Question
from tui.showing.bracket import bracket_detail
from tui.showing.desk import bracket_view
from tui.showing.equity import MOST_POINTS, PERIODS, equity
from tui.showing.figures import Figures
from tui.showing.log import PAGE, log_page
from tui.shown.details import LogDetail, Topic
from tui.shown.health import SourceWord
from tui.shown.risk import LimitRow, Unit

NINA = Actor("nina", "pts/7")
ABC, XYZ = instrument_id("ABC"), instrument_id("XYZ")
GAPS = StrategyName("gaps")
TERMS = {GAPS: StrategyTerms("paper", "naive", 8, 3)}
CASH = "100000"


class Desk:
    """An engine in the session of the world, with the makers of its figures."""

    def __init__(self, engine: Any, venue: Any, world: ModuleType) -> None:
        self.engine, self.venue, self.world = engine, venue, world
        self.seconds = 0.0
        self.figures = Figures(engine, None, lambda: self.seconds)
        self.finished: list[Any] = []

    async def enter(self, number: int = 1, **terms: Any) -> Any:
        """An entry that is sent."""
        engine = self.engine
        ticket = self.world.make_ticket(number, now_us=engine.parts.clock.now_us(), **terms)
        entry = Entry(ticket, ProposalState.APPROVED, "0" * 64)
        engine.parts.journal.commit((ticket_row(entry, "simulation"),), ())
        engine.tickets.restore()
        engine.brackets.start(ticket, (), ())
        await self.settle()
        return engine.brackets.get(ticket.id)

    async def fill(self, order: Any, quantity: int | None = None, price: str = "100") -> None:
        """The venue executes, and says so."""
        self.venue.fill(order, quantity, price)
        await self.settle()

    async def hold(self, number: int = 1, **terms: Any) -> Any:
        """A position with its stop and target."""
        bracket = await self.enter(number, **terms)
        await self.fill(bracket.entry.id)
        return self.engine.brackets.get(bracket.ticket)

    async def settle(self) -> None:
        """Until what the venue said was heard."""
        await asyncio.sleep(0.1)
        while self.venue.outbox:
            self.engine.brackets.tell_venue(self.venue.outbox.popleft())
        await asyncio.sleep(0.1)

    def price(self, price: float, instrument: Any = ABC) -> None:
        """It trades."""
        now = self.engine.parts.clock.now_us()
        trade = Trade(instrument, price, now, now, Provenance.LIVE)
        self.engine.picture.take(MarketBatch(now, trades=(trade,)))

    def leg(self, bracket: Any, role: OrderRole) -> Any:
        """Its newest order of a role."""
        return self.engine.brackets.get(bracket.ticket).of_role(role)[-1]


@pytest.fixture
def desk(live: Callable[..., None], world: ModuleType) -> Callable[..., None]:
    """Run a test on a desk with 100,000 in cash."""

    def run(test: Callable[[Desk], Any], **changes: Any) -> None:
        async def go(make: Any, venue: Any) -> None:
            engine = make()
            await engine.start()
            await engine.watch.ready()
            now = engine.parts.clock.now_us()
            engine.picture.take(MarketBatch(now, session=world.MONDAY, phase=SessionPhase.OPEN))
            found = Desk(engine, venue, world)
            heard.append(found.figures.hear)
            await test(found)
            await engine.stop()

        heard: list[Callable[[Any], None]] = []

        def publish(event: Any) -> None:
            for hear in heard:
                hear(event)

        live(go, CASH, terms=TERMS, publish=publish, **changes)

    return run


def row(rows: Iterable[LimitRow], name: str) -> LimitRow:
    return next(found for found in rows if found.name == name)


def check(desk: Desk, name: str) -> Any:
    return next(found for found in desk.figures.risk().checks if found.name == name)


def test_a_position_with_its_distances_and_what_the_account_is_worth(desk: Callable[..., None]) -> None:
    """10 bought at 100 for a fee of 0.01, now 104: stop 92, target 106."""

    async def test(found: Desk) -> None:
        await found.hold()
        found.price(104.0)
        view = found.figures.portfolio()
        (position,) = view.positions
        assert (position.symbol, position.strategy, position.quantity) == ("ABC", "gaps", Decimal(10))
        assert (position.average, position.last, position.value) == (Decimal(100), 104.0, Decimal(1040))
        assert (position.pnl, position.pnl_ratio) == (Decimal(40), pytest.approx(0.04))
        assert (position.stop_price, position.stop_ratio) == (Decimal(92), pytest.approx(92 / 104 - 1))
        assert (position.target_price, position.target_ratio) == (Decimal(106), pytest.approx(106 / 104 - 1))
        assert (position.day, position.max_days) == (1, 5)
        assert (position.unknown, position.protected) == (False, True)
        assert (view.equity, view.put_in) == (Decimal("100039.99"), Decimal(CASH))
        assert (view.change, view.change_ratio) == (Decimal("39.99"), pytest.approx(0.0003999))
        assert (view.day_pnl, view.day_pnl_ratio) == (Decimal("39.99"), pytest.approx(0.0003999))
        assert (view.exposure, view.exposure_ratio) == (Decimal(1040), pytest.approx(1040 / 100_039.99))
        assert view.realised_today == 0
        assert (view.drawdown_ratio, view.unknown) == (0.0, 0)

    desk(test)


def test_deposits_and_withdrawals_are_no_profit(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        await found.hold()
        found.price(104.0)
        for amount, put_in in ((5_000, 105_000), (-25_000, 80_000)):
            found.venue.paid_in += Decimal(amount)
            await asyncio.sleep(70)
            assert found.engine.give(Settle(NINA, Decimal(amount), "wire")).ok
            found.price(104.0)
            view = found.figures.portfolio()
            assert (view.put_in, view.change) == (Decimal(put_in), Decimal("39.99"))
            assert view.change_ratio == pytest.approx(39.99 / put_in)
            assert (view.day_pnl, view.drawdown_ratio) == (Decimal("39.99"), 0.0)
        curve = equity(found.engine, "all")
        assert curve is not None
        assert curve.equity[-1] == pytest.approx(80_039.99)
        assert min(curve.drawdown) == 0.0

    desk(test)


def test_what_has_no_price_is_not_known_and_never_0(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        await found.hold()
        found.engine.picture.forget(ABC)
        view, risk = found.figures.portfolio(), found.figures.risk()
        (position,) = view.positions
        assert (position.last, position.value, position.pnl, position.stop_ratio) == (None,) * 4
        assert (view.equity, view.change, view.day_pnl, view.exposure, view.drawdown_ratio) == (None,) * 5
        assert (risk.equity, risk.exposure, risk.var, risk.drawdown_ratio) == (None,) * 4
        assert risk.sectors[0].value is None
        unknown = [found.name for found in risk.limits if found.used is None]
        assert set(unknown) == {"daily loss", "VaR 95% 1 day", "correlated > .70", "largest position"}
        assert found.figures.portfolio().positions[0].quantity == 10

    desk(test)


def test_selling_a_part_and_the_rest_is_realised_at_average_cost(desk: Callable[..., None]) -> None:
    """10 bought at 100 (fee 0.01), 4 sold at 106, 6 at 106.50 (fee 0.01 each)."""

    async def test(found: Desk) -> None:
        bracket = await found.hold()
        found.price(106.0)
        await found.fill(found.leg(bracket, OrderRole.TARGET).id, 4, "106")
        view = found.figures.portfolio()
        assert view.realised_today == Decimal("23.986")
        assert (view.positions[0].quantity, view.positions[0].pnl) == (Decimal(6), Decimal(36))
        await found.fill(found.leg(bracket, OrderRole.TARGET).id, 6, "106.50")
        view = found.figures.portfolio()
        assert view.realised_today == Decimal("62.97")
        assert (view.positions, view.exposure) == ((), Decimal(0))
        assert view.change == view.realised_today

    desk(test)


def test_a_new_day_has_realised_nothing_yet(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        bracket = await found.hold()
        await found.fill(found.leg(bracket, OrderRole.TARGET).id, 4, "106")
        await asyncio.sleep(400)
        found.price(106.0)
        assert found.figures.portfolio().realised_today == 0
        await found.fill(found.leg(bracket, OrderRole.TARGET).id, 6, "106")
        assert found.figures.portfolio().realised_today == Decimal("35.984")

    # The session opens at 14:30 UTC: five minutes before midnight here.
    desk(test, day_roll=timezone(timedelta(hours=9, minutes=25)))


def test_closed_trades_make_the_rates(desk: Callable[..., None]) -> None:
    """Four winners of 59.98 and two losers of 80.02, each of 10 shares."""

    async def test(found: Desk) -> None:
        for number in range(1, 7):
            bracket = await found.hold(number)
            role, price = (OrderRole.TARGET, "106") if number <= 4 else (OrderRole.STOP, "92")
            await found.fill(found.leg(bracket, role).id, 10, price)
            await asyncio.sleep(60)
        view = found.figures.portfolio()
        assert (view.win.n, view.win.wins, view.win.ratio) == (6, 4, pytest.approx(4 / 6))
        assert view.win.low is not None
        assert view.win.high is not None
        assert 0 < view.win.low < 4 / 6 < view.win.high < 1
        assert not view.win.is_too_few
        assert (view.win_30d.n, view.win_30d_before.n, view.win_change) == (6, 0, None)
        assert view.best is not None
        assert view.worst is not None
        assert (view.best.pnl, view.worst.pnl) == (Decimal("59.98"), Decimal("-80.02"))
        (strategy,) = view.strategies
        assert (strategy.strategy, strategy.stage, strategy.net) == ("gaps", "paper", Decimal("79.88"))
        assert strategy.average_ratio == pytest.approx((4 * 0.06 - 2 * 0.08) / 6)
        (instrument,) = view.instruments
        assert (instrument.symbol, instrument.win.n, instrument.net) == ("ABC", 6, Decimal("79.88"))
        newest = view.round_trips[0]
        assert (newest.number, newest.exit, newest.pnl) == (6, "stop", Decimal("-80.02"))
        assert [trip.number for trip in view.round_trips] == [6, 5, 4, 3, 2, 1]
        assert view.sharpe is None
        assert view.sharpe_reason == "not meaningful: 6 of 20 trades"
        assert (view.profit_factor, view.expectancy) == (None, None)
        assert view.change == Decimal("79.88")
        assert view.worst_drawdown_ratio is not None
        again = Figures(found.engine, None, lambda: 0.0).portfolio()
        assert again.round_trips == view.round_trips, "read from the journal as told by the events"

    desk(test)


def test_the_last_30_days_are_held_against_the_30_before(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        bracket = await found.hold()
        await found.fill(found.leg(bracket, OrderRole.TARGET).id, 10, "106")
        (trip,) = found.figures._trades.newest_first()
        # Of five that ended 40 days ago one won, of five of yesterday four; older ones count in all only.
        for number, (days, profit) in enumerate([(40, 1)] + [(40, -1)] * 4 + [(1, 1)] * 4 + [(70, 1)] * 3, 2):
            ended = trip.exit_us - days * 86_400 * US_PER_S
            other = replace(trip, ticket=number, number=number, exit_us=ended, pnl=Decimal(profit))
            found.figures.hear(RoundTripClosed(other))
        view = found.figures.portfolio()
        assert (view.win_30d.wins, view.win_30d.n) == (5, 5)
        assert (view.win_30d_before.wins, view.win_30d_before.n) == (1, 5)
        assert view.win_change == pytest.approx(0.8)
        assert (view.win.n, view.win.wins) == (13, 9)

    desk(test)


def test_a_trade_that_closes_again_keeps_its_place(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        bracket = await found.hold()
        await found.fill(found.leg(bracket, OrderRole.TARGET).id, 10, "106")
        (trip,) = found.figures.portfolio().round_trips
        (stored,) = found.figures._trades.newest_first()
        found.figures.hear(RoundTripClosed(replace(stored, pnl=Decimal(7))))
        (again,) = found.figures.portfolio().round_trips
        assert (again.ticket, again.pnl) == (trip.ticket, Decimal(7))

    desk(test)


def test_an_entry_of_unknown_fate_is_shown_with_the_most_that_it_can_be(
    desk: Callable[..., None], world: ModuleType
) -> None:
    async def test(found: Desk) -> None:
        await found.hold(2, instrument=XYZ)
        found.price(100.0, XYZ)
        found.price(100.0)
        found.venue.faults["send"].append(world.LOST)
        bracket = await found.enter()
        view, risk = found.figures.portfolio(), found.figures.risk()
        assert [(row.symbol, row.unknown) for row in view.positions] == [("XYZ", False), ("ABC", True)]
        lost = view.positions[1]
        assert (lost.quantity, lost.quantity_high) == (Decimal(0), Decimal(10))
        assert (lost.value, lost.value_high, lost.pnl) == (Decimal(0), Decimal(1000), None)
        assert (view.unknown, view.exposure) == (1, Decimal(1000))
        assert risk.limits[0] == LimitRow("unknown orders", 1, 0, Unit.COUNT, 1.0, True, "ABC", "full")
        assert (risk.entries_on, risk.entries_words) == (True, "on, except ABC")
        assert check(found, "ABC").words.startswith("order fate unknown, 0:0")
        assert risk.sectors[0].uncertain == ("ABC",)
        story = bracket_detail(found.engine, bracket.ticket)
        assert story is not None
        steps = [line.words for line in story.story if line.is_next]
        assert steps[0].startswith("ask for the entry by its id; open and closed orders and fills")
        assert "found: adopted. Absent three times everywhere: marked not placed. Never sent twice" in steps
        assert "alarm; entries for ABC stay off until you or the venue settle it" in steps
        times = [line.ts for line in story.story if line.is_next and line.ts is not None]
        assert times == sorted(times)
        assert times[0] == bracket.entry.ask_us
        past = [line.words for line in story.story if not line.is_next]
        lost_words = "the entry, stop and target orders may or may not be at the venue"
        assert past[-1] == f"the connection broke: {lost_words}"
        assert len(steps) == 5, "of the orders of a group the entry's fate is told, and what is planned"
        assert not found.figures.health().trusted

    desk(test)


def test_a_halt_says_why_entries_are_off(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        assert (found.figures.risk().entries_on, found.figures.risk().entries_words) == (True, "on")
        found.engine.halt(NINA, "lunch", ABC)
        assert found.figures.risk().entries_words == "on, except ABC"
        assert check(found, "ABC").words == "halted by nina on pts/7 (lunch)"
        found.engine.halt(NINA, "news")
        risk = found.figures.risk()
        assert (risk.entries_on, check(found, "kill switch").ok) == (False, False)
        assert risk.entries_words == "off: kill switch by nina on pts/7 (news)"
        assert check(found, "account").words == "match, SIM-1 SIMULATION"
        assert check(found, "reconciled").words.endswith("ago, clean")
        assert check(found, "regime").words == "not judged yet"

    desk(test)


def test_the_steps_of_the_drawdown_breaker_are_those_of_the_configuration(desk: Callable[..., None]) -> None:
    config = RiskConfig(dd_levels=(0.04, 0.08, 0.12), dd_release=(0.02, 0.05), dd_flatten_at_l3=True)

    async def test(found: Desk) -> None:
        steps = found.figures.risk().steps
        assert [step.at_ratio for step in steps] == [0.04, 0.08, 0.12]
        assert [step.release for step in steps] == [
            "below 2.0%",
            "below 5.0%",
            "until you type the account name",
        ]
        assert [step.effect for step in steps] == [
            "sizes halved",
            "conservative only",
            "stop, positions are sold",
        ]

    desk(test, risk=config)


def test_a_fall_is_shown_with_its_level_and_what_it_stops(desk: Callable[..., None]) -> None:
    """900 of 1,000 shares at 100 fall to 93 and to 82: 6.3 % and 16.2 % of 100,000."""

    async def test(found: Desk) -> None:
        await found.hold(quantity=900, stop="10", target="200")
        found.price(93.0)
        risk = found.figures.risk()
        assert (risk.level, risk.drawdown_ratio) == (1, pytest.approx(0.0630001))
        assert check(found, "breakers").words == "the day's loss reached 3.0%"
        daily = row(risk.limits, "daily loss")
        assert (daily.is_full, daily.share, daily.note) == (
            True,
            pytest.approx(2.1, rel=1e-3),
            "no entries today",
        )
        found.price(82.0)
        risk = found.figures.risk()
        assert (risk.level, risk.entries_on) == (3, False)
        assert risk.entries_words == "off: breakers L3 16.2%: no new orders"
        assert risk.worst_drawdown_ratio == risk.drawdown_ratio
        largest = row(risk.limits, "largest position")
        assert (largest.subject, largest.is_full) == ("ABC", True)
        assert largest.used == pytest.approx(73_800 / 83_799.99, rel=1e-6)

    desk(test)


def test_each_sector_has_a_row_and_a_full_one_keeps_its_strategy_out(desk: Callable[..., None]) -> None:
    sectors = {ABC: "Tech", XYZ: "Tech"}

    async def test(found: Desk) -> None:
        await found.hold(1)
        await found.hold(2, instrument=XYZ, quantity=5)
        await found.hold(3, instrument=instrument_id("NOPE"))
        for name in (ABC, XYZ, instrument_id("NOPE")):
            found.price(110.0, name)
        risk = found.figures.risk()
        full = row(risk.limits, "sector Tech")
        assert (full.used, full.allowed, full.is_full, full.subject) == (2, 2, True, "gaps")
        assert (row(risk.limits, "sector unknown").used, risk.entries_on) == (1, True)
        assert check(found, "sector Tech").words == "2 of 2, gaps only"
        assert [(sector.sector, sector.symbols, sector.value) for sector in risk.sectors] == [
            ("Tech", ("ABC", "XYZ"), Decimal(1650)),
            ("unknown", ("NOPE",), Decimal(1100)),
        ]
        assert risk.exposure == sum(sector.value or 0 for sector in risk.sectors)
        opened = row(risk.limits, "positions open")
        assert (opened.used, opened.allowed, opened.subject) == (3, 8, "gaps")
        assert (row(risk.limits, "positions total").used, row(risk.limits, "entries today").used) == (3, 3)
        known = [limit for limit in risk.limits if limit.share is not None]
        assert known == sorted(known, key=lambda limit: (not limit.is_full, -(limit.share or 0)))

    terms = {GAPS: StrategyTerms("paper", "naive", 8, 3, max_per_sector=2)}
    desk_with(desk, test, sector_of=sectors.get, terms=terms)


def desk_with(desk: Callable[..., None], test: Callable[[Desk], Any], **changes: Any) -> None:
    terms = changes.pop("terms")

    async def go(found: Desk) -> None:
        found.engine.parts.terms.clear()
        found.engine.parts.terms.update(terms)
        await test(found)
        found.engine.parts.terms.clear()
        found.engine.parts.terms.update({GAPS: StrategyTerms("paper", "naive", 8, 3)})

    desk(go, **changes)


def test_costly_numbers_are_measured_once_a_second_or_when_something_changed(
    desk: Callable[..., None],
) -> None:
    async def test(found: Desk) -> None:
        await found.hold()
        found.price(100.0)

        def share() -> float | None:
            return row(found.figures.risk().limits, "correlated > .70").used

        assert share() == pytest.approx(0.01, rel=1e-4)
        found.price(150.0)
        found.seconds = 0.9
        assert share() == pytest.approx(1000 / 100_499.99)
        found.seconds = 1.0
        assert share() == pytest.approx(1500 / 100_499.99)
        found.price(100.0)
        await found.hold(2, instrument=XYZ)
        found.price(100.0, XYZ)
        assert share() == pytest.approx(0.02, rel=1e-3), "two of unknown correlation count as one"

    desk(test)


def test_without_history_the_value_at_risk_is_not_known_and_says_why(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        risk = found.figures.risk()
        assert (risk.var, risk.var_reason) == (Decimal("0.0"), "nothing is held")
        await found.hold()
        await found.hold(2, instrument=XYZ)
        found.price(100.0)
        found.price(100.0, XYZ)
        risk = found.figures.risk()
        assert (risk.var, risk.histogram) == (None, None)
        assert risk.var_reason == "fewer than 60 common days of what is held"
        assert not row(risk.limits, "VaR 95% 1 day").is_full, "a stored dataset need not know it"
        assert risk.names == ("ABC", "XYZ")
        assert [(pair.one, pair.other, pair.value) for pair in risk.pairs] == [("ABC", "XYZ", None)]
        note = row(risk.limits, "correlated > .70").note
        assert note == "worst: ABC, 1 unknown count as 1"

    desk(test)


def test_the_value_at_risk_is_that_of_what_is_held_now(desk: Callable[..., None]) -> None:
    """10 ABC at 100 and 20 XYZ at 50 over 100 common days: weights of today on each day's returns."""
    random = np.random.default_rng(7)
    walks = {name: 100 * np.exp(np.cumsum(0.02 * random.standard_normal(101))) for name in (ABC, XYZ)}
    days = np.datetime64("2016-01-04") - np.arange(101, 0, -1)
    bars = {
        name: BarColumns(name, days, *(closes,) * 4, np.full(101, 1e6), np.ones(101))
        for name, closes in walks.items()
    }
    moves = {name: closes[1:] / closes[:-1] - 1 for name, closes in walks.items()}

    async def test(found: Desk) -> None:
        await found.hold()
        await found.hold(2, instrument=XYZ, quantity=20, limit="50", stop="46", target="53")
        found.price(100.0)
        found.price(50.0, XYZ)
        risk, made = found.figures.risk(), 1000 * moves[ABC] + 1000 * moves[XYZ]
        historical, parametric = -np.quantile(made, 0.05), 1.6448536 * made.std(ddof=1) - made.mean()
        assert float(risk.var_historical or 0) == pytest.approx(historical)
        assert float(risk.var_parametric or 0) == pytest.approx(parametric, rel=1e-6)
        assert float(risk.var or 0) == pytest.approx(max(historical, parametric), rel=1e-6)
        equity = float(found.engine.equity())
        assert risk.var_ratio == pytest.approx(max(historical, parametric) / equity, rel=1e-6)
        assert row(risk.limits, "VaR 95% 1 day").used == pytest.approx(risk.var_ratio)
        assert (risk.var_days, risk.var_reason) == (100, "")
        bins = risk.histogram
        assert bins is not None
        assert (sum(bins.counts), len(bins.edges), bins.days) == (100, 41, 100)
        assert bins.edges[0] == pytest.approx(made.min() / equity)
        assert bins.edges[-1] == pytest.approx(made.max() / equity)
        (pair,) = risk.pairs
        expected = np.corrcoef(moves[ABC][-60:], moves[XYZ][-60:])[0, 1]
        assert pair.value == pytest.approx(expected)
        together = row(risk.limits, "correlated > .70")
        assert together.used == pytest.approx(1000 / equity), "they do not move together"
        assert all(limit.share is None or limit.share >= 0 for limit in risk.limits)

    desk(test, history=lambda session: StoredHistory(bars, session))


def test_sources_say_whether_they_speak(desk: Callable[..., None], world: ModuleType) -> None:
    now = world.OPEN_US
    feeds = [
        FeedState("stocks", now, 3600 * US_PER_S, 12, "80 of 80"),
        FeedState("news", now - 10 * US_PER_S, US_PER_S, 3),
        FeedState("posts", None, US_PER_S, 0),
    ]

    async def test(found: Desk) -> None:
        health = found.figures.health()
        assert [source.word for source in health.sources] == [
            SourceWord.OK,
            SourceWord.MUTE,
            SourceWord.WAITING,
        ]
        assert (health.sources_ok, health.sources[2].age_us, health.sources[0].note) == (1, None, "80 of 80")
        names = [found.name for found in health.rows]
        assert names == ["reconcile", "clock", "venue stream", "engine"]
        assert health.rows[0].limit == "< 2m"
        assert health.rows[1].figure == "+0.000 s against the venue"

    desk(test, feeds=lambda: tuple(feeds))


def test_a_leg_is_shown_with_its_type_its_time_in_force_and_its_average(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        bracket = await found.enter()
        await found.fill(bracket.entry.id, 4, "99.50")
        await found.fill(bracket.entry.id, 6, "99.80")
        legs = bracket_view(found.engine, found.engine.brackets.get(bracket.ticket)).legs
        assert (legs[0].type, legs[0].tif, legs[0].average) == (
            OrderType.LIMIT,
            TimeInForce.DAY,
            Decimal("99.68"),
        )
        assert (legs[1].type, legs[1].tif, legs[1].average) == (OrderType.STOP, TimeInForce.GTC, None)

    desk(test)


def test_the_story_of_a_bracket_has_its_facts_its_fills_and_its_next_steps(
    desk: Callable[..., None],
) -> None:
    async def test(found: Desk) -> None:
        bracket = await found.enter()
        waiting = bracket_detail(found.engine, bracket.ticket)
        assert waiting is not None
        assert [(line.ts, line.words) for line in waiting.story if line.is_next] == [
            (bracket.deadline_us, "cancel the entry, if nothing of it is filled"),
            (None, "filled: stop 92.00 and target 106.00 protect it at once"),
        ]
        await found.fill(bracket.entry.id, 4)
        part = bracket_detail(found.engine, bracket.ticket)
        assert part is not None
        (rest,) = (line for line in part.story if line.is_next)
        assert rest.words == "cancel the rest, 6 of 10. The 4 held keep stop 92.00 and target 106.00"
        await found.fill(bracket.entry.id, 6)
        held = bracket_detail(found.engine, bracket.ticket)
        assert held is not None
        assert [line.words for line in held.story if line.is_next] == [
            "at 92.00 or below: the stop sells the 10 held",
            "at 106.00: the target sells the 10 held",
            "sold before the close of its day 5, 4 sessions after this one",
        ]
        assert [(fill.role, fill.quantity) for fill in held.fills] == [
            (OrderRole.ENTRY, Decimal(4)),
            (OrderRole.ENTRY, Decimal(6)),
        ]
        past = [line.words for line in held.story if not line.is_next]
        assert past[0].startswith("entry intent written to the journal, then sent: buy 10 limit 100, sell 10")
        assert "ABC bought 6 at 100, fee 0.01" in past
        assert [line.ts for line in held.story if not line.is_next] == sorted(
            line.ts for line in held.story if not line.is_next and line.ts is not None
        )
        assert bracket_detail(found.engine, "01JD4Q9M7AZZZZZZZZZZZZZZZZ") is None

    desk(test)


async def test_the_figures_of_a_replay_follow_from_its_books(
    generated_market: Any, options: Callable[..., Any], runtime: Callable[..., Any]
) -> None:
    market = generated_market
    run = options(market.days[30], market.days[-32], DATASET)
    engine_run = runtime(run, market)
    await engine_run.start()
    try:
        await engine_run.run_until_done()
        engine, link = engine_run.engine, engine_run.link
        view = (await link.deck()).portfolio
        ledger = read_ledger(engine.parts.journal)
        trips = await link.ask(Question.ROUND_TRIPS)
        assert view.win.n == len(trips) > 10
        assert view.win.wins == sum(Decimal(trip["pnl"]) > 0 for trip in trips)
        assert sum(row.net for row in view.strategies) == sum(Decimal(trip["pnl"]) for trip in trips)
        assert sum(row.win.n for row in view.instruments) == view.win.n
        assert view.change is not None
        open_pnl = sum((position.pnl or Decimal(0) for position in view.positions), Decimal(0))
        assert float(view.change) == pytest.approx(float(ledger.realised + open_pnl), abs=1e-6)
        for period in PERIODS:
            curve = await link.detail(Topic.EQUITY, period)
            assert 1 <= len(curve.ts) <= MOST_POINTS
            assert curve.equity[-1] == pytest.approx(float(view.equity or 0))
            assert list(curve.ts) == sorted(curve.ts)
            assert max(curve.drawdown) <= 0
            assert curve.drawdown[-1] == pytest.approx(-(view.drawdown_ratio or 0.0), abs=1e-9)
        assert await link.detail(Topic.EQUITY, "2d") is None
        everything = await link.detail(Topic.EQUITY, "all")
        assert everything.equity[0] == float(view.put_in)
        for rate in (view.win, view.win_30d, *(row.win for row in view.instruments)):
            assert rate.ratio is None or 0 <= (rate.low or 0) <= rate.ratio <= (rate.high or 1) <= 1
        assert view.sharpe_days > 20
        assert (view.sharpe is None) == (view.win.n < 20)
        pages = [record async for record in _pages(link)]
        assert [record.seq for record in pages] == list(range(engine_run.audit_head()[0], 0, -1))
        assert all(record.text and record.hash for record in pages)
        kinds = {record.kind for record in pages}
        plain = {record.kind for record in pages if record.text.startswith(f"{record.kind}: {{")}
        assert kinds >= {"started", "candidate", "approved", "intent", "Fill", "SessionOver"}
        assert plain == set(), "every kind has words of its own"
        deck = await link.deck()
        health = await link.ask(Question.HEALTH)
        assert (health["running"], health["sources"][0]["name"]) == (True, "stored bars")
        status = await link.ask(Question.STATUS)
        assert status["audit_chain_rows"] == engine_run.audit_head()[0]
        assert status["journal_write_ms"] > 0
        assert {row.name for row in deck.health.rows} >= {"loop lag", "journal write", "disk", "memory"}
        before = view
    finally:
        await engine_run.stop()
    again = runtime(run, market)
    await again.start()
    try:
        await again.run_until_done()
        view = (await again.link.deck()).portfolio
        for name in ("equity", "change", "win", "round_trips", "strategies", "sharpe", "sharpe_days"):
            assert getattr(view, name) == getattr(before, name), name
        assert view.worst_drawdown_ratio == before.worst_drawdown_ratio
        curve = await again.link.detail(Topic.EQUITY, "all")
        assert curve == everything
    finally:
        await again.stop()


async def _pages(link: Any) -> Any:
    before = ""
    while True:
        page = await link.detail(Topic.LOG, before)
        for record in page.records:
            yield record
        assert len(page.records) <= PAGE
        if not page.older:
            return
        before = str(page.records[-1].seq)


@pytest.mark.parametrize(("age_s", "limit"), [(0, Decimal("101.92")), (31, None)])
def test_the_worst_price_shown_of_a_sale_is_the_one_that_is_sent(
    desk: Callable[..., None], age_s: float, limit: Decimal | None
) -> None:
    """2 % under the last price; a price that is too old bounds nothing."""

    async def test(found: Desk) -> None:
        bracket = await found.hold()
        found.price(104.0)
        await asyncio.sleep(age_s)
        shown = bracket_view(found.engine, found.engine.brackets.get(bracket.ticket)).exit_limit
        assert found.engine.give(ClosePosition(bracket.ticket, NINA)).ok
        await found.settle()
        await found.settle()
        assert shown == found.leg(bracket, OrderRole.EXIT).spec.limit_price == limit

    desk(test)


def test_the_log_knows_no_page_of_words(desk: Callable[..., None]) -> None:
    async def test(found: Desk) -> None:
        await found.hold()
        newest = log_page(found.engine, "")
        assert isinstance(newest, LogDetail)
        assert newest.records[0].text.startswith(("T-1 ABC", "ABC"))
        assert not newest.older
        assert log_page(found.engine, "1") == LogDetail((), False)
        assert log_page(found.engine, "newest") is None
        assert log_page(found.engine, "-1") is None
        assert log_page(found.engine, "9" * 18) == newest
        for endless in ("9" * 19, "9" * 5_000):
            assert log_page(found.engine, endless) is None

    desk(test)
