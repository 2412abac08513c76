"""The books as JSON documents, from a running engine or from a state folder's journal."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from engine.core import Engine
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.halts import ACCOUNT_SCOPE
from engine.execution.records import restore_brackets, restore_round_trip
from engine.execution.shutdown import META_KEY, Shutdown, from_json
from engine.execution.ticketbook import read_ticket
from engine.model.ids import symbol_of
from engine.model.jobs import JobStatus
from engine.model.positions import RoundTrip
from engine.model.tickets import ProposalState, Ticket, to_plain
from engine.money import ZERO
from engine.notify.dispatch import Delivery
from engine.ports import Journal
from engine.risk.drawdown import Level
from tui.agentbooks import running_agents, stored_agents, strategies
from tui.link import Question
from tui.restrictions import restrictions
from tui.shown.deck import Restriction
from tui.shown.health import NO_HEALTH, HealthRow, HealthView

Document = list[dict[str, object]] | dict[str, object]


def answer(
    engine: Engine,
    question: Question,
    deliveries: Iterable[Delivery] = (),
    pulse: HealthView = NO_HEALTH,
    jobs: Iterable[JobStatus] = (),
) -> Document:
    """From the live state."""
    journal = engine.parts.journal
    match question:
        case Question.PROPOSALS:
            return proposals(journal)
        case Question.ORDERS:
            return orders(_current(engine.brackets, engine.picture.session))
        case Question.POSITIONS:
            return positions(engine.brackets.open(), lambda i: engine.picture.last(i))
        case Question.ROUND_TRIPS:
            return round_trips(restore_round_trip(row) for row in journal.rows("round_trip"))
        case Question.STATUS:
            return status(engine, deliveries) | _pulse(pulse) | {"jobs": to_plain(tuple(jobs))}
        case Question.HEALTH:
            return health(pulse)
        case Question.AGENTS:
            return running_agents(engine)


def read(journal: Journal, question: Question) -> Document:
    """From a journal that no engine holds now."""
    brackets = restore_brackets(journal.rows("bracket"), journal.rows("ord"), journal.rows("fill"))
    match question:
        case Question.PROPOSALS:
            return proposals(journal)
        case Question.ORDERS:
            session = journal.meta("market_session")
            return orders(_current(brackets, None if session is None else date.fromisoformat(session)))
        case Question.POSITIONS:
            return positions(brackets, lambda instrument: None)
        case Question.ROUND_TRIPS:
            return round_trips(restore_round_trip(row) for row in journal.rows("round_trip"))
        case Question.STATUS:
            return _stored_status(journal, brackets)
        case Question.HEALTH:
            return _stored_health(journal)
        case Question.AGENTS:
            return stored_agents(journal)


def proposals(journal: Journal) -> list[dict[str, object]]:
    """Every ticket that a person could ever see waiting."""
    rows = [row for row in journal.rows("ticket") if row["number"]]
    return [_proposal(read_ticket(str(r["body"])), str(r["state"]), str(r["reason"] or "")) for r in rows]


def _proposal(ticket: Ticket, state: str, reason: str) -> dict[str, object]:
    order = ticket.order.entry
    return {
        "ticket": ticket.id,
        "number": f"T-{ticket.number}",
        "state": state,
        "reason": reason,
        "strategy": ticket.strategy,
        "account": ticket.account,
        "symbol": symbol_of(ticket.instrument),
        "session": ticket.session.isoformat(),
        "quantity": None if order is None else to_plain(order.quantity),
        "limit_price": None if order is None else to_plain(order.limit_price),
        "stop_price": to_plain(ticket.order.stop.stop_price),
        "target_price": to_plain(ticket.order.target.limit_price),
        "created_us": ticket.created_us,
        "expires_us": ticket.expires_us,
        "sha256": ticket.sha256,
        "order": ticket.order_text(),
        "correlation": ticket.correlation,
        "waits": state == ProposalState.PENDING,
    }


def _current(brackets: Iterable[Bracket], session: date | None) -> list[Bracket]:
    """Open brackets, and those that began in the session the books stand at."""
    return [b for b in brackets if b.phase is not BracketPhase.CLOSED or b.session == session]


def orders(brackets: Iterable[Bracket]) -> list[dict[str, object]]:
    """Every order of every bracket, brackets as trees."""
    return [
        {
            "bracket": f"B-{bracket.number}",
            "ticket": bracket.ticket,
            "symbol": symbol_of(bracket.instrument),
            "phase": bracket.phase.value,
            "correlation": bracket.correlation,
            "orders": [
                {
                    "client_order_id": leg.id,
                    "role": leg.role.name.lower(),
                    "side": leg.spec.side.value,
                    "type": leg.spec.type.value,
                    "tif": leg.spec.tif.value,
                    "quantity": to_plain(leg.spec.quantity),
                    "filled": to_plain(leg.cum),
                    "limit_price": to_plain(leg.spec.limit_price),
                    "stop_price": to_plain(leg.spec.stop_price),
                    "state": leg.state.value,
                    "reason": leg.reason,
                    "venue_order_id": leg.venue_order_id,
                }
                for leg in bracket.legs
            ],
        }
        for bracket in brackets
    ]


def positions(brackets: Iterable[Bracket], last: Callable[..., float | None]) -> list[dict[str, object]]:
    """What is held, with its protection. `last_price` is null where no market is at hand.

    `at_venue` is less than `quantity` where the venue was proved to hold fewer shares than our orders say.
    """
    return [
        {
            "bracket": f"B-{b.number}",
            "ticket": b.ticket,
            "symbol": symbol_of(b.instrument),
            "quantity": to_plain(b.position),
            "at_venue": to_plain(b.held),
            "protected": to_plain(min(b.cover, b.held)),
            "stop_price": to_plain(b.stop_now),
            "target_price": to_plain(b.target_now),
            "last_price": last(b.instrument),
            "sessions_held": b.sessions_held,
            "max_sessions": b.max_sessions,
            "correlation": b.correlation,
        }
        for b in brackets
        if b.position != ZERO
    ]


def round_trips(trips: Iterable[RoundTrip]) -> list[dict[str, object]]:
    """Finished trades, oldest exit first."""
    return [
        {
            "bracket": f"B-{trip.number}",
            "ticket": trip.ticket,
            "symbol": symbol_of(trip.instrument),
            "strategy": trip.strategy,
            "session": trip.session.isoformat(),
            "quantity": to_plain(trip.quantity),
            "entry_price": to_plain(trip.entry_price),
            "exit_price": to_plain(trip.exit_price),
            "exit_reason": trip.exit_reason.value,
            "return_ratio": trip.return_ratio,
            "pnl": to_plain(trip.pnl),
            "fees": to_plain(trip.fees),
            "sessions": trip.sessions,
            "entry_us": trip.entry_us,
            "exit_us": trip.exit_us,
            "correlation": trip.correlation,
        }
        for trip in sorted(trips, key=lambda trip: (trip.exit_us, trip.number))
    ]


def status(engine: Engine, deliveries: Iterable[Delivery] = ()) -> dict[str, object]:
    """One look at the engine."""
    parts, risk = engine.parts, engine.risk.view()
    equity, fall = risk.equity, risk.drawdown
    brackets = engine.brackets.open()
    return {
        "running": True,
        "state": engine.state.value,
        "reason": engine.reason,
        "since_us": engine.since_us,
        "now_us": parts.clock.now_us(),
        "account": parts.account,
        "kind": parts.kind.value,
        "equity": to_plain(equity),
        "cash": to_plain(engine.books.cash),
        "day_pnl": None if equity is None else to_plain(equity - risk.day_start),
        "drawdown_ratio": None if fall is None else float(fall),
        "session": None if engine.picture.session is None else engine.picture.session.isoformat(),
        "session_open": engine.picture.is_session_open,
        **_counts(brackets),
        "waiting": len(engine.tickets.waiting()),
        "halted_symbols": {scope: halted.reason for scope, halted in engine.halts.symbols().items()},
        "restrictions": [_with_command(each) for each in restrictions(engine)],
        "emergency_shutdown": _shutdown_words(engine.emergency.shutdown),
        "notifiers": {each.notifier: _delivery_words(each) for each in deliveries},
        "config_sha256": parts.config_hash,
        "strategies": strategies(engine),
        "agents": running_agents(engine),
    }


def health(view: HealthView) -> dict[str, object]:
    """Sources of data and the engine's own pulse."""
    return {
        "running": True,
        "trusted": view.trusted,
        "version": view.version,
        "pid": view.pid,
        "up_us": view.up_us,
        "sources": to_plain(view.sources),
        "engine": to_plain(view.rows),
    }


