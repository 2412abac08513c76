"""Cash, positions and equity, rebuilt from fills and cash events alone."""

from collections.abc import Iterable
from decimal import Decimal

from engine.execution.bracket import Bracket
from engine.model.orders import Fill, OrderState
from engine.model.positions import AccountSnapshot
from engine.money import ZERO, to_decimal
from engine.state import LivePicture

_IN_FLIGHT = frozenset({OrderState.SENDING, OrderState.UNKNOWN})


def cash_of(fill: Fill) -> Decimal:
    """What a fill does to cash: a buy takes, a sale gives, a fee takes."""
    return -fill.side.sign * fill.quantity * fill.price - fill.fee


class Books:
    """The account's money as we count it. Writers: `record` and `settle`. Decimal in account currency."""

    def __init__(self, initial_cash: Decimal, deposits: Decimal = ZERO) -> None:
        """`deposits`: what was put in since, less what was taken out."""
        self.initial_cash = initial_cash
        self.deposits = deposits
        self._cash = initial_cash + deposits
        self._counted: dict[str, Decimal] = {}

    @property
    def cash(self) -> Decimal:
        """Settled cash, entries paid, exits received, fees, dividends and cash in lieu included."""
        return self._cash

    def record(self, bracket: Bracket) -> None:
        """Count what is new in a bracket; the same state again changes nothing."""
        total = sum((cash_of(fill) for leg in bracket.legs for fill in leg.fills), bracket.cash_adjustment)
        self._cash += total - self._counted.get(bracket.ticket, ZERO)
        self._counted[bracket.ticket] = total

    def settle(self, amount: Decimal) -> None:
        """A deposit (> 0) or a withdrawal (< 0)."""
        self.deposits += amount
        self._cash += amount

    def reserved(self, brackets: Iterable[Bracket]) -> Decimal:
        """Cash that entries may still take, at their limits: what works, and fills without a price yet."""
        return sum(
            (
                (b.entry.unbooked + (b.entry.remaining if b.entry.is_live else ZERO)) * b.limit_price
                for b in brackets
            ),
            ZERO,
        )

    def equity(self, brackets: Iterable[Bracket], picture: LivePicture) -> Decimal | None:
        """Cash plus positions at their last prices; None when a held position has no price."""
        equity = self._cash
        for bracket in brackets:
            if bracket.held == ZERO:
                continue
            last = picture.last(bracket.instrument)
            if last is None:
                return None
            equity += bracket.held * to_decimal(last)
        return equity


def cash_difference(books: Books, brackets: Iterable[Bracket], account: AccountSnapshot) -> Decimal | None:
    """The venue's cash less ours; None while it cannot be told.

    That is while an order is on its way or its fate unknown, or a fill's price has not come yet.
    """
    for bracket in brackets:
        for leg in bracket.legs:
            if leg.state in _IN_FLIGHT or leg.unbooked != ZERO:
                return None
    return account.cash - books.cash
