"""The Desk's views, made from the engine's live state. Pure: reads, never writes."""

from collections.abc import Iterable
from decimal import Decimal

from engine.core import Engine
from engine.execution.bracket import Bracket, BracketPhase, Leg
from engine.execution.exits import ExitState
from engine.execution.gating import QUOTE_AGE_SEND_US
from engine.execution.ticketbook import Entry
from engine.execution.whynot import gate_words
from engine.model.candidates import GateResult, GateStatus, Verdict, Vote
from engine.model.ids import symbol_of
from engine.model.market import Session
from engine.model.orders import OrderRole, OrderSpec, OrderState
from engine.model.tickets import ProposalState
from engine.money import ZERO
from engine.parts import EngineState
from engine.risk.gates import first_failure
from tui import format
from tui.restrictions import halted_entries, restrictions
from tui.showing.assessed import numbers_of
from tui.showing.figures import Figures
from tui.showing.gap import name_of, sector_of
from tui.showing.gapscan import against
from tui.showing.gems import gems_view
from tui.showing.planned import first_limit, planned_exits
from tui.shown.deck import (
    BracketView,
    DeckView,
    EventLine,
    GapRow,
    HeaderView,
    LegView,
    LinkState,
    MarketView,
    RowState,
    TicketView,
)
from tui.shown.gaps import NO_SCAN
from tui.shown.health import NO_HEALTH
from tui.shown.portfolio import NO_PORTFOLIO
from tui.shown.risk import NO_RISK

VOTERS = ("sentinel", "screener", "forecaster", "riskofficer", "newssentry", "trader")
REASON_WIDTH = 14
"""Cells of the words in the narrowest state column."""


def deck(
    engine: Engine,
    session: Session | None,
    market: MarketView,
    link: LinkState,
    events: tuple[EventLine, ...],
    figures: Figures | None = None,
) -> DeckView:
    """Everything the screens show now; without `figures` no scan, Portfolio, Risk and Health."""
    today = engine.picture.session
    open_brackets = engine.brackets.open()
    closed = [b for b in engine.brackets.of_session(today) if b.phase is BracketPhase.CLOSED] if today else []
    brackets = [bracket_view(engine, bracket) for bracket in (*open_brackets, *closed)]
    return DeckView(
        header=_header(engine, session, market, link),
        gaps=tuple(gap_rows(engine)),
        gaps_note="scan at the open",
        tickets=tuple(ticket_view(engine, entry) for entry in _in_order(engine, engine.tickets.waiting())),
        brackets=tuple(sorted(brackets, key=_bracket_order)),
        events=events,
        last_closed=_last_closed(events, engine.parts.clock.now_us()),
        gems=gems_view(engine),
        scan=NO_SCAN if figures is None else figures.scan(),
        portfolio=NO_PORTFOLIO if figures is None else figures.portfolio(),
        risk=NO_RISK if figures is None else figures.risk(),
        health=NO_HEALTH if figures is None else figures.health(),
    )


def _header(engine: Engine, session: Session | None, market: MarketView, link: LinkState) -> HeaderView:
    parts, risk = engine.parts, engine.risk.view()
    equity, start = risk.equity, risk.day_start
    day = None if equity is None else equity - start
    verdicts = [verdict for found in engine.verdicts.values() for verdict in found]
    held = [bracket for bracket in engine.brackets.open() if bracket.held > ZERO]
    cancelled, working = halted_entries(engine)
    return HeaderView(
        kind=parts.kind,
        account=parts.account,
        currency="USD",
        equity=equity,
        day_pnl=day,
        day_pnl_ratio=None if day is None or start <= ZERO else float(day / start),
        drawdown_ratio=None if risk.drawdown is None else float(risk.drawdown),
        regime=verdicts[0].candidate.regime.value if verdicts else "unknown",
        engine_state=engine.state.value,
        engine_reason=engine.reason,
        engine_since_us=engine.since_us,
        now_us=parts.clock.now_us(),
        session_open_us=None if session is None else session.open_us,
        session_close_us=None if session is None else session.close_us,
        unknown_orders=sum(bracket.has_unknown for bracket in engine.brackets.open()),
        protected=sum(bracket.cover >= bracket.held for bracket in held),
        positions=len(held),
        link=link,
        market=market,
        entries_cancelled=cancelled,
        entries_working=working,
        restrictions=restrictions(engine),
    )