def _stored_health(journal: Journal) -> dict[str, object]:
    newest = journal.audit_page(None, 1)
    rows = int(newest[0]["seq"]) if newest else 0
    written = HealthRow("audit chain", f"{rows:,} rows", "not checked here", None, rows, "rows")
    return {"running": False, "trusted": False, "sources": [], "engine": to_plain((written,))}


def _pulse(view: HealthView) -> dict[str, object]:
    """Of Health what one look at the engine needs."""
    measured = {
        f"{row.name} {row.unit}".replace(" ", "_"): None if row.value is None else round(row.value, 3)
        for row in view.rows
        if row.unit
    }
    return {
        "trusted": view.trusted,
        "sources_ok": view.sources_ok,
        "sources": len(view.sources),
        "version": view.version,
        **measured,
    }


def _stored_status(journal: Journal, brackets: Iterable[Bracket]) -> dict[str, object]:
    halts = {str(row["scope"]): str(row["why"]) for row in journal.rows("halt") if row["why"] is not None}
    account = halts.pop(ACCOUNT_SCOPE, "")
    waiting = sum(row["state"] == ProposalState.PENDING for row in journal.rows("ticket"))
    return {
        "running": False,
        "state": "HALTED" if account else "STOPPED",
        "reason": account or "no engine runs on this state",
        "account": journal.meta("account_id"),
        "kind": journal.meta("kind"),
        "session": journal.meta("market_session"),
        **_counts([bracket for bracket in brackets if bracket.phase is not BracketPhase.CLOSED]),
        "waiting": waiting,
        "halted_symbols": halts,
        "restrictions": _stored_restrictions(journal),
        "emergency_shutdown": _shutdown_words(from_json(journal.meta(META_KEY))),
    }


