"""The simulated venue's truth: what executes, what wakes and ends together, and money to the cent."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from brokers.simvenue.book import Book, BookOrder, Identity
from brokers.simvenue.card import CALM, VenueCard, draw_card
from brokers.simvenue.requests import DUPLICATE, Execution, OrderTerms, Refusal
from engine.execution.fees import TakerFees
from engine.execution.policies import why_manual
from engine.model.orders import BracketKind, OrderState
from engine.ports import REPLACED

ABC = "ABC.US"
D = Decimal
WORKING, FILLED, CANCELED, EXPIRED = (
    OrderState.WORKING,
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.EXPIRED,
)


class World:
    """A book at 10.00, with a hand on its time."""

    def __init__(self, card: VenueCard = CALM) -> None:
        self.now = 1_451_917_800_000_000
        self.book = Book(Identity("SIM-1", "paper"), card, D(10_000), lambda: self.now)
        self.told: list[bytes] = []
        self.executions: list[Execution] = []
        self.book.tell = self.told.append
        self.book.seen = lambda order, execution: self.executions.append(execution) if execution else None
        self.book.price(ABC, D("10.00"))

    def send(self, *orders: OrderTerms, link: str = "single") -> tuple[BookOrder, ...]:
        taken = self.book.submit(link, orders)
        assert not isinstance(taken, Refusal), taken
        return taken

    def refused(self, *orders: OrderTerms, link: str = "single") -> str:
        refusal = self.book.submit(link, orders)
        assert isinstance(refusal, Refusal)
        return refusal.code

    def hold(self, quantity: int = 10) -> None:
        self.send(terms("B", "buy", "market", quantity, tif="day"))
        assert self.book.positions[ABC] == quantity


def terms(
    name: str, side: str, kind: str, quantity: int = 10, price: str = "", tif: str = "gtc"
) -> OrderTerms:
    limit = D(price) if kind == "limit" else None
    stop = D(price) if kind == "stop" else None
    return OrderTerms(name, ABC, side, kind, D(quantity), limit, stop, tif)


def bracket(entry: str = "10.00", stop: str = "9.00", target: str = "11.00") -> tuple[OrderTerms, ...]:
    return (
        terms("E", "buy", "limit", 10, entry, "day"),
        terms("S", "sell", "stop", 10, stop),
        terms("T", "sell", "limit", 10, target),
    )


@pytest.fixture
def world() -> World:
    return World()


def states(orders: tuple[BookOrder, ...]) -> list[OrderState]:
    return [order.state for order in orders]


def test_a_market_order_executes_at_the_price_and_is_paid_with_its_fee() -> None:
    world = World(replace(CALM, fees=TakerFees(D("0.001"))))
    world.hold()
    assert world.book.cash == D(10_000) - 100 - D("0.10")
    assert world.executions[0].fee == D("0.10")
    assert world.book.account_at(world.now).cash == D("9899.90")


@pytest.mark.parametrize(("price", "fills"), [("9.99", True), ("10.01", False)])
def test_a_limit_buy_executes_at_its_limit_or_better(world: World, price: str, fills: bool) -> None:
    (order,) = world.send(terms("E", "buy", "limit", 10, "9.99"))
    world.book.price(ABC, D(price))
    assert (order.state is FILLED) == fills


def test_a_stop_that_a_gap_goes_through_sells_at_what_the_market_pays(world: World) -> None:
    world.hold()
    (stop,) = world.send(terms("S", "sell", "stop", 10, "9.00"))
    world.book.price(ABC, D("7.50"))
    assert stop.state is FILLED
    assert world.executions[-1].price == D("7.50")


def test_sleeping_exits_wake_with_the_whole_entry_and_not_before(world: World) -> None:
    world.book.part_of = lambda lots: min(lots, 4)
    entry, stop, target = world.send(*bracket(), link="otoco")
    assert (entry.cum, stop.is_awake, target.is_awake) == (4, False, False)
    world.book.price(ABC, D("8.00"))
    assert stop.cum == 0
    world.book.price(ABC, D("10.00"))
    assert entry.state is FILLED
    assert stop.is_awake
    world.book.part_of = lambda lots: lots
    world.book.price(ABC, D("11.00"))
    assert states((entry, stop, target)) == [FILLED, CANCELED, FILLED]
    assert world.book.positions[ABC] == 0


def test_an_entry_that_ends_takes_its_sleeping_exits_with_it(world: World) -> None:
    orders = world.send(*bracket("9.50"), link="otoco")
    world.book.cancel("E")
    assert states(orders) == [CANCELED] * 3


def test_a_pair_shrinks_together_and_ends_together(world: World) -> None:
    world.hold()
    stop, target = world.send(*bracket()[1:], link="oco")
    world.book.part_of = lambda lots: min(lots, 4)
    world.book.price(ABC, D("11.00"))
    assert (target.cum, stop.quantity) == (4, 6)
    world.book.cancel("S")
    assert states((stop, target)) == [CANCELED, CANCELED]


def test_resting_exits_hold_their_units(world: World) -> None:
    world.hold()
    world.send(*bracket()[1:], link="oco")
    assert world.refused(terms("X", "sell", "market", 10)) == "insufficient"


def test_where_exits_hold_nothing_more_may_be_sold_than_is_held() -> None:
    world = World(replace(CALM, holds_quantity=False))
    world.hold()
    world.send(terms("S", "sell", "stop", 10, "9.00"))
    world.send(terms("X", "sell", "market", 10))
    world.book.price(ABC, D("8.00"))
    assert world.book.positions[ABC] == -10


def test_an_id_is_used_once(world: World) -> None:
    world.hold()
    assert world.refused(terms("B", "buy", "market")) == DUPLICATE


def test_an_id_among_open_orders_is_free_again() -> None:
    card = replace(CALM, capabilities=replace(CALM.capabilities, client_id_unique_for_ever=False))
    world = World(card)
    world.hold()
    world.send(terms("B", "buy", "limit", 10, "9.00"))
    assert world.refused(terms("B", "buy", "market")) == DUPLICATE


def test_links_that_the_venue_does_not_know_are_refused() -> None:
    synthetic = replace(CALM, capabilities=replace(CALM.capabilities, bracket_kind=BracketKind.SYNTHETIC))
    world = World(synthetic)
    assert world.refused(*bracket(), link="otoco") == "unsupported"
    assert world.refused(*bracket()[1:], link="oco") == "unsupported"


def test_a_replacement_takes_the_place_in_the_group(world: World) -> None:
    world.hold()
    stop, target = world.send(*bracket()[1:], link="oco")
    new = world.book.replace("S", terms("S2", "sell", "stop", 10, "9.50"))
    assert isinstance(new, BookOrder)
    assert (stop.state, stop.reason) == (CANCELED, REPLACED)
    assert new.group == target.group == (new, target)
    world.book.price(ABC, D("9.40"))
    assert states((new, target)) == [FILLED, CANCELED]


@pytest.mark.parametrize(
    ("name", "new", "code"),
    [
        ("nobody", terms("S2", "sell", "stop", 10, "9.50"), "not_working"),
        ("S", terms("B", "sell", "stop", 10, "9.50"), DUPLICATE),
        ("S", terms("S2", "sell", "stop", 11, "9.50"), "insufficient"),
    ],
)
def test_a_replacement_that_is_refused_leaves_the_order(
    world: World, name: str, new: OrderTerms, code: str
) -> None:
    world.hold()
    (stop,) = world.send(terms("S", "sell", "stop", 10, "9.00"))
    refusal = world.book.replace(name, new)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert stop.is_live


def test_a_replacement_of_more_than_is_left_is_refused_also_where_exits_hold_nothing() -> None:
    world = World(replace(CALM, holds_quantity=False))
    world.hold()
    (stop,) = world.send(terms("S", "sell", "stop", 10, "9.00"))
    world.book.part_of = lambda lots: 6
    world.book.price(ABC, D("9.00"))
    assert stop.remaining == 4
    refusal = world.book.replace("S", terms("S2", "sell", "stop", 5, "9.50"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "insufficient"


def test_a_stop_that_the_price_is_through_is_refused_where_the_venue_does_so() -> None:
    world = World(replace(CALM, refuses_stop_through=True))
    world.hold()
    assert world.refused(terms("S", "sell", "stop", 10, "10.50")) == "stop_price"


def test_else_it_triggers_at_once(world: World) -> None:
    world.hold()
    (stop,) = world.send(terms("S", "sell", "stop", 10, "10.50"))
    assert stop.state is FILLED


def test_in_a_trading_halt_nothing_executes(world: World) -> None:
    world.hold()
    (stop,) = world.send(terms("S", "sell", "stop", 10, "9.00"))
    world.book.halt(ABC)
    world.book.price(ABC, D("8.00"))
    assert stop.is_live
    assert world.refused(terms("X", "sell", "market", 10)) == "halted"
    world.book.resume(ABC)
    assert stop.state is FILLED


def test_the_session_ends_with_its_closing_print_and_its_day_orders(world: World) -> None:
    world.hold()
    (closing,) = world.send(terms("X", "sell", "market", 10, tif="cls"))
    (entry,) = world.send(terms("E", "buy", "limit", 10, "9.00", "day"))
    (stop,) = world.send(terms("L", "buy", "limit", 1, "8.00"))
    assert closing.is_live
    world.book.price(ABC, D("10.20"))
    world.book.end_session()
    assert states((closing, entry, stop)) == [FILLED, EXPIRED, WORKING]
    assert world.executions[-1].price == D("10.20")
    world.book.price(ABC, D("7.00"))
    assert stop.is_live
    assert world.refused(terms("X2", "sell", "market", 1, tif="cls")) == "closed"
    world.book.open_session()
    assert stop.state is FILLED


def test_cash_bounds_what_is_bought(world: World) -> None:
    assert world.refused(terms("B", "buy", "market", 1001)) == "buying_power"


def test_what_ended_or_never_was_cannot_be_canceled(world: World) -> None:
    world.hold()
    codes = [
        refusal.code for name in ("B", "nobody") if isinstance(refusal := world.book.cancel(name), Refusal)
    ]
    assert codes == ["not_working", "no_such_order"]


def test_the_past_can_be_asked_for(world: World) -> None:
    began = world.now
    world.now += 1000
    (order,) = world.send(terms("E", "buy", "limit", 10, "9.00"))
    world.now += 1000
    world.book.price(ABC, D("9.00"))
    assert order.report_at(began) is None
    assert b'"working"' in (order.report_at(began + 1500) or b"")
    assert b'"filled"' in (order.report_at(world.now) or b"")
    assert world.book.executions_since(0, began + 1500) == []
    assert len(world.book.executions_since(world.now, world.now)) == 1
    assert world.book.account_at(began + 1500).positions == ()
    assert world.book.account_at(world.now).positions[0].quantity == 10


def test_ids_of_the_venue_may_start_anew(world: World) -> None:
    world.hold()
    world.book.roll_back_ids()
    (order,) = world.send(terms("S", "sell", "stop", 10, "9.00"))
    assert order.venue_id == world.book.by_id["B"].venue_id


def test_every_drawn_card_is_fit_for_automatic_trading() -> None:
    for seed in range(200):
        assert not why_manual(draw_card(Random(seed)).capabilities)


def test_a_refusal_on_record_is_a_rejected_order(world: World) -> None:
    world.book.record_refusal(bracket(), "a rule")
    assert [(order.id, order.state) for order in world.book.orders] == [("E", OrderState.REJECTED)]


def test_every_change_is_told(world: World) -> None:
    found: Any = world.told
    world.hold()
    kinds = [b'"type":"order"' in message for message in found]
    assert kinds == [True, False, True]
