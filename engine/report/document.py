"""A decision as one JSON document; Markdown and page are made from it, so that all three say the same."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.model.candidates import AgentReport, FeatureValue, GateResult
from engine.model.ids import symbol_of
from engine.model.orders import OrderSide
from engine.model.text import clean
from engine.model.tickets import to_plain
from engine.money import ZERO
from engine.report.assessed import assessed
from engine.report.comparing import Comparison, Outcome
from engine.report.facts import Facts, TicketFact
from engine.report.lineage import lineage

SCHEMA = "tradedeck-report/1"
LONG = 2_000
"""Characters of a text from outside that a report keeps; a ticket's own text is kept whole."""


def document(facts: Facts, checks: Iterable[Comparison]) -> dict[str, Any]:
    """Plain values only: times ISO 8601 UTC, decimals as text, floats as they were stored."""
    found = tuple(checks)
    fact = facts.ticket
    return {
        "schema": SCHEMA,
        "title": _title(facts),
        "correlation": facts.correlation,
        "account": facts.account,
        "kind": facts.kind,
        "verdict": verdict(found),
        "checks": [_compared(one) for one in found],
        "decision": _decision(facts),
        "features": [_feature(f) for f in (() if facts.candidate is None else facts.candidate.features)],
        "assessment": assessed(None if facts.candidate is None else facts.candidate.assessment),
        "votes": [_vote(report) for report in facts.reports],
        "gates": [] if fact is None else [_gate(gate) for gate in fact.ticket.gates],
        "tickets": [_ticket(one) for one in facts.tickets],
        "orders": _orders(facts),
        "fills": _fills(facts),
        "exit": _exit(facts),
        "costs": _costs(facts),
        "audit": [
            {
                "seq": line.seq,
                "at": iso(line.ts),
                "actor": _text(line.actor),
                "kind": line.kind,
                "hash": line.hash,
            }
            for line in facts.lines
        ],
        "lineage": lineage(facts),
    }


def verdict(checks: Sequence[Comparison]) -> dict[str, Any]:
    """How many comparisons held, and in words whether anything differs."""
    same = sum(check.outcome is Outcome.SAME for check in checks)
    different = [check.name for check in checks if check.outcome is Outcome.DIFFERS]
    open_ = sum(check.outcome is Outcome.NOT_CHECKED for check in checks)
    if different:
        words = f"{len(different)} of {len(checks)} differ: {', '.join(different)}"
    else:
        words = f"nothing differs: {same} compared" + (f", {open_} not checked" if open_ else "")
    return {"same": same, "differs": len(different), "not_checked": open_, "words": words}