def _with_command(limit: Restriction) -> str:
    ended = limit.text if limit.text.endswith(".") else f"{limit.text}."
    return f"{ended} To end it: {limit.command}" if limit.command else ended


def _stored_restrictions(journal: Journal) -> list[str]:
    """Only the one that outlives its engine; the others are measured anew at the next start."""
    if journal.meta("risk_level") != str(int(Level.STOPPED)):
        return []
    release = f"tradedeck accounts release {journal.meta('account_id')}"
    return [f"Drawdown: stopped, no new orders. To end it, while an engine runs: {release}"]


def _shutdown_words(shutdown: Shutdown | None) -> str:
    return "" if shutdown is None else shutdown.words()


def _delivery_words(delivery: Delivery) -> str:
    """`12 delivered, 0 dropped, 1 failed (last: no answer in 30 s)`."""
    last = f" (last: {delivery.last_failure})" if delivery.failures else ""
    waiting = f", {delivery.waiting} waiting" if delivery.waiting else ""
    counts = f"{delivery.delivered} delivered, {delivery.dropped} dropped, {delivery.failures} failed"
    return f"{counts}{last}{waiting}"


def _counts(open_brackets: Iterable[Bracket]) -> Mapping[str, object]:
    brackets = tuple(open_brackets)
    held = [bracket for bracket in brackets if bracket.held > ZERO]
    return {
        "open_brackets": len(brackets),
        "positions": len(held),
        "protected": sum(bracket.cover >= bracket.held for bracket in held),
        "unknown_orders": sum(bracket.has_unknown for bracket in brackets),
    }
