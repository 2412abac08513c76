"""Start and crash recovery are one path: the journal's picture is corrected by the venue's (RELIABILITY 7).

Nothing new is sent before this is done. A failed read aborts it: an empty answer is never assumed.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.execution.bracket import Bracket
from engine.execution.evidence import AnswerLost, Found, NotFound
from engine.execution.orders import Brackets, lost_at_restart, ticket_of, unfinished
from engine.model.ids import InstrumentId
from engine.model.positions import AccountSnapshot
from engine.money import ZERO
from engine.ports import Broker

LOOK_BACK_US = 600_000_000
"""Executions are read again from ten minutes before the oldest open bracket."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What did not agree. Empty `differences` and `strangers` mean the books match."""

    asked: int
    differences: tuple[str, ...]
    """Positions that differ, in words with both numbers."""
    strangers: tuple[str, ...]
    """Working orders with our prefix that the journal does not know."""

    @property
    def clean(self) -> bool:
        """Our books are the venue's."""
        return not self.differences and not self.strangers


async def recover(brackets: Brackets, broker: Broker) -> Findings:
    """Ask the venue for everything the journal left open. Raises BrokerError when a question fails."""
    for bracket in brackets.open():
        for order in lost_at_restart(bracket):
            brackets.tell(bracket.ticket, AnswerLost(order, "the process ended while it was sent"))
    return await catch_up(brackets, broker)


async def catch_up(brackets: Brackets, broker: Broker) -> Findings:
    """Whatever the venue's stream did not tell: at start, and whenever the stream begins anew.

    Raises BrokerError when a question fails.
    """
    await _take_executions(brackets, broker)
    asked = 0
    for bracket in brackets.open():
        for order in unfinished(bracket):
            report = await broker.order(order)
            asked += 1
            brackets.tell(bracket.ticket, NotFound(order) if report is None else Found(report))
    strangers = []
    for report in await broker.open_orders():
        ticket = ticket_of(report.client_order_id)
        known = None if ticket is None else brackets.get(ticket)
        if ticket is not None and (known is None or not known.has_leg(report.client_order_id)):
            strangers.append(f"{report.instrument} order {report.client_order_id}")
    # The account first: what fills while it is asked for is then in our books too.
    account = await broker.account()
    differences = differing_positions(brackets.open(), account)
    if differences:
        # A fill between two questions looks like a difference: only what is one twice is told.
        await _take_executions(brackets, broker)
        account = await broker.account()
        again = differing_positions(brackets.open(), account)
        differences = {name: text for name, text in again.items() if name in differences}
    return Findings(asked, tuple(differences.values()), tuple(strangers))


async def _take_executions(brackets: Brackets, broker: Broker) -> None:
    open_brackets = brackets.open()
    if open_brackets:
        since = min(bracket.opened_us for bracket in open_brackets) - LOOK_BACK_US
        for fill in await broker.executions(since):
            brackets.tell_venue(fill)


def differing_positions(brackets: tuple[Bracket, ...], venue: AccountSnapshot) -> Mapping[InstrumentId, str]:
    """Instruments in which the sum of our brackets is not what the venue holds, in words with both."""
    ours: defaultdict[InstrumentId, Decimal] = defaultdict(lambda: ZERO)
    for bracket in brackets:
        ours[bracket.instrument] += bracket.position
    theirs = {position.instrument: position.quantity for position in venue.positions}
    return {
        name: f"{name}: we hold {ours.get(name, ZERO)}, the venue says {theirs.get(name, ZERO)}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name, ZERO) != theirs.get(name, ZERO)
    }
