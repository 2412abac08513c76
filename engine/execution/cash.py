"""Every cent explained: our cash against the venue's, and deposits that only a person may book (SPEC 6.7)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.clock import US_PER_S, Clock
from engine.errors import StorageError
from engine.execution.books import Books, cash_difference
from engine.execution.bracket import Bracket
from engine.model.commands import Answer, Settle
from engine.model.positions import AccountSnapshot
from engine.money import CENT, ZERO
from engine.ports import AuditEntry, JournalRow

SECOND_LOOK_US = 2 * US_PER_S
"""The same difference must still be there this much later: a fill may be between two answers."""

Write = Callable[[Sequence[JournalRow], Sequence[AuditEntry]], None]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A difference of a cent or more, in words, and since when it is there, int microseconds UTC."""

    difference: Decimal
    since_us: int
    words: str
    told: bool = False


class CashWatch:
    """Holds each account that the venue tells against the books. One for each account."""

    def __init__(self, books: Books, clock: Clock, new_id: Callable[[], str], write: Write) -> None:
        self._books = books
        self._clock = clock
        self._new_id = new_id
        self._write = write
        self._seen: _Seen | None = None

    def look(self, brackets: Iterable[Bracket], account: AccountSnapshot, shared: bool = False) -> str:
        """Why nothing new may begin, with both numbers; "" while every cent is explained or may yet be.

        Called with each account snapshot; a proved difference is told once. `brackets`: all that are not
        closed. `shared`: others trade on the account too, so that its cash says nothing of our books.
        """
        difference = ZERO if shared else cash_difference(self._books, brackets, account)
        if difference is None:
            return ""  # neither proof nor disproof: what was seen before still stands
        if abs(difference) < CENT:
            self._seen = None
            return ""
        now, seen = self._clock.now_us(), self._seen
        if seen is None or abs(seen.difference - difference) >= CENT:
            self._seen = _Seen(difference, now, self._words(difference, account))
        elif not seen.told and now - seen.since_us >= SECOND_LOOK_US:
            self._seen = replace(seen, words=self._words(difference, account), told=True)
            return self._seen.words
        return ""

    def _words(self, difference: Decimal, account: AccountSnapshot) -> str:
        return (
            f"cash differs by {difference:,.2f}: the venue says {account.cash:,.2f},"
            f" our books say {self._books.cash:,.2f}"
        )

    @property
    def why_not_clean(self) -> str:
        """The difference of the last look in words; "" when there was none."""
        return "" if self._seen is None else self._seen.words

    @property
    def difference(self) -> Decimal | None:
        """The venue's cash less ours at the last look; None when there was no unexplained cent."""
        return None if self._seen is None else self._seen.difference

    def settle(self, command: Settle) -> Answer:
        """Book the difference of the last look as a deposit or withdrawal, for the reason that is given."""
        amount, found = command.difference, self.difference
        if not amount.is_finite() or amount == ZERO or not command.reason.strip():
            return Answer(False, "malformed", "A deposit needs an amount other than 0 and a reason.")
        if found is None:
            text = "The venue's cash and our books agree: there is nothing to book."
            return Answer(False, "no_such_difference", text)
        if abs(found - amount) >= CENT:
            text = f"The venue's cash differs by {found:,.2f}, not by {amount:,.2f}: nothing was booked."
            return Answer(False, "no_such_difference", text)
        before = self._books.cash
        now = self._clock.now_us()
        row: dict[str, str | int | None] = {
            "id": self._new_id(),
            "ts_us": now,
            "amount": format(amount, "f"),
            "reason": command.reason,
            "by": str(command.actor),
        }
        body = {"amount": row["amount"], "reason": command.reason, "cash_before": format(before, "f")}
        try:
            entry = AuditEntry(now, str(command.actor), "settled", "", body)
            self._write((JournalRow("settlement", row),), (entry,))
        except StorageError as error:
            return Answer(False, "not_journalled", f"Nothing was booked: {error}")
        self._books.settle(amount)
        self._seen = None
        name = "deposit" if amount > ZERO else "withdrawal"
        cash = f"{self._books.cash:,.2f}"
        return Answer(True, "ok", f"Booked a {name} of {abs(amount):,.2f}: cash is {cash}.")


def deposits_of(rows: Iterable[Mapping[str, str | int | None]]) -> Decimal:
    """What was put in less what was taken out, from the rows of the table `settlement`."""
    return sum((Decimal(str(row["amount"])) for row in rows), ZERO)
