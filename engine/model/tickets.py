"""The ticket: what a person approves is the canonical bytes of this, and nothing else is ever sent."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any

from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, FeatureValue, GateResult, Regime
from engine.model.exits import ExitPlan
from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName, TicketId
from engine.model.market import Quote
from engine.model.orders import BracketSpec


class ProposalState(StrEnum):
    """States of a proposal (SPEC 11.2)."""

    NEW = "new"
    GATED_OUT = "gated_out"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    """A person made it smaller: another ticket of the same candidate waits in its place."""
    SUBMITTED = "submitted"
    PARTIAL = "partial"
    FILLED = "filled"
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"

    def can_become(self, other: "ProposalState") -> bool:
        """Whether a proposal may move from this state to the other."""
        return other in _MOVES[self]


_MOVES: dict[ProposalState, frozenset[ProposalState]] = {
    ProposalState.NEW: frozenset({ProposalState.GATED_OUT, ProposalState.PENDING}),
    ProposalState.GATED_OUT: frozenset(),
    ProposalState.PENDING: frozenset(
        {
            ProposalState.APPROVED,
            ProposalState.REJECTED,
            ProposalState.EXPIRED,
            ProposalState.SUPERSEDED,
            ProposalState.GATED_OUT,
        }
    ),
    ProposalState.APPROVED: frozenset(
        {ProposalState.SUBMITTED, ProposalState.GATED_OUT, ProposalState.FAILED}
    ),
    ProposalState.REJECTED: frozenset(),
    ProposalState.EXPIRED: frozenset(),
    ProposalState.SUPERSEDED: frozenset(),
    ProposalState.SUBMITTED: frozenset(
        {ProposalState.PARTIAL, ProposalState.FILLED, ProposalState.FAILED, ProposalState.CLOSED}
    ),
    ProposalState.PARTIAL: frozenset({ProposalState.FILLED, ProposalState.CLOSING, ProposalState.CLOSED}),
    ProposalState.FILLED: frozenset({ProposalState.CLOSING, ProposalState.CLOSED}),
    ProposalState.CLOSING: frozenset({ProposalState.FILLED, ProposalState.CLOSED}),
    # A late fill may give shares back to a bracket that was over.
    ProposalState.CLOSED: frozenset({ProposalState.PARTIAL, ProposalState.FILLED}),
    # An entry proved absent may still turn up and is then adopted.
    ProposalState.FAILED: frozenset({ProposalState.PARTIAL, ProposalState.FILLED}),
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """Everything a person must know to approve, fixed at proposal time (times int microseconds UTC)."""

    id: TicketId
    number: int
    """Shown as T-18; the bracket that follows is B-18."""
    correlation: CorrelationId
    strategy: StrategyName
    account: AccountId
    instrument: InstrumentId
    session: date
    created_us: int
    """Of the proposal: a ticket that a person made smaller is as old as the one before it."""
    expires_us: int
    order: BracketSpec
    """Entry, initial stop and first target. A venue gets them as one group only where the exit plan is one
    target for everything; else the entry alone, and the orders of the plan as it goes on."""
    exit_plan: ExitPlan
    entry_ttl_us: int
    decision_price: float
    atr: float | None
    """Wilder ATR(14) in price units at the decision; None when history is too short."""
    quote: Quote
    regime: Regime
    features: tuple[FeatureValue, ...]
    reports: tuple[AgentReport, ...]
    gates: tuple[GateResult, ...]
    equity: Decimal
    cash_after: Decimal
    size_binding: str
    policy_id: str
    model_id: str | None
    candidate_gap: float
    prev_close: float
    assessment: Assessment | None = None
    """Chances, scores, filters and evidence of the full gap rule; they are part of what is approved."""

    @property
    def max_sessions(self) -> int | None:
        """Sessions it may be held for; None: no time exit."""
        return self.exit_plan.max_sessions

    def canonical(self) -> bytes:
        """The bytes that the approval hash is made of: JSON, sorted keys, no spaces (SPEC 11.9).

        Without an assessment there is no such key: a ticket of before keeps its hash.
        """
        plain = to_plain(self)
        if self.assessment is None:
            del plain["assessment"]
        return _ENCODER.encode(plain).encode()

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of `canonical()`: what an approval must carry."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def order_text(self) -> str:
        """The exact order as one line of canonical JSON, the text a dialog shows.

        With tiers, breakeven or a trail: the entry that is sent and the whole plan that follows it.
        """
        if self.exit_plan.is_single:
            return canonical_json(self.order).decode()
        order = self.order
        sent = {"account": order.account, "entry": order.entry, "ticket": order.ticket}
        return canonical_json({**sent, "exit_plan": self.exit_plan}).decode()


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys, no spaces; dataclasses by field, Decimal as plain text, floats by repr.

    Raises ValueError for NaN and infinities: a missing number is None.
    """
    return _ENCODER.encode(to_plain(value)).encode()


def to_plain(value: object) -> Any:
    """A frozen dataclass tree as dicts, lists and JSON scalars; fields that are None are kept."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    convert = _CONVERTERS.get(kind)
    if convert is None:
        convert = _CONVERTERS[kind] = _converter(kind)
    return convert(value)


_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Most of what is in a tree: JSON has them as they are."""


_CONVERTERS: dict[type, Callable[[Any], Any]] = {}
"""One for each type that was seen: audit lines are made of few types, thousands of times."""


def _converter(kind: type) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        names = tuple(field.name for field in fields(kind))
        if len(names) < 2:
            return lambda value: {name: to_plain(getattr(value, name)) for name in names}
        items = attrgetter(*names)  # of one name it would give the item itself
        return lambda value: {
            name: item if type(item) in _PLAIN else to_plain(item)
            for name, item in zip(names, items(value), strict=True)
        }
    if issubclass(kind, StrEnum):
        return lambda value: value.value
    if issubclass(kind, Decimal):
        return lambda value: format(value, "f")
    if issubclass(kind, date):
        return lambda value: value.isoformat()
    if issubclass(kind, tuple | list):
        return lambda value: [to_plain(item) for item in value]
    if issubclass(kind, dict):
        return lambda value: {
            str(key): item if type(item) in _PLAIN else to_plain(item) for key, item in value.items()
        }
    return lambda value: value
