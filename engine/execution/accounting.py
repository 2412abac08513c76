"""Whether a journal's books agree with themselves: fills with the audit log, orders and trades with fills."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from engine.execution.books import cash_of
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.records import restore_brackets, restore_round_trip
from engine.money import ZERO
from engine.ports import Journal

TOLERANCE = Decimal("0.000001")
"""Of sums that divisions rounded (SPEC 6.7)."""
_FILL_FACTS = (
    ("client_order_id", "cid"),
    ("side", "side"),
    ("quantity", "qty"),
    ("price", "px"),
    ("fee", "fee"),
    ("ts_event", "ts_us"),
)
"""Names in the audit log, and in the table of fills."""


def disagreements(journal: Journal) -> tuple[str, ...]:
    """What does not agree, in words with both numbers; empty when every number follows from the fills.

    Raises StorageError for rows that make no sense.
    """
    brackets = restore_brackets(journal.rows("bracket"), journal.rows("ord"), journal.rows("fill"))
    return (*_unproved_fills(journal), *_orders(brackets), *_trades(journal, brackets))


def _unproved_fills(journal: Journal) -> Iterator[str]:
    """Each fill counts only as the hash-chained log tells it, and each that the log tells counts."""
    told = {fact["exec_id"]: fact for line in journal.audit() for fact in _facts(line)}
    for row in journal.rows("fill"):
        fact = told.pop(row["exec_id"], None)
        if fact is None:
            yield f"fill {row['exec_id']} is not in the audit log"
            continue
        for name, column in _FILL_FACTS:
            if not _same(fact.get(name), row[column]):
                yield f"fill {row['exec_id']}: {column} is {row[column]}, the audit log says {fact.get(name)}"
    yield from (f"fill {exec_id} of the audit log is missing" for exec_id in told)


def _facts(line: Mapping[str, str | int]) -> Iterator[Mapping[str, object]]:
    body = json.loads(str(line["body"]))
    for fact in (body.get("fact"), *body.get("facts", ())):
        if isinstance(fact, dict) and "exec_id" in fact:
            yield fact


def _same(told: object, stored: str | int | None) -> bool:
    if told == stored:
        return True
    try:
        return Decimal(str(told)) == Decimal(str(stored))
    except InvalidOperation:
        return False


def _orders(brackets: tuple[Bracket, ...]) -> Iterator[str]:
    for bracket in brackets:
        for leg in bracket.legs:
            # An open bracket may still wait for the prices of what is filled.
            if leg.unbooked < ZERO or (bracket.phase is BracketPhase.CLOSED and leg.unbooked > ZERO):
                yield f"order {leg.id}: {leg.cum} filled, its executions say {leg.cum - leg.unbooked}"


def _trades(journal: Journal, brackets: tuple[Bracket, ...]) -> Iterator[str]:
    trips = {trip.ticket: trip for trip in map(restore_round_trip, journal.rows("round_trip"))}
    for bracket in brackets:
        trip = trips.get(bracket.ticket)
        # What the venue never held has no price; what closed again after a late fill is written then.
        if trip is None or bracket.phase is not BracketPhase.CLOSED or bracket.missing != ZERO:
            continue
        money = sum((cash_of(fill) for leg in bracket.legs for fill in leg.fills), bracket.cash_adjustment)
        if abs(money - trip.pnl) > TOLERANCE:
            yield f"B-{bracket.number}: stored profit {trip.pnl}, its fills say {money}"
