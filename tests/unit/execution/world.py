"""A small world for the execution core: a venue with truth of its own, a journal in memory, a hand on time.

The venue does what `faults` scripts for the next calls; its stream waits in `outbox` until it is delivered,
so a test may drop, double or reorder it.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from engine.clock import US_PER_S, TestClock
from engine.errors import BrokerUnavailable, OrderOutcomeUnknown, OrderRejected, StorageError
from engine.execution.approvals import Counter, Tickets
from engine.execution.books import Books, cash_of
from engine.execution.bracket import Bracket, BracketPhase, entry_spec
from engine.execution.desk import Desk
from engine.execution.evidence import SessionOver
from engine.execution.findings import Findings, Post
from engine.execution.gating import Gatekeeper, StrategyTerms
from engine.execution.orders import Brackets
from engine.execution.reconcile import Reconciliation
from engine.execution.records import restore_brackets
from engine.execution.riskbook import RiskBook, RiskDesk
from engine.execution.ticketbook import Entry
from engine.features.history import StoredHistory
from engine.model.candidates import (
    AgentReport,
    FeatureValue,
    GapCandidate,
    MissingReason,
    Proposal,
    Regime,
    Verdict,
    Vote,
)
from engine.model.commands import Actor, Answer, ApproveTicket
from engine.model.events import Event
from engine.model.exits import ExitPlan, single_target
from engine.model.ids import (
    AccountId,
    ClientOrderId,
    CorrelationId,
    InstrumentId,
    StrategyName,
    TicketId,
    UlidFactory,
    VenueOrderId,
    encode_ulid,
)
from engine.model.market import MarketBatch, Provenance, Quote, SessionPhase, Trade
from engine.model.orders import (
    BracketKind,
    BracketSpec,
    Fill,
    OrderRole,
    OrderSide,
    OrderSpec,
    OrderState,
    VenueOrder,
    VenueUpdate,
)
from engine.model.positions import AccountKind, AccountSnapshot, VenuePosition
from engine.model.tickets import ProposalState, Ticket
from engine.ports import REPLACED, AuditEntry, BarColumns, Capabilities, JournalRow
from engine.risk.anomalies import Anomaly
from engine.risk.limits import FULL, LimitSwitches, RiskConfig
from engine.scheduler import Scheduler
from engine.state import LivePicture

ABC = InstrumentId("ABC.US")
ACCOUNT = AccountId("SIM-1")
GAPS = StrategyName("gaps")
MONDAY = date(2016, 1, 4)
OPEN_US = 1_451_917_800_000_000
ZERO = Decimal(0)
ANN = Actor("ann", "pts/1")
BOB = Actor("bob", "pts/2")
CARD = Capabilities(
    bracket_kind=BracketKind.OTOCO, client_id_unique_for_ever=True, request_expiry_us=0,
    visibility_lag_us=0, lookup_by_client_id=True, stop_rests_without_us=True, can_replace=False,
    reduces_pairs=True,
)  # fmt: skip
KEYS = {
    "meta": ("k",), "ticket": ("id",), "bracket": ("id",), "ord": ("cid",), "fill": ("venue", "exec_id"),
    "halt": ("scope",), "cursor": ("venue", "stream"), "nonce": ("nonce",), "round_trip": ("ticket",),
    "proposal_seen": ("key",), "whynot": ("correlation",), "settlement": ("id",),
    "equity": ("tier", "slot"), "shadow": ("correlation",), "excursion": ("ticket",),
}  # fmt: skip


def card(**changes: Any) -> Capabilities:
    """The strictest card, changed."""
    return replace(CARD, **changes)


class FakeJournal:
    """Keeps rows like the journal does. `failures` commits to come fail and change nothing."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[Any, ...], dict[str, str | int | None]]] = {k: {} for k in KEYS}
        self.entries: list[AuditEntry] = []
        self.failures = 0
        self.commits = 0

    def commit(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False
    ) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full", "free some space")
        for entry in audit:
            json.dumps(entry.body, allow_nan=False)
        for row in rows:
            key = tuple(row.values[name] for name in KEYS[row.table])
            self.tables[row.table].setdefault(key, {}).update(row.values)
        self.entries += audit
        self.commits += 1

    def rows(self, table: str, **equal: str) -> Sequence[Mapping[str, str | int | None]]:
        found = self.tables[table]
        return [dict(found[key]) for key in sorted(found) if equal.items() <= found[key].items()]

    def audit(self, correlation: str | None = None) -> Sequence[Mapping[str, str | int]]:
        return [{"kind": entry.kind, "actor": entry.actor} for entry in self.entries]

    def meta(self, key: str) -> str | None:
        row = self.tables["meta"].get((key,))
        return None if row is None else str(row["v"])


