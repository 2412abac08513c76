"""The exit state machine of SPEC 6.5, against the oracle's paths and case by case."""

import json
import os
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.errors import StorageError
from engine.execution.bracket import open_bracket
from engine.execution.exits import Due, ExitState, Progress, StopKind, begin, on_bar, on_price
from engine.execution.records import changed_rows, restore_brackets
from engine.model.exits import ExitPlan, Tier, single_target

E = Decimal(100)
SHARED = Path(__file__).parents[4] / "shared" / "data"


def plan_of(entry: Decimal, **changes: Any) -> ExitPlan:
    """The plan of SPEC 6.5: 33 % at 1.30 e and at 1.75 e, breakeven, trail at 0.80 of the high."""
    share = Decimal("0.33")
    terms: dict[str, Any] = {
        "stop_price": entry * Decimal("0.85"),
        "targets": (Tier(entry * Decimal("1.30"), share), Tier(entry * Decimal("1.75"), share)),
        "max_sessions": None,
        "breakeven_after": 0,
        "trail_ratio": Decimal("0.20"),
    }
    return ExitPlan(**terms | changes)


def oracle(name: str) -> dict[str, Any]:
    data = Path(os.environ.get("TRADEDECK_TEST_DATA", SHARED))
    path = data.parent / "oracles" / "oracles.json"
    if not path.exists():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    examples = json.loads(path.read_text(), parse_float=Decimal)
    return next(found for found in examples if found["section"] == "6" and found["id"] == name)


@pytest.mark.parametrize("name", ["exit_path", "exit_path_be"])
def test_the_paths_of_the_oracle(name: str) -> None:
    example = oracle(name)
    given, expected = example["input"], example["expected"]
    entry, quantity = Decimal(given["entry"]), Decimal(given["qty"])
    plan = plan_of(entry)
    progress, remaining, returned = begin(plan, entry), quantity, Decimal(0)
    events = []
    for price in map(Decimal, given["prices"]):
        due = on_price(plan, entry, progress, price)
        sales = [
            (f"tier{progress.tiers_done + n}", tier.share * quantity) for n, tier in enumerate(due.tiers, 1)
        ]
        if due.stopped is not None:
            sales.append((due.stopped.value, remaining))
        for word, amount in sales:
            events.append([word, amount, price])
            remaining -= amount
            returned += amount * price
        progress = due.progress
    assert events == expected["events"]
    assert (progress.stop_price, progress.high) == (expected["stop"], expected["high"])
    assert (remaining, returned) == (expected["remaining"], expected["returned"])
    assert returned - entry * (quantity - remaining) == expected["realised"]
    assert remaining * price - remaining * entry == expected["unrealised"]
    assert progress.state is ExitState.CLOSED


def walk(plan: ExitPlan, *prices: int | str) -> list[Due]:
    progress, dues = begin(plan, E), []
    for price in prices:
        dues.append(on_price(plan, E, progress, Decimal(price)))
        progress = dues[-1].progress
    return dues


def test_breakeven_lasts_one_price_and_the_trail_works_from_the_next() -> None:
    spike, after = walk(plan_of(E), 180, 179)
    assert (spike.progress.state, spike.progress.stop_price) == (ExitState.BREAKEVEN, E)
    assert len(spike.tiers) == 2
    assert (after.progress.state, after.progress.stop_price) == (ExitState.TRAILING, 144)
    assert walk(plan_of(E), 180, 100)[1].stopped is StopKind.TRAILING


def test_a_wide_trail_leaves_at_breakeven() -> None:
    assert walk(plan_of(E, trail_ratio=Decimal("0.25")), 130, 100)[1].stopped is StopKind.BREAKEVEN
    assert walk(plan_of(E, trail_ratio=None), 130, 140, 100)[2].stopped is StopKind.BREAKEVEN


def test_the_initial_stop_sells_everything_and_nothing_follows() -> None:
    first, second = walk(plan_of(E), 85, 200)
    assert first.stopped is StopKind.INITIAL
    assert second == Due(first.progress)


def test_the_stop_comes_before_the_tiers_of_one_bar() -> None:
    due = on_bar(plan_of(E), E, begin(plan_of(E), E), Decimal(85), Decimal(140))
    assert (due.stopped, due.tiers) == (StopKind.INITIAL, ())
    due = on_bar(plan_of(E), E, begin(plan_of(E), E), Decimal(86), Decimal(140))
    assert (due.stopped, len(due.tiers), due.progress.high) == (None, 1, 140)


