"""I1-I10 of RELIABILITY 10, read off the history, the venue and the journal: never in the engine."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from brokers.simvenue.requests import Cancel, Replace, Submit
from engine.execution.bracket import BracketPhase
from engine.model.orders import OrderSide
from simulator.history import role_of, ticket_of
from simulator.station import CASH, NEIGHBOR, Station
from storage.audit import verify_rows

ZERO = Decimal(0)
LONGEST_GAP_US = 30_000_000
BOUNDED_PER_CALL = 0.15
"""Up to which share of failing calls a bound on the time without a stop is promised."""
QUOTE_AGE_US = 4_000_000
"""Three seconds at the gates, and the send within a second of them."""
LARGEST_SKEW_US = 1_000_000
SKEW_SEEN_US = 90_000_000
"""A difference of the clocks must be seen within a minute and a half."""
RECONCILED_AGE_US = 120_000_000
LOWEST_STOP = Decimal("0.99")
"""A refused stop goes once more half a percent lower."""
Violation = tuple[str, str]


def always(station: Station) -> Iterator[Violation]:
    """What holds whatever goes wrong: I1, I4, I6-I10, and I9 as far as the journal has got."""
    yield from one_entry(station)
    for text in station.history.oversold:
        yield "I4", text
    for text in station.history.uncanceled:
        yield "I10", text
    yield from untouched(station)
    yield from journalled(station)
    yield from entries_in_order(station)
    yield from stops_as_planned(station)
    yield from books(station)


def at_rest(station: Station) -> Iterator[Violation]:
    """What holds a minute after the last fault: I2, I3, I5."""
    history, engine = station.history, station.engine
    if engine is None:
        yield "I3", "the engine did not come up within a minute of calm"
        return
    for ticket, orders in history.of_ticket.items():
        lacking = history.uncovered(ticket)
        if lacking > ZERO:
            states = ", ".join(f"{o.id[28:]} {o.state} {o.cum}/{o.quantity}" for o in orders)
            yield "I2", f"{lacking} of {ticket} have no stop: {states}"
        bracket = engine.brackets.get(ticket)  # type: ignore[arg-type]
        ours = ZERO if bracket is None else bracket.position
        if ours != history.position(ticket):
            yield "I3", f"{ticket}: we hold {ours}, the venue {history.position(ticket)}"
        if bracket is None or bracket.phase is BracketPhase.CLOSED:
            for order in orders:
                if order.is_live:
                    yield "I5", f"{ticket} is closed, order {order.id} works at the venue"
    held: Counter[str] = Counter()
    for bracket in engine.brackets:
        held[bracket.instrument] += bracket.position  # type: ignore[assignment]
    for name, quantity in station.venue.book.positions.items():
        if held[name] != quantity:
            yield "I3", f"{name}: we hold {held[name]}, the venue {quantity}"


def at_the_end(station: Station) -> Iterator[Violation]:
    """After every position was left: nothing is held, nothing works, the money agrees to the cent."""
    engine, book = station.engine, station.venue.book
    if engine is None:
        yield "I3", "the engine is not up long after every fault"
        return
    for name, quantity in book.positions.items():
        if quantity != ZERO:
            yield "I3", f"{name}: {quantity} are held after every position was ended"
    for order in book.live():
        yield "I5", f"order {order.id} works after every bracket was to end"
    for bracket in engine.brackets.open():
        if bracket.phase is BracketPhase.DRAINING and not any(leg.is_live for leg in bracket.legs):
            continue  # it only waits for a late arrival, by clocks that may have been an hour apart
        yield "I5", f"bracket {bracket.ticket} is {bracket.phase} long after it was to end"
    paid = _paid(station)
    if CASH + paid != book.cash:
        yield "I9", f"the journal's fills leave {CASH + paid} in cash, the venue has {book.cash}"
    if engine.books.cash != book.cash:
        yield "I9", f"the books hold {engine.books.cash} in cash, the venue {book.cash}"


def gaps(station: Station) -> Iterator[Violation]:
    """R2: no share goes without a stop for longer than half a minute."""
    if station.mix.faults.per_call > BOUNDED_PER_CALL:
        return
    for lasted, shares in station.history.gaps:
        if lasted > LONGEST_GAP_US:
            yield "I2", f"{shares} shares had no stop for {lasted / 1e6:.1f} s"


def one_entry(station: Station) -> Iterator[Violation]:
    """I1: at most one entry of a ticket lives, is sent once, and fills no more than was approved."""
    sent: Counter[str] = Counter()
    for one in station.history.sends:
        if isinstance(one.question, Submit):
            for order in one.question.orders:
                if role_of(order.client_order_id) == "E":
                    sent[order.client_order_id] += 1
    for order_id, count in sent.items():
        if count > 1:
            yield "I1", f"entry {order_id} was sent {count} times"
    for ticket, entries in station.history.entries.items():
        filled = sum((order.cum for order in entries), ZERO)
        if len(entries) > 1:
            yield "I1", f"{len(entries)} entries of {ticket} at the venue"
        if filled > entries[0].terms.quantity:
            yield "I1", f"{ticket}: {filled} filled of {entries[0].terms.quantity}"
    yield from _one_of_a_family(station)


def _one_of_a_family(station: Station) -> Iterator[Violation]:
    """I1: of a ticket and of those that a person put in its place at most one was entered, with the least."""
    family: dict[str, list[tuple[int, str]]] = {}
    for ticket, correlation, quantity in station.connection.execute(
        "SELECT id, correlation, json_extract(body, '$.order.entry.quantity') FROM ticket ORDER BY number"
    ):
        family.setdefault(correlation, []).append((int(quantity), ticket))
    for correlation, tickets in family.items():
        entered = [ticket for _, ticket in tickets if station.history.entries.get(ticket)]
        sizes = [size for size, _ in tickets]
        if len(entered) > 1:
            yield "I1", f"{len(entered)} tickets of candidate {correlation} were entered: {entered}"
        if entered and entered != [tickets[-1][1]]:
            yield "I1", f"{entered[0]} was entered, and {tickets[-1][1]} had taken its place"
        if sizes != sorted(set(sizes), reverse=True):
            yield "I1", f"tickets of candidate {correlation} do not get smaller: {sizes}"


def stops_as_planned(station: Station) -> Iterator[Violation]:
    """I2: a stop far below the plan's, and below every price so far, protects nothing."""
    planned = {
        row[0]: Decimal(row[1]) for row in station.connection.execute("SELECT id, stop_px FROM bracket")
    }
    for order, low in station.history.stops:
        stop, plan = order.terms.stop_price, planned.get(ticket_of(order.id))
        if stop is not None and plan is not None and stop < min(plan, low) * LOWEST_STOP:
            yield "I2", f"stop {order.id} rests at {stop}, planned at {plan}, lowest price {low}"