@dataclass
class Placed:
    """One order at the venue."""

    spec: OrderSpec
    quantity: Decimal
    state: OrderState = OrderState.WORKING
    cum: Decimal = ZERO
    parent: ClientOrderId | None = None
    group: tuple[ClientOrderId, ...] = ()
    reason: str = ""

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.cum

    @property
    def is_live(self) -> bool:
        return not self.state.is_terminal

    def report(self) -> VenueOrder:
        spec = self.spec
        return VenueOrder(
            spec.client_order_id,
            VenueOrderId(f"V-{spec.client_order_id[-3:]}"),
            spec.instrument,
            spec.side,
            self.state,
            self.quantity,
            self.cum,
            spec.limit_price,
            spec.stop_price,
            self.reason,
        )


LOST, ANSWER_LOST, REJECT, REFUSE, UNAVAILABLE, LATE, HANG, DUPLICATE = (
    "request lost",
    "answer lost",
    "rejected and recorded",
    "rejected without a record",
    "unavailable",
    "arrives late",
    "no answer until released",
    "duplicate id",
)


class FakeVenue:
    """Implements `ports.Broker`. OTOCO or OCO groups; ids unique for ever; sells are not checked."""

    def __init__(
        self, capabilities: Capabilities = CARD, now_us: Callable[[], int] = lambda: OPEN_US
    ) -> None:
        self.capabilities = capabilities
        self._now_us = now_us
        self.orders: dict[ClientOrderId, Placed] = {}
        self.executed: list[Fill] = []
        self.paid_in = ZERO
        self.position: defaultdict[InstrumentId, Decimal] = defaultdict(lambda: ZERO)
        self.lowest = ZERO
        self.outbox: deque[VenueUpdate] = deque()
        self.calls: list[tuple[str, str]] = []
        self.faults: defaultdict[str, deque[str | None]] = defaultdict(deque)
        self.late: list[Callable[[], None]] = []
        self.hidden: set[ClientOrderId] = set()
        self.gate = asyncio.Event()
        self.since: list[int] = []
        """From when executions were asked for, in order."""
        self.identity = (ACCOUNT, AccountKind.SIMULATION)
        self.skew_us: int | None = 0

    async def submit_bracket(self, spec: BracketSpec) -> None:
        specs = [s for s in (spec.entry, spec.stop, spec.target) if s is not None]
        parent = None if spec.entry is None else spec.entry.client_order_id
        await self._submit(specs, parent)

    async def submit(self, spec: OrderSpec) -> None:
        await self._submit([spec], None)

    async def _submit(self, specs: list[OrderSpec], parent: ClientOrderId | None) -> None:
        self.calls.append(("send", specs[0].client_order_id))
        fault = self._fault("send")
        if fault == HANG:
            await self.gate.wait()
            fault = None
        if fault == LOST:
            raise OrderOutcomeUnknown("the connection broke")
        if fault == UNAVAILABLE:
            raise BrokerUnavailable("cannot connect")
        if fault == LATE:
            self.late.append(lambda: self._accept(specs, parent))
            raise OrderOutcomeUnknown("no answer in time")
        if fault == REFUSE:
            raise OrderRejected("429", "too many requests")
        if fault == DUPLICATE:
            raise OrderRejected("duplicate", "client id was used")
        if fault == REJECT:
            for spec in specs:
                self.orders[spec.client_order_id] = Placed(
                    spec, spec.quantity, OrderState.REJECTED, reason="no shares"
                )
                self._tell(spec.client_order_id)
            raise OrderRejected("403", "no shares")
        known = self.orders.get(specs[0].client_order_id)
        if known is not None and known.state is OrderState.REJECTED:
            raise OrderRejected("403", known.reason)
        self._accept(specs, parent)
        if fault == ANSWER_LOST:
            raise OrderOutcomeUnknown("the answer was lost")

    def _accept(self, specs: list[OrderSpec], parent: ClientOrderId | None) -> None:
        group = tuple(spec.client_order_id for spec in specs) if len(specs) > 1 else ()
        for spec in specs:
            order = spec.client_order_id
            if order not in self.orders:
                asleep = parent if parent is not None and order != parent else None
                self.orders[order] = Placed(spec, spec.quantity, parent=asleep, group=group)
                self._tell(order)

    def arrive_late(self) -> None:
        """Requests that were under way arrive now."""
        late, self.late = self.late, []
        for request in late:
            request()

    async def cancel(self, order: ClientOrderId) -> None:
        self.calls.append(("cancel", order))
        fault = self._fault("cancel")
        if fault in (LOST, UNAVAILABLE):
            raise BrokerUnavailable("cannot connect")
        found = self.orders.get(order)
        if found is None:
            raise OrderRejected("404", "no such order")
        if found.state is OrderState.FILLED:
            raise OrderRejected("422", "already filled")
        self.end(order, OrderState.CANCELED)

    def end(self, order: ClientOrderId, state: OrderState) -> None:
        """An order ends, and its group with it."""
        for member in self.orders[order].group or (order,):
            found = self.orders[member]
            if found.is_live:
                found.state = state if member == order else OrderState.CANCELED
                self._tell(member)

    async def replace(self, order: ClientOrderId, new: OrderSpec) -> None:
        """One step of the venue; `refuse` leaves the old order as it is."""
        self.calls.append(("replace", new.client_order_id))
        fault = self._fault("replace")
        if fault == LOST:
            raise OrderOutcomeUnknown("the connection broke")
        if fault == UNAVAILABLE:
            raise BrokerUnavailable("cannot connect")
        if fault == LATE:
            self.late.append(lambda: self._replace(order, new))
            raise OrderOutcomeUnknown("no answer in time")
        found = self.orders.get(order)
        if new.client_order_id in self.orders:
            return
        if fault is REFUSE or found is None or not found.is_live or new.quantity > found.remaining:
            raise OrderRejected("422", f"order {order} cannot be replaced")
        self._replace(order, new)
        if fault == ANSWER_LOST:
            raise OrderOutcomeUnknown("the answer was lost")

    def _replace(self, order: ClientOrderId, new: OrderSpec) -> None:
        found = self.orders[order]
        if not found.is_live or new.client_order_id in self.orders:
            return
        group = tuple(new.client_order_id if member == order else member for member in found.group)
        for member in found.group:
            self.orders[member].group = group
        found.state, found.reason, found.group = OrderState.CANCELED, REPLACED, ()
        self.orders[new.client_order_id] = Placed(new, new.quantity, parent=found.parent, group=group)
        self._tell(order)
        self._tell(new.client_order_id)

    async def venue_time_us(self) -> int | None:
        if self._fault("time") is not None:
            raise BrokerUnavailable("cannot connect")
        return None if self.skew_us is None else self._now_us() + self.skew_us

    async def order(self, order: ClientOrderId) -> VenueOrder | None:
        self.calls.append(("ask", order))
        if self._fault("ask") is not None:
            raise BrokerUnavailable("cannot connect")
        found = self.orders.get(order)
        return None if found is None or order in self.hidden else found.report()

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        self.calls.append(("open", ""))
        if self._fault("open") is not None:
            raise BrokerUnavailable("cannot connect")
        return tuple(o.report() for cid, o in self.orders.items() if o.is_live and cid not in self.hidden)

    async def executions(self, since_us: int) -> tuple[Fill, ...]:
        self.calls.append(("executions", ""))
        self.since.append(since_us)
        if self._fault("executions") is not None:
            raise BrokerUnavailable("cannot connect")
        return tuple(fill for fill in self.executed if fill.ts_event >= since_us)

    async def account(self) -> AccountSnapshot:
        self.calls.append(("account", ""))
        if self._fault("account") is not None:
            raise BrokerUnavailable("cannot connect")
        held = tuple(VenuePosition(i, q, ZERO) for i, q in sorted(self.position.items()) if q)
        cash = sum((cash_of(fill) for fill in self.executed), self.paid_in)
        return AccountSnapshot(*self.identity, "USD", cash, cash, cash, held)

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        while self.outbox:
            yield self.outbox.popleft()

    def fill(self, order: ClientOrderId, quantity: int | Decimal | None = None, price: str = "100") -> Fill:
        """Execute at the venue; the execution is streamed before the order's report."""
        placed = self.orders[order]
        amount = placed.remaining if quantity is None else Decimal(quantity)
        spec = placed.spec
        number = len(self.executed) + 1
        fill = Fill(
            # Descending, so that no order of ids may be relied on.
            f"X{1000 - number:04d}",
            order,
            spec.instrument,
            spec.side,
            amount,
            Decimal(price),
            Decimal("0.01"),
            self._now_us(),
        )
        placed.cum += amount
        if placed.remaining <= ZERO:
            placed.state = OrderState.FILLED
        self.executed.append(fill)
        self.position[spec.instrument] += spec.side.sign * amount
        self.lowest = min(self.lowest, self.position[spec.instrument])
        self.outbox.append(fill)
        self._tell(order)
        self._siblings(order, placed)
        return fill

    def _siblings(self, order: ClientOrderId, placed: Placed) -> None:
        if placed.spec.side is OrderSide.BUY:
            return
        for member in placed.group:
            other = self.orders[member]
            if member != order and other.spec.side is OrderSide.SELL and other.is_live:
                if placed.state is OrderState.FILLED:
                    other.state = OrderState.CANCELED
                else:
                    other.quantity = other.cum + placed.remaining
                self._tell(member)

    def is_awake(self, order: ClientOrderId) -> bool:
        """It may execute."""
        placed = self.orders[order]
        return placed.parent is None or self.orders[placed.parent].state is OrderState.FILLED

    def live(self) -> list[ClientOrderId]:
        """Orders that work or sleep."""
        return [order for order, placed in self.orders.items() if placed.is_live]

    def split(self, ratio: Decimal, instrument: InstrumentId = ABC, cancels: bool = True) -> None:
        """Restate the position; strict venues cancel what rests."""
        self.position[instrument] = (self.position[instrument] / ratio).to_integral_value("ROUND_FLOOR")
        for order in [order for order in self.live() if cancels and self.orders[order].is_live]:
            self.end(order, OrderState.CANCELED)

    def sent(self, role: str) -> list[str]:
        """Ids of a role in the order they were sent, again for each send."""
        return [order for call, order in self.calls if call == "send" and order[-3] == role]

    def _fault(self, call: str) -> str | None:
        return self.faults[call].popleft() if self.faults[call] else None

    def _tell(self, order: ClientOrderId) -> None:
        self.outbox.append(self.orders[order].report())