def _in_order(engine: Engine, entries: Iterable[Entry]) -> list[Entry]:
    """By expiry, and last those that are snoozed; one that was made smaller keeps its place."""
    now = engine.parts.clock.now_us()

    def place(entry: Entry) -> tuple[bool, int, str]:
        return entry.is_snoozed(now), entry.ticket.expires_us, entry.ticket.correlation

    return sorted(entries, key=place)


def ticket_view(engine: Engine, entry: Entry) -> TicketView:
    """A waiting ticket with the quote of this instant."""
    ticket, spec = entry.ticket, entry.ticket.order
    limit = _price(spec.entry)
    quantity = spec.stop.quantity
    loss = (_price(spec.stop) - limit) * quantity
    quote = engine.picture.quote(ticket.instrument)
    return TicketView(
        ticket=ticket,
        state=entry.state,
        sha256=entry.sha256,
        order_text=ticket.order_text(),
        order_words=tuple(_order_words(order) for order in (spec.entry, spec.stop, spec.target) if order),  # type: ignore[arg-type]
        value=limit * quantity,
        loss_at_stop=loss,
        gain_at_target=(_price(spec.target) - limit) * quantity,
        loss_ratio=float(loss / ticket.equity),
        bid=None if quote is None else quote.bid,
        ask=None if quote is None else quote.ask,
        last=engine.picture.last(ticket.instrument),
        quote_us=None if quote is None else quote.ts_event,
        held_reason=_held(engine, entry),
        snoozed_us=entry.snoozed_us if entry.is_snoozed(engine.parts.clock.now_us()) else None,
    )


def _held(engine: Engine, entry: Entry) -> str:
    if engine.state is not EngineState.RUNNING:
        return f"engine is {engine.state.value}"
    symbol = symbol_of(entry.ticket.instrument)
    if engine.halts.is_halted(entry.ticket.instrument):
        return f"{symbol} is halted {engine.halts.reason_of(entry.ticket.instrument)}"
    quote = engine.picture.quote(entry.ticket.instrument)
    if quote is None:
        return f"{symbol} has no quote"
    age = engine.parts.clock.now_us() - quote.ts_event
    if age > QUOTE_AGE_SEND_US:
        return f"{symbol} quote is {format.age(age)} old, limit {format.age(QUOTE_AGE_SEND_US)}"
    return ""


def _price(order: OrderSpec | None) -> Decimal:
    if order is None:
        return ZERO
    return order.limit_price or order.stop_price or ZERO


def _order_words(order: OrderSpec) -> str:
    symbol, count = symbol_of(order.instrument), format.quantity(order.quantity)
    price, tif = format.price(_price(order)), order.tif.value
    match order.client_order_id[-3]:
        case OrderRole.ENTRY:
            return f"BUY {count} {symbol}  limit {price}  {tif}"
        case OrderRole.STOP:
            return f"sell {count}  stop {price}  {tif.upper()}"
        case _:
            return f"sell {count}  target {price}  {tif.upper()}"


def gap_rows(engine: Engine) -> list[GapRow]:
    """Every candidate of the last decision, those that wait first."""
    rows = [
        _gap_row(engine, verdict, engine.tickets.of_candidate(verdict.candidate.correlation))
        for verdicts in engine.verdicts.values()
        for verdict in verdicts
    ]
    order = list(RowState)
    return sorted(rows, key=lambda row: (order.index(row.state), row.gap_ratio))


