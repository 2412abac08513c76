"""Whether a closed trade was what the policy of its moment demanded: recomputed from the journal alone.

Pure but for reading the journal. What the engine thought then is not asked: terms, orders, fills, the
approval and the book around the trade are held against the rules and the policy that were written down.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from engine.agents.panel import TrackRecord, agree
from engine.agents.policyrows import Baseline, Change, Rules, changed_us, policy_after
from engine.errors import StorageError
from engine.execution.ticketbook import read_ticket
from engine.model.candidates import GateStatus, Vote
from engine.model.compliance import ComplianceCheck, ComplianceFinding
from engine.model.orders import OrderRole
from engine.model.policy import ClosedTrade, GapsPolicy, TickerState
from engine.model.positions import AccountKind, ExitReason, RoundTrip
from engine.model.tickets import Ticket
from engine.money import EPSILON, ZERO, equity_tick, to_decimal
from engine.ports import Journal, Sessions
from engine.strategies.adapting import VoteScores, remembered
from engine.strategies.gaps_limits import thresholds
from engine.strategies.gaps_orders import size_share

MONITORED_SHARE = Decimal("0.5")
"""Of the size, for an instrument whose own past is poor (SPEC 3.11)."""
GATES = 11
LOOK_BACK = timedelta(days=45)
"""Brackets are looked for so far back: several times as long as one may be held."""
_NEVER = 1 << 62
_TOLERANCE = to_decimal(EPSILON)
Row = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the journal holds of one closed trade, and of the book and the policy around it."""

    ticket: Ticket
    stored_sha256: str
    approved_by: str
    approved_us: int | None
    approvals: tuple[Row, ...]
    """Used nonces of the ticket."""
    bracket: Row
    orders: tuple[Row, ...]
    others: tuple[Row, ...]
    """Other brackets of the account that may have been open beside it."""
    ended: Mapping[str, int]
    """When the position of a bracket ended, by its id."""
    trip: RoundTrip
    rules: Rules
    policy: GapsPolicy
    """Under the full rule with what the trades before it had taught."""


def collect(
    journal: Journal,
    trip: RoundTrip,
    changes: Sequence[Change],
    trades: Iterable[ClosedTrade],
    calendar: Sessions,
) -> Facts | None:
    """The facts of a trade; None where it is from before rules were written down. Raises StorageError."""
    rows = journal.rows("ticket", id=trip.ticket)
    own = journal.rows("bracket", id=trip.ticket)
    if not rows or not own:
        raise StorageError(
            f"trade B-{trip.number} has no ticket or bracket in the journal", "run tradedeck audit verify"
        )
    ticket, (row, *_) = read_ticket(str(rows[0]["body"])), rows
    then = [change for change in changes if changed_us(change) <= ticket.created_us]
    thresholds_then = policy_after(then)
    baselines = [change for change in then if isinstance(change, Baseline)]
    if thresholds_then is None or not baselines:
        return None
    others, policy = _others(journal, ticket, calendar), thresholds_then
    if ticket.assessment is not None:
        # The naive rule asks for nothing that was learned.
        known = [t for t in trades if t.exit_us <= ticket.created_us and t.correlation != ticket.correlation]
        policy = remembered(thresholds_then, known, VoteScores(known).accuracy(), calendar)
    approved = row["approved_us"]
    return Facts(
        ticket=ticket,
        stored_sha256=str(row["sha256"]),
        approved_by=str(row["approved_by"] or ""),
        approved_us=approved if isinstance(approved, int) else None,
        approvals=tuple(journal.rows("nonce", ticket=ticket.id)),
        bracket=own[0],
        orders=tuple(journal.rows("ord", bracket=ticket.id)),
        others=others,
        ended={
            str(row["id"]): _int(past["exit_us"])
            for row in others
            for past in journal.rows("round_trip", ticket=str(row["id"]))
        },
        trip=trip,
        rules=baselines[-1].rules,
        policy=policy,
    )


def _others(journal: Journal, ticket: Ticket, calendar: Sessions) -> tuple[Row, ...]:
    """Brackets of the sessions before it and of its own: an older one that still holds is stuck in a halt."""
    days = calendar.between(ticket.session - LOOK_BACK, ticket.session)
    found = (row for hours in days for row in journal.rows("bracket", session=hours.day.isoformat()))
    return tuple(row for row in found if row["id"] != ticket.id)


def check_trade(facts: Facts, now_us: int) -> ComplianceFinding:
    """All checks of one closed trade."""
    ticket = facts.ticket
    checks = (
        _approval(facts),
        _size(facts),
        _concurrent(facts),
        _in_instrument(facts),
        _in_session(facts),
        _filters(facts),
        _scores(facts),
        _votes(facts),
        _past(facts),
        _stop(facts),
        _target(facts),
        _time_exit(facts),
    )
    return ComplianceFinding(ticket.id, ticket.number, ticket.correlation, ticket.strategy, now_us, checks)


