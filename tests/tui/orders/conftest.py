"""The brackets of the pictures 08, and the story of the one that is unknown."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.model.ids import Symbol, TicketId, client_order_id
from engine.model.orders import OrderRole, OrderState, OrderType, TimeInForce
from tui.shown.deck import BracketView, DeckView, LegView, PlannedExit
from tui.shown.details import BracketDetail, FillRow, StoryLine

S = 1_000_000
E, STOP, TARGET, EXIT = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
DAY = 86_400 * S


def ticket(number: int) -> TicketId:
    return TicketId(f"01JD4Q7XK{number:03d}BCDEFGHJKMNPQ"[:26].ljust(26, "0"))


def leg(
    number: int,
    role: OrderRole,
    quantity: str,
    price: str | None,
    state: OrderState,
    since_us: int,
    filled: str = "0",
    **more: Any,
) -> LegView:
    return LegView(
        role,
        client_order_id(ticket(number), role.value, more.pop("n", 0)),
        state,
        None if price is None else Decimal(price),
        Decimal(quantity),
        Decimal(filled),
        since_us,
        TimeInForce.DAY if role is E else TimeInForce.GTC,
        type=OrderType.STOP if role is STOP else OrderType.MARKET if price is None else OrderType.LIMIT,
        **more,
    )


def bracket(number: int, symbol: str, phase: str, legs: tuple[LegView, ...], **more: Any) -> BracketView:
    shown: dict[str, Any] = {
        "words": phase,
        "note": "",
        "quantity": legs[0].quantity,
        "held": Decimal(0),
        "entry_price": None,
        "limit_price": legs[0].price,
        "stop_price": Decimal(1),
        "target_price": Decimal(2),
        "last": None,
        "pnl_ratio": None,
        "unknown": False,
        "protected": phase == "protected",
    }
    shown |= more
    return BracketView(ticket(number), number, Symbol(symbol), phase, legs=legs, **shown)


def tlmn(now: int) -> BracketView:
    lost, since = OrderState.UNKNOWN, now - 14 * S
    legs = (
        leg(31, E, "154", "2.14", lost, since, asked=4, ask_us=now + 2 * S, reason="no answer in 1.0 s"),
        leg(31, STOP, "154", "1.97", OrderState.WORKING, since, sleeps=True),
        leg(31, TARGET, "154", "2.27", OrderState.WORKING, since, sleeps=True),
    )
    terms = {"stop_price": Decimal("1.97"), "target_price": Decimal("2.27"), "last": 2.14}
    return bracket(31, "TLMN", "entering", legs, unknown=True, words="entry UNKNOWN", **terms)


def kyte(now: int) -> BracketView:
    working = OrderState.WORKING
    legs = (
        leg(30, E, "82", "4.02", working, now - 36 * S, "41", average=Decimal("4.02"), venue_order_id="V1"),
        leg(30, STOP, "41", "3.70", working, now - 34 * S),
        leg(30, TARGET, "41", "4.26", working, now - 34 * S),
    )
    return bracket(
        30,
        "KYTE",
        "entering",
        legs,
        held=Decimal(41),
        entry_price=Decimal("4.02"),
        stop_price=Decimal("3.70"),
        target_price=Decimal("4.26"),
        last=4.05,
        pnl_ratio=0.0075,
        protected=True,
        exit_limit=Decimal("3.96"),
    )


def helq(now: int) -> BracketView:
    legs = (
        leg(29, E, "78", "4.19", OrderState.FILLED, now - DAY, "78", average=Decimal("4.19")),
        leg(29, STOP, "78", "3.85", OrderState.WORKING, now - DAY),
        leg(29, TARGET, "78", "4.44", OrderState.WORKING, now - DAY),
    )
    return bracket(
        29,
        "HELQ",
        "protected",
        legs,
        held=Decimal(78),
        entry_price=Decimal("4.19"),
        stop_price=Decimal("3.85"),
        target_price=Decimal("4.44"),
        last=4.31,
        pnl_ratio=0.0286,
        day=2,
        max_days=5,
        exit_limit=Decimal("4.22"),
    )


def lantrn(now: int) -> BracketView:
    filled = OrderState.FILLED
    legs = (
        leg(27, E, "624", "0.4880", filled, now - 2 * DAY, "624", average=Decimal("0.488")),
        leg(27, STOP, "624", "0.4400", OrderState.CANCELED, now - DAY),
        leg(27, STOP, "418", "0.5080", OrderState.WORKING, now - 40 * S, n=1),
        leg(27, EXIT, "206", "0.6344", filled, now - DAY, "206", average=Decimal("0.635")),
    )
    return bracket(
        27,
        "LANTRN",
        "protected",
        legs,
        held=Decimal(418),
        entry_price=Decimal("0.488"),
        stop_price=Decimal("0.508"),
        target_price=Decimal("0.732"),
        last=0.5212,
        pnl_ratio=0.068,
        day=3,
        trail_ratio=0.2,
        planned=(PlannedExit(TARGET, Decimal(187), Decimal("0.732"), waits=False),),
        exit_limit=Decimal("0.5107"),
    )


def closed(now: int) -> BracketView:
    legs = (leg(26, E, "12", "9.10", OrderState.FILLED, now - DAY, "12"),)
    shown = {"words": "closed target", "closed_us": now - 600 * S, "protected": False}
    return bracket(26, "QUOR", "closed", legs, entry_price=Decimal("9.10"), **shown)


def story(now: int) -> BracketDetail:
    told = (
        (now - 14_200_000, "entry intent written to the journal, then sent: buy 154 limit 2.14", False),
        (now - 13_200_000, "no answer in 1.0 s: the entry order may or may not be at the venue", False),
        (
            now + 2 * S,
            "ask again for the entry by its id; open and closed orders and fills are read too",
            True,
        ),
        (
            now + 8 * S,
            "found: adopted. Absent three times everywhere: marked not placed. Never sent twice",
            True,
        ),
        (now + 46 * S, "alarm; entries for TLMN stay off until you or the venue settle it", True),
    )
    lines = tuple(StoryLine(ts, words, is_next) for ts, words, is_next in told)
    fills = (FillRow(now - S, E, Decimal(41), Decimal("4.02"), Decimal("0.35")),)
    return BracketDetail(ticket(31), 31, Symbol("TLMN"), lines, fills)


@pytest.fixture
def orders(view: DeckView) -> DeckView:
    """Unknown, filling, protected, trailing and closed."""
    now = view.header.now_us
    made = (tlmn(now), kyte(now), helq(now), lantrn(now), closed(now))
    return replace(view, brackets=made)


@pytest.fixture
def told(view: DeckView) -> BracketDetail:
    """What the engine tells of the unknown one."""
    return story(view.header.now_us)


@pytest.fixture
def alone(orders: DeckView) -> Callable[[str], DeckView]:
    """The same market with one bracket only."""

    def make(symbol: str, **changes: Any) -> DeckView:
        (row,) = (row for row in orders.brackets if row.symbol == symbol)
        header = replace(orders.header, unknown_orders=int(row.unknown))
        return replace(orders, header=header, brackets=(replace(row, **changes),))

    return make
