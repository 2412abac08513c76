"""One bracket as a value: its orders, its phase and the facts derived from them.

The state is frozen; `evidence.apply` folds facts into it and `planner.plan` says what to do next. No clock,
no I/O, no float money. Position = sum of side x cumulative fills, never of deltas.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from engine.execution.exits import Progress, begin
from engine.model.exits import ExitPlan
from engine.model.ids import (
    AccountId,
    ClientOrderId,
    CorrelationId,
    InstrumentId,
    StrategyName,
    TicketId,
    client_order_id,
)
from engine.model.orders import (
    BracketKind,
    BracketSpec,
    Fill,
    OrderRole,
    OrderSide,
    OrderSpec,
    OrderState,
    OrderType,
    TimeInForce,
)
from engine.model.positions import ExitReason
from engine.model.tickets import Ticket
from engine.money import ZERO

ONE = Decimal(1)
LAST_NUMBER = 99
"""Order ids have two digits for the count of their role."""
_PLACES = {OrderRole.ENTRY: 0, OrderRole.STOP: 1, OrderRole.TARGET: 2, OrderRole.EXIT: 3}


class BracketPhase(StrEnum):
    """Where a bracket stands (RELIABILITY 5.3)."""

    ENTERING = "entering"
    PROTECTED = "protected"
    EXITING = "exiting"
    DRAINING = "draining"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of a bracket as far as its fate is proved. Times int microseconds UTC."""

    spec: OrderSpec
    role: OrderRole
    n: int
    state: OrderState
    parent: ClientOrderId | None = None
    """The entry that must fill completely before the venue wakes this leg; None: works by itself."""
    replaces: ClientOrderId | None = None
    """The order in whose place the venue is asked to put this one; None: it is an order of its own."""
    cum: Decimal = ZERO
    fills: tuple[Fill, ...] = ()
    venue_order_id: str = ""
    attempts: int = 0
    first_send_us: int = 0
    last_send_us: int = 0
    changed_us: int = 0
    asked: int = 0
    """How often its fate was asked since it became unknown."""
    ask_us: int = 0
    """When to ask next."""
    not_found: int = 0
    cancel_us: int | None = None
    """When a cancel was last sent; a flag with a time, not a state."""
    reason: str = ""
    is_live: bool = field(init=False, repr=False, compare=False)
    """It may still be, or come to rest, at the venue. This and what follows is found once: every row of the
    plan asks for it."""
    unbooked: Decimal = field(init=False, repr=False, compare=False)
    """Filled by the venue's count, but the executions with their prices have not come yet."""

    def __post_init__(self) -> None:
        booked = sum((fill.quantity for fill in self.fills), ZERO) if self.fills else ZERO
        object.__setattr__(self, "is_live", not self.state.is_terminal)
        object.__setattr__(self, "unbooked", self.cum - booked)

    @property
    def id(self) -> ClientOrderId:
        """The client order id."""
        return self.spec.client_order_id

    @property
    def remaining(self) -> Decimal:
        """Ordered and not yet filled."""
        return self.spec.quantity - self.cum

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands among the legs of its bracket: entry, stops, targets, exits, each by number."""
        return _PLACES[self.role], self.n


@dataclass(frozen=True, slots=True)
class Bracket:
    """All orders of one approved ticket. Prices of its terms are entry-day dollars."""

    ticket: TicketId
    number: int
    correlation: CorrelationId
    strategy: StrategyName
    account: AccountId
    instrument: InstrumentId
    session: date
    phase: BracketPhase
    quantity: Decimal
    limit_price: Decimal
    exit_plan: ExitPlan
    progress: Progress
    """How far the exit plan has come."""
    opened_us: int
    deadline_us: int
    """When an unfilled entry is cancelled."""
    legs: tuple[Leg, ...]
    """In order of `Leg.place`, so that a bracket read from the journal is the same value."""
    ratio: Decimal = ONE
    """Product of the corporate-action ratios since entry: today's price = entry-day price x ratio."""
    adjustment: Decimal = ZERO
    """Shares that splits added to (or took from) what was traded."""
    restating: bool = False
    """A corporate action changed the terms; the old exit orders must end before new ones are placed."""
    cash_adjustment: Decimal = ZERO
    """Dividends and cash in lieu received."""
    sessions_held: int = 0
    last_session: date | None = None
    last_action: date | None = None
    first_fill_us: int | None = None
    exit_wanted: ExitReason | None = None
    entry_unwanted: bool = False
    """A person dropped the entry: what works of it is cancelled, also when it turns up late."""
    retry_exit_us: int = 0
    """After a rejected exit: when to try again."""
    alarmed: bool = False
    missing: Decimal = ZERO
    """Shares that the venue does not hold although our orders say so."""
    missing_us: int = 0
    """When that was proved."""
    missing_told: bool = True
    naked_us: int | None = None
    """Since when some of the shares are without a resting stop."""
    naked_told: int = 0
    """How often a person was told of that: 0, 1 alarmed, 2 paged."""
    closed_us: int | None = None
    position: Decimal = field(init=False, repr=False, compare=False)
    """Shares held now, by what the orders filled; this and what follows is summed once too."""
    held: Decimal = field(init=False, repr=False, compare=False)
    """Shares that there are to protect and to sell: the venue's count where it is proved lower."""
    cover: Decimal = field(init=False, repr=False, compare=False)
    """Shares that resting stops would sell."""

    def __post_init__(self) -> None:
        sold = bought = cover = ZERO
        for leg in self.legs:
            if leg.spec.side is OrderSide.BUY:
                bought += leg.cum
            else:
                sold += leg.cum
            if leg.role is OrderRole.STOP and self._covers(leg):
                cover += leg.remaining
        position = self.adjustment + bought - sold
        object.__setattr__(self, "position", position)
        object.__setattr__(self, "held", position - self.missing)
        object.__setattr__(self, "cover", cover)

    @property
    def entry(self) -> Leg:
        """The entry order."""
        return self.legs[0]

    def leg(self, order: ClientOrderId) -> Leg:
        """Raises KeyError for an order of another bracket."""
        for leg in self.legs:
            if leg.id == order:
                return leg
        raise KeyError(order)

    def has_leg(self, order: ClientOrderId) -> bool:
        """Whether an order is of this bracket."""
        return any(leg.id == order for leg in self.legs)

    def of_role(self, *roles: OrderRole) -> tuple[Leg, ...]:
        """The legs of these roles, oldest first."""
        return tuple([leg for leg in self.legs if leg.role in roles])

    def is_awake(self, leg: Leg) -> bool:
        """Whether the venue works this leg, not only holds it for an unfilled entry."""
        return leg.parent is None or self.leg(leg.parent).state is OrderState.FILLED

    def _covers(self, leg: Leg) -> bool:
        """It rests, or it slept in the group of an entry that filled: it woke until the venue denies it."""
        if leg.parent is None:
            return leg.state is OrderState.WORKING
        return leg.is_live and self.is_awake(leg)

    @property
    def is_grouped(self) -> bool:
        """The entry was sent with its stop and target, which sleep at the venue until it fills."""
        return any(leg.parent is not None for leg in self.legs)

    def successor(self, leg: Leg) -> Leg | None:
        """The live order that is to take the place of this one."""
        return next((new for new in self.legs if new.replaces == leg.id and new.is_live), None)

    @property
    def has_unknown(self) -> bool:
        """Some order's fate is not known."""
        return any(leg.state is OrderState.UNKNOWN for leg in self.legs)

    @property
    def stop_price(self) -> Decimal:
        """The stop as far as it is raised."""
        return self.progress.stop_price

    @property
    def target_price(self) -> Decimal:
        """The next target that was not touched; the last one after that."""
        targets = self.exit_plan.targets
        return targets[min(self.progress.tiers_done, len(targets) - 1)].price

    @property
    def max_sessions(self) -> int | None:
        """Sessions it may be held for; None: no time exit."""
        return self.exit_plan.max_sessions

    @property
    def stop_now(self) -> Decimal:
        """The stop in today's dollars."""
        return self.stop_price * self.ratio

    @property
    def target_now(self) -> Decimal:
        """The target in today's dollars."""
        return self.target_price * self.ratio

    def with_leg(self, changed: Leg) -> "Bracket":
        """The same bracket with one leg replaced by its id."""
        return replace(self, legs=tuple(changed if leg.id == changed.id else leg for leg in self.legs))

    def with_new(self, *legs: Leg) -> "Bracket":
        """The same bracket with more legs."""
        return replace(self, legs=tuple(sorted((*self.legs, *legs), key=lambda leg: leg.place)))

    def next_n(self, *roles: OrderRole) -> int:
        """The count for the next order of these roles. A stop and its target share theirs."""
        last = -1
        for leg in self.legs:
            if leg.n > last and leg.role in roles:
                last = leg.n
        return last + 1

    def sibling(self, leg: Leg) -> Leg | None:
        """The other leg of a stop and target pair; None for what was sent alone."""
        other = _OTHER.get(leg.role)
        return next((found for found in self.legs if found.role is other and found.n == leg.n), None)


