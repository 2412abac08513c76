"""The one writer of brackets: fact -> apply -> plan -> journal -> only then side effects (RELIABILITY 5).

All decisions are synchronous; sends run as tasks of `sending.Outbox` and come back as facts. Nothing is
awaited between plan and commit, and nothing is sent before its intent is durable.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from math import isfinite

from engine.clock import US_PER_S
from engine.errors import InvariantBroken, StorageError
from engine.execution.bracket import Bracket, BracketPhase, open_bracket
from engine.execution.desk import Desk
from engine.execution.evidence import ExitWanted, Fact, Found, Restatement, SessionOver, Traded, apply
from engine.execution.following import venue_sells
from engine.execution.past import Past, read_bracket
from engine.execution.planner import next_wake, plan
from engine.execution.records import changed_rows, round_trip_of, round_trip_row
from engine.execution.screening import Screen, safe
from engine.execution.sending import Outbox, Writer
from engine.execution.steps import Action, Circumstances, HaltScope, RaiseAlarm, SendBracket, SendOrder
from engine.model.commands import ENGINE, Actor
from engine.model.events import BracketChanged, FillRecorded, RoundTripClosed
from engine.model.ids import CLIENT_ORDER_PREFIX, ULID_LENGTH, ClientOrderId, InstrumentId, TicketId
from engine.model.market import Bar, CorporateAction
from engine.model.orders import Fill, OrderRole, OrderState, VenueOrder
from engine.model.positions import ExitReason, RoundTrip
from engine.model.tickets import Ticket, to_plain
from engine.money import ZERO, to_decimal
from engine.ports import AuditEntry, Capabilities, JournalRow

MAX_STEPS = 50
"""More plan rows than that on one fact is a bug of the table."""
RETRY_JOURNAL_US = US_PER_S
"""How long a timer waits that could not write down what it found."""


class Brackets:
    """All brackets of one account, open and closed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._brackets: dict[TicketId, Bracket] = {}
        self._open: dict[TicketId, None] = {}
        self._sessions: defaultdict[date, dict[TicketId, None]] = defaultdict(dict)
        self._outbox = Outbox(desk, Writer(self._brackets.__getitem__, self.tell, self.tell_venue))
        self._wakes: dict[TicketId, int] = {}
        self._screen = Screen(desk.clock.now_us)
        self._past = Past()
        self.on_changed: Callable[[Bracket], tuple[JournalRow, ...]] = lambda bracket: ()
        """Rows of others that must change in the same transaction as a bracket. It changes nothing itself."""
        self.on_committed: Callable[[Bracket], None] = lambda bracket: None
        """Told once those rows are durable."""

    def restore(self, brackets: Iterable[Bracket]) -> None:
        """Take over what the journal holds."""
        for bracket in brackets:
            self._keep(bracket)
            self._screen.note(bracket)
        self._forget()

    def get(self, ticket: TicketId) -> Bracket | None:
        """The bracket of a ticket; None when it never came to one. One that left memory is read again."""
        if ticket in self._past:
            bracket = read_bracket(self._desk.journal, ticket)
            self._keep(bracket)
            self._screen.note(bracket)
        return self._brackets.get(ticket)

    def __iter__(self) -> Iterator[Bracket]:
        """Those that are open or were until lately, oldest first."""
        return iter(tuple(self._brackets.values()))

    def open(self) -> tuple[Bracket, ...]:
        """Brackets that are not closed, oldest first."""
        return tuple(self._brackets[ticket] for ticket in self._open)

    def of_session(self, session: date) -> tuple[Bracket, ...]:
        """Brackets that were started in a session, oldest first."""
        return tuple(self._brackets[ticket] for ticket in self._sessions.get(session, ()))

    @property
    def card(self) -> Capabilities:
        """What the venue can do."""
        return self._desk.broker.capabilities

    @property
    def in_flight(self) -> int:
        """Sends and questions whose answers are still out."""
        return self._outbox.in_flight

    def start(self, ticket: Ticket, rows: tuple[JournalRow, ...], audit: tuple[AuditEntry, ...]) -> Bracket:
        """Journal an approved ticket's bracket, its intents and `rows` in one transaction, then send.

        Raises StorageError, and then nothing was changed or sent.
        """
        if self.get(ticket.id) is not None:
            raise InvariantBroken(f"ticket {ticket.id} has its bracket already: an entry is sent once")
        jumped_us = self._desk.clock.jumped_us()
        kind = self._desk.broker.capabilities.bracket_kind
        bracket = open_bracket(ticket, self._desk.clock.now_us(), kind)
        first = SendBracket(ticket.order) if bracket.is_grouped else SendOrder(bracket.entry.spec)
        intent = self._audit(bracket, "intent", to_plain(first.spec))
        self._commit(None, bracket, (*rows, *changed_rows(None, bracket)), (*audit, intent))
        self._wake_at(bracket.ticket, next_wake(bracket, self._circumstances(bracket)))
        self._outbox.perform(bracket, (first,), jumped_us)
        self.on_committed(bracket)
        self._publish(None, bracket)
        return bracket

    def tell(self, ticket: TicketId, fact: Fact, actor: Actor = ENGINE) -> None:
        """Fold a fact into a bracket, plan, journal and act. `actor`: whose wish it is.

        Raises StorageError with nothing changed and nothing sent; the account is halted then.
        """
        self.tell_all(ticket, (fact,), actor)

    def tell_all(self, ticket: TicketId, facts: Sequence[Fact], actor: Actor = ENGINE) -> None:
        """`tell` for facts that were learned together: planned once, with all of them known."""
        before = after = self._brackets[ticket]
        believed: list[Fact] = []
        doubts: list[tuple[ClientOrderId, str]] = []
        for fact in map(safe, facts):
            doubt = self._screen.doubt(fact, after)
            if doubt is None:
                after = apply(fact, after, self._desk.clock.now_us())
                believed.append(fact)
            else:
                doubts.append(doubt)
        self._settle_plan(before, after, believed, actor)
        for leg in before.legs:
            if leg.state is OrderState.REJECTED and after.leg(leg.id).state is not OrderState.REJECTED:
                text = f"{before.instrument}: the venue works order {leg.id} that it rejected: {leg.reason}"
                self._desk.alarm(before, text, page=True)
        if _refused_exits(after) > _refused_exits(before):
            # A venue refuses to sell what it does not hold: what it holds is asked, not only tried again.
            self._desk.look()
        for fact in believed:
            self._warn_of_less(before, fact)
        for order, why in doubts:
            self._distrust(after, order, why)

    def _warn_of_less(self, before: Bracket, fact: Fact) -> None:
        """A filled order that a query, or a last report, counts less of: nothing shrinks, and it is noted."""
        if isinstance(fact, Found):
            report = fact.report
        elif isinstance(fact, VenueOrder) and fact.state.is_terminal:
            report = fact
        else:
            return  # an older report of the stream that comes late
        leg = before.leg(report.client_order_id)
        whole = report.state is OrderState.FILLED or report.cum_filled >= leg.cum
        if leg.state is not OrderState.FILLED or whole:
            return
        less = format(report.cum_filled, "f")
        text = f"{before.instrument}: order {leg.id} filled {leg.cum:f}, the venue counted less: {less}"
        body: dict[str, object] = {"order": leg.id, "filled": format(leg.cum, "f"), "said": less}
        self.write((), (self._audit(before, "evidence_conflict", body),), protective=True)
        self._desk.alarm(before, text, page=False)

    def _distrust(self, bracket: Bracket, order: ClientOrderId, why: str) -> None:
        """The venue says what cannot be: nothing new in the symbol, and it is asked again."""
        if not self._screen.is_news(order):
            return
        text = f"{bracket.instrument}: the venue's report of order {order} is not believed: {why}"
        self.write((), (self._audit(bracket, "distrusted", {"order": order, "why": why}),), protective=True)
        self._desk.alarm(bracket, text, page=True)
        self._desk.halt(text, bracket.instrument)
        self.ask(bracket.ticket, order)

    def tell_venue(self, update: VenueOrder | Fill) -> bool:
        """A report of the venue; False when it is not about one of our orders."""
        ticket = ticket_of(update.client_order_id)
        bracket = None if ticket is None else self.get(ticket)
        if ticket is None or bracket is None or not bracket.has_leg(update.client_order_id):
            return False
        self.tell(ticket, update)
        return True

    def restate(self, actions: Iterable[CorporateAction]) -> None:
        """Corporate actions before the open: terms change now, orders when the venue ended the old ones."""
        by_instrument = {action.instrument: action for action in actions}
        ahead: defaultdict[InstrumentId, Decimal] = defaultdict(lambda: ZERO)
        changes: list[tuple[Bracket, Bracket]] = []
        audit: list[AuditEntry] = []
        for bracket in self.open():
            action = by_instrument.get(bracket.instrument)
            if action is None:
                continue
            fact = Restatement(action, ahead[bracket.instrument])
            ahead[bracket.instrument] += bracket.held
            after = apply(fact, bracket, self._desk.clock.now_us())
            if after != bracket:
                changes.append((bracket, after))
                audit.append(self._audit(after, "corporate_action", to_plain(action)))
        if not changes:
            return
        # One transaction for all: half of a split restated could not be told from a whole one.
        self.write([row for pair in changes for row in changed_rows(*pair)], audit, protective=True)
        for before, after in changes:
            self._keep(after)
            self._publish(before, after)

    def take_bars(self, bars: Iterable[Bar]) -> None:
        """What traded in a bar, for exit plans that we hold; the bar of the entry itself proves nothing."""
        by_instrument = {bar.instrument: bar for bar in bars if isfinite(bar.low) and isfinite(bar.high)}
        for bracket in self.open():
            bar = by_instrument.get(bracket.instrument)
            if bar is None or bracket.first_fill_us is None or bar.ts_open < bracket.first_fill_us:
                continue
            if bracket.held > ZERO and not venue_sells(bracket):
                self.tell(bracket.ticket, Traded(to_decimal(bar.low), to_decimal(bar.high)))

    def end_session(self, over: SessionOver, traded: Callable[[InstrumentId], bool]) -> None:
        """The regular session is over: count it for what traded, and look at every open bracket again."""
        for bracket in self.open():
            if bracket.held > 0 and traded(bracket.instrument):
                self.tell(bracket.ticket, over)
            else:
                self.review(bracket.ticket)

    def want_exit(self, ticket: TicketId, reason: ExitReason) -> None:
        """End a position."""
        self.tell(ticket, ExitWanted(reason))

    def review(self, ticket: TicketId) -> None:
        """Plan again without a new fact: time went by, or a halt began."""
        bracket = self._brackets[ticket]
        self._settle_plan(bracket, bracket, ())

    def review_all(self) -> None:
        """`review` for every open bracket."""
        for ticket in tuple(self._open):
            self.review(ticket)

    def ask(self, ticket: TicketId, order: ClientOrderId) -> None:
        """Ask the venue for an order now; the answer comes as a fact."""
        self._outbox.ask(ticket, order)

    async def idle(self) -> None:
        """Wait for the answers that are out, and for those to what follows from them."""
        await self._outbox.idle()

    async def abandon(self) -> None:
        """Give up on the answers that are still out: the process ends, the next start asks the venue."""
        await self._outbox.abandon()

    def _settle_plan(
        self, before: Bracket, after: Bracket, facts: Sequence[Fact], actor: Actor = ENGINE
    ) -> None:
        now = self._circumstances(after)
        actions: list[Action] = []
        current = after
        for _ in range(MAX_STEPS):
            step = plan(current, now)
            actions += step.actions
            if step.bracket is current or step.bracket == current:
                break
            current = step.bracket
        else:
            raise InvariantBroken(f"the plan of bracket {before.ticket} does not settle after {facts!r}")
        # Most looks change nothing, and then it is the same object: only others are compared.
        is_changed, trip = current is not before and current != before, None
        if is_changed:
            named = [{"do": type(action).__name__, **to_plain(action)} for action in actions]
            kind, said = _named(facts)
            body = {**said, "phase": current.phase.value, "actions": named}
            audit = self._audit(current, kind, body, actor)
            trip = self._commit(before, current, changed_rows(before, current), (audit,))
        # What is durable is under way before anybody hears of it: a listener that fails cannot stop it.
        self._wake_at(current.ticket, next_wake(current, now))
        self._outbox.perform(current, actions)
        if is_changed:
            self.on_committed(current)
            self._publish(before, current, trip)
            if current.phase is BracketPhase.CLOSED:
                self._forget()
        for action in actions:
            if isinstance(action, RaiseAlarm):
                self._desk.alarm(current, action.text, action.page)
                if action.halt is not HaltScope.NONE:
                    scope = current.instrument if action.halt is HaltScope.SYMBOL else None
                    self._desk.halt(action.text, scope)

    def deciding_price(self, instrument: InstrumentId) -> Decimal | None:
        """The last price; None when it is too old to decide anything, or not of this market."""
        picture, timed = self._desk.picture, self._desk.price_age_us
        if self._is_old(instrument) or (timed is not None and picture.is_seeded(instrument)):
            return None
        return picture.last_decimal(instrument)

    def _is_old(self, instrument: InstrumentId) -> bool:
        timed = self._desk.price_age_us
        since_us = self._desk.clock.now_us() - (timed or 0)
        return timed is not None and not self._desk.picture.is_heard(instrument, since_us)

    def _circumstances(self, bracket: Bracket) -> Circumstances:
        desk = self._desk
        name, picture, now = bracket.instrument, desk.picture, desk.clock.now_us()
        quote, mark = picture.quote(name), picture.last_decimal(name)
        return Circumstances(
            now,
            desk.is_halted(name),
            picture.is_session_open,
            self.deciding_price(name),
            desk.broker.capabilities,
            desk.tick_of(name),
            desk.lot_of(name),
            None if self._is_old(name) or quote is None or quote.bid is None else to_decimal(quote.bid),
            desk.close_us(),
            mark,
        )

    def _commit(
        self,
        before: Bracket | None,
        after: Bracket,
        rows: tuple[JournalRow, ...],
        audit: tuple[AuditEntry, ...],
    ) -> RoundTrip | None:
        """Make a new state durable; the trade that it finished."""
        trip = self._finished(before, after)
        closing = () if trip is None else (round_trip_row(trip),)
        # Only what began may go on while the disk is full; nothing begins then.
        self.write((*rows, *closing, *self.on_changed(after)), audit, protective=before is not None)
        self._keep(after)
        return trip

    def write(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False
    ) -> None:
        """Commit to the journal. Raises StorageError, and the account is halted: nothing new may start."""
        try:
            self._desk.journal.commit(rows, audit, protective)
        except StorageError as error:
            self._desk.halt(f"the journal cannot be written: {error.message}", None)
            raise

    def _finished(self, before: Bracket | None, after: Bracket) -> RoundTrip | None:
        if after.phase is not BracketPhase.CLOSED or before is None or before.phase is BracketPhase.CLOSED:
            return None
        return round_trip_of(after, self._desk.picture.session)

    def _keep(self, bracket: Bracket) -> None:
        before = self._brackets.get(bracket.ticket)
        self._brackets[bracket.ticket] = bracket
        self._sessions[bracket.session][bracket.ticket] = None
        self._desk.books.record(bracket)
        if bracket.phase is BracketPhase.CLOSED:
            self._open.pop(bracket.ticket, None)
            if before is None or before.phase is not BracketPhase.CLOSED:
                self._past.ended(bracket)
        else:
            self._open[bracket.ticket] = None

    def _forget(self) -> None:
        """What was closed long ago leaves memory; the journal and the books keep it."""
        now, session = self._desk.clock.now_us(), self._desk.picture.session
        for bracket in self._past.leaving(self._brackets, now, session):
            del self._brackets[bracket.ticket]
            of_session = self._sessions[bracket.session]
            del of_session[bracket.ticket]
            if not of_session:
                del self._sessions[bracket.session]
            self._screen.forget(bracket)

    def _publish(self, before: Bracket | None, after: Bracket, trip: RoundTrip | None = None) -> None:
        known = set() if before is None else {fill.exec_id for leg in before.legs for fill in leg.fills}
        for leg in after.legs:
            for fill in leg.fills:
                if fill.exec_id not in known:
                    self._desk.publish(FillRecorded(after.ticket, after.correlation, fill))
        text = after.phase.value if before is None or before.phase is not after.phase else ""
        self._desk.publish(
            BracketChanged(
                after.ticket,
                after.correlation,
                after.instrument,
                after.phase.value,
                text,
                self._desk.clock.now_us(),
            )
        )
        if trip is not None:
            self._desk.publish(RoundTripClosed(trip))

    def _audit(
        self, bracket: Bracket, kind: str, body: dict[str, object], actor: Actor = ENGINE
    ) -> AuditEntry:
        named = {"ticket": bracket.ticket, **body}
        return AuditEntry(self._desk.clock.now_us(), str(actor), kind, bracket.correlation, named)

    def _wake_at(self, ticket: TicketId, wake_us: int | None) -> None:
        if wake_us is None:
            self._wakes.pop(ticket, None)
            return
        if self._wakes.get(ticket) == wake_us:
            return
        self._wakes[ticket] = wake_us
        self._desk.scheduler.call_at(wake_us, lambda: self._woken(ticket, wake_us))

    def _woken(self, ticket: TicketId, wake_us: int) -> None:
        if self._wakes.get(ticket) == wake_us:
            del self._wakes[ticket]
            try:
                self.review(ticket)
            except StorageError:
                # `write` has halted the account and said why. All other timers go on.
                self._wake_at(ticket, self._desk.clock.now_us() + RETRY_JOURNAL_US)