def untouched(station: Station) -> Iterator[Violation]:
    """I5: what another account works is never canceled or replaced."""
    for one in station.history.sends:
        touched = one.question.client_order_id if isinstance(one.question, Cancel | Replace) else ""
        if touched == NEIGHBOR.client_order_id:
            yield "I5", f"order {touched} of another account was touched"


def journalled(station: Station) -> Iterator[Violation]:
    """I6: the audit chain verifies, and what was sent was written down before it was."""
    verdict = verify_rows(station.connection)
    if not verdict.ok:
        yield "I6", f"the audit chain breaks at row {verdict.first_broken_seq}"
    history = station.history
    for one in history.sends:
        orders: tuple[Any, ...] = ()
        if isinstance(one.question, Submit):
            orders = one.question.orders
        elif isinstance(one.question, Replace):
            orders = (one.question.order,)
        for order in orders:
            intent = history.intents.get(order.client_order_id)
            if intent is None or intent > one.number:
                yield "I6", f"order {order.client_order_id} was sent without an intent"
    stored = {row[0] for row in station.connection.execute("SELECT cid FROM ord")}
    kept = {
        order.client_order_id
        for one in history.sends
        if one.kept and isinstance(one.question, Submit)
        for order in one.question.orders
        if role_of(order.client_order_id) != "E"
    }
    for order in station.venue.book.orders:
        if order.id not in stored and order.id not in kept:
            yield "I6", f"order {order.id} is at the venue and not in the journal"


