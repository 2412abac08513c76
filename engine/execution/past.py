"""Closed brackets leave memory a day later; what is said of one after that is judged with the journal's copy.

A trader's process runs for months. What is over is asked about for a while, by late fills and by the screen,
and then hardly ever: it is in the journal, and `Books` keeps its money.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import date

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.records import restore_brackets
from engine.model.ids import TicketId
from engine.ports import Journal

KEPT_US = 86_400 * US_PER_S
"""Far longer than any venue's executions come late, and than two looks at it are apart."""


class Past:
    """Which brackets are over, in the order in which they ended, and which of them left memory."""

    def __init__(self) -> None:
        self._ended: deque[TicketId] = deque()
        self._gone: set[TicketId] = set()

    def __contains__(self, ticket: TicketId) -> bool:
        """Whether a bracket is in the journal only."""
        return ticket in self._gone

    def ended(self, bracket: Bracket) -> None:
        """It was closed, perhaps once more."""
        self._gone.discard(bracket.ticket)
        self._ended.append(bracket.ticket)

    def leaving(
        self, brackets: Mapping[TicketId, Bracket], now_us: int, session: date | None
    ) -> Iterator[Bracket]:
        """Brackets to forget now: closed for a day, and not of the session that is shown."""
        while self._ended:
            bracket = brackets.get(self._ended[0])
            if bracket is not None and bracket.phase is BracketPhase.CLOSED:
                if (bracket.closed_us or 0) + KEPT_US > now_us or bracket.session == session:
                    return
                self._gone.add(bracket.ticket)
                yield bracket
            self._ended.popleft()


def read_bracket(journal: Journal, ticket: TicketId) -> Bracket:
    """A bracket as the journal holds it. Raises StorageError when it cannot be read."""
    orders = journal.rows("ord", bracket=ticket)
    fills = [fill for order in orders for fill in journal.rows("fill", cid=str(order["cid"]))]
    (found,) = restore_brackets(journal.rows("bracket", id=ticket), orders, fills)
    return found