def iso(us: int | None) -> str | None:
    """Microseconds UTC as ISO 8601 with all six digits."""
    if us is None:
        return None
    seconds, rest = divmod(us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def _text(text: str) -> str:
    return clean(text, LONG)


def _title(facts: Facts) -> str:
    fact, candidate = facts.ticket, facts.candidate
    instrument = candidate.instrument if candidate else fact.ticket.instrument if fact else None
    session = candidate.session if candidate else fact.ticket.session if fact else None
    name = "" if instrument is None else f" {symbol_of(instrument)}"
    number = f" T-{fact.ticket.number}" if fact is not None and fact.ticket.number else ""
    day = "" if session is None else f", session {session.isoformat()}"
    return _text(f"Decision{number}{name}{day}")


def _compared(check: Comparison) -> dict[str, Any]:
    return {
        "name": _text(check.name),
        "outcome": check.outcome.value,
        "stored": _text(check.stored),
        "derived": _text(check.derived),
        "words": _text(check.words),
    }


def _decision(facts: Facts) -> dict[str, Any]:
    candidate, fact, why = facts.candidate, facts.ticket, facts.whynot
    ticket = None if fact is None else fact.ticket
    found: dict[str, Any] = {
        "outcome": None if why is None else why["outcome"],
        "who": None if why is None else _text(str(why["who"] or "")),
        "reason": _text(str((why or {}).get("reason") or facts.ended_because)),
        "value": None if why is None else _text(str(why["value"] or "")),
        "limit": None if why is None else _text(str(why["bound"] or "")),
        "margin": None if why is None else _text(str(why["margin"] or "")),
        "model": None if ticket is None else ticket.model_id,
        "policy": None if ticket is None else ticket.policy_id,
        "config_sha256": facts.config.sha256 or None,
    }
    if candidate is not None:
        found |= {
            "strategy": candidate.strategy,
            "instrument": candidate.instrument,
            "session": candidate.session.isoformat(),
            "decided": iso(candidate.decided_us),
            "decision_price": candidate.decision_price,
            "prior_close": candidate.prev_close,
            "gap": candidate.gap,
            "regime": candidate.regime.value,
        }
    return found


def _feature(feature: FeatureValue) -> dict[str, Any]:
    return {
        "id": feature.id,
        "value": feature.value,
        "missing": None if feature.missing is None else feature.missing.value,
        "version": feature.version,
        "ts_event": iso(feature.ts_event),
        "ts_known": iso(feature.ts_known),
        "source": _text(feature.source),
    }


def _vote(report: AgentReport) -> dict[str, Any]:
    return {
        "agent": _text(report.agent),
        "vote": report.vote.value,
        "hard": report.hard,
        "score": report.score,
        "value": _text(report.value),
        "limit": _text(report.limit),
        "reasons": [_text(reason) for reason in report.reasons],
    }


def _gate(gate: GateResult) -> dict[str, Any]:
    return {
        "gate": gate.gate,
        "title": _text(gate.title),
        "status": gate.status.value,
        "value": _text(gate.value),
        "limit": _text(gate.limit),
        "reason": _text(gate.reason),
    }


def _ticket(fact: TicketFact) -> dict[str, Any]:
    ticket = fact.ticket
    return {
        "number": f"T-{ticket.number}" if ticket.number else None,
        "id": ticket.id,
        "sha256": fact.sha256,
        "state": fact.state,
        "reason": _text(fact.reason),
        "created": iso(ticket.created_us),
        "expires": iso(ticket.expires_us),
        "replaces": fact.replaces or None,
        "equity": to_plain(ticket.equity),
        "cash_after": to_plain(ticket.cash_after),
        "size_bound_by": _text(ticket.size_binding),
        "model": ticket.model_id,
        "policy": ticket.policy_id,
        "order": ticket.order_text(),
        "approval": None
        if fact.approved_us is None
        else {
            "by": _text(fact.approved_by),
            "at": iso(fact.approved_us),
            "price_shown": fact.approved_price or None,
            "nonce": _text(fact.nonce),
        },
    }


def _orders(facts: Facts) -> list[dict[str, Any]]:
    if facts.bracket is None:
        return []
    return [
        {
            "id": leg.id,
            "role": leg.role.name.lower(),
            "side": leg.spec.side.value,
            "type": leg.spec.type.value,
            "quantity": to_plain(leg.spec.quantity),
            "limit_price": to_plain(leg.spec.limit_price),
            "stop_price": to_plain(leg.spec.stop_price),
            "tif": leg.spec.tif.value,
            "state": leg.state.value,
            "filled": to_plain(leg.cum),
            "venue_id": _text(leg.venue_order_id),
            "reason": _text(leg.reason),
        }
        for leg in facts.bracket.legs
    ]


def _fills(facts: Facts) -> list[dict[str, Any]]:
    legs = () if facts.bracket is None else facts.bracket.legs
    fills = [(leg, fill) for leg in legs for fill in leg.fills]
    fills.sort(key=lambda pair: (pair[1].ts_event, pair[1].exec_id))
    return [
        {
            "at": iso(fill.ts_event),
            "order": leg.id,
            "role": leg.role.name.lower(),
            "side": fill.side.value,
            "quantity": to_plain(fill.quantity),
            "price": to_plain(fill.price),
            "fee": to_plain(fill.fee),
        }
        for leg, fill in fills
    ]


def _exit(facts: Facts) -> dict[str, Any] | None:
    trip = facts.round_trip
    if trip is None:
        return None
    return {
        "reason": trip.exit_reason.value,
        "at": iso(trip.exit_us),
        "entry_price": to_plain(trip.entry_price),
        "exit_price": to_plain(trip.exit_price),
        "quantity": to_plain(trip.quantity),
        "sessions": trip.sessions,
        "return_ratio": trip.return_ratio,
        "pnl": to_plain(trip.pnl),
    }


def _costs(facts: Facts) -> dict[str, Any] | None:
    """What trading cost beyond the decision price; money in account currency, positive is a cost."""
    bracket, candidate = facts.bracket, facts.candidate
    if bracket is None or not bracket.entry.fills:
        return None
    bought = [fill for fill in bracket.entry.fills if fill.side is OrderSide.BUY]
    quantity = sum((fill.quantity for fill in bought), ZERO)
    paid = sum((fill.quantity * fill.price for fill in bought), ZERO)
    fees = sum((fill.fee for leg in bracket.legs for fill in leg.fills), ZERO)
    beside = None
    if candidate is not None and quantity > ZERO:
        beside = paid - quantity * Decimal(repr(candidate.decision_price))
    return {
        "fees": to_plain(fees),
        "entry_average": None if quantity == ZERO else to_plain(paid / quantity),
        "entry_beside_decision": to_plain(beside),
    }
