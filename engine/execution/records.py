"""Brackets, orders, fills and round trips as journal rows, and back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from operator import attrgetter

import msgspec

from engine.errors import StorageError
from engine.execution.bracket import Bracket, BracketPhase, Leg, fill_order
from engine.execution.exits import ExitState, Progress
from engine.model.exits import ExitPlan, single_target
from engine.model.ids import (
    AccountId,
    ClientOrderId,
    CorrelationId,
    InstrumentId,
    StrategyName,
    TicketId,
    venue_of,
)
from engine.model.orders import Fill, OrderRole, OrderSide, OrderSpec, OrderState, OrderType, TimeInForce
from engine.model.positions import ExitReason, RoundTrip
from engine.model.tickets import canonical_json
from engine.money import ZERO
from engine.ports import JournalRow

Row = Mapping[str, str | int | None]
_own = attrgetter(*(own.name for own in fields(Bracket) if own.compare and own.name != "legs"))
"""What a bracket's own row is made of."""


def changed_rows(before: Bracket | None, after: Bracket) -> tuple[JournalRow, ...]:
    """The rows that differ between two states of one bracket: the bracket, then orders, then new fills."""
    known = {} if before is None else {leg.id: leg for leg in before.legs}
    same = before is not None and _own(before) == _own(after)
    rows = [] if same else [bracket_row(after)]
    for leg in after.legs:
        old = known.get(leg.id)
        if leg == old:
            continue
        rows.append(leg_row(after, leg))
        seen = () if old is None else old.fills
        rows += [fill_row(after, fill) for fill in leg.fills if fill not in seen]
    return tuple(rows)


def bracket_row(b: Bracket) -> JournalRow:
    """One bracket without its orders."""
    return JournalRow(
        "bracket",
        {
            "id": b.ticket,
            "number": b.number,
            "correlation": b.correlation,
            "strategy": b.strategy,
            "account": b.account,
            "instrument": b.instrument,
            "venue": venue_of(b.instrument),
            "session": b.session.isoformat(),
            "phase": b.phase.value,
            "qty": _text(b.quantity),
            "limit_px": _text(b.limit_price),
            "stop_px": _text(b.exit_plan.stop_price),
            "target_px": _text(b.exit_plan.target_price),
            "max_sessions": b.max_sessions,
            "exit_plan": canonical_json(b.exit_plan).decode(),
            "exit_state": b.progress.state.value,
            "raised_stop_px": _text(b.progress.stop_price),
            "high_px": _text(b.progress.high),
            "tiers_done": b.progress.tiers_done,
            "t_open_us": b.opened_us,
            "deadline_us": b.deadline_us,
            "ratio": _text(b.ratio),
            "adjustment": _text(b.adjustment),
            "restating": int(b.restating),
            "cash_adjustment": _text(b.cash_adjustment),
            "sessions_held": b.sessions_held,
            "last_session": None if b.last_session is None else b.last_session.isoformat(),
            "last_action": None if b.last_action is None else b.last_action.isoformat(),
            "first_fill_us": b.first_fill_us,
            "exit_wanted": None if b.exit_wanted is None else b.exit_wanted.value,
            "entry_unwanted": int(b.entry_unwanted),
            "retry_exit_us": b.retry_exit_us,
            "alarmed": int(b.alarmed),
            "missing": _text(b.missing),
            "missing_us": b.missing_us,
            "missing_told": int(b.missing_told),
            "naked_us": b.naked_us,
            "naked_told": b.naked_told,
            "closed_us": b.closed_us,
        },
    )


