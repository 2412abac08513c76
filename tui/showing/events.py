"""Engine events as lines a person reads."""

from engine.clock import clock_text
from engine.model.events import (
    AgentMoved,
    Alarm,
    AnomalySeen,
    BracketChanged,
    BreakerMoved,
    CandidatesJudged,
    EngineStateChanged,
    Event,
    FillRecorded,
    GemBlocked,
    GemFlagged,
    GemUnflagged,
    JobEnded,
    JobStarted,
    MarketMoved,
    PersonActed,
    PolicyMoved,
    RoundTripClosed,
    ShadowEnded,
    SymbolHalted,
    SymbolReleased,
    TicketChanged,
    TicketSnoozed,
)
from engine.model.ids import symbol_of
from engine.model.jobs import JobResult
from engine.model.orders import OrderRole
from engine.model.policy import StepState
from engine.model.tickets import ProposalState, Ticket
from tui import format
from tui.shown.deck import EventKind, EventLine

_TICKET_WORDS = {
    ProposalState.REJECTED: (EventKind.BLOCKED, "rejected"),
    ProposalState.EXPIRED: (EventKind.BLOCKED, "expired"),
    ProposalState.SUPERSEDED: (EventKind.INFO, "smaller"),
    ProposalState.SUBMITTED: (EventKind.WORKING, "approved"),
    ProposalState.FAILED: (EventKind.BLOCKED, "failed"),
}
_ROLE_WORDS = {
    OrderRole.ENTRY: "bought",
    OrderRole.STOP: "stop sold",
    OrderRole.TARGET: "target sold",
    OrderRole.EXIT: "sold",
}


def line_of(event: Event) -> EventLine | None:
    """One line for the events a person follows; None for the others."""
    match event:
        case MarketMoved() | BracketChanged() | ShadowEnded() | JobStarted():
            return None
        case EngineStateChanged():
            kind = EventKind.BLOCKED if event.state == "HALTED" else EventKind.INFO
            by = "" if event.by == "engine" else f"by {event.by}"
            why = f": {event.reason or by}" if event.reason or by else ""
            return EventLine(event.ts, kind, f"engine {event.state}{why}", "")
        case SymbolHalted():
            text = f"{symbol_of(event.instrument)} HALTED {event.reason}"
            return EventLine(event.ts, EventKind.BLOCKED, text, "")
        case SymbolReleased():
            text = f"{symbol_of(event.instrument)} released by {event.by}"
            return EventLine(event.ts, EventKind.INFO, text, "")
        case AnomalySeen():
            about = f" of {event.subject}" if event.subject else ""
            text = f"anomaly: {event.kind.replace('_', ' ')}{about} {event.value:g}, limit {event.limit:g}"
            return EventLine(event.ts, EventKind.UNKNOWN, text, "")
        case BreakerMoved():
            kind = EventKind.BLOCKED if event.level > event.was else EventKind.INFO
            text = f"drawdown {format.percent(event.drawdown)}: L{event.level}, {event.effect}"
            return EventLine(event.ts, kind, text, "")
        case AgentMoved():
            kind = EventKind.BLOCKED if event.state != "running" else EventKind.INFO
            why = f": {event.why}" if event.why else f" by {event.by}" if event.by else ""
            return EventLine(event.ts, kind, f"agent {event.agent} {event.state}{why}", "")
        case CandidatesJudged():
            passed = sum(verdict.proposal is not None for verdict in event.verdicts)
            text = f"{event.strategy}: {len(event.verdicts)} candidates, {passed} proposed"
            return EventLine(event.ts, EventKind.INFO, text, "")
        case TicketChanged():
            return _ticket_line(event)
        case TicketSnoozed():
            return _snoozed_line(event)
        case PersonActed():
            return EventLine(event.ts, EventKind.YOURS, f"{event.text} By {event.by}", event.correlation)
        case FillRecorded():
            fill = event.fill
            role = OrderRole(fill.client_order_id[-3])
            text = (
                f"{symbol_of(fill.instrument)} {_ROLE_WORDS[role]} {format.quantity(fill.quantity)}"
                f" at {format.average(fill.price)}"
            )
            return EventLine(fill.ts_event, EventKind.WORKING, text, event.correlation)
        case RoundTripClosed():
            trip = event.round_trip
            text = (
                f"B-{trip.number} {symbol_of(trip.instrument)} closed: {trip.exit_reason.value},"
                f" {format.signed_money(trip.pnl)}"
            )
            return EventLine(trip.exit_us, EventKind.WORKING, text, trip.correlation)
        case GemFlagged():
            text = f"{event.symbol} flagged: {format.score(event.score)}, {event.signals} signals"
            return EventLine(event.ts, EventKind.YOURS, text, "")
        case GemUnflagged():
            text = f"{event.symbol} unflagged: {event.reason}"
            return EventLine(event.ts, EventKind.INFO, text, "")
        case GemBlocked():
            # Narrow panes cut the end: what it is about comes first.
            about = event.reason.removeprefix("the ")
            return EventLine(event.ts, EventKind.BLOCKED, f"{event.symbol} blocked: {about}", "")
        case JobEnded():
            kind = EventKind.INFO if event.result is JobResult.DONE else EventKind.UNKNOWN
            return EventLine(event.ts, kind, f"{event.name} {event.result.value}: {event.words}", "")
        case PolicyMoved():
            kind = EventKind.YOURS if event.step.state is StepState.WAITING else EventKind.INFO
            return EventLine(event.ts, kind, event.text, "")
        case Alarm():
            kind = EventKind.BLOCKED if event.page else EventKind.UNKNOWN
            return EventLine(event.ts, kind, event.text, event.correlation)


def _snoozed_line(event: TicketSnoozed) -> EventLine:
    ticket, symbol = event.ticket, symbol_of(event.ticket.instrument)
    if event.until_us is None:
        return _waiting_line(ticket, symbol, "back, waiting for you", event.ts)
    back = clock_text(event.until_us)
    text = f"T-{ticket.number} {symbol} snoozed until {back} by {event.actor}"
    return EventLine(event.ts, EventKind.YOURS, text, ticket.correlation)


def _waiting_line(ticket: Ticket, symbol: str, words: str, ts: int) -> EventLine:
    minutes = (ticket.expires_us - ts) // 60_000_000
    text = f"T-{ticket.number} {symbol} {words}, {minutes} min"
    return EventLine(ts, EventKind.YOURS, text, ticket.correlation)


def _ticket_line(event: TicketChanged) -> EventLine | None:
    ticket = event.ticket
    symbol = symbol_of(ticket.instrument)
    if event.state is ProposalState.PENDING:
        return _waiting_line(ticket, symbol, "waiting for you", event.ts)
    if event.state is ProposalState.GATED_OUT:
        return EventLine(event.ts, EventKind.BLOCKED, f"{symbol} out: {event.reason}", ticket.correlation)
    words = _TICKET_WORDS.get(event.state)
    if words is None:
        return None
    kind, verb = words
    # The reason first: where the line is cut, who it was is what may go.
    reason = f": {event.reason}" if event.reason else ""
    # What became of a ticket made smaller says itself who did it.
    by = "" if event.actor == "engine" or event.state is ProposalState.SUPERSEDED else f" by {event.actor}"
    text = f"T-{ticket.number} {symbol} {verb}{reason}{',' if reason and by else ''}{by}"
    return EventLine(event.ts, kind, text, ticket.correlation)