def ticket_id(number: int = 1) -> TicketId:
    """A ULID that counts."""
    return TicketId(encode_ulid(1_451_917_800_000 + number, number))


def make_ticket(
    number: int = 1,
    *,
    quantity: int = 10,
    limit: str = "100",
    stop: str = "92",
    target: str = "106",
    instrument: InstrumentId = ABC,
    now_us: int = OPEN_US,
    max_sessions: int = 5,
    atr: float | None = 4.0,
    exit_plan: ExitPlan | None = None,
) -> Ticket:
    """A ticket as `approvals` makes it."""
    identifier = ticket_id(number)
    order = entry_spec(
        identifier, ACCOUNT, instrument, Decimal(quantity), Decimal(limit), Decimal(stop), Decimal(target)
    )
    return Ticket(
        id=identifier,
        number=number,
        correlation=CorrelationId(encode_ulid(1, number)),
        strategy=GAPS,
        account=ACCOUNT,
        instrument=instrument,
        session=MONDAY,
        created_us=now_us,
        expires_us=now_us + 600 * US_PER_S,
        order=order,
        exit_plan=exit_plan or single_target(Decimal(stop), Decimal(target), max_sessions),
        entry_ttl_us=600 * US_PER_S,
        decision_price=float(limit),
        atr=atr,
        quote=Quote(instrument, float(limit), float(limit), now_us, now_us, Provenance.REPLAY),
        regime=Regime.NORMAL,
        features=(),
        reports=(),
        gates=(),
        equity=Decimal(100_000),
        cash_after=Decimal(99_000),
        size_binding="strategy",
        policy_id="default",
        model_id=None,
        candidate_gap=-0.06,
        prev_close=106.0,
    )