def _approval(facts: Facts) -> ComplianceCheck:
    ticket, at = facts.ticket, facts.approved_us
    wrong = []
    if ticket.sha256 != facts.stored_sha256:
        wrong.append("the ticket is not what was approved")
    if at is None or not facts.approved_by:
        wrong.append("nobody approved it")
    elif not ticket.created_us <= at < ticket.expires_us:
        wrong.append(f"approved {(at - ticket.created_us) / 1e6:.0f} s after it was proposed")
    if len(facts.approvals) != 1:
        wrong.append(f"{len(facts.approvals)} approvals")
    if "(paper-auto)" in facts.approved_by and facts.rules.kind is AccountKind.LIVE:
        wrong.append("a policy for paper accounts approved it")
    return _check("approval", not wrong, True, "; ".join(wrong) or facts.approved_by, "one person or policy")


def _size(facts: Facts) -> ComplianceCheck:
    ticket, config = facts.ticket, facts.rules.gaps
    entry = ticket.order.entry
    price = ZERO if entry is None or entry.limit_price is None else entry.limit_price
    share = min(to_decimal(size_share(ticket.regime, config)), to_decimal(facts.rules.max_position_pct))
    standing = facts.policy.standing(ticket.instrument, ticket.session)
    if ticket.assessment is not None and standing.state is TickerState.MONITORED:
        share *= MONITORED_SHARE
    most = ticket.equity * share
    value = max(facts.trip.quantity, Decimal(str(facts.bracket["qty"]))) * price
    is_within = ZERO < value <= most + _TOLERANCE
    return _check("size", is_within, True, f"{value:.2f}", f"<= {most:.2f}, {share:.4%} of the equity")


def _before(facts: Facts, others: Iterable[Row]) -> list[Row]:
    """Brackets that were started before this one and not over when it was approved."""
    at, number = facts.approved_us or facts.ticket.created_us, facts.ticket.number
    return [
        row
        for row in others
        if (_int(row["t_open_us"]), _int(row["number"])) < (at, number) and _over_us(facts, row) > at
    ]


def _over_us(facts: Facts, row: Row) -> int:
    """When a bracket no longer used a place: with its last share, or when it closed without any."""
    closed = _NEVER if row["closed_us"] is None else _int(row["closed_us"])
    return min(closed, facts.ended.get(str(row["id"]), _NEVER))


def _concurrent(facts: Facts) -> ComplianceCheck:
    cap, switches = facts.rules.gaps.max_concurrent, facts.rules.switches
    ours = [row for row in facts.others if row["strategy"] == facts.ticket.strategy]
    count = len(_before(facts, ours))
    return _counted("positions", count, cap, switches.concurrent)


def _in_instrument(facts: Facts) -> ComplianceCheck:
    same = [row for row in facts.others if row["instrument"] == facts.ticket.instrument]
    count = len(_before(facts, same))
    return _counted("positions in instrument", count, 1, facts.rules.switches.one_per_instrument)


def _in_session(facts: Facts) -> ComplianceCheck:
    cap, ticket = facts.rules.gaps.entries_per_session, facts.ticket
    at = facts.approved_us or ticket.created_us
    count = sum(
        row["strategy"] == ticket.strategy
        and row["session"] == ticket.session.isoformat()
        and (_int(row["t_open_us"]), _int(row["number"])) < (at, ticket.number)
        for row in facts.others
    )
    return _counted("entries of the session", count, cap, facts.rules.switches.per_session)


def _counted(name: str, count: int, cap: int, is_on: bool) -> ComplianceCheck:
    if not is_on:
        return _check(name, True, True, f"{count} before it", "no limit in this run")
    return _check(name, count < cap, True, f"{count} before it", f"< {cap}")


def _filters(facts: Facts) -> ComplianceCheck:
    gates = facts.ticket.gates
    failed = [f"{gate.gate} {gate.title}: {gate.reason}" for gate in gates if gate.status is GateStatus.FAIL]
    assessed = facts.ticket.assessment
    if assessed is not None:
        failed += [check.reason for check in assessed.checks if check.is_failed]
    if len(gates) != GATES:
        failed.append(f"{len(gates)} gates were asked")
    return _check(
        "filters", not failed, True, "; ".join(failed) or "all passed", f"{GATES} gates, no failure"
    )


