"""Tradedeck wire v1: the JSON in which a venue of ours speaks, read strictly and written plainly.

Every message is one object with `"v": 1` and `"account"`. Numbers of money, prices and quantities are texts
("10.25"); instants are integers, microseconds UTC. A key that is not named here is ignored.

    order     {"client_order_id", "venue_order_id", "instrument", "side", "state", "quantity", "cum_filled",
               "limit_price" or null, "stop_price" or null, "reason"}
    fill      {"exec_id", "client_order_id", "instrument", "side", "quantity", "price", "fee", "ts_us"}
    holding   {"instrument", "quantity", "average_price"}
    account   {"kind", "currency", "cash", "buying_power", "equity", "positions": [holding, ...]}

    answer to a question   {"v", "account", "order": order or null} | {..., "orders": [order, ...]}
                           {..., "fills": [fill, ...]} | {..., "state": account} | {..., "time_us": int}
    refusal                {"v", "account", "error": {"code", "reason"}}
    message of the stream  {"v", "account", "type": "order" | "fill" | another, "data": order | fill | any}

A state that is not working, filled, canceled, expired or rejected is kept in the reason and read as UNKNOWN:
the engine then asks. A message of an unknown type is `Unread`: told, never fatal. Everything else that does
not fit raises `BadAnswer`; whoever reads a stream ends it then, because the reconciliation that follows
brings what could not be read.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from brokers.wire.reading import (
    MAX_BODY_BYTES,
    MAX_FRAME_BYTES,
    ZERO,
    Fields,
    excerpt,
    fields,
    identifier,
    items,
    money,
    positive,
    price,
    price_or_none,
    quantity,
    read_json,
    refuse,
    required,
    time_us,
    word,
    words,
)
from engine.model.ids import AccountId, ClientOrderId, InstrumentId, VenueOrderId
from engine.model.orders import Fill, OrderSide, OrderState, VenueOrder, VenueUpdate
from engine.model.positions import AccountKind, AccountSnapshot, VenuePosition

VERSION = 1
STATES = {
    state.value: state
    for state in (
        OrderState.WORKING,
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.EXPIRED,
        OrderState.REJECTED,
    )
}
"""What a venue may say of an order. UNKNOWN, SENDING and the like are what we do not know."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A message of a type that nobody reads, as it may be shown."""

    type: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The venue refused a request, in its own words, cleaned."""

    code: str
    reason: str


def read_order(data: bytes, account: AccountId) -> VenueOrder | None:
    """The answer to a question about one order; None when it never came. Raises BadAnswer."""
    found = required(_body(data, account), "order")
    return None if found is None else order_of(fields(found, "order"))


def read_orders(data: bytes, account: AccountId) -> tuple[VenueOrder, ...]:
    """The open orders. Raises BadAnswer, also when only one of them cannot be read: never fewer than all."""
    orders = items(required(_body(data, account), "orders"), "orders")
    return tuple(order_of(fields(order, "orders")) for order in orders)


def read_fills(data: bytes, account: AccountId) -> tuple[Fill, ...]:
    """Executions. Raises BadAnswer, also when only one of them cannot be read."""
    fills = items(required(_body(data, account), "fills"), "fills")
    return tuple(fill_of(fields(fill, "fills")) for fill in fills)


def read_account(data: bytes) -> AccountSnapshot:
    """The account, whichever it is: whose it must be is for the engine to compare. Raises BadAnswer."""
    body = _versioned(read_json(data, MAX_BODY_BYTES))
    state = fields(required(body, "state"), "state")
    held = items(required(state, "positions"), "positions")
    return AccountSnapshot(
        AccountId(identifier(body, "account")),
        word(state, "kind", AccountKind),
        identifier(state, "currency"),
        money(state, "cash"),
        money(state, "buying_power"),
        money(state, "equity"),
        tuple(_holding_of(fields(holding, "positions")) for holding in held),
    )


def read_time(data: bytes, account: AccountId) -> int:
    """The venue's clock, int microseconds UTC. Raises BadAnswer."""
    return time_us(_body(data, account), "time_us")


def read_refusal(data: bytes, account: AccountId) -> Refusal:
    """Why a request was refused. Raises BadAnswer: then it may not have been refused at all."""
    error = fields(required(_body(data, account), "error"), "error")
    return Refusal(identifier(error, "code"), words(error, "reason"))


def read_message(data: bytes, account: AccountId) -> VenueUpdate | Unread:
    """One message of the stream. Raises BadAnswer."""
    body = _own(read_json(data, MAX_FRAME_BYTES), account)
    kind = identifier(body, "type")
    if kind not in _READERS:
        return Unread(kind, excerpt(body.get("data")))
    return _READERS[kind](fields(required(body, "data"), "data"))