class Rig:
    """The real bracket writer at the fake venue. Times in seconds since the opening."""

    def __init__(self, capabilities: Capabilities = CARD) -> None:
        self.clock = TestClock(OPEN_US)
        self.journal = FakeJournal()
        self.venue = FakeVenue(capabilities, self.clock.now_us)
        self.events: list[Event] = []
        self.halts: list[str] = []
        self.scopes: list[InstrumentId | None] = []
        self.alarms: list[tuple[str, bool, str]] = []
        self.halted = False
        self.tick: Decimal | None = None
        self.close_us: int | None = None
        self.looks = 0
        """How often the books were to be compared with the venue."""
        self.price_age_us: int | None = None
        """Read at a restart: how old a price may be that decides."""
        self.streaming = True
        self.picture = LivePicture()
        self.picture.take(MarketBatch(OPEN_US, session=MONDAY, phase=SessionPhase.OPEN))
        self._boot()

    def _boot(self) -> None:
        self.scheduler = Scheduler(self.clock)
        self.books = Books(Decimal(100_000))
        desk = Desk(
            self.journal,
            self.venue,
            self.clock,
            self.scheduler,
            self.picture,
            self.books,
            self.events.append,
            lambda instrument: self.halted,
            self.halt,
            lambda instrument: self.tick,
            close_us=lambda: self.close_us,
            price_age_us=self.price_age_us,
            look=self._look,
        )
        self.brackets = Brackets(desk)

    def _look(self) -> None:
        self.looks += 1

    def halt(self, why: str, instrument: InstrumentId | None = None) -> None:
        self.halts.append(why)
        self.scopes.append(instrument)
        if not self.halted:
            self.halted = True
            self.brackets.review_all()

    @property
    def post(self) -> Post:
        """Both sides, for a reconciliation."""
        return Post(
            ACCOUNT,
            AccountKind.SIMULATION,
            self.journal,
            self.venue,
            self.clock,
            self.brackets,
            self.picture,
            lambda *alarm: self.alarms.append(alarm),
            self.halt,
        )

    async def recover(self) -> Findings:
        """What a start asks the venue, on the journal that there is."""
        reconciliation = Reconciliation(self.post)
        reconciliation.lose_answers()
        return await reconciliation.look(0)

    def kill(self) -> None:
        """The process ends: answers that are out never come, memory is gone, the journal stays."""
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        self.venue.outbox.clear()
        self._boot()
        rows = self.journal.rows
        self.brackets.restore(restore_brackets(rows("bracket"), rows("ord"), rows("fill")))

    async def begin(self, ticket: Ticket | None = None, **terms: Any) -> Bracket:
        """A bracket whose bracket order was sent and answered."""
        ticket = make_ticket(**terms) if ticket is None else ticket
        self.brackets.start(ticket, (), ())
        await self.settle()
        return self.now(ticket.id)

    async def hold(self, **terms: Any) -> Bracket:
        """A bracket whose entry filled: protected."""
        bracket = await self.begin(**terms)
        self.venue.fill(bracket.entry.id)
        await self.settle()
        bracket = self.now(bracket.ticket)
        assert bracket.phase is BracketPhase.PROTECTED
        return bracket

    def now(self, ticket: TicketId | None = None) -> Bracket:
        found = self.brackets.get(ticket_id() if ticket is None else ticket)
        assert found is not None
        return found

    async def settle(self) -> None:
        """Until nothing is under way."""
        for _ in range(1000):
            for _ in range(4):
                await asyncio.sleep(0)
            if self.streaming and self.venue.outbox:
                self.deliver()
            elif not self.brackets.in_flight or self.venue.faults["hold"]:
                return
        raise AssertionError("the brackets do not come to rest")

    def deliver(self) -> None:
        while self.venue.outbox:
            self.brackets.tell_venue(self.venue.outbox.popleft())

    async def advance(self, seconds: float) -> None:
        """Timers run at their own times."""
        end = self.clock.now_us() + round(seconds * US_PER_S)
        for _ in range(20_000):
            due = self.scheduler.next_due()
            if due is None or due > end:
                break
            self.clock.advance_to(max(due, self.clock.now_us()))
            self.scheduler.run_due()
            await self.settle()
        else:
            raise AssertionError("timers never end")
        self.clock.advance_to(end)
        await self.settle()

    async def price(self, price: float, instrument: InstrumentId = ABC) -> None:
        """A print on the tape, and the review that follows it."""
        now = self.clock.now_us()
        trade = Trade(instrument, price, now, now, Provenance.REPLAY)
        self.picture.take(MarketBatch(now, trades=(trade,)))
        self.brackets.review_all()
        await self.settle()

    async def close_session(self, day: date = MONDAY, traded: bool = True) -> None:
        """The closing batch of a session."""
        now = self.clock.now_us()
        self.picture.take(MarketBatch(now, session=day, phase=SessionPhase.CLOSE))
        self.brackets.end_session(SessionOver(day), lambda instrument: traded)
        await self.settle()

    async def open_session(self, day: date) -> None:
        """The opening batch of a session."""
        self.picture.take(MarketBatch(self.clock.now_us(), session=day, phase=SessionPhase.OPEN))
        self.brackets.review_all()
        await self.settle()

    def legs(self, role: OrderRole, ticket: TicketId | None = None) -> list[OrderState]:
        return [leg.state for leg in self.now(ticket).of_role(role)]

    def assert_over(self, ticket: TicketId | None = None) -> None:
        """CLOSED, nothing held, nothing resting, never oversold, and exactly what the journal says."""
        bracket = self.now(ticket)
        assert bracket.phase is BracketPhase.CLOSED
        assert bracket.held == ZERO == self.venue.position[bracket.instrument]
        assert self.venue.live() == []
        assert self.venue.lowest == ZERO
        self.assert_restores()

    def assert_covered(self, ticket: TicketId | None = None) -> None:
        """Every share we hold has a resting, working stop at the venue."""
        bracket = self.now(ticket)
        resting = sum(
            (
                placed.remaining
                for order, placed in self.venue.orders.items()
                if placed.is_live and placed.spec.stop_price is not None and self.venue.is_awake(order)
            ),
            ZERO,
        )
        assert bracket.held == self.venue.position[bracket.instrument] == resting == bracket.cover

    def assert_restores(self) -> None:
        """The journal alone gives back every bracket as it stands."""
        rows = self.journal.rows
        restored = restore_brackets(rows("bracket"), rows("ord"), rows("fill"))
        assert {b.ticket: b for b in restored} == {b.ticket: b for b in self.brackets}


