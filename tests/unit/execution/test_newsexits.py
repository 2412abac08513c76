"""Bad news about what is held or being entered: it is left, at once, and a person is told once."""

from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.execution.bracket import BracketPhase
from engine.execution.newsexits import PERIOD_US, NewsDesk, NewsExits
from engine.model.company import CompanyFacts, Filing
from engine.model.events import Alarm
from engine.model.market import Headline, MarketBatch, Provenance, Quote
from engine.model.orders import OrderRole, OrderState, OrderType
from engine.model.positions import AccountKind, ExitReason

SEVERE = "ABC prices a public offering of stock"
CALM = "ABC opens a plant"
RESULTS = "ABC reports third quarter results"


class Scene:
    """A bracket writer, the news that are looked at, and what was told of them."""

    def __init__(self, rig: Any, world: ModuleType) -> None:
        self.rig, self.world = rig, world
        self.filings: list[Filing] = []
        self.has_company = True
        self.kind = AccountKind.PAPER
        self.heeds = True
        self.exits = self.make()

    def make(self) -> NewsExits:
        rig = self.rig
        desk = NewsDesk(
            rig.brackets,
            rig.clock.now_us,
            rig.picture.headlines,
            self.facts if self.has_company else None,
            self.kind,
            lambda strategy: self.heeds,
            rig.events.append,
        )
        return NewsExits(desk)

    def facts(self, instrument: Any) -> CompanyFacts | None:
        if not self.filings:
            return None
        return CompanyFacts(instrument, None, None, None, tuple(self.filings), None, (), 0)

    def quote(self) -> None:
        now = self.rig.clock.now_us()
        shown = Quote(self.world.ABC, 99.8, 101.0, now, now, Provenance.LIVE)
        self.rig.picture.take(MarketBatch(now, quotes=(shown,)))

    async def tell(self, title: str, ago_s: float = 0.0) -> None:
        now = self.rig.clock.now_us()
        ts = now - round(ago_s * US_PER_S)
        item = Headline((self.world.ABC,), title, "wire", ts, ts, Provenance.LIVE)
        batch = MarketBatch(now, headlines=(item,))
        self.rig.picture.take(batch)
        self.exits.look(batch)
        await self.rig.settle()

    async def look(self) -> None:
        self.exits.look(MarketBatch(self.rig.clock.now_us()))
        await self.rig.settle()

    def file(self, items: tuple[str, ...], provenance: Provenance = Provenance.LIVE) -> None:
        now = self.rig.clock.now_us()
        day = date(2016, 1, 4)
        self.filings.append(Filing(self.world.ABC, "a-1", "8-K", items, day, now, now, provenance))

    @property
    def told(self) -> list[str]:
        return [e.text for e in self.rig.events if isinstance(e, Alarm) and e.kind == "news_exit"]


@pytest.fixture
async def scene(rig: Any, world: ModuleType) -> Scene:
    return Scene(rig, world)


@pytest.mark.parametrize(
    ("title", "words"), [(SEVERE, f'offering: "{SEVERE}"'), (RESULTS, f'results: "{RESULTS}"')]
)
async def test_a_severe_headline_or_results_sell_under_the_bid(scene: Scene, title: str, words: str) -> None:
    await scene.rig.hold()
    scene.quote()
    await scene.rig.advance(5)
    await scene.tell(title)
    bracket = scene.rig.now()
    assert (bracket.phase, bracket.exit_wanted) == (BracketPhase.EXITING, ExitReason.NEWS)
    (sale,) = bracket.of_role(OrderRole.EXIT)
    assert (sale.spec.type, sale.spec.limit_price) == (OrderType.LIMIT, Decimal("99.8") * Decimal("0.995"))
    assert scene.told == [f"B-{bracket.number} ABC: left on news, {words}"]
    await scene.tell(title)
    assert len(scene.told) == 1