_OTHER = {OrderRole.STOP: OrderRole.TARGET, OrderRole.TARGET: OrderRole.STOP}


def fill_order(fill: Fill) -> tuple[int, str]:
    """Fills are kept by time, whatever the order in which they came."""
    return fill.ts_event, fill.exec_id


def open_bracket(ticket: Ticket, now_us: int, kind: BracketKind = BracketKind.OTOCO) -> Bracket:
    """The bracket of an approved ticket with its first orders as intents: exactly the ticket's terms.

    Three orders where the venue links them and the exit plan is one target for everything, else the entry.
    """
    spec, plan = ticket.order, ticket.exit_plan
    entry = spec.entry
    if entry is None or entry.limit_price is None:
        raise ValueError(f"ticket {ticket.id} has no limit entry")
    if (spec.stop.stop_price, spec.target.limit_price) != (plan.stop_price, plan.target_price):
        raise ValueError(f"ticket {ticket.id} has an order that differs from its exit plan")
    legs = [sending(entry, OrderRole.ENTRY, 0, now_us)]
    if kind is BracketKind.OTOCO and plan.is_single:
        parent = entry.client_order_id
        legs.append(sending(spec.stop, OrderRole.STOP, 0, now_us, parent))
        legs.append(sending(spec.target, OrderRole.TARGET, 0, now_us, parent))
    return Bracket(
        ticket=ticket.id,
        number=ticket.number,
        correlation=ticket.correlation,
        strategy=ticket.strategy,
        account=ticket.account,
        instrument=ticket.instrument,
        session=ticket.session,
        phase=BracketPhase.ENTERING,
        quantity=entry.quantity,
        limit_price=entry.limit_price,
        exit_plan=plan,
        progress=begin(plan, entry.limit_price),
        opened_us=now_us,
        deadline_us=now_us + ticket.entry_ttl_us,
        legs=tuple(legs),
    )