def _gap_row(engine: Engine, verdict: Verdict, entry: Entry | None) -> GapRow:
    candidate = verdict.candidate
    votes = {report.agent: report.vote for report in verdict.reports}
    bracket = None if entry is None else engine.brackets.get(entry.ticket.id)
    state, reason = _row_state(engine, verdict, entry, bracket)
    waits = entry is not None and entry.state is ProposalState.PENDING
    blocked = against(verdict, entry)
    return GapRow(
        correlation=candidate.correlation,
        symbol=symbol_of(candidate.instrument),
        gap_ratio=candidate.gap,
        price=engine.picture.last(candidate.instrument) or candidate.decision_price,
        **numbers_of(candidate.assessment),
        votes=tuple(votes.get(name) for name in VOTERS),
        state=state,
        ticket=None if entry is None or entry.ticket.number == 0 else entry.ticket.id,
        number=None if entry is None or entry.ticket.number == 0 else entry.ticket.number,
        expires_us=entry.ticket.expires_us if entry is not None and waits else None,
        reason=reason,
        details=_details(verdict, entry),
        sector=sector_of(engine, candidate.instrument),
        name=name_of(engine, candidate.instrument),
        blocked_by=blocked[0] if blocked else None,
    )


def _row_state(
    engine: Engine, verdict: Verdict, entry: Entry | None, bracket: Bracket | None
) -> tuple[RowState, str]:
    if bracket is not None:
        words = bracket_words(bracket)
        if bracket.has_unknown:
            return RowState.UNKNOWN, "fate unknown"
        return (RowState.DONE if bracket.phase is BracketPhase.CLOSED else RowState.WORKING), words
    if entry is None:
        return RowState.BLOCKED, verdict.reason
    if entry.is_snoozed(engine.parts.clock.now_us()):
        return RowState.SNOOZED, "snoozed"
    if entry.state is ProposalState.PENDING:
        held = _held(engine, entry)
        return (RowState.HELD, "held") if held else (RowState.WAITING, "")
    if entry.state is ProposalState.GATED_OUT:
        failure = first_failure(entry.ticket.gates)
        return RowState.BLOCKED, "" if failure is None else _gate_reason(failure)
    return RowState.BLOCKED, entry.state.value


def _gate_reason(failure: GateResult) -> str:
    """`engine HALTED`, `regime high_vix`; a value that does not fit leaves the gate's name."""
    words = f"{failure.title} {failure.value}".strip()
    return words if len(words) <= REASON_WIDTH else failure.title


def _details(verdict: Verdict, entry: Entry | None) -> tuple[str, ...]:
    against = [
        f"{report.agent}: {reason}"
        for report in verdict.reports
        if report.vote is Vote.VETO
        for reason in report.reasons
    ]
    failed = [] if entry is None else [gate for gate in entry.ticket.gates if gate.status is GateStatus.FAIL]
    gates = [gate_words(gate) for gate in failed]
    said = [f"{entry.state.value}: {entry.reason}"] if entry is not None and entry.reason else []
    if entry is not None and entry.state is ProposalState.GATED_OUT:
        said = []
    return tuple(dict.fromkeys([*said, *gates, *against]))


def bracket_view(engine: Engine, bracket: Bracket) -> BracketView:
    """A bracket in today's dollars."""
    last = engine.picture.last(bracket.instrument)
    fills = bracket.entry.fills
    bought = sum((fill.quantity for fill in fills), ZERO)
    entry_price = (
        sum((f.quantity * f.price for f in fills), ZERO) / bought * bracket.ratio if bought else None
    )
    held = bracket.held > ZERO and last is not None and entry_price is not None
    return BracketView(
        ticket=bracket.ticket,
        number=bracket.number,
        symbol=symbol_of(bracket.instrument),
        phase=bracket.phase.value,
        words=bracket_words(bracket),
        note=_note(bracket),
        quantity=bracket.quantity,
        held=bracket.held,
        entry_price=entry_price,
        limit_price=bracket.limit_price * bracket.ratio,
        stop_price=bracket.stop_now,
        target_price=bracket.target_now,
        last=last,
        pnl_ratio=(last or 0.0) / float(entry_price or 1) - 1 if held else None,
        unknown=bracket.has_unknown,
        protected=bracket.held > ZERO and bracket.cover >= bracket.held,
        legs=tuple(_leg_view(leg, bracket) for leg in bracket.legs),
        planned=planned_exits(bracket),
        day=bracket.sessions_held + 1,
        max_days=bracket.max_sessions,
        exiting="" if bracket.exit_wanted is None else bracket.exit_wanted.value,
        dropped=bracket.entry_unwanted,
        trail_ratio=_trail(bracket),
        exit_limit=first_limit(engine, bracket),
        closed_us=bracket.closed_us,
    )