def leg_row(bracket: Bracket, leg: Leg) -> JournalRow:
    """One order."""
    spec = leg.spec
    return JournalRow(
        "ord",
        {
            "cid": leg.id,
            "bracket": bracket.ticket,
            "correlation": bracket.correlation,
            "role": leg.role.value,
            "n": leg.n,
            "parent": leg.parent,
            "replaces": leg.replaces,
            "side": spec.side.value,
            "typ": spec.type.value,
            "tif": spec.tif.value,
            "qty": _text(spec.quantity),
            "px": None if spec.limit_price is None else _text(spec.limit_price),
            "stop_px": None if spec.stop_price is None else _text(spec.stop_price),
            "state": leg.state.value,
            "cum": _text(leg.cum),
            "avg_px": _average(leg.fills),
            "venue_id": leg.venue_order_id,
            "attempts": leg.attempts,
            "first_send_us": leg.first_send_us,
            "last_send_us": leg.last_send_us,
            "changed_us": leg.changed_us,
            "asked": leg.asked,
            "ask_us": leg.ask_us,
            "nf_count": leg.not_found,
            "cancel_us": leg.cancel_us,
            "reason": leg.reason,
        },
    )


def fill_row(bracket: Bracket, fill: Fill) -> JournalRow:
    """One execution."""
    return JournalRow(
        "fill",
        {
            "venue": venue_of(fill.instrument),
            "exec_id": fill.exec_id,
            "cid": fill.client_order_id,
            "correlation": bracket.correlation,
            "instrument": fill.instrument,
            "side": fill.side.value,
            "qty": _text(fill.quantity),
            "px": _text(fill.price),
            "fee": _text(fill.fee),
            "ts_us": fill.ts_event,
        },
    )


def restore_brackets(
    brackets: Sequence[Row], orders: Iterable[Row], fills: Iterable[Row]
) -> tuple[Bracket, ...]:
    """Brackets as they were committed, oldest first. Raises StorageError for a row that makes no sense."""
    by_order: defaultdict[str, list[Fill]] = defaultdict(list)
    by_bracket: defaultdict[str, list[Leg]] = defaultdict(list)
    try:
        instruments = {str(row["id"]): InstrumentId(str(row["instrument"])) for row in brackets}
        for row in fills:
            by_order[str(row["cid"])].append(_fill(row))
        for row in orders:
            ticket = str(row["bracket"])
            by_bracket[ticket].append(_leg(row, instruments[ticket], by_order[str(row["cid"])]))
        return tuple(_bracket(row, by_bracket[str(row["id"])]) for row in brackets)
    except (KeyError, ValueError, ArithmeticError, msgspec.MsgspecError) as error:
        raise StorageError(
            f"the journal holds a row that makes no sense: {error}", "run tradedeck audit verify"
        ) from error


def _bracket(row: Row, legs: Sequence[Leg]) -> Bracket:
    return Bracket(
        ticket=TicketId(str(row["id"])),
        number=_int(row["number"]),
        correlation=CorrelationId(str(row["correlation"])),
        strategy=StrategyName(str(row["strategy"])),
        account=AccountId(str(row["account"])),
        instrument=InstrumentId(str(row["instrument"])),
        session=date.fromisoformat(str(row["session"])),
        phase=BracketPhase(str(row["phase"])),
        quantity=Decimal(str(row["qty"])),
        limit_price=Decimal(str(row["limit_px"])),
        exit_plan=_exit_plan(row),
        progress=Progress(
            ExitState(str(row["exit_state"])),
            Decimal(str(row["raised_stop_px"])),
            Decimal(str(row["high_px"])),
            _int(row["tiers_done"]),
        ),
        opened_us=_int(row["t_open_us"]),
        deadline_us=_int(row["deadline_us"]),
        legs=tuple(sorted(legs, key=lambda leg: leg.place)),
        ratio=Decimal(str(row["ratio"])),
        adjustment=Decimal(str(row["adjustment"])),
        restating=bool(row["restating"]),
        cash_adjustment=Decimal(str(row["cash_adjustment"])),
        sessions_held=_int(row["sessions_held"]),
        last_session=_date(row["last_session"]),
        last_action=_date(row["last_action"]),
        first_fill_us=_optional(row["first_fill_us"]),
        exit_wanted=None if row["exit_wanted"] is None else ExitReason(str(row["exit_wanted"])),
        entry_unwanted=bool(row["entry_unwanted"]),
        retry_exit_us=_int(row["retry_exit_us"]),
        alarmed=bool(row["alarmed"]),
        missing=Decimal(str(row["missing"])),
        missing_us=_int(row["missing_us"]),
        missing_told=bool(row["missing_told"]),
        naked_us=_optional(row["naked_us"]),
        naked_told=_int(row["naked_told"]),
        closed_us=_optional(row["closed_us"]),
    )


