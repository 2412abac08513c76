"""An approval is for what was shown, for a minute, once; every other key press is told why it did nothing."""

from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.execution.approving import DIALOG_US, NONCE_MAX
from engine.model.approvals import Approval
from engine.model.commands import Actor
from engine.model.market import MarketBatch
from engine.model.tickets import ProposalState
from engine.risk.limits import DATASET

PENDING, SUBMITTED = ProposalState.PENDING, ProposalState.SUBMITTED


@pytest.fixture
async def booth(rig: Any, world: ModuleType) -> Any:
    return world.Booth(rig)


@pytest.mark.parametrize(
    ("age_us", "code"),
    [
        (0, "ok"),
        (DIALOG_US, "ok"),
        (DIALOG_US + 1, "dialog_expired"),
        (-US_PER_S, "ok"),
        (-US_PER_S - 1, "dialog_expired"),
    ],
)
async def test_what_was_shown_is_good_for_sixty_seconds(booth: Any, age_us: int, code: str) -> None:
    entry = booth.propose()
    await booth.rig.advance(100)
    booth.quote(100.0)
    answer = booth.approve(entry, shown_us=booth.rig.clock.now_us() - age_us)
    assert answer.code == code
    assert booth.state(entry) is (SUBMITTED if code == "ok" else PENDING)
    await booth.rig.settle()
    assert len(booth.rig.venue.sent("E")) == (code == "ok")


async def test_an_old_dialog_says_its_age_and_a_new_look_is_enough(booth: Any) -> None:
    entry = booth.propose()
    shown = booth.rig.clock.now_us()
    await booth.rig.advance(75)
    booth.quote(100.0)
    answer = booth.approve(entry, shown_us=shown)
    assert answer.text == "T-1 was shown 75 s ago, limit 60 s. Look again."
    ahead = booth.approve(entry, "n2", shown_us=booth.rig.clock.now_us() + 5 * US_PER_S)
    assert ahead.text == "T-1 cannot have been shown 5 s from now. Look again."
    assert booth.approve(entry, "n3", shown_us=booth.rig.clock.now_us()).ok
    await booth.rig.settle()


@pytest.mark.parametrize("nonce", ["", "n" * (NONCE_MAX + 1)])
async def test_an_approval_needs_a_nonce_of_its_own(booth: Any, nonce: str) -> None:
    entry = booth.propose()
    assert booth.approve(entry, nonce).code == "malformed"
    assert booth.rig.venue.calls == []
    refused = booth.rig.journal.entries[-1]
    assert (refused.kind, len(refused.body["nonce"])) == ("approval_refused", min(len(nonce), NONCE_MAX))


async def test_a_used_nonce_with_another_text_is_no_repetition(booth: Any) -> None:
    entry = booth.propose()
    assert booth.approve(entry).ok
    answer = booth.approve(entry, sha256="0" * 64)
    assert (answer.ok, answer.code) == (False, "nonce_used")
    await booth.rig.settle()


@pytest.mark.parametrize("price", [float("nan"), float("inf"), float("-inf"), 0.0, -100.0])
async def test_what_is_no_price_was_not_shown(booth: Any, price: float) -> None:
    entry = booth.propose()
    assert booth.approve(entry, price_shown=price).code == "price_moved"
    assert booth.rig.venue.calls == []


@pytest.mark.parametrize(
    ("atr_pct", "shown", "now", "text"),
    [
        (None, 100.0, 101.0, "+1.00 %, limit 0.5 % = 0.5: 100.00 to 101.00"),
        (4.0, 100.0, 99.0, "-1.00 %, limit 0.5 % = 0.5: 100.00 to 99.00"),
        (1.0, 100.0, 100.26, "+0.26 %, limit 0.25 ATR = 0.25: 100.00 to 100.26"),
        (None, 100.1234, 101.0, "+0.88 %, limit 0.5 % = 0.5006: 100.1234 to 101.00"),
    ],
)
async def test_a_moved_price_is_told_with_both_prices_and_the_limit(
    booth: Any, atr_pct: float | None, shown: float, now: float, text: str
) -> None:
    entry = booth.propose(atr_pct=atr_pct)
    booth.quote(now)
    answer = booth.approve(entry, price_shown=shown)
    assert answer.text == f"Price moved {text}, look again."


