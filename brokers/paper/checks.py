"""What the paper venue refuses, in the venue's words. Pure; None means acceptable."""

from dataclasses import dataclass
from decimal import Decimal

from brokers.paper.records import BookOrder, Place
from engine.model.market import Instrument
from engine.model.orders import BracketSpec, OrderSide, OrderSpec, OrderType, TimeInForce
from engine.money import ZERO


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` for programs, `reason` for people with number and limit."""

    code: str
    reason: str


def refuse_terms(spec: OrderSpec, instrument: Instrument) -> Refusal | None:
    """Terms that no market state can make acceptable: kind, price, tick, lot."""
    if spec.type is OrderType.STOP and spec.side is OrderSide.BUY:
        return Refusal("unsupported", "stop orders that buy are not supported")
    if spec.tif is TimeInForce.CLS and spec.type is not OrderType.MARKET:
        return Refusal("unsupported", f"a {spec.type} order cannot be an at-the-close order")
    if not spec.quantity.is_finite() or spec.quantity % instrument.lot_size != ZERO:
        return Refusal("lot", f"quantity {spec.quantity} is not a multiple of the lot {instrument.lot_size}")
    for price in (spec.limit_price, spec.stop_price):
        if price is None:
            continue
        if not price.is_finite() or price <= ZERO:
            return Refusal("price", f"price {price} is not positive")
        if instrument.tick_size is not None and price % instrument.tick_size != ZERO:
            return Refusal("tick", f"price {price} is not a multiple of the tick {instrument.tick_size}")
    return None


def refuse_group(spec: BracketSpec) -> Refusal | None:
    """Legs that do not belong to each other."""
    entry, exits = spec.entry, (spec.stop, spec.target)
    if any(leg.side is not OrderSide.SELL for leg in exits):
        return Refusal("group", "a bracket's exits sell")
    if entry is not None and (entry.side is not OrderSide.BUY or entry.tif is TimeInForce.CLS):
        return Refusal("group", "a bracket's entry buys, and not at the close")
    orders = exits if entry is None else (entry, *exits)
    if len({(order.instrument, order.quantity) for order in orders}) != 1:
        return Refusal("group", "a bracket's orders are for one instrument and one quantity")
    if len({order.client_order_id for order in orders}) != len(orders):
        return Refusal("group", "a bracket's orders need ids of their own")
    return None


def refuse_replacement(old: BookOrder, new: OrderSpec) -> Refusal | None:
    """What may take the place of a live order: the same instrument and side, inside what the group allows."""
    if old.triggered:
        return Refusal("not_replaceable", f"order {old.id} is being executed at market")
    if (new.instrument, new.side) != (old.spec.instrument, old.spec.side):
        return Refusal("replacement", f"{new.side} {new.instrument} cannot replace {old.id}")
    if old.group is None:
        return None
    if new.type is not old.spec.type:
        return Refusal("group", f"a {new.type} order cannot take the place of {old.id} in its group")
    is_fixed = old.asleep or old.place is Place.ENTRY
    if new.quantity > old.remaining or (is_fixed and new.quantity != old.remaining):
        return Refusal("group", f"quantity {new.quantity} does not fit: {old.remaining} of {old.id} are left")
    return None


def refuse_sale(spec: OrderSpec, position: Decimal, committed: Decimal, holds: bool) -> Refusal | None:
    """Long only: a sale never exceeds the position, nor, where exits hold it, what is not yet committed."""
    if spec.quantity > position:
        return Refusal("reduce_only", f"cannot sell {spec.quantity}: the position is {position}")
    if holds and spec.quantity > position - committed:
        return Refusal(
            "held", f"cannot sell {spec.quantity}: other orders hold {committed} of the position {position}"
        )
    return None


def refuse_cost(cost: Decimal, buying_power: Decimal) -> Refusal | None:
    """A purchase, fees included, is paid from what working purchases have not reserved."""
    if cost > buying_power:
        return Refusal("buying_power", f"the order needs {cost:.2f}, buying power is {buying_power:.2f}")
    return None