def _trail(bracket: Bracket) -> float | None:
    plan = bracket.exit_plan
    trails = plan.trail_ratio is not None and bracket.progress.state is ExitState.TRAILING
    return float(plan.trail_ratio) if trails and plan.trail_ratio is not None else None


def bracket_words(bracket: Bracket) -> str:
    """`entry UNKNOWN`, `entry filling 50%`, `protected d2/5`, `closed target`."""
    unknown = next((leg for leg in bracket.legs if leg.state is OrderState.UNKNOWN), None)
    if unknown is not None:
        return f"{unknown.role.name.lower()} UNKNOWN"
    match bracket.phase:
        case BracketPhase.ENTERING if bracket.entry.cum == ZERO:
            return "entry working"
        case BracketPhase.ENTERING:
            return f"entry filling {100 * bracket.entry.cum // bracket.entry.spec.quantity}%"
        case BracketPhase.PROTECTED:
            if bracket.max_sessions is None:
                return f"protected d{bracket.sessions_held + 1}"
            day = min(bracket.sessions_held + 1, bracket.max_sessions)
            return f"protected d{day}/{bracket.max_sessions}"
        case BracketPhase.EXITING:
            return f"exiting, {bracket.exit_wanted.value if bracket.exit_wanted else 'at market'}"
        case BracketPhase.DRAINING:
            return "closing"
        case BracketPhase.CLOSED:
            return f"closed {_closed_by(bracket)}"


def _closed_by(bracket: Bracket) -> str:
    sold = [leg for leg in bracket.legs if leg.role is not OrderRole.ENTRY and leg.fills]
    if not bracket.entry.fills:
        return "unfilled"
    if not sold:
        return "corporate action"
    words = {OrderRole.STOP: "stop", OrderRole.TARGET: "target"}
    return words.get(sold[-1].role) or (bracket.exit_wanted.value if bracket.exit_wanted else "market")


def _note(bracket: Bracket) -> str:
    unknown = next((leg for leg in bracket.legs if leg.state is OrderState.UNKNOWN), None)
    if unknown is None:
        return ""
    return f"asked {unknown.asked} times, no answer. {symbol_of(bracket.instrument)} entries off"


def _leg_view(leg: Leg, bracket: Bracket) -> LegView:
    spec = leg.spec
    booked = sum((fill.quantity for fill in leg.fills), ZERO)
    spent = sum((fill.quantity * fill.price for fill in leg.fills), ZERO)
    return LegView(
        role=leg.role,
        client_order_id=leg.id,
        state=leg.state,
        price=spec.limit_price or spec.stop_price,
        quantity=spec.quantity,
        filled=leg.cum,
        since_us=leg.changed_us,
        tif=spec.tif,
        average=spent / booked if booked else None,
        venue_order_id=leg.venue_order_id,
        type=spec.type,
        sleeps=leg.is_live and not bracket.is_awake(leg),
        cancelling=leg.is_live and leg.cancel_us is not None,
        sent_us=leg.first_send_us,
        asked=leg.asked if leg.state is OrderState.UNKNOWN else 0,
        ask_us=leg.ask_us if leg.state is OrderState.UNKNOWN else None,
        reason=leg.reason,
    )


def _bracket_order(view: BracketView) -> tuple[int, int]:
    in_progress = view.phase in (BracketPhase.ENTERING, BracketPhase.EXITING, BracketPhase.DRAINING)
    closed = view.phase == BracketPhase.CLOSED
    return (0 if view.unknown else 1 if in_progress else 3 if closed else 2), -view.number


def _last_closed(events: tuple[EventLine, ...], now_us: int) -> str:
    for event in events:
        if " closed: " in event.text:
            label, _, rest = event.text.partition(" closed: ")
            day = format.date_utc(event.ts)
            at = f"{format.clock_short(event.ts)[:5]}Z"
            when = at if day == format.date_utc(now_us) else f"{day} {at}"
            return f"{label.split()[-1]} {when}, {rest}"
    return ""