async def test_an_approval_is_stored_signed(booth: Any) -> None:
    entry = booth.propose()
    actor = Actor("ann", "pts/1", uid=1000)
    shown = booth.rig.clock.now_us()
    assert booth.approve(entry, actor=actor, price_shown=100.25, shown_us=shown).ok
    await booth.rig.settle()
    approval = Approval(entry.ticket.id, entry.sha256, "n1", "ann on pts/1", 1000, shown, 100.25)
    signature = booth.sign(approval.canonical())
    (row,) = booth.rig.journal.rows("ticket")
    assert (row["approved_by"], row["approved_uid"], row["approved_px"], row["approval_sig"]) == (
        "ann on pts/1",
        1000,
        "100.25",
        signature,
    )
    (told,) = [line for line in booth.rig.journal.entries if line.kind == "approved"]
    assert told.body == {
        "ticket": entry.ticket.id,
        "sha256": entry.sha256,
        "nonce": "n1",
        "actor": "ann on pts/1",
        "uid": 1000,
        "approved_us": shown,
        "price_shown": 100.25,
        "shown_us": shown,
        "terminal": "pts/1",
        "signature": signature,
    }


async def test_a_policy_signs_without_user_and_price(booth: Any) -> None:
    entry = booth.propose()
    assert booth.approve(entry, actor=Actor("policy", "", "list")).ok
    (row,) = booth.rig.journal.rows("ticket")
    assert (row["approved_uid"], row["approved_px"], row["approved_by"]) == (None, None, "policy (list)")
    await booth.rig.settle()


@pytest.mark.parametrize("is_person", [True, False])
async def test_at_a_venue_that_cannot_be_trusted_alone_only_a_person_approves(
    rig_of: Any, world: ModuleType, is_person: bool
) -> None:
    booth = world.Booth(rig_of(client_id_unique_for_ever=False, request_expiry_us=None))
    entry = booth.propose()
    actor = world.ANN if is_person else Actor("policy", "", "paper-auto")
    answer = booth.approve(entry, actor=actor)
    await booth.rig.settle()
    assert len(booth.rig.venue.sent("E")) == is_person
    assert answer.code == ("ok" if is_person else "manual_only")
    if not is_person:
        why = "order ids may be used again and requests may arrive at any time"
        assert answer.text == f"T-1 needs a person: at this venue {why}."
        assert booth.state(entry) is PENDING


async def test_a_size_from_before_a_fall_is_not_sent_also_after_a_restart(booth: Any) -> None:
    entry = booth.propose()
    await booth.rig.advance(10)
    booth.rig.books._cash -= 6_000
    booth.risk.finish(MarketBatch(booth.rig.clock.now_us()))
    booth.rig.books._cash += 2_500  # still L1: it is released below 3 %
    booth.quote(100.0)
    for restarts in range(2):
        if restarts:
            booth.risk.restore()
        answer = booth.approve(entry, f"n{restarts}")
        assert answer.code == "gated_out"
        assert answer.text == (
            "T-1 refused: it was sized before the account's drawdown reached L1. Wait for the next proposal."
        )
    assert booth.rig.venue.calls == []
    await booth.rig.advance(10)
    later = booth.propose(2, instrument="XYZ.US")
    booth.quote(100.0, later.ticket.instrument)
    answer = booth.approve(later, "n3")
    assert "sized before" not in answer.text
    await booth.rig.settle()


async def test_where_the_limits_are_off_no_size_is_outgrown(booth: Any) -> None:
    booth.switches = DATASET
    booth.boot()
    entry = booth.propose()
    await booth.rig.advance(10)
    booth.rig.books._cash -= 6_000
    booth.risk.finish(MarketBatch(booth.rig.clock.now_us()))
    booth.quote(100.0)
    assert booth.approve(entry).ok
    await booth.rig.settle()