def sending(
    spec: OrderSpec,
    role: OrderRole,
    n: int,
    now_us: int,
    parent: ClientOrderId | None = None,
    replaces: ClientOrderId | None = None,
) -> Leg:
    """A leg whose intent is journalled and whose first send follows at once."""
    return Leg(
        spec,
        role,
        n,
        OrderState.SENDING,
        parent,
        replaces,
        attempts=1,
        first_send_us=now_us,
        last_send_us=now_us,
        changed_us=now_us,
    )


def entry_spec(
    ticket: TicketId, account: AccountId, instrument: InstrumentId, quantity: Decimal, limit: Decimal,
    stop: Decimal, target: Decimal,
) -> BracketSpec:  # fmt: skip
    """A day limit buy; stop and target good till cancelled, one cancels the other."""
    return BracketSpec(
        ticket,
        account,
        OrderSpec(
            client_order_id(ticket, OrderRole.ENTRY, 0),
            instrument,
            OrderSide.BUY,
            OrderType.LIMIT,
            quantity,
            limit_price=limit,
            tif=TimeInForce.DAY,
        ),
        stop_spec(ticket, instrument, 0, quantity, stop),
        target_spec(ticket, instrument, 0, quantity, target),
    )


def stop_spec(
    ticket: TicketId, instrument: InstrumentId, n: int, quantity: Decimal, price: Decimal
) -> OrderSpec:
    """A resting protective stop."""
    return OrderSpec(
        client_order_id(ticket, OrderRole.STOP, n),
        instrument,
        OrderSide.SELL,
        OrderType.STOP,
        quantity,
        stop_price=price,
    )


def target_spec(
    ticket: TicketId, instrument: InstrumentId, n: int, quantity: Decimal, price: Decimal
) -> OrderSpec:
    """A resting limit sale at the target."""
    return OrderSpec(
        client_order_id(ticket, OrderRole.TARGET, n),
        instrument,
        OrderSide.SELL,
        OrderType.LIMIT,
        quantity,
        limit_price=price,
    )


def exit_spec(
    ticket: TicketId,
    instrument: InstrumentId,
    n: int,
    side: OrderSide,
    quantity: Decimal,
    tif: TimeInForce,
    limit: Decimal | None = None,
) -> OrderSpec:
    """An order that ends the position or a part of it; at market without a limit."""
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    order = client_order_id(ticket, OrderRole.EXIT, n)
    return OrderSpec(order, instrument, side, kind, quantity, limit_price=limit, tif=tif)