def _exit_plan(row: Row) -> ExitPlan:
    """Brackets from before exit plans were stored have one target for everything."""
    stored = row["exit_plan"]
    if stored is None:
        stop, target = Decimal(str(row["stop_px"])), Decimal(str(row["target_px"]))
        return single_target(stop, target, _int(row["max_sessions"]))
    return msgspec.json.decode(str(stored), type=ExitPlan)


def _leg(row: Row, instrument: InstrumentId, fills: Sequence[Fill]) -> Leg:
    spec = OrderSpec(
        ClientOrderId(str(row["cid"])),
        instrument,
        OrderSide(str(row["side"])),
        OrderType(str(row["typ"])),
        Decimal(str(row["qty"])),
        None if row["px"] is None else Decimal(str(row["px"])),
        None if row["stop_px"] is None else Decimal(str(row["stop_px"])),
        TimeInForce(str(row["tif"])),
    )
    return Leg(
        spec,
        OrderRole(str(row["role"])),
        _int(row["n"]),
        OrderState(str(row["state"])),
        None if row["parent"] is None else ClientOrderId(str(row["parent"])),
        None if row["replaces"] is None else ClientOrderId(str(row["replaces"])),
        Decimal(str(row["cum"])),
        tuple(sorted(fills, key=fill_order)),
        str(row["venue_id"]),
        _int(row["attempts"]),
        _int(row["first_send_us"]),
        _int(row["last_send_us"]),
        _int(row["changed_us"]),
        _int(row["asked"]),
        _int(row["ask_us"]),
        _int(row["nf_count"]),
        _optional(row["cancel_us"]),
        str(row["reason"]),
    )


def _fill(row: Row) -> Fill:
    return Fill(
        str(row["exec_id"]),
        ClientOrderId(str(row["cid"])),
        InstrumentId(str(row["instrument"])),
        OrderSide(str(row["side"])),
        Decimal(str(row["qty"])),
        Decimal(str(row["px"])),
        Decimal(str(row["fee"])),
        _int(row["ts_us"]),
    )