def order_of(of: Fields) -> VenueOrder:
    """One order object. Raises BadAnswer."""
    ordered = quantity(of, "quantity")
    filled = quantity(of, "cum_filled")
    if filled > ordered:
        refuse("cum_filled", f"above the ordered {ordered:f}", filled)
    said = identifier(of, "state")
    reason = words(of, "reason")
    state = STATES.get(said, OrderState.UNKNOWN)
    if state is OrderState.UNKNOWN:
        reason = f"the venue says {excerpt(said)!r}{': ' if reason else ''}{reason}"
    return VenueOrder(
        ClientOrderId(identifier(of, "client_order_id")),
        VenueOrderId(identifier(of, "venue_order_id")),
        InstrumentId(identifier(of, "instrument")),
        word(of, "side", OrderSide),
        state,
        ordered,
        filled,
        price_or_none(of, "limit_price"),
        price_or_none(of, "stop_price"),
        reason,
    )


def fill_of(of: Fields) -> Fill:
    """One execution object. Raises BadAnswer."""
    return Fill(
        identifier(of, "exec_id"),
        ClientOrderId(identifier(of, "client_order_id")),
        InstrumentId(identifier(of, "instrument")),
        word(of, "side", OrderSide),
        positive(of, "quantity"),
        price(of, "price"),
        money(of, "fee", ZERO),
        time_us(of, "ts_us"),
    )


_READERS: Mapping[str, Callable[[Fields], VenueUpdate]] = {"order": order_of, "fill": fill_of}


def _holding_of(of: Fields) -> VenuePosition:
    held = money(of, "quantity")  # short at a venue that oversold us: true, and for the engine to see
    return VenuePosition(InstrumentId(identifier(of, "instrument")), held, quantity(of, "average_price"))


def _versioned(body: Fields) -> Fields:
    version = required(body, "v")
    if isinstance(version, bool) or version != VERSION:
        refuse("v", f"not version {VERSION}", version)
    return body


def _body(data: bytes, account: AccountId) -> Fields:
    return _own(read_json(data, MAX_BODY_BYTES), account)


def _own(body: Fields, account: AccountId) -> Fields:
    """Of another account nothing is believed, however well it reads."""
    named = identifier(_versioned(body), "account")
    if named != account:
        refuse("account", f"not {account}", named)
    return body


def write_order(order: VenueOrder) -> dict[str, Any]:
    """One order as `order_of` reads it."""
    return {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "instrument": order.instrument,
        "side": order.side.value,
        "state": order.state.value,
        "quantity": _text(order.quantity),
        "cum_filled": _text(order.cum_filled),
        "limit_price": None if order.limit_price is None else _text(order.limit_price),
        "stop_price": None if order.stop_price is None else _text(order.stop_price),
        "reason": order.reason,
    }


def write_fill(fill: Fill) -> dict[str, Any]:
    """One execution as `fill_of` reads it."""
    return {
        "exec_id": fill.exec_id,
        "client_order_id": fill.client_order_id,
        "instrument": fill.instrument,
        "side": fill.side.value,
        "quantity": _text(fill.quantity),
        "price": _text(fill.price),
        "fee": _text(fill.fee),
        "ts_us": fill.ts_event,
    }


def write_answer(account: AccountId, **answer: object) -> bytes:
    """A whole answer: `order=`, `orders=`, `fills=`, `state=`, `time_us=` or `error=`, of plain values."""
    return _written({"v": VERSION, "account": account, **answer})


def write_account(snapshot: AccountSnapshot) -> bytes:
    """The answer that `read_account` reads."""
    held = [
        {
            "instrument": holding.instrument,
            "quantity": _text(holding.quantity),
            "average_price": _text(holding.average_price),
        }
        for holding in snapshot.positions
    ]
    state = {
        "kind": snapshot.kind.value,
        "currency": snapshot.currency,
        "cash": _text(snapshot.cash),
        "buying_power": _text(snapshot.buying_power),
        "equity": _text(snapshot.equity),
        "positions": held,
    }
    return write_answer(snapshot.account, state=state)


def write_orders(account: AccountId, orders: Iterable[VenueOrder]) -> bytes:
    """The answer that `read_orders` reads."""
    return write_answer(account, orders=[write_order(order) for order in orders])


def write_fills(account: AccountId, fills: Iterable[Fill]) -> bytes:
    """The answer that `read_fills` reads."""
    return write_answer(account, fills=[write_fill(fill) for fill in fills])


def write_message(account: AccountId, update: VenueUpdate) -> bytes:
    """The message that `read_message` reads."""
    kind, data = ("fill", write_fill(update)) if isinstance(update, Fill) else ("order", write_order(update))
    return write_answer(account, type=kind, data=data)


def _written(body: dict[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _text(number: Decimal) -> str:
    return format(number, "f")
