"""Positions, cash, fees and profit rebuilt from the journal alone, at average cost (SPEC 6.7).

For every instrument: a buy adds what it cost with its fee to `cost`, a sale takes its share of `cost` out and
the rest is realised. So always: total - initial - deposits = realised + unrealised.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket
from engine.execution.cash import deposits_of
from engine.execution.records import restore_brackets
from engine.model.ids import InstrumentId
from engine.model.orders import Fill
from engine.money import ZERO
from engine.ports import Journal

LATEST_US = 1 << 62
"""Shares that were found missing went nobody knows when: counted last."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One instrument. `quantity` < 0 after an oversale; `cost` is what the quantity held was paid."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO

    def traded(self, quantity: Decimal, price: Decimal, fee: Decimal) -> "Holding":
        """After a purchase (`quantity` > 0) or a sale (< 0)."""
        closing = ZERO
        if self.quantity * quantity < ZERO:
            closing = min(abs(quantity), abs(self.quantity))
        share = closing / abs(quantity)
        paid = quantity * price + fee
        released = self.cost * (closing / abs(self.quantity)) if closing else ZERO
        return Holding(
            self.quantity + quantity,
            self.cost - released + paid * (1 - share),
            self.realised - paid * share - released,
            self.fees + fee,
        )

    def restated(self, shares: Decimal) -> "Holding":
        """After a split gave or took shares for nothing; when none are left, what they cost is lost."""
        quantity = self.quantity + shares
        if quantity == ZERO:
            return replace(self, quantity=ZERO, cost=ZERO, realised=self.realised - self.cost)
        return replace(self, quantity=quantity)

    def paid(self, amount: Decimal) -> "Holding":
        """After a dividend or cash in lieu."""
        return replace(self, realised=self.realised + amount)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account as the journal alone gives it, in account currency."""

    initial: Decimal
    deposits: Decimal
    cash: Decimal
    holdings: Mapping[InstrumentId, Holding]

    @property
    def realised(self) -> Decimal:
        """Profit of what was sold, fees and cash events counted."""
        return sum((holding.realised for holding in self.holdings.values()), ZERO)

    @property
    def fees(self) -> Decimal:
        """All fees paid; they are in `realised` and in cost already."""
        return sum((holding.fees for holding in self.holdings.values()), ZERO)

    def total(self, marks: Mapping[InstrumentId, Decimal]) -> Decimal | None:
        """Cash plus what is held at `marks`; None when a mark is missing."""
        value = self._valued(marks)
        return None if value is None else self.cash + value

    def unrealised(self, marks: Mapping[InstrumentId, Decimal]) -> Decimal | None:
        """What is held at `marks` less what it cost; None when a mark is missing."""
        value = self._valued(marks)
        return None if value is None else value - sum((h.cost for h in self.holdings.values()), ZERO)

    def _valued(self, marks: Mapping[InstrumentId, Decimal]) -> Decimal | None:
        value = ZERO
        for instrument, holding in self.holdings.items():
            if holding.quantity != ZERO:
                if instrument not in marks:
                    return None
                value += holding.quantity * marks[instrument]
        return value


def ledger_of(initial: Decimal, deposits: Decimal, brackets: Iterable[Bracket]) -> Ledger:
    """The books of an account whose whole history is `brackets`."""
    holdings: defaultdict[InstrumentId, Holding] = defaultdict(Holding)
    cash = initial + deposits
    for _, instrument, what in sorted(_events(brackets), key=lambda event: event[0]):
        holding = holdings[instrument]
        match what:
            case Fill():
                signed = what.side.sign * what.quantity
                holdings[instrument] = holding.traded(signed, what.price, what.fee)
                cash -= signed * what.price + what.fee
            case _Shares(number):
                holdings[instrument] = holding.restated(number)
            case _:
                holdings[instrument] = holding.paid(what.amount)
                cash += what.amount
    return Ledger(initial, deposits, cash, dict(holdings))


def read_ledger(journal: Journal) -> Ledger:
    """The books of a journal. Raises StorageError for rows that make no sense."""
    brackets = restore_brackets(journal.rows("bracket"), journal.rows("ord"), journal.rows("fill"))
    initial = Decimal(journal.meta("initial_cash") or 0)
    return ledger_of(initial, deposits_of(journal.rows("settlement")), brackets)


@dataclass(frozen=True, slots=True)
class _Shares:
    number: Decimal


@dataclass(frozen=True, slots=True)
class _Money:
    amount: Decimal


_When = tuple[int, str]


def _events(brackets: Iterable[Bracket]) -> Iterator[tuple[_When, InstrumentId, Fill | _Shares | _Money]]:
    for bracket in brackets:
        name = bracket.instrument
        for leg in bracket.legs:
            for fill in leg.fills:
                yield (fill.ts_event, fill.exec_id), name, fill
        # Before the session of the last corporate action: the journal keeps their sum alone.
        acted = LATEST_US
        if bracket.last_action is not None:
            midnight = datetime.combine(bracket.last_action, datetime.min.time(), UTC)
            acted = int(midnight.timestamp()) * US_PER_S
        if bracket.adjustment != ZERO:
            yield (acted, ""), name, _Shares(bracket.adjustment)
        if bracket.cash_adjustment != ZERO:
            yield (acted, ""), name, _Money(bracket.cash_adjustment)
        if bracket.missing != ZERO:
            yield (LATEST_US, bracket.ticket), name, _Shares(-bracket.missing)