def make_verdict(number: int = 1, quantity: int = 10, **changes: Any) -> Verdict:
    """A candidate that its agents let through, with a proposal like `make_ticket`'s terms."""
    instrument = changes.get("instrument", ABC)
    candidate = GapCandidate(
        correlation=CorrelationId(encode_ulid(1, number)),
        strategy=changes.get("strategy", GAPS),
        instrument=instrument,
        session=changes.get("session", MONDAY),
        decided_us=OPEN_US,
        decision_price=100.0,
        prev_close=106.38,
        gap=-0.06,
        adv_usd_20=changes.get("adv", 2e7),
        regime=Regime.NORMAL,
        features=(
            _feature("atr_14_pct", changes.get("atr_pct"), OPEN_US),
            _feature("z5", -1.25, OPEN_US),
            _feature("adv_usd_20", changes.get("adv", 2e7), OPEN_US),
        ),
    )
    reports = (AgentReport("sentinel", changes.get("vote", Vote.APPROVE), False, ("vix 20",), "fine", 0.5),)
    proposal = Proposal(
        candidate=candidate,
        reports=reports,
        limit_price=Decimal(100),
        quantity=Decimal(quantity),
        exit_plan=single_target(Decimal(92), Decimal(106), 5),
        size_binding="strategy",
        entry_ttl_us=600 * US_PER_S,
        approval_ttl_us=600 * US_PER_S,
        priority=-0.06,
        policy_id="default",
        model_id=None,
    )
    return Verdict(candidate, reports, proposal, "")


