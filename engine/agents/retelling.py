"""The agents' memory told again from the journal alone: it is a projection, the journal is the truth.

What a memory holds already is left as it is: rows are only ever added.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.agents.past import followed_trades, real_trades
from engine.agents.policyrows import Change, applied_steps, changed_us, policy_after, read_changes
from engine.errors import StorageError
from engine.execution.bracket import BracketPhase
from engine.execution.ticketbook import read_ticket
from engine.model.candidates import AgentReport, GapCandidate, Proposal, Verdict
from engine.model.ids import StrategyName, TicketId
from engine.model.orders import OrderSide
from engine.model.tickets import Ticket
from engine.money import ZERO
from engine.ports import Journal, Memory

_CHECK = "run tradedeck audit verify"
_ACTIONS = {"pending": "proposal", "approved": "approve", "rejected": "reject", "expired": "expire"}
"""Kinds of audit lines, and of the actions that they are."""
_DECISIONS = frozenset({"candidate", "compliance", "compliance_passed"})
"""Kinds whose bodies are no states of a bracket."""
Line = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Retold:
    """How many rows were told that the memory lacked."""

    signals: int
    actions: int
    outcomes: int
    steps: int


def retell(journal: Journal, memory: Memory) -> Retold:
    """Tell the memory everything that it lacks, in one transaction. Raises StorageError."""
    known = memory.known()
    signals = actions = 0
    with memory.batch():
        policies: dict[StrategyName, tuple[Change, ...]] = {}
        for row in journal.rows("whynot"):
            correlation = str(row["correlation"])
            lines = journal.audit(correlation)
            tickets = [read_ticket(str(t["body"])) for t in journal.rows("ticket", correlation=correlation)]
            if correlation not in known.signals:
                for verdict in _verdicts(lines, tickets):
                    name = verdict.candidate.strategy
                    changes = policies.setdefault(name, read_changes(journal, name))
                    memory.record_verdicts((verdict,), _policy_at(changes, verdict.candidate.decided_us))
                    signals += 1
            if correlation not in known.acted:
                for ts, kind, actor, payload in _actions(lines, tickets):
                    memory.record_action(correlation, ts, kind, actor, payload)
                    actions += 1
        trades = [t for t in (*real_trades(journal), *followed_trades(journal)) if t.id not in known.outcomes]
        for trade in trades:
            memory.record_outcome(trade)
        steps = [step for step in applied_steps(journal) if step.id not in known.steps]
        for step in steps:
            memory.record_policy(step)
    return Retold(signals, actions, len(trades), len(steps))


def _policy_at(changes: tuple[Change, ...], ts: int) -> str | None:
    policy = policy_after(change for change in changes if changed_us(change) <= ts)
    return None if policy is None else policy.policy_id


def _verdicts(lines: Sequence[Line], tickets: list[Ticket]) -> Iterator[Verdict]:
    """What was judged: its first line tells it, its first ticket was its proposal."""
    for line in lines:
        if line["kind"] == "candidate":
            body = _body(line)
            candidate = _made(body["candidate"], GapCandidate)
            reports = _made(body["reports"], tuple[AgentReport, ...])
            first = min(tickets, key=lambda ticket: ticket.id, default=None)
            proposal = None if first is None else _proposal(candidate, reports, first)
            yield Verdict(candidate, reports, proposal, str(body["reason"]))
            return


def _proposal(candidate: GapCandidate, reports: tuple[AgentReport, ...], ticket: Ticket) -> Proposal:
    entry = ticket.order.entry
    return Proposal(
        candidate=candidate,
        reports=reports,
        limit_price=(ZERO if entry is None else entry.limit_price) or ZERO,
        quantity=ZERO if entry is None else entry.quantity,
        exit_plan=ticket.exit_plan,
        size_binding=ticket.size_binding,
        entry_ttl_us=ticket.entry_ttl_us,
        approval_ttl_us=ticket.expires_us - ticket.created_us,
        priority=0.0,
        policy_id=ticket.policy_id,
        model_id=ticket.model_id,
    )


def _actions(
    lines: Sequence[Line], tickets: list[Ticket]
) -> Iterator[tuple[int, str, str, dict[str, object]]]:
    """Steps that followed: those of the tickets, and when each bracket began to leave its position."""
    left: dict[str, int] = {}
    digests = {ticket.id: ticket.sha256 for ticket in tickets}
    for line in lines:
        kind = _ACTIONS.get(str(line["kind"]))
        if kind is not None:
            body = _body(line)
            ticket = TicketId(str(body.get("ticket", "")))
            payload = {"ticket": ticket, "sha256": digests.get(ticket, ""), "reason": body.get("reason", "")}
            yield int(line["ts_us"]), kind, str(line["actor"]), payload
        elif str(line["kind"]) not in _DECISIONS and _is_leaving(_body(line)):
            left.setdefault(str(_body(line)["ticket"]), int(line["ts_us"]))
    for name, ts in left.items():
        payload = {"ticket": name, "sha256": digests.get(TicketId(name), ""), "reason": ""}
        yield ts, "exit", "engine", payload


def _is_leaving(body: Mapping[str, Any]) -> bool:
    """A bracket that sells, or sold: its first sale, where no order to leave came before."""
    fact = body.get("fact")
    sold = isinstance(fact, dict) and "exec_id" in fact and fact.get("side") == OrderSide.SELL
    return sold or body.get("phase") == BracketPhase.EXITING


def _body(line: Line) -> dict[str, Any]:
    try:
        return msgspec.json.decode(str(line["body"]), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise StorageError(f"audit row {line['seq']} cannot be read: {error}", _CHECK) from error


def _made(plain: object, kind: Any) -> Any:
    try:
        return msgspec.convert(plain, kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise StorageError(f"a stored decision cannot be read: {error}", _CHECK) from error