def round_trip_of(bracket: Bracket, session: date | None) -> RoundTrip | None:
    """The finished trade of a closed bracket; None when nothing was bought or all of it is missing.

    Shares that the venue does not hold have no known price: they are left out with what they cost. Prices
    are averages in entry-day dollars. A position that a split paid out whole has no exit fill: it ended by
    the corporate action at the price that was paid.
    """
    bought = bracket.entry.fills
    if not bought:
        return None
    after = [(leg, fill) for leg in bracket.legs if leg.id != bracket.entry.id for fill in leg.fills]
    # What was bought back after an oversale is money, but no exit.
    sold = [(leg, fill) for leg, fill in after if fill.side is OrderSide.SELL]
    fees = sum((fill.fee for leg in bracket.legs for fill in leg.fills), ZERO)
    spent = sum((fill.quantity * fill.price for fill in bought), ZERO)
    bought_quantity = sum((fill.quantity for fill in bought), ZERO)
    quantity = bought_quantity - bracket.missing * bracket.ratio
    if quantity <= ZERO:
        return None
    received = sum((fill.side.sign * -1 * fill.quantity * fill.price for _, fill in after), ZERO)
    entry_price = spent / bought_quantity
    last = max(sold, key=lambda pair: pair[1].ts_event, default=None)
    if last is None:
        reason, exit_us = ExitReason.CORPORATE_ACTION, bracket.closed_us or 0
        exit_price = bracket.cash_adjustment / quantity
    else:
        reason, exit_us = _reason(bracket, last[0]), last[1].ts_event
        sold_quantity = sum((fill.quantity for _, fill in sold), ZERO)
        exit_price = (
            sum((fill.quantity * fill.price for _, fill in sold), ZERO) / sold_quantity / bracket.ratio
        )
    counted = bracket.last_session is not None and bracket.last_session == session
    return RoundTrip(
        ticket=bracket.ticket,
        number=bracket.number,
        correlation=bracket.correlation,
        strategy=bracket.strategy,
        account=bracket.account,
        instrument=bracket.instrument,
        session=bracket.session,
        quantity=quantity,
        entry_price=entry_price,
        exit_price=exit_price,
        entry_us=bought[0].ts_event,
        exit_us=exit_us,
        exit_reason=reason,
        sessions=bracket.sessions_held + (0 if counted else 1),
        pnl=received - spent + entry_price * (bought_quantity - quantity) - fees + bracket.cash_adjustment,
        fees=fees,
    )


def _reason(bracket: Bracket, leg: Leg) -> ExitReason:
    by_role = {OrderRole.STOP: ExitReason.STOP, OrderRole.TARGET: ExitReason.TARGET}
    planned = ExitReason.TARGET if bracket.progress.tiers_done else ExitReason.EMERGENCY
    return by_role.get(leg.role) or bracket.exit_wanted or planned


def round_trip_row(trip: RoundTrip) -> JournalRow:
    """One finished trade."""
    return JournalRow(
        "round_trip",
        {
            "ticket": trip.ticket,
            "number": trip.number,
            "correlation": trip.correlation,
            "strategy": trip.strategy,
            "account": trip.account,
            "instrument": trip.instrument,
            "session": trip.session.isoformat(),
            "quantity": _text(trip.quantity),
            "entry_price": _text(trip.entry_price),
            "exit_price": _text(trip.exit_price),
            "entry_us": trip.entry_us,
            "exit_us": trip.exit_us,
            "exit_reason": trip.exit_reason.value,
            "sessions": trip.sessions,
            "pnl": _text(trip.pnl),
            "fees": _text(trip.fees),
        },
    )


def restore_round_trip(row: Row) -> RoundTrip:
    """The finished trade of a journal row."""
    return RoundTrip(
        TicketId(str(row["ticket"])),
        _int(row["number"]),
        CorrelationId(str(row["correlation"])),
        StrategyName(str(row["strategy"])),
        AccountId(str(row["account"])),
        InstrumentId(str(row["instrument"])),
        date.fromisoformat(str(row["session"])),
        Decimal(str(row["quantity"])),
        Decimal(str(row["entry_price"])),
        Decimal(str(row["exit_price"])),
        _int(row["entry_us"]),
        _int(row["exit_us"]),
        ExitReason(str(row["exit_reason"])),
        _int(row["sessions"]),
        Decimal(str(row["pnl"])),
        Decimal(str(row["fees"])),
    )


def _average(fills: Sequence[Fill]) -> str | None:
    if not fills:
        return None
    quantity = sum((fill.quantity for fill in fills), ZERO)
    return _text(sum((fill.quantity * fill.price for fill in fills), ZERO) / quantity)


def _text(value: Decimal) -> str:
    return format(value, "f")


def _int(value: str | int | None) -> int:
    if not isinstance(value, int):
        raise ValueError(f"expected a whole number, got {value!r}")
    return value


def _optional(value: str | int | None) -> int | None:
    return None if value is None else _int(value)


def _date(value: str | int | None) -> date | None:
    return None if value is None else date.fromisoformat(str(value))
