"""A cent that nobody explained ends new entries, and only a person may explain it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S, TestClock
from engine.errors import StorageError
from engine.execution.books import Books, cash_difference
from engine.execution.bracket import open_bracket
from engine.execution.cash import CashWatch, deposits_of
from engine.model.commands import Settle
from engine.model.orders import Fill, OrderState
from engine.model.positions import AccountKind, AccountSnapshot

ZERO = Decimal(0)


def account_of(cash: str) -> AccountSnapshot:
    money = Decimal(cash)
    return AccountSnapshot("SIM-1", AccountKind.SIMULATION, "USD", money, money, money, ())  # type: ignore[arg-type]


@pytest.fixture
def clock() -> TestClock:
    return TestClock(1_000_000_000)


@pytest.fixture
def books() -> Books:
    return Books(Decimal(1000))


@pytest.fixture
def written() -> list[Any]:
    return []


@pytest.fixture
def watch(books: Books, clock: TestClock, written: list[Any]) -> CashWatch:
    ids = iter(["one", "two", "three"])
    return CashWatch(books, clock, lambda: next(ids), lambda rows, audit: written.append((rows, audit)))


@pytest.fixture
def settle(world: ModuleType) -> Callable[..., Settle]:
    return lambda amount, reason="wire of 3 May": Settle(world.ANN, Decimal(amount), reason)


def test_equal_to_the_cent_is_no_difference(watch: CashWatch) -> None:
    for cash in ("1000", "1000.009", "999.991"):
        assert watch.look((), account_of(cash)) == ""
        assert watch.difference is None


def test_a_cent_at_two_looks_two_seconds_apart_is_told_with_both_numbers(
    watch: CashWatch, clock: TestClock
) -> None:
    assert watch.look((), account_of("999.99")) == ""
    clock.advance_to(clock.now_us() + 2 * US_PER_S - 1)
    assert watch.look((), account_of("999.99")) == ""
    clock.advance_to(clock.now_us() + 1)
    words = watch.look((), account_of("999.99"))
    assert words == "cash differs by -0.01: the venue says 999.99, our books say 1,000.00"


def test_a_proved_difference_is_told_once_and_stays_a_reason_against_a_resume(
    watch: CashWatch, clock: TestClock
) -> None:
    watch.look((), account_of("990"))
    assert watch.why_not_clean == "cash differs by -10.00: the venue says 990.00, our books say 1,000.00"
    clock.advance_to(clock.now_us() + 3 * US_PER_S)
    assert watch.look((), account_of("990")) == watch.why_not_clean
    assert watch.look((), account_of("990")) == ""
    assert watch.why_not_clean != ""
    assert watch.look((), account_of("1000")) == ""
    assert watch.why_not_clean == ""


def test_only_the_same_difference_twice_is_a_proof(watch: CashWatch, clock: TestClock) -> None:
    for cash in ("990", "980", "985", "990"):
        clock.advance_to(clock.now_us() + 30 * US_PER_S)
        assert watch.look((), account_of(cash)) == ""
    clock.advance_to(clock.now_us() + 30 * US_PER_S)
    assert watch.look((), account_of("990.005")) != ""


def test_the_cash_of_an_account_that_others_trade_on_says_nothing(watch: CashWatch, clock: TestClock) -> None:
    for _ in range(3):
        clock.advance_to(clock.now_us() + 30 * US_PER_S)
        assert watch.look((), account_of("5"), shared=True) == ""
    assert (watch.difference, watch.why_not_clean) == (None, "")


def test_a_difference_that_went_away_counts_from_the_start_again(watch: CashWatch, clock: TestClock) -> None:
    watch.look((), account_of("990"))
    clock.advance_to(clock.now_us() + 3 * US_PER_S)
    assert watch.look((), account_of("1000")) == ""
    assert watch.look((), account_of("990")) == ""


@pytest.mark.parametrize("state", [OrderState.SENDING, OrderState.UNKNOWN])
def test_nothing_is_said_while_an_order_is_in_flight(
    watch: CashWatch, clock: TestClock, books: Books, world: ModuleType, state: OrderState
) -> None:
    bracket = open_bracket(world.make_ticket(), 0)
    for leg in bracket.legs:
        bracket = bracket.with_leg(replace(leg, state=OrderState.WORKING))
    assert cash_difference(books, (bracket,), account_of("990")) == -10
    flying = bracket.with_leg(replace(bracket.legs[1], state=state))
    assert cash_difference(books, (flying,), account_of("990")) is None
    watch.look((bracket,), account_of("990"))
    clock.advance_to(clock.now_us() + 3 * US_PER_S)
    assert watch.look((flying,), account_of("990")) == ""
    assert watch.look((bracket,), account_of("990")) != ""


def test_nothing_is_said_while_a_price_has_not_come(books: Books, world: ModuleType) -> None:
    bracket = open_bracket(world.make_ticket(), 0)
    for leg in bracket.legs:
        bracket = bracket.with_leg(replace(leg, state=OrderState.WORKING))
    filled = replace(bracket.entry, state=OrderState.FILLED, cum=Decimal(10))
    assert cash_difference(books, (bracket.with_leg(filled),), account_of("0")) is None
    spec = filled.spec
    fill = Fill("x", spec.client_order_id, spec.instrument, spec.side, Decimal(10), Decimal(100), ZERO, 0)
    booked = bracket.with_leg(replace(filled, fills=(fill,)))
    books.record(booked)
    assert cash_difference(books, (booked,), account_of("0")) == 0


@pytest.mark.parametrize(("amount", "name"), [("500", "deposit"), ("-500", "withdrawal")])
def test_the_difference_is_booked_by_an_explicit_command(
    watch: CashWatch, books: Books, written: list[Any], settle: Callable[..., Settle], amount: str, name: str
) -> None:
    cash = str(1000 + Decimal(amount))
    watch.look((), account_of(cash))
    assert watch.difference == Decimal(amount)
    answer = watch.settle(settle(amount))
    assert (answer.ok, answer.code) == (True, "ok")
    assert answer.text == f"Booked a {name} of 500.00: cash is {Decimal(cash):,.2f}."
    assert (books.cash, books.deposits, books.initial_cash) == (
        Decimal(cash),
        Decimal(amount),
        Decimal(1000),
    )
    ((rows, audit),) = written
    assert dict(rows[0].values) == {
        "id": "one",
        "ts_us": 1_000_000_000,
        "amount": amount,
        "reason": "wire of 3 May",
        "by": "ann on pts/1",
    }
    assert (audit[0].kind, audit[0].actor) == ("settled", "ann on pts/1")
    assert audit[0].body == {"amount": amount, "reason": "wire of 3 May", "cash_before": "1000"}
    assert watch.difference is None
    assert watch.look((), account_of(cash)) == ""
    assert deposits_of([row.values for row in rows]) == Decimal(amount)


@pytest.mark.parametrize("amount", ["400", "-500", "500.02"])
def test_only_the_difference_itself_can_be_booked(
    watch: CashWatch, books: Books, written: list[Any], settle: Callable[..., Settle], amount: str
) -> None:
    watch.look((), account_of("1500"))
    answer = watch.settle(settle(amount))
    assert answer.code == "no_such_difference"
    assert answer.text.startswith("The venue's cash differs by 500.00, not by")
    assert (books.cash, written) == (Decimal(1000), [])


def test_where_the_books_agree_there_is_nothing_to_book(
    watch: CashWatch, settle: Callable[..., Settle], written: list[Any]
) -> None:
    assert watch.settle(settle("500")).code == "no_such_difference"
    assert written == []


@pytest.mark.parametrize(("amount", "reason"), [("0", "x"), ("NaN", "x"), ("Infinity", "x"), ("500", " ")])
def test_an_amount_that_is_none_or_without_a_reason_is_refused(
    watch: CashWatch, settle: Callable[..., Settle], written: list[Any], amount: str, reason: str
) -> None:
    watch.look((), account_of("1500"))
    assert watch.settle(settle(amount, reason)).code == "malformed"
    assert written == []


def test_what_cannot_be_journalled_is_not_booked(
    books: Books, clock: TestClock, settle: Callable[..., Settle]
) -> None:
    def full(rows: Any, audit: Any) -> None:
        raise StorageError("the disk is full")

    watch = CashWatch(books, clock, lambda: "one", full)
    watch.look((), account_of("1500"))
    answer = watch.settle(settle("500"))
    assert (answer.ok, answer.code) == (False, "not_journalled")
    assert (books.cash, watch.difference) == (Decimal(1000), Decimal(500))
