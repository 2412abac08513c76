"""Who approves without a person: never more than was configured, never on a live account."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from engine.execution.policies import (
    ApprovedList,
    Hold,
    ListRule,
    PaperAuto,
    PolicyName,
    policy_of,
    why_manual,
)
from engine.model.ids import StrategyName
from engine.model.positions import AccountKind

GAPS = StrategyName("gaps")
SIMULATION, PAPER, LIVE = AccountKind.SIMULATION, AccountKind.PAPER, AccountKind.LIVE
RULES = {GAPS: ListRule(per_day=2, notional_usd=1000.0)}


@pytest.fixture
def ticket(world: ModuleType) -> Any:
    """Ten shares at 100."""
    return world.make_ticket()


def test_hold_never_approves(ticket: Any) -> None:
    assert Hold().actor(ticket, 0) is None


@pytest.mark.parametrize(("kind", "approves"), [(SIMULATION, True), (PAPER, True), (LIVE, False)])
def test_paper_auto_holds_back_on_live_accounts(ticket: Any, kind: AccountKind, approves: bool) -> None:
    actor = PaperAuto(kind).actor(ticket, 99)
    assert (actor is not None) is approves
    if actor is not None:
        assert (actor.policy, str(actor)) == ("paper-auto", "policy")


@pytest.mark.parametrize(
    ("kind", "entries", "notional_usd", "approves"),
    [
        (SIMULATION, 0, 1000.0, True),
        (PAPER, 1, 1000.0, True),
        (PAPER, 2, 1000.0, False),
        (PAPER, 0, 999.99, False),
        (LIVE, 0, 1000.0, False),
    ],
)
def test_list_keeps_count_and_size(
    ticket: Any, kind: AccountKind, entries: int, notional_usd: float, approves: bool
) -> None:
    policy = ApprovedList(kind, {GAPS: ListRule(2, notional_usd)})
    actor = policy.actor(ticket, entries)
    assert (actor is not None and actor.policy == "list") is approves


def test_list_knows_only_what_it_names(ticket: Any) -> None:
    policy = ApprovedList(PAPER, RULES)
    assert policy.actor(replace(ticket, strategy=StrategyName("gems")), 0) is None
    assert policy.actor(replace(ticket, order=replace(ticket.order, entry=None)), 0) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [(PolicyName.HOLD, Hold), (PolicyName.PAPER_AUTO, PaperAuto), (PolicyName.LIST, ApprovedList)],
)
def test_policy_of_a_name(name: PolicyName, kind: type) -> None:
    assert isinstance(policy_of(name, PAPER, RULES), kind)


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({}, ""),
        ({"request_expiry_us": None}, ""),
        ({"client_id_unique_for_ever": False}, ""),
        (
            {"client_id_unique_for_ever": False, "request_expiry_us": None},
            "order ids may be used again and requests may arrive at any time",
        ),
        ({"lookup_by_client_id": False}, "orders cannot be looked up by our id"),
        ({"stop_rests_without_us": False}, "stops do not rest at the venue without us"),
        (
            {"lookup_by_client_id": False, "stop_rests_without_us": False},
            "orders cannot be looked up by our id; stops do not rest at the venue without us",
        ),
    ],
)
def test_what_a_venue_lacks_for_automatic_trading(
    world: ModuleType, changes: dict[str, Any], lacks: str
) -> None:
    assert why_manual(world.card(**changes)) == lacks
