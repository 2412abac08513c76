"""Total - initial - deposits = realised + unrealised, whatever was traded, split or put in (SPEC 6.7)."""

import asyncio
import importlib.util
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.execution.books import cash_difference, cash_of
from engine.execution.ledger import Holding, Ledger, read_ledger
from engine.model.market import CorporateAction, CorporateActionKind, corporate_action_kind
from engine.model.positions import AccountKind, AccountSnapshot, ExitReason

ZERO, NEAR = Decimal(0), Decimal("1e-6")


def load() -> ModuleType:
    # By path: another distribution installs a top-level package `tests`.
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "unit" / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


world = load()
CENTS = st.decimals("0.01", "500", places=2)
TRADES = st.tuples(st.integers(-50, 50).filter(bool), CENTS, st.decimals("0", "2", places=2))


@settings(max_examples=300, deadline=None)
@given(st.lists(TRADES, max_size=20), CENTS)
def test_trades_in_any_order_and_direction_keep_the_invariant(
    trades: list[tuple[int, Decimal, Decimal]], mark: Decimal
) -> None:
    held, cash = Holding(), ZERO
    for quantity, price, fee in trades:
        before, held = held, held.traded(Decimal(quantity), price, fee)
        cash -= quantity * price + fee
        assert held.quantity == before.quantity + quantity
        if held.quantity == ZERO:
            assert abs(held.cost) < NEAR
    books = Ledger(ZERO, ZERO, cash, {world.ABC: held})
    total, unrealised = books.total({world.ABC: mark}), books.unrealised({world.ABC: mark})
    assert total is not None
    assert unrealised is not None
    assert abs(total - books.realised - unrealised) < NEAR
    assert books.fees == sum((fee for _, _, fee in trades), ZERO)


STEPS = st.one_of(
    st.tuples(st.just("begin"), st.integers(1, 60)),
    st.tuples(
        st.just("fill"), st.integers(0, 5), st.sampled_from("ESTX"), st.sampled_from([1, 3, None]), CENTS
    ),
    st.tuples(st.just("exit"), st.integers(0, 5)),
    st.tuples(st.just("action"), st.sampled_from([0.5, 10.0, 0.98])),
    st.tuples(st.just("deposit"), st.decimals("-900", "900", places=2)),
    st.tuples(st.just("wait"), st.sampled_from([1, 30])),
    st.tuples(st.just("kill")),
)


class Life:
    """Several brackets, each in an instrument of its own, at a venue that counts its own cash."""

    def __init__(self) -> None:
        self.rig = world.Rig()
        self.deposits: list[Decimal] = []
        self.day = world.MONDAY
        self.rig.journal.tables["meta"][("initial_cash",)] = {"k": "initial_cash", "v": "100000"}

    async def step(self, step: tuple[Any, ...]) -> None:
        rig = self.rig
        match step:
            case ("begin", quantity) if len(tuple(rig.brackets)) < 4:
                number = len(tuple(rig.brackets)) + 1
                await rig.begin(number=number, quantity=quantity, instrument=f"A{number}.US")
            case ("fill", which, role, quantity, price):
                orders = [
                    order for order in rig.venue.live() if order[-3] == role and rig.venue.is_awake(order)
                ]
                if orders:
                    order = orders[which % len(orders)]
                    left = rig.venue.orders[order].remaining
                    rig.venue.fill(order, left if quantity is None else min(left, quantity), str(price))
            case ("exit", which):
                held = [bracket for bracket in rig.brackets.open() if bracket.position > ZERO]
                if held:
                    rig.brackets.want_exit(held[which % len(held)].ticket, ExitReason.MANUAL)
            case ("action", ratio):
                self.day += timedelta(days=1)
                kind, now = corporate_action_kind(ratio), rig.clock.now_us()
                for bracket in rig.brackets.open():
                    name = bracket.instrument
                    rig.brackets.restate((CorporateAction(name, kind, ratio, 100.0, self.day, now),))
                    if kind is CorporateActionKind.SPLIT:
                        rig.venue.split(Decimal(str(ratio)), name)
            case ("deposit", amount):
                key = str(len(self.deposits))
                rig.journal.tables["settlement"][(key,)] = {"id": key, "amount": str(amount)}
                rig.books.settle(amount)
                self.deposits.append(amount)
            case ("wait", seconds):
                await rig.advance(seconds)
            case ("kill",):
                await rig.settle()
                rig.kill()
                rig.books.settle(sum(self.deposits, ZERO))
        await rig.settle()
        self.check()

    def check(self) -> None:
        rig = self.rig
        books = read_ledger(rig.journal)
        assert abs(books.cash - rig.books.cash) < NEAR
        held = {bracket.instrument: bracket.held for bracket in rig.brackets if bracket.held != ZERO}
        # A fill without its price is held, and no money moved yet.
        if all(leg.unbooked == ZERO for bracket in rig.brackets for leg in bracket.legs):
            found = {name: h.quantity for name, h in books.holdings.items() if h.quantity != ZERO}
            assert found == held
        marks = {name: Decimal("87.65") for name in books.holdings}
        total, unrealised = books.total(marks), books.unrealised(marks)
        assert total is not None
        assert unrealised is not None
        left = total - books.initial - books.deposits - books.realised - unrealised
        assert abs(left) < NEAR
        self.check_venue()

    def check_venue(self) -> None:
        """The venue counts what it executed, and pays dividends and cash in lieu."""
        rig = self.rig
        paid = sum((bracket.cash_adjustment for bracket in rig.brackets), ZERO)
        traded = sum((cash_of(fill) for fill in rig.venue.executed), ZERO)
        cash = Decimal(100_000) + sum(self.deposits, ZERO) + traded + paid
        account = AccountSnapshot(world.ACCOUNT, AccountKind.SIMULATION, "USD", cash, cash, cash, ())
        difference = cash_difference(rig.books, rig.brackets, account)
        assert difference is None or difference == ZERO
        wrong = cash_difference(
            rig.books,
            rig.brackets,
            AccountSnapshot(
                world.ACCOUNT, AccountKind.SIMULATION, "USD", cash - Decimal("0.01"), cash, cash, ()
            ),
        )
        assert wrong is None or wrong == Decimal("-0.01")


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=14))
def test_the_books_of_any_life_follow_from_its_journal(steps: list[tuple[Any, ...]]) -> None:
    async def live() -> None:
        life = Life()
        for step in [("begin", 10), *steps]:
            await life.step(step)

    asyncio.run(live())
