"""One look at the venue, compared with our books (RELIABILITY 7): everything is read before anything is told.

A failed read aborts the look and changes nothing: an empty answer is never assumed. Each bracket then gets
all of its facts together and is planned once, with all of them known. Start and recovery are the same look.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeVar

from engine.errors import BrokerUnavailable, ConfigError
from engine.execution.bracket import Bracket, Leg
from engine.execution.evidence import Adopted, AnswerLost, Fact, Found, NotFound, VenueHolds
from engine.execution.findings import Difference, Findings, Post, compare
from engine.execution.holdings import LOOK_BACK_US, Holdings, restore_holdings
from engine.execution.orders import lost_at_restart, ticket_of, unfinished
from engine.execution.strangers import Strangers
from engine.model.ids import ClientOrderId, InstrumentId, TicketId
from engine.model.orders import Fill, OrderRole, OrderSide, OrderState, VenueOrder, place_of
from engine.model.positions import AccountSnapshot
from engine.money import ZERO

T = TypeVar("T")
NONE_LOST: Mapping[ClientOrderId, Adopted] = {}
ASKED_AT_ONCE = 5
"""Single questions that are out at the same time: half of what venues usually allow in a second."""


class Reconciliation:
    """Looks as often as it is asked to; remembers what is journalled, and what the stream just touched."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._holdings = restore_holdings(post.journal, post.account)
        self._touched: dict[ClientOrderId, int] = {}
        self._settled_us = 0
        """What moved after it may be older in an answer than we know it to be."""
        self.strangers = Strangers(post)

    @property
    def external(self) -> Mapping[InstrumentId, Decimal]:
        """Shares by instrument that the venue holds and that are not ours, as of the last look."""
        return self._holdings.external

    def touched(self, order: ClientOrderId) -> None:
        """The stream showed an order now: an answer that is under way may be older than that."""
        self._touched[order] = self._post.clock.now_us()

    def lose_answers(self) -> None:
        """After a restart: what was on its way when the process ended has an unknown fate."""
        for bracket in self._post.brackets.open():
            why = "the process ended while it was sent"
            lost = [AnswerLost(order, why) for order in lost_at_restart(bracket)]
            if lost:
                self._post.brackets.tell_all(bracket.ticket, lost)

    async def look(self, margin_us: int) -> Findings:
        """Ask the venue for everything, tell the brackets, compare the positions.

        `margin_us`: orders that moved so shortly before are left out. Raises BrokerError when a question
        fails, ConfigError for another account than ours, StorageError when the disk does.
        """
        broker, began = self._post.broker, self._post.clock.now_us()
        self._settled_us = began - margin_us
        skew = await self._skew_us()
        venue_us = began if skew is None else began + skew
        since = self._since_us(venue_us)
        fills = await _read(lambda: broker.executions(since))
        listed = await _read(broker.open_orders)
        answers = await self._ask_absent({report.client_order_id for report in listed})
        lost = await self._ask_lost(fills)
        account = await self._account()
        if self._holdings.cursor_us is None:
            self._see_first(account, fills, await _read(lambda: broker.executions(since)), venue_us)
        self._touched = {order: ts for order, ts in self._touched.items() if ts > self._settled_us}
        ours = [report for report in listed if self.strangers.is_ours(report)]
        found = [report for report in answers.values() if report is not None]
        absent = [order for order, report in answers.items() if report is None]
        self._tell(fills, [*ours, *found], absent, lost)
        orphans = [report for report in ours if self._bracket_of(report.client_order_id) is None]
        differences = compare(self._post, account, self.external, self._is_moving)
        if differences:
            differences = await self._look_again(differences, venue_us)
        else:
            self._post.money(account, bool(self._holdings.external or self._holdings.seen))
        kept, ending = await self.strangers.sweep(orphans, account)
        foreign = self.strangers.show(report for report in listed if not self.strangers.is_ours(report))
        return Findings(len(answers), differences, kept, ending, foreign, skew)

    def correct(self, difference: Difference) -> None:
        """The venue's count is proved: the oldest brackets keep their shares, a younger one may lack some."""
        left = max(difference.theirs - difference.external, ZERO)
        for bracket in self._post.brackets.open():
            if bracket.instrument == difference.instrument and bracket.position > ZERO:
                part = min(bracket.position, left)
                left -= part
                if part != bracket.held:
                    self._post.brackets.tell(bracket.ticket, VenueHolds(part))

    def accept(self, difference: Difference, actor: str) -> None:
        """A person says that what the venue holds beyond our books is not ours. Raises StorageError."""
        holdings = self._holdings.accept(difference.instrument, difference.unexplained)
        line = self._post.audit("difference accepted", {"difference": difference.text}, actor)
        self._post.brackets.write(holdings.rows(self._post.account), (line,))
        self._holdings = holdings

    async def _skew_us(self) -> int | None:
        clock = self._post.clock

        async def ask() -> int | None:
            # A question that got no answer took its time too: the middle is that of the one that did.
            asked = clock.now_us()
            told = await self._post.broker.venue_time_us()
            return None if told is None else told - (asked + clock.now_us()) // 2

        return await _read(ask)

    def _since_us(self, venue_us: int) -> int:
        """At the first look at an account: since all of our brackets."""
        known = self._holdings.since_us(venue_us)
        if known is not None:
            return known
        return min((bracket.opened_us for bracket in self._post.brackets), default=venue_us) - LOOK_BACK_US

    async def _ask_absent(self, listed: set[ClientOrderId]) -> Mapping[ClientOrderId, VenueOrder | None]:
        """What became of our orders that are not in the list of working ones: one question each."""
        orders = [order for bracket in self._post.brackets.open() for order in unfinished(bracket)]
        absent = [order for order in orders if order not in listed]
        answers: dict[ClientOrderId, VenueOrder | None] = {}
        waiting = iter(absent)

        async def ask() -> None:
            for order in waiting:
                answers[order] = await _read(partial(self._post.broker.order, order))

        askers = [asyncio.create_task(ask()) for _ in absent[:ASKED_AT_ONCE]]
        try:
            await asyncio.gather(*askers)
        finally:
            for asker in askers:
                asker.cancel()
        return answers

    async def _ask_lost(self, fills: Iterable[Fill]) -> Mapping[ClientOrderId, Adopted]:
        """Sales for a bracket of ours whose intents no row knows: the orders that executed."""
        found: dict[ClientOrderId, Adopted] = {}
        for order in dict.fromkeys(fill.client_order_id for fill in fills):
            ticket = ticket_of(order)
            bracket = None if ticket is None else self._post.brackets.get(ticket)
            if bracket is None or bracket.has_leg(order):
                continue
            report = await _read(partial(self._post.broker.order, order))
            adopted = None if report is None else _adopted(report, bracket)
            if adopted is not None:
                found[order] = adopted
        return found

    async def _account(self) -> AccountSnapshot:
        """Which account and what kind of money it is, the venue says, not a file."""
        post = self._post
        account = await _read(post.broker.account)
        if (account.account, account.kind) != (post.account, post.kind):
            raise ConfigError(
                f"the venue reports the {account.kind} account {account.account!r},"
                f" not the {post.kind} account {post.account!r}",
                "Check the credentials and the state folder; nothing was told or sent",
            )
        return account

    def _see_first(
        self, account: AccountSnapshot, before: Sequence[Fill], after: Sequence[Fill], venue_us: int
    ) -> None:
        """What is there when the account is first seen is not ours, unless our own books began earlier."""
        foreign = [fill for fill in after if ticket_of(fill.client_order_id) is None]
        if not {fill.exec_id for fill in foreign} <= {fill.exec_id for fill in before}:
            raise BrokerUnavailable("others trade on the account while it is seen first", "Try again")
        ours = any(True for _ in self._post.brackets)
        held = {} if ours else {position.instrument: position.quantity for position in account.positions}
        seen = {fill.exec_id: fill.ts_event for fill in foreign}
        newest = max((fill.ts_event for fill in after), default=venue_us)
        self._note(Holdings(held, newest, seen), "account first seen")

    def _tell(
        self,
        fills: Iterable[Fill],
        reports: Iterable[VenueOrder],
        absent: Iterable[ClientOrderId],
        lost: Mapping[ClientOrderId, Adopted] = NONE_LOST,
    ) -> None:
        """Executions first, then orders; each bracket gets all of its own at once."""
        facts: defaultdict[TicketId, list[Fact]] = defaultdict(list)
        foreign, newest = [], 0
        for fill in fills:
            newest = max(newest, fill.ts_event)
            bracket = self._bracket_of(fill.client_order_id)
            if bracket is not None and fill not in bracket.leg(fill.client_order_id).fills:
                facts[bracket.ticket].append(fill)
            elif (ticket := ticket_of(fill.client_order_id)) is None:
                foreign.append(fill)
            elif fill.client_order_id in lost:
                facts[ticket] += (lost[fill.client_order_id], fill)
        said: list[tuple[ClientOrderId, Fact]] = [(r.client_order_id, Found(r)) for r in reports]
        for order, fact in [*said, *((order, NotFound(order)) for order in absent)]:
            bracket = self._bracket_of(order)
            if bracket is not None and not self._is_touched(bracket.leg(order)):
                facts[bracket.ticket].append(fact)
        for ticket, told in facts.items():
            self._post.brackets.tell_all(ticket, told)
        for order, adopted in lost.items():
            name = adopted.report.instrument
            text = f"{name}: order {order} of ours had executed and was not in the journal: it is now"
            self._post.alarm(text, True, "orphan")
        # After the fills that it covers: a crash in between reads them again.
        holdings = self._holdings.after(foreign, newest)
        if holdings != self._holdings:
            self._note(holdings, "external position")

    def _note(self, holdings: Holdings, kind: str) -> None:
        """Journal what is not ours and how far was read; a change is told."""
        before, after = self._holdings.external, holdings.external
        changed = {
            name: {"from": format(before.get(name, ZERO), "f"), "to": format(after.get(name, ZERO), "f")}
            for name in sorted(before.keys() | after.keys())
            if before.get(name, ZERO) != after.get(name, ZERO)
        }
        first = self._holdings.cursor_us is None
        audit = (self._post.audit(kind, {"changed": changed}),) if changed or first else ()
        self._post.brackets.write(holdings.rows(self._post.account), audit, protective=True)
        self._holdings = holdings
        for name, move in changed.items():
            text = f"{name}: {move['to']} held that are not ours, {move['from']} before: never traded"
            self._post.alarm(text, False, "external")

    async def _look_again(self, first: tuple[Difference, ...], venue_us: int) -> tuple[Difference, ...]:
        """A fill between two questions looks like a difference: only what is one twice is told."""
        since = self._since_us(venue_us)
        fills = await _read(lambda: self._post.broker.executions(since))
        account = await self._account()
        self._tell(fills, (), ())
        names = {difference.instrument for difference in first}
        again = compare(self._post, account, self.external, self._is_moving)
        return tuple(difference for difference in again if difference.instrument in names)

    def _bracket_of(self, order: ClientOrderId) -> Bracket | None:
        ticket = ticket_of(order)
        bracket = None if ticket is None else self._post.brackets.get(ticket)
        return bracket if bracket is not None and bracket.has_leg(order) else None

    def _is_touched(self, leg: Leg) -> bool:
        ours = max(leg.changed_us, leg.last_send_us, leg.cancel_us or 0)
        return ours > self._settled_us or leg.id in self._touched

    def _is_moving(self, leg: Leg) -> bool:
        return leg.state in (OrderState.UNKNOWN, OrderState.SENDING) or self._is_touched(leg)


async def _read(ask: Callable[[], Awaitable[T]]) -> T:
    """A question that got no answer is put once more: a look of many questions would seldom succeed else."""
    try:
        return await ask()
    except BrokerUnavailable:
        return await ask()


def _adopted(report: VenueOrder, bracket: Bracket) -> Adopted | None:
    """None unless it sells, no more of the same than the bracket was for, under an id that we make."""
    place = place_of(report.client_order_id)
    if place is None or place[0] is OrderRole.ENTRY or report.side is not OrderSide.SELL:
        return None
    if report.instrument != bracket.instrument or report.quantity > bracket.quantity:
        return None
    return Adopted(report, *place)
