"""Who approves when no person sits at the console (SPEC 11.5). Never more than was configured.

Nor at a venue that loses track of orders: there a person must see every one of them (RELIABILITY 6).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.model.commands import Actor
from engine.model.ids import StrategyName
from engine.model.positions import AccountKind
from engine.model.tickets import Ticket
from engine.money import ZERO, to_decimal
from engine.ports import Capabilities


class PolicyName(StrEnum):
    """`[engine] headless_policy`."""

    HOLD = "hold"
    PAPER_AUTO = "paper-auto"
    LIST = "list"


class ApprovalPolicy(Protocol):
    """Decides whether a ticket that now waits is approved without a person."""

    def actor(self, ticket: Ticket, entries_today: int) -> Actor | None:
        """Who approves; None: it waits. `entries_today`: entries of its strategy in this session so far."""
        ...


class Hold:
    """Every ticket waits for a person and expires."""

    def actor(self, ticket: Ticket, entries_today: int) -> Actor | None:
        """Never."""
        return None


@dataclass(frozen=True, slots=True)
class PaperAuto:
    """Approves everything that passed the gates, on accounts that hold no money."""

    kind: AccountKind

    def actor(self, ticket: Ticket, entries_today: int) -> Actor | None:
        """Anything, on simulation and paper accounts only."""
        if self.kind is AccountKind.LIVE:
            return None
        return Actor("policy", "", PolicyName.PAPER_AUTO.value)


@dataclass(frozen=True, slots=True)
class ListRule:
    """One pre-approved strategy: at most `per_day` entries a session, each up to `notional_usd`."""

    per_day: int
    notional_usd: float


@dataclass(frozen=True, slots=True)
class ApprovedList:
    """Approves strategies that the configuration lists, within their caps; not on live accounts."""

    kind: AccountKind
    rules: Mapping[StrategyName, ListRule]

    def actor(self, ticket: Ticket, entries_today: int) -> Actor | None:
        """Listed strategies within count and size."""
        rule, entry = self.rules.get(ticket.strategy), ticket.order.entry
        if self.kind is AccountKind.LIVE or rule is None or entry is None:
            return None
        notional = entry.quantity * (entry.limit_price or ZERO)
        if entries_today >= rule.per_day or notional > to_decimal(rule.notional_usd):
            return None
        return Actor("policy", "", PolicyName.LIST.value)


def policy_of(name: PolicyName, kind: AccountKind, rules: Mapping[StrategyName, ListRule]) -> ApprovalPolicy:
    """The policy of a name."""
    if name is PolicyName.HOLD:
        return Hold()
    if name is PolicyName.PAPER_AUTO:
        return PaperAuto(kind)
    return ApprovedList(kind, rules)


def why_manual(card: Capabilities) -> str:
    """What a venue lacks for trading without a person, of every policy; "" when it lacks nothing.

    Without ids that are never used again and without a bound on late requests, a lost order can be neither
    sent again nor proved absent: of 200 simulated sessions at such a venue 19 broke a rule.
    """
    lacking = []
    if not card.client_id_unique_for_ever and card.request_expiry_us is None:
        lacking.append("order ids may be used again and requests may arrive at any time")
    if not card.lookup_by_client_id:
        lacking.append("orders cannot be looked up by our id")
    if not card.stop_rests_without_us:
        lacking.append("stops do not rest at the venue without us")
    return "; ".join(lacking)