def _refused_exits(bracket: Bracket) -> int:
    """How many stops, targets and exits the venue refused; those of a refused entry never were any."""
    refused = [leg for leg in bracket.legs if leg.state is OrderState.REJECTED]
    return sum(leg.role is not OrderRole.ENTRY and bracket.is_awake(leg) for leg in refused)


def _named(facts: Sequence[Fact]) -> tuple[str, dict[str, object]]:
    """Kind and contents of an audit line about facts; none: time went by."""
    if len(facts) > 1:
        return "Reconciled", {"facts": [{"fact": type(fact).__name__, **to_plain(fact)} for fact in facts]}
    return (type(facts[0]).__name__, {"fact": to_plain(facts[0])}) if facts else ("review", {"fact": None})


def ticket_of(order: ClientOrderId) -> TicketId | None:
    """The ticket that a client order id was derived from; None for an id that is not ours."""
    ulid = order[len(CLIENT_ORDER_PREFIX) : len(CLIENT_ORDER_PREFIX) + ULID_LENGTH]
    ours = order.startswith(CLIENT_ORDER_PREFIX) and len(ulid) == ULID_LENGTH
    return TicketId(ulid) if ours else None


def unfinished(bracket: Bracket) -> tuple[ClientOrderId, ...]:
    """Orders whose fate a restart must ask for: live ones, and those that may have come to rest after all."""
    return tuple(leg.id for leg in bracket.legs if leg.is_live or leg.state is OrderState.NOTPLACED)


def lost_at_restart(bracket: Bracket) -> tuple[ClientOrderId, ...]:
    """Orders that were on their way when the process ended: sent or not, nobody knows."""
    return tuple(leg.id for leg in bracket.legs if leg.state is OrderState.SENDING)