def entries_in_order(station: Station) -> Iterator[Violation]:
    """I7, I8 and I10 of every entry that was sent."""
    bodies = {
        row[0]: (row[1], row[2]) for row in station.connection.execute("SELECT id, body, sha256 FROM ticket")
    }
    for one in station.history.sends:
        if not isinstance(one.question, Submit) or one.question.orders[0].side != OrderSide.BUY:
            continue
        entry = one.question.orders[0]
        if role_of(entry.client_order_id) != "E":
            continue
        name = entry.client_order_id
        if one.quote_age_us is None or one.quote_age_us > QUOTE_AGE_US + LARGEST_SKEW_US * (one.skew_us != 0):
            yield "I7", f"{name} was sent on a quote of {one.quote_age_us} us"
        if abs(one.skew_us) > LARGEST_SKEW_US and one.skewed_for_us > SKEW_SEEN_US:
            yield "I7", f"{name} was sent with clocks {one.skew_us} us apart for {one.skewed_for_us} us"
        if one.last_account_us is None or one.ts - one.last_account_us > RECONCILED_AGE_US:
            yield "I7", f"{name} was sent without a reconciliation in the last two minutes"
        if one.is_halted:
            yield "I10", f"{name} was sent while halted"
        yield from _as_approved(station, one.question, bodies)


def _as_approved(station: Station, sent: Submit, bodies: dict[str, tuple[str, str]]) -> Iterator[Violation]:
    ticket = ticket_of(sent.orders[0].client_order_id)
    body, stored = bodies.get(ticket, ("", ""))
    approved = station.history.approved.get(ticket)
    digest = hashlib.sha256(body.encode()).hexdigest()
    if digest not in station.history.commanded[ticket]:
        yield "I8", f"{ticket} was sent, and nobody gave {digest[:8]}, the hash of its text"
    if approved is not None and approved != digest:
        yield "I8", f"{ticket}: approved {approved[:8]}, the stored ticket is {digest[:8]}"
    if digest != stored:
        yield "I8", f"{ticket}: its stored hash is not that of its text"
    if not body:
        return
    order = json.loads(body)["order"]
    for one, name in zip(sent.orders, ("entry", "stop", "target"), strict=False):
        meant = order[name]
        said = (one.client_order_id, one.side, one.type, one.quantity, one.limit_price, one.stop_price)
        wanted = (
            meant["client_order_id"],
            meant["side"],
            meant["type"],
            Decimal(meant["quantity"]),
            None if meant["limit_price"] is None else Decimal(meant["limit_price"]),
            None if meant["stop_price"] is None else Decimal(meant["stop_price"]),
        )
        if said != wanted:
            yield "I8", f"{ticket}: sent {said}, approved {wanted}"


def books(station: Station) -> Iterator[Violation]:
    """I9 at any moment: no fill is counted that the venue did not make, none twice, none with other money."""
    truth = {one.exec_id: one for one in station.venue.book.executions}
    rows = station.connection.execute("SELECT exec_id, cid, qty, px, fee FROM fill")
    for exec_id, cid, quantity, price, fee in rows:
        made = truth.get(exec_id)
        if made is None:
            yield "I9", f"fill {exec_id} of {cid} was never made"
            continue
        ours = (cid, Decimal(quantity), Decimal(price), Decimal(fee))
        if ours != (made.client_order_id, made.quantity, made.price, made.fee):
            yield "I9", f"fill {exec_id}: we booked {ours}, the venue {made}"


def _paid(station: Station) -> Decimal:
    total = ZERO
    for side, quantity, price, fee in station.connection.execute("SELECT side, qty, px, fee FROM fill"):
        total -= OrderSide(side).sign * Decimal(quantity) * Decimal(price) + Decimal(fee)
    return total
