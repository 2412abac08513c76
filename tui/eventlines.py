"""Engine events as log lines: what happened, with the correlation id of the candidate it follows from."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.model import events
from engine.model.candidates import Verdict
from engine.model.ids import symbol_of
from engine.model.jobs import JobResult

_CALM = frozenset({"STARTING", "RUNNING", "STOPPED"})


@dataclass(frozen=True, slots=True)
class LogLine:
    """`level` of the logging module; `fields` hold `correlation` wherever there is one."""

    level: int
    text: str
    fields: Mapping[str, object]


def lines_of(event: events.Event) -> Iterator[LogLine]:
    """The lines of one event. Market data make none: a day of it would bury everything else."""
    match event:
        case events.MarketMoved():
            return
        case events.EngineStateChanged(state, reason, by, ts):
            level = logging.INFO if state in _CALM else logging.WARNING
            yield LogLine(level, "engine_state_changed", dict(state=state, reason=reason, by=by, ts_us=ts))
        case events.SymbolHalted(instrument, reason, by, ts):
            fields = dict(symbol=symbol_of(instrument), reason=reason, by=by, ts_us=ts)
            yield LogLine(logging.WARNING, "symbol_halted", fields)
        case events.SymbolReleased(instrument, by, ts):
            yield LogLine(
                logging.INFO, "symbol_released", dict(symbol=symbol_of(instrument), by=by, ts_us=ts)
            )
        case events.AnomalySeen(kind, value, limit, ts, subject):
            fields = dict(kind=kind, value=value, limit=limit, subject=subject, ts_us=ts)
            yield LogLine(logging.WARNING, "anomaly_seen", fields)
        case events.BreakerMoved(level, was, drawdown, high_water, effect, ts):
            worse = level > was
            fields = dict(step=level, was=was, drawdown_ratio=drawdown, high_water=high_water, effect=effect)
            yield LogLine(
                logging.WARNING if worse else logging.INFO, "breaker_moved", {**fields, "ts_us": ts}
            )
        case events.AgentMoved():
            yield _agent(event)
        case events.CandidatesJudged(strategy, verdicts, ts):
            proposed = sum(verdict.proposal is not None for verdict in verdicts)
            counts = dict(strategy=strategy, candidates=len(verdicts), proposals=proposed, ts_us=ts)
            yield LogLine(logging.INFO, "candidates_judged", counts)
            for verdict in verdicts:
                yield _verdict(verdict)
        case events.TicketChanged():
            yield _ticket(event)
        case events.TicketSnoozed(ticket, until_us, actor, ts):
            fields = dict(correlation=ticket.correlation, ticket=ticket.id, number=ticket.number)
            fields |= dict(symbol=symbol_of(ticket.instrument), until_us=until_us, actor=actor, ts_us=ts)
            yield LogLine(logging.INFO, "ticket_snoozed", fields)
        case events.BracketChanged():
            fields = dict(
                correlation=event.correlation,
                ticket=event.ticket,
                symbol=symbol_of(event.instrument),
                phase=event.phase,
                text=event.text,
                ts_us=event.ts,
            )
            yield LogLine(logging.INFO, "bracket_changed", fields)
        case events.PersonActed(ticket, correlation, text, by, ts):
            fields = dict(correlation=correlation, ticket=ticket, text=text, by=by, ts_us=ts)
            yield LogLine(logging.INFO, "person_acted", fields)
        case events.FillRecorded():
            yield _fill(event)
        case events.RoundTripClosed():
            yield _round_trip(event)
        case events.GemFlagged(token, symbol, score, signals, confidence, ts):
            fields = dict(token_id=token, symbol=symbol, score=score, signals=signals, confidence=confidence)
            yield LogLine(logging.INFO, "gem_flagged", {**fields, "ts_us": ts})
        case events.GemUnflagged(token, symbol, score, reason, ts):
            fields = dict(token_id=token, symbol=symbol, score=score, reason=reason, ts_us=ts)
            yield LogLine(logging.INFO, "gem_unflagged", fields)
        case events.GemBlocked(token, symbol, gate, reason, was_flagged, ts):
            level = logging.WARNING if was_flagged else logging.INFO
            fields = dict(token_id=token, symbol=symbol, gate=gate, reason=reason, was_flagged=was_flagged)
            yield LogLine(level, "gem_blocked", {**fields, "ts_us": ts})
        case events.JobStarted(name, due_us, ts):
            yield LogLine(logging.INFO, "job_started", dict(job=name, due_us=due_us, ts_us=ts))
        case events.JobEnded():
            yield _job(event)
        case events.ShadowEnded():
            yield _shadow(event)
        case events.PolicyMoved(step, text, ts):
            fields = dict(step=step.id, number=step.number, strategy=step.strategy, state=step.state.value)
            fields |= dict(author=step.author.value, by=step.decided_by, text=text, ts_us=ts)
            yield LogLine(logging.INFO, "policy_moved", fields)
        case events.Alarm(text, page, correlation, ts, kind):
            level = logging.CRITICAL if page else logging.WARNING
            fields = dict(correlation=correlation, text=text, page=page, kind=kind, ts_us=ts)
            yield LogLine(level, "alarm", fields)


def _agent(event: events.AgentMoved) -> LogLine:
    fields = dict(agent=event.agent, state=event.state, was=event.was, why=event.why, by=event.by)
    level = logging.INFO if event.state == "running" else logging.WARNING
    return LogLine(level, "agent_moved", {**fields, "ts_us": event.ts})


def _verdict(verdict: Verdict) -> LogLine:
    candidate = verdict.candidate
    fields = dict(
        correlation=candidate.correlation,
        strategy=candidate.strategy,
        symbol=symbol_of(candidate.instrument),
        session=candidate.session,
        gap_ratio=candidate.gap,
        proposed=verdict.proposal is not None,
        reason=verdict.reason,
        votes={report.agent: report.vote.value for report in verdict.reports},
        ts_us=candidate.decided_us,
    )
    return LogLine(logging.INFO, "candidate_judged", fields)


def _ticket(event: events.TicketChanged) -> LogLine:
    ticket = event.ticket
    fields = dict(
        correlation=ticket.correlation,
        ticket=ticket.id,
        number=ticket.number,
        symbol=symbol_of(ticket.instrument),
        state=event.state.value,
        actor=event.actor,
        reason=event.reason,
        sha256=ticket.sha256,
        ts_us=event.ts,
    )
    return LogLine(logging.INFO, "ticket_changed", fields)


def _job(event: events.JobEnded) -> LogLine:
    level = logging.INFO if event.result is JobResult.DONE else logging.WARNING
    fields = dict(
        job=event.name,
        due_us=event.due_us,
        result=event.result.value,
        words=event.words,
        failures=event.failures,
        ts_us=event.ts,
    )
    return LogLine(level, "job_ended", fields)


def _fill(event: events.FillRecorded) -> LogLine:
    fill = event.fill
    fields = dict(
        correlation=event.correlation,
        ticket=event.ticket,
        client_order_id=fill.client_order_id,
        exec_id=fill.exec_id,
        symbol=symbol_of(fill.instrument),
        side=fill.side.value,
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        ts_us=fill.ts_event,
    )
    return LogLine(logging.INFO, "fill_recorded", fields)


def _round_trip(event: events.RoundTripClosed) -> LogLine:
    trip = event.round_trip
    fields = dict(
        correlation=trip.correlation,
        ticket=trip.ticket,
        symbol=symbol_of(trip.instrument),
        quantity=trip.quantity,
        entry_price=trip.entry_price,
        exit_price=trip.exit_price,
        exit_reason=trip.exit_reason.value,
        pnl=trip.pnl,
        sessions=trip.sessions,
        ts_us=trip.exit_us,
    )
    return LogLine(logging.INFO, "round_trip_closed", fields)


def _shadow(event: events.ShadowEnded) -> LogLine:
    trade = event.trade
    fields = dict(
        correlation=trade.correlation,
        strategy=trade.strategy,
        symbol=symbol_of(trade.instrument),
        session=trade.session,
        proposed=trade.proposed,
        counts=event.counts,
        exit_reason=trade.exit_reason.value,
        sessions=trade.sessions,
        net_ratio=trade.net,
        ts_us=trade.exit_us,
    )
    return LogLine(logging.INFO, "shadow_ended", fields)