def _scores(facts: Facts) -> ComplianceCheck:
    """Under the full rule: quality and chance against the thresholds of the policy of that moment."""
    assessed, ticket = facts.ticket.assessment, facts.ticket
    if assessed is None:
        return _check("scores", True, False, "not scored", "none under the naive rule")
    asked = thresholds(ticket.regime, facts.policy)
    forecast, bcs = assessed.forecast, assessed.bcs
    q = None if forecast is None else forecast.q_bounce
    points = None if bcs is None else bcs.total
    is_enough = q is not None and q >= asked.q_min - EPSILON
    is_enough = is_enough and points is not None and points > asked.bcs_min + EPSILON
    done = f"q {'none' if q is None else f'{q:.4f}'}, BCS {'none' if points is None else f'{points:.3f}'}"
    return _check("scores", is_enough, False, done, f"q >= {asked.q_min:.4g}, BCS > {asked.bcs_min:.4g}")


def _votes(facts: Facts) -> ComplianceCheck:
    ticket, config, policy = facts.ticket, facts.rules.gaps, facts.policy
    record = TrackRecord()
    if ticket.assessment is not None:
        record = TrackRecord(policy.closed_trades, policy.accuracy)
    count = agree(ticket.reports, record, config.consensus_after_trades, config.consensus_min)
    is_hard = any(report.hard and report.vote is Vote.VETO for report in ticket.reports)
    return _check("votes", count.approved, is_hard, count.reason, "agents that agree, and no hard veto")


def _past(facts: Facts) -> ComplianceCheck:
    """Under the full rule: no entry in an instrument that is ejected or cools down."""
    ticket, policy = facts.ticket, facts.policy
    if ticket.assessment is None:
        return _check("past of the instrument", True, True, "not asked", "nothing under the naive rule")
    standing = policy.standing(ticket.instrument, ticket.session)
    cools = policy.cools_until(ticket.instrument, ticket.session)
    done = f"{standing.state}, rate {standing.rate:.3f}" + (f", cools until {cools}" if cools else "")
    is_free = standing.state is not TickerState.EJECTED and cools is None
    return _check("past of the instrument", is_free, True, done, "not ejected, no cooldown")


def _stop(facts: Facts) -> ComplianceCheck:
    limit, ticket = _limit_of(facts.ticket), facts.ticket
    asked = limit * (1 - to_decimal(facts.rules.gaps.stop_pct))
    terms, sent = ticket.exit_plan.stop_price, _first(facts, OrderRole.STOP, "stop_px")
    is_right = _is_rounded_down(terms, asked, limit) and sent == terms
    done = f"{terms} in the ticket, {'none' if sent is None else sent} sent"
    return _check("stop", is_right, True, done, f"{asked:.4f} rounded down to the tick")


def _target(facts: Facts) -> ComplianceCheck:
    limit, ticket = _limit_of(facts.ticket), facts.ticket
    asked = limit * (1 + to_decimal(facts.rules.gaps.target_pct))
    terms, sent = ticket.exit_plan.target_price, _first(facts, OrderRole.TARGET, "px")
    is_right = _is_rounded_down(terms, asked, limit) and sent in (None, terms)
    done = f"{terms} in the ticket, {'none' if sent is None else sent} sent"
    return _check("target", is_right, False, done, f"{asked:.4f} rounded down to the tick")


def _time_exit(facts: Facts) -> ComplianceCheck:
    most, trip, plan = facts.rules.gaps.max_sessions, facts.trip, facts.ticket.exit_plan
    on_time = trip.exit_reason is not ExitReason.TIME or trip.sessions == most
    is_right = plan.max_sessions == most and trip.sessions <= most and on_time
    done = f"{trip.exit_reason} in session {trip.sessions}, {plan.max_sessions} in the ticket"
    return _check("time exit", is_right, True, done, f"session {most} at the latest")


def _limit_of(ticket: Ticket) -> Decimal:
    entry = ticket.order.entry
    return ZERO if entry is None or entry.limit_price is None else entry.limit_price


def _is_rounded_down(price: Decimal, asked: Decimal, limit: Decimal) -> bool:
    """A price at or one tick below what was asked for; unrounded ones differ by float64 dust."""
    return asked - equity_tick(limit) < price <= asked + _TOLERANCE


def _first(facts: Facts, role: OrderRole, column: str) -> Decimal | None:
    """The price of the first order of a role, before any corporate action could restate one."""
    found = sorted((row for row in facts.orders if row["role"] == role.value), key=lambda row: _int(row["n"]))
    return None if not found or found[0][column] is None else Decimal(str(found[0][column]))


def _int(value: str | int | None) -> int:
    return int(value or 0)


def _check(name: str, ok: bool, is_risk: bool, done: str, demanded: str) -> ComplianceCheck:
    return ComplianceCheck(name, ok, is_risk, done, demanded)