def test_without_a_breakeven_tier_the_trail_works_from_the_entry() -> None:
    rise, fall = walk(plan_of(E, breakeven_after=None), 120, 96)
    assert (rise.progress.state, rise.progress.stop_price) == (ExitState.TRAILING, 96)
    assert fall.stopped is StopKind.TRAILING


def test_without_any_lift_the_stop_stays() -> None:
    dues = walk(plan_of(E, breakeven_after=None, trail_ratio=None), 140, 180, 90)
    assert {due.progress.stop_price for due in dues} == {85}
    assert dues[-1].progress.state is ExitState.INITIAL


def test_a_later_tier_lifts_to_breakeven() -> None:
    first, second = walk(plan_of(E, breakeven_after=1), 130, 175)
    assert (first.progress.state, first.progress.stop_price) == (ExitState.INITIAL, 85)
    assert (second.progress.state, second.progress.stop_price) == (ExitState.BREAKEVEN, E)


def test_targets_that_sell_all_end_it() -> None:
    (due,) = walk(single_target(Decimal(92), Decimal(106), 5), 106)
    assert (due.progress.state, due.progress.tiers_done, due.stopped) == (ExitState.CLOSED, 1, None)


def test_the_trail_moves_the_stop_by_no_less_than_asked() -> None:
    plan = plan_of(E, breakeven_after=None)
    near = Progress(ExitState.TRAILING, Decimal(80), Decimal(100))
    for price, stop in ((100, "80"), ("100.9", "80"), (101, "80.8"), (102, "81.6")):
        due = on_price(plan, E, near, Decimal(price), Decimal("0.01"))
        assert due.progress.stop_price == Decimal(stop)


@pytest.mark.parametrize(
    "changes",
    [
        {"stop_price": Decimal(0)},
        {"targets": ()},
        {"stop_price": Decimal(131)},
        {"targets": (Tier(Decimal(120), Decimal("0.5")), Tier(Decimal(110), Decimal("0.5")))},
        {"targets": (Tier(Decimal(120), Decimal("0.5")), Tier(Decimal(120), Decimal("0.5")))},
        {"targets": (Tier(Decimal(120), Decimal("0.6")), Tier(Decimal(130), Decimal("0.5")))},
        {"targets": (Tier(Decimal(120), Decimal(0)),)},
        {"max_sessions": 0},
        {"breakeven_after": 2},
        {"breakeven_after": -1},
        {"trail_ratio": Decimal(0)},
        {"trail_ratio": Decimal(1)},
        {"close_lead_us": -1},
    ],
)
def test_a_plan_that_makes_no_sense_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"got|tier"):
        plan_of(E, **changes)


def test_one_target_for_everything_is_what_a_venue_can_link() -> None:
    single = single_target(Decimal(92), Decimal(106), 5)
    assert single.is_single
    assert single.sells_all
    assert single.target_price == 106
    assert not plan_of(E).is_single
    assert not plan_of(E).sells_all
    half = ExitPlan(Decimal(92), (Tier(Decimal(106), Decimal("0.5")),), 5)
    assert not half.is_single


def test_the_order_text_says_the_whole_plan(world: ModuleType) -> None:
    single = json.loads(world.make_ticket().order_text())
    assert set(single) == {"account", "entry", "stop", "target", "ticket"}
    tiers = (Tier(Decimal(106), Decimal("0.33")), Tier(Decimal(110), Decimal("0.33")))
    plan = ExitPlan(Decimal(92), tiers, None, 0, Decimal("0.2"))
    ticket = world.make_ticket(exit_plan=plan)
    told = json.loads(ticket.order_text())
    assert set(told) == {"account", "entry", "exit_plan", "ticket"}
    assert told["exit_plan"]["targets"][1] == {"price": "110", "share": "0.33"}
    assert (told["exit_plan"]["breakeven_after"], told["exit_plan"]["trail_ratio"]) == (0, "0.2")
    assert ticket.sha256 != world.make_ticket().sha256
    wider = world.make_ticket(exit_plan=ExitPlan(Decimal(92), tiers, None, 0, Decimal("0.3")))
    assert wider.sha256 != ticket.sha256


def test_a_bracket_from_before_exit_plans_has_one_target(world: ModuleType) -> None:
    bracket = open_bracket(world.make_ticket(), world.OPEN_US)
    rows = [(row.table, dict(row.values)) for row in changed_rows(None, bracket)]
    brackets = [values | {"exit_plan": None} for table, values in rows if table == "bracket"]
    orders = [values for table, values in rows if table == "ord"]
    assert restore_brackets(brackets, orders, ()) == (bracket,)
    with pytest.raises(StorageError, match="makes no sense"):
        restore_brackets([brackets[0] | {"exit_plan": "{}"}], orders, ())
