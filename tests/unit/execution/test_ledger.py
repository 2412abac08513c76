"""Average cost accounting: positions, cash, fees and profit from the journal's facts alone (SPEC 6.7)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket, open_bracket
from engine.execution.ledger import Holding, ledger_of, read_ledger
from engine.model.orders import Fill, OrderSide

D = Decimal
ZERO = D(0)


def traded(*trades: tuple[str, str, str]) -> Holding:
    held = Holding()
    for quantity, price, fee in trades:
        held = held.traded(D(quantity), D(price), D(fee))
    return held


def test_two_buys_average_and_a_sale_takes_its_share_of_the_cost() -> None:
    held = traded(("10", "100", "1"), ("10", "110", "1"), ("-5", "120", "1"))
    assert (held.quantity, held.fees) == (D(15), D(3))
    assert held.cost == D("2102") * 15 / 20
    assert held.realised == 5 * 120 - 1 - D("2102") / 4


def test_flat_again_leaves_no_cost() -> None:
    held = traded(("3", "10", "0.01"), ("-1", "11", "0.01"), ("-1", "12", "0.01"), ("-1", "9", "0.01"))
    assert (held.quantity, held.cost) == (ZERO, ZERO)
    assert abs(held.realised - (D(32) - D(30) - D("0.04"))) < D("1e-20")


def test_an_oversale_is_a_short_until_it_is_bought_back() -> None:
    short = traded(("10", "100", "0"), ("-15", "90", "3"))
    assert (short.quantity, short.realised, short.cost) == (D(-5), D(-102), D(-449))
    flat = short.traded(D(5), D(80), D(1))
    assert (flat.quantity, flat.cost, flat.realised) == (ZERO, ZERO, D(-102) + 449 - 401)


def test_a_split_changes_shares_and_no_money() -> None:
    held = traded(("10", "100", "1")).restated(D(30))
    assert (held.quantity, held.cost, held.realised) == (D(40), D(1001), ZERO)


def test_shares_that_are_gone_cost_what_they_cost() -> None:
    gone = traded(("10", "100", "1")).restated(D(-10)).paid(D(5))
    assert (gone.quantity, gone.cost, gone.realised) == (ZERO, ZERO, D(-996))


@pytest.fixture
def held(world: ModuleType) -> Bracket:
    """10 shares bought at 100 with a fee of 1."""
    bracket = open_bracket(world.make_ticket(), 0)
    return with_fill(bracket, 0, "a", OrderSide.BUY, "10", "100", "1")


def with_fill(
    bracket: Bracket, leg: int, name: str, side: OrderSide, quantity: str, price: str, fee: str, day: int = 4
) -> Bracket:
    found = bracket.legs[leg]
    ts = (1_451_865_600 + (day - 4) * 86_400) * US_PER_S + 53_000 * US_PER_S
    fill = Fill(name, found.id, bracket.instrument, side, D(quantity), D(price), D(fee), ts)
    return bracket.with_leg(replace(found, cum=found.cum + D(quantity), fills=(*found.fills, fill)))


def test_the_books_of_a_bracket_with_a_split_a_dividend_and_a_sale(held: Bracket) -> None:
    split = replace(held, adjustment=D(10), cash_adjustment=D(7), last_action=date(2016, 1, 5))
    sold = with_fill(split, 1, "b", OrderSide.SELL, "5", "60", "1", day=5)
    books = ledger_of(D(5000), D(100), (sold,))
    name = held.instrument
    assert books.holdings[name].quantity == 15
    assert books.cash == D(5100) - 1001 + 7 + 299
    assert books.realised == 7 + 299 - D(1001) / 4
    assert books.fees == 2
    marks = {name: D(55)}
    total, unrealised = books.total(marks), books.unrealised(marks)
    assert total is not None
    assert unrealised is not None
    assert abs(total - 5000 - 100 - books.realised - unrealised) < D("1e-6")


def test_a_missing_mark_makes_the_total_unknown(held: Bracket) -> None:
    books = ledger_of(D(5000), ZERO, (held,))
    assert (books.total({}), books.unrealised({})) == (None, None)
    sold = with_fill(held, 1, "b", OrderSide.SELL, "10", "101", "1")
    flat = ledger_of(D(5000), ZERO, (sold,))
    assert (flat.total({}), flat.unrealised({})) == (D(5008), ZERO)


def test_shares_that_the_venue_does_not_hold_are_lost_with_what_they_cost(held: Bracket) -> None:
    books = ledger_of(ZERO, ZERO, (replace(held, missing=D(10)),))
    assert books.holdings[held.instrument].quantity == 0
    assert (books.cash, books.realised) == (D(-1001), D(-1001))


async def test_a_journal_alone_gives_the_books(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.fill(bracket.legs[2].id, price="106")
    await rig.settle()
    rig.assert_over()
    rig.journal.tables["meta"][("initial_cash",)] = {"k": "initial_cash", "v": "100000"}
    rig.journal.tables["settlement"][("a",)] = {"id": "a", "amount": "250.5"}
    books = read_ledger(rig.journal)
    rig.books.settle(D("250.5"))
    assert books.cash == rig.books.cash == D("100310.48")
    (trip,) = rig.journal.rows("round_trip")
    assert books.realised == D(str(trip["pnl"])) == D("59.98")
    assert books.deposits == D("250.5")