async def test_calm_news_and_news_of_before_the_approval_leave_it_alone(scene: Scene) -> None:
    await scene.rig.hold()
    await scene.rig.advance(5)
    await scene.tell(CALM)
    await scene.tell(SEVERE, ago_s=6)
    assert scene.rig.now().phase is BracketPhase.PROTECTED
    assert scene.told == []


async def test_an_entry_that_works_is_cancelled(scene: Scene) -> None:
    await scene.rig.begin()
    await scene.rig.advance(1)
    scene.rig.venue.faults["cancel"].append("unavailable")
    await scene.tell(SEVERE)
    await scene.tell(SEVERE)
    await scene.rig.advance(5)
    assert scene.rig.legs(OrderRole.ENTRY) == [OrderState.CANCELED]
    assert len(scene.told) == 1


async def test_what_fills_after_the_news_is_left_a_minute_later(scene: Scene) -> None:
    bracket = await scene.rig.begin()
    await scene.rig.advance(1)
    await scene.tell(SEVERE)
    scene.rig.venue.fill(bracket.entry.id)
    await scene.rig.settle()
    await scene.look()
    assert scene.rig.now().exit_wanted is None
    await scene.rig.advance(PERIOD_US / US_PER_S)
    await scene.look()
    assert scene.rig.now().exit_wanted is ExitReason.NEWS


@pytest.mark.parametrize("item", ["2.02", "4.02"])
async def test_a_filing_with_a_bad_item_ends_it(scene: Scene, item: str) -> None:
    await scene.rig.hold()
    await scene.rig.advance(1)
    scene.file(("9.01",))
    scene.file((item,))
    await scene.look()
    assert scene.rig.now().exit_wanted is ExitReason.NEWS
    assert scene.told[0].endswith(f"left on news, 8-K item {item}")


async def test_a_replayed_filing_decides_nothing_outside_of_simulations(scene: Scene) -> None:
    await scene.rig.hold()
    await scene.rig.advance(1)
    scene.file(("4.02",), Provenance.REPLAY)
    await scene.look()
    assert scene.rig.now().exit_wanted is None
    scene.kind = AccountKind.SIMULATION
    scene.exits = scene.make()
    await scene.look()
    assert scene.rig.now().exit_wanted is ExitReason.NEWS


async def test_without_a_source_of_filings_the_headlines_still_count(scene: Scene) -> None:
    scene.has_company = False
    scene.exits = scene.make()
    await scene.rig.hold()
    await scene.rig.advance(1)
    await scene.tell(SEVERE)
    assert scene.rig.now().exit_wanted is ExitReason.NEWS


async def test_a_strategy_that_does_not_heed_news_stays(scene: Scene) -> None:
    scene.heeds = False
    await scene.rig.hold()
    await scene.rig.advance(1)
    await scene.tell(SEVERE)
    assert scene.rig.now().phase is BracketPhase.PROTECTED


async def test_what_is_being_sold_already_is_let_be(scene: Scene) -> None:
    await scene.rig.hold()
    await scene.rig.advance(1)
    scene.rig.brackets.want_exit(scene.rig.now().ticket, ExitReason.MANUAL)
    await scene.rig.settle()
    await scene.tell(SEVERE)
    assert scene.rig.now().exit_wanted is ExitReason.MANUAL
    assert scene.told == []


async def test_a_wish_that_waits_for_a_price_is_not_repeated(scene: Scene, world: ModuleType) -> None:
    rig = scene.rig
    bracket = await rig.hold()
    await rig.advance(1)
    await rig.close_session()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await scene.tell(SEVERE)
    assert rig.now().exit_wanted is ExitReason.MANUAL
    assert scene.told == []


async def test_a_journal_that_cannot_be_written_halts_and_is_tried_again(scene: Scene) -> None:
    await scene.rig.hold()
    await scene.rig.advance(1)
    scene.rig.journal.failures = 1
    await scene.tell(SEVERE)
    assert scene.rig.halts
    assert scene.rig.now().exit_wanted is None
    assert scene.told == []
    await scene.rig.advance(PERIOD_US / US_PER_S)
    await scene.look()
    assert scene.rig.now().exit_wanted is ExitReason.NEWS