def _feature(name: str, value: float | None, ts: int) -> FeatureValue:
    missing = MissingReason.INSUFFICIENT_HISTORY if value is None else None
    return FeatureValue(name, value, missing, ts, ts, "daily_bars", "1.0.0")


class Booth:
    """The ticket book beside a rig, with the real gates."""

    def __init__(self, rig: Rig, switches: LimitSwitches = FULL) -> None:
        self.rig = rig
        self.engine_state = ("RUNNING", "")
        self.switches = switches
        self.config = RiskConfig()
        self.bars: dict[InstrumentId, BarColumns] = {}
        self.boot()

    def history(self, session: date) -> StoredHistory:
        """The bars of `bars` before a session."""
        return StoredHistory(self.bars, session)

    def boot(self) -> None:
        """A ticket book that has read the journal; again after `rig.kill`."""
        rig = self.rig
        self.stops: list[tuple[str, bool]] = []
        self.anomalies: list[Anomaly] = []
        self.risk = RiskBook(
            RiskDesk(
                ACCOUNT,
                rig.journal,
                rig.clock,
                rig.brackets,
                rig.books,
                rig.picture,
                self.history,
                self.config,
                self.switches,
                UTC,
                rig.events.append,
                lambda why, flatten: self.stops.append((why, flatten)),
                self.anomalies.append,
            )
        )
        self.risk.restore()
        self.gatekeeper = Gatekeeper(
            rig.clock,
            rig.picture,
            rig.brackets,
            rig.books,
            AccountKind.SIMULATION,
            True,
            self.switches,
            20,
            {GAPS: StrategyTerms("paper", "naive", 8, 3)},
            {},
            lambda: self.engine_state,
            self.risk,
        )
        bits = itertools.count(1)
        self.tickets = Tickets(
            Counter(
                ACCOUNT,
                "simulation",
                rig.journal,
                rig.clock,
                rig.scheduler,
                self.gatekeeper,
                rig.brackets,
                UlidFactory(rig.clock.now_us, lambda count: next(bits)),
                rig.events.append,
                self.sign,
            )
        )
        self.tickets.restore()

    def sign(self, message: bytes) -> str:
        """With a key that everybody knows."""
        return hmac.new(b"key", message, hashlib.sha256).hexdigest()

    def quote(self, price: float, instrument: InstrumentId = ABC) -> Quote:
        """The market shows a price now."""
        now = self.rig.clock.now_us()
        quote = Quote(instrument, price, price, now, now, Provenance.REPLAY)
        trade = Trade(instrument, price, now, now, Provenance.REPLAY)
        self.rig.picture.take(MarketBatch(now, quotes=(quote,), trades=(trade,)))
        return quote

    def propose(self, number: int = 1, price: float = 100.0, **changes: Any) -> Entry:
        verdict = make_verdict(number, **changes)
        assert verdict.proposal is not None
        quote = self.quote(price, verdict.candidate.instrument)
        return self.tickets.propose(verdict, verdict.proposal, quote, Decimal(100_000))

    def approve(self, entry: Entry, nonce: str = "n1", **changes: Any) -> Answer:
        command = ApproveTicket(entry.ticket.id, entry.sha256, nonce, None, changes.pop("actor", ANN))
        return self.tickets.approve(replace(command, **changes))

    def state(self, entry: Entry) -> ProposalState:
        found = self.tickets.get(entry.ticket.id)
        assert found is not None
        return found.state
