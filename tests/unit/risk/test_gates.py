"""Each gate of SPEC 11.3: how it passes, fails and is excused, and that nothing is excused live."""

import dataclasses
from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.model.candidates import AgentReport, GateResult, GateStatus, Regime, Vote
from engine.model.market import Quote
from engine.model.positions import AccountKind
from engine.risk.gates import TITLES, GateInput, evaluate, first_failure
from engine.risk.limits import DATASET, FULL, NONE

Build = Callable[..., GateInput]
PASS, FAIL, EXCUSED = GateStatus.PASS, GateStatus.FAIL, GateStatus.NOT_APPLICABLE


def gate(name: str, inputs: GateInput) -> GateResult:
    return {result.gate: result for result in evaluate(inputs)}[name]


def test_all_eleven_in_order_and_a_failure_does_not_end_it(gate_input: Build) -> None:
    names = [f"G{n}" for n in range(1, 12)]
    for inputs in (gate_input(), gate_input(engine_state="HALTED", quote=None)):
        results = evaluate(inputs)
        assert [result.gate for result in results] == names
        assert [result.title for result in results] == [TITLES[name] for name in names]


def test_every_result_has_value_limit_and_reason(gate_input: Build) -> None:
    for inputs in (
        gate_input(),
        gate_input(switches=NONE),
        gate_input(quote=None, reports=(), dataset=False),
    ):
        for result in evaluate(inputs):
            assert all((result.value, result.limit, result.reason)), result


def test_replay_in_order_passes_and_excuses_only_what_a_dataset_cannot_hold(gate_input: Build) -> None:
    results = evaluate(gate_input())
    assert first_failure(results) is None
    assert [result.gate for result in results if result.status is EXCUSED] == ["G6", "G7", "G10"]


def test_no_limits_passes_and_says_which_limits_are_off(gate_input: Build) -> None:
    results = evaluate(gate_input(switches=NONE, regime=Regime.UNKNOWN, open_in_instrument=7))
    assert first_failure(results) is None
    assert [result.gate for result in results if result.status is EXCUSED] == ["G5", "G6", "G7", "G8", "G10"]
    assert results[4].reason == "the regime veto is off (none)"
    assert results[7].reason == ("limits off (none): in strategy, in all, in instrument, this session")
    assert results[10].reason == "market open, tick and lot valid, buying power off (none)"


def test_first_failure_is_the_first_in_order(gate_input: Build) -> None:
    failure = first_failure(evaluate(gate_input(quantity=Decimal(0), market_open=False, quote=None)))
    assert failure is not None
    assert failure.gate == "G2"
    assert failure.reason == "there is no quote"


@pytest.mark.parametrize("state", ["STARTING", "DEGRADED", "HALTED", "STOPPED", ""])
def test_g1_only_a_running_engine_passes(gate_input: Build, state: str) -> None:
    result = gate("G1", gate_input(engine_state=state))
    assert (result.status, result.value, result.limit) == (FAIL, state, "RUNNING")


def test_g1_names_the_reason_of_a_halt_and_never_claims_a_measured_drawdown(gate_input: Build) -> None:
    halted = gate("G1", gate_input(engine_state="HALTED", halt_reason="operator: lunch"))
    assert halted.reason == "the engine is HALTED: operator: lunch"
    running = gate("G1", gate_input())
    assert (running.status, running.value) == (PASS, "RUNNING")
    assert "drawdown of the account is not measured" in running.reason


@pytest.mark.parametrize(
    ("age_us", "limit_us", "status", "value", "limit"),
    [
        (0, 15_000_000, PASS, "0.0 s", "15 s"),
        (15_000_000, 15_000_000, PASS, "15.0 s", "15 s"),
        (15_000_001, 15_000_000, FAIL, "15.0 s", "15 s"),
        (3_100_000, 3_000_000, FAIL, "3.1 s", "3 s"),
        (-1_000_000, 3_000_000, PASS, "-1.0 s", "3 s"),
        (-1_000_001, 3_000_000, FAIL, "-1.0 s", "3 s"),
    ],
)
def test_g2_age_of_the_quote(
    gate_input: Build,
    quote: Callable[..., Quote],
    age_us: int,
    limit_us: int,
    status: GateStatus,
    value: str,
    limit: str,
) -> None:
    result = gate("G2", gate_input(quote=quote(age_us=age_us), quote_max_age_us=limit_us))
    assert (result.status, result.value, result.limit) == (status, value, limit)


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        (None, 8.37, "the quote has no bid"),
        (8.35, None, "the quote has no ask"),
        (None, None, "the quote has no bid"),
        (float("nan"), 8.37, "the quote is not two prices: bid nan, ask 8.37"),
        (8.35, float("inf"), "the quote is not two prices: bid 8.35, ask inf"),
        (0.0, 8.37, "the quote is not two prices: bid 0, ask 8.37"),
        (-1.0, 0.0, "the quote is not two prices: bid -1, ask 0"),
        (8.38, 8.37, "the quote is crossed: bid 8.38 above ask 8.37"),
    ],
)
def test_g2_quote_that_is_not_two_prices_fails(
    gate_input: Build, quote: Callable[..., Quote], bid: float | None, ask: float | None, reason: str
) -> None:
    result = gate("G2", gate_input(quote=quote(bid, ask)))
    assert (result.status, result.reason) == (FAIL, reason)


def test_g2_locked_quote_of_an_open_print_passes(gate_input: Build, quote: Callable[..., Quote]) -> None:
    assert gate("G2", gate_input(quote=quote(8.37, 8.37))).status is PASS


@pytest.mark.parametrize("kind", [AccountKind.SIMULATION, AccountKind.PAPER])
@pytest.mark.parametrize(
    ("stage", "status"),
    [("paper", PASS), ("canary", PASS), ("live", PASS), ("shadow", FAIL), ("", FAIL), ("Paper", FAIL)],
)
def test_g3_practice_accounts_trade_every_stage_but_shadow(
    gate_input: Build, kind: AccountKind, stage: str, status: GateStatus
) -> None:
    assert gate("G3", gate_input(account_kind=kind, strategy_stage=stage)).status is status


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ("shadow", "stage shadow does not trade a live account"),
        ("paper", "stage paper does not trade a live account"),
        ("canary", "no_edge_evidence: none has been collected"),
        ("live", "no_edge_evidence: none has been collected"),
    ],
)
def test_g3_live_account_needs_evidence_that_nobody_collects_yet(
    gate_input: Build, stage: str, reason: str
) -> None:
    result = gate("G3", gate_input(account_kind=AccountKind.LIVE, strategy_stage=stage))
    assert (result.status, result.reason) == (FAIL, reason)


def test_g4_abstaining_voters_are_left_out_and_named(
    gate_input: Build, report: Callable[..., AgentReport]
) -> None:
    reports = (
        report("sentinel"),
        report("screener"),
        report("forecaster", Vote.ABSTAIN, "no_model"),
        report("riskofficer"),
        report("newssentry", Vote.ABSTAIN, "no_source"),
        report("trader"),
    )
    result = gate("G4", gate_input(reports=reports))
    assert (result.status, result.value, result.limit) == (PASS, "4 of 4 approve", "all")
    assert result.reason == "abstained: forecaster (no_model), newssentry (no_source)"


def test_g4_one_veto_fails_with_its_reasons(gate_input: Build, report: Callable[..., AgentReport]) -> None:
    reports = (
        report("screener", Vote.VETO, "ADV 1.2M < 5M", "price 31 > 20"),
        report("sentinel"),
        report("trader", Vote.VETO),
    )
    result = gate("G4", gate_input(reports=reports))
    assert (result.status, result.value) == (FAIL, "1 of 3 approve")
    assert result.reason == "screener: ADV 1.2M < 5M, price 31 > 20; trader: veto"


def test_g4_without_a_vote_nothing_is_approved(gate_input: Build, report: Callable[..., AgentReport]) -> None:
    for reports in ((), (report("forecaster", Vote.ABSTAIN, "no_model"),)):
        result = gate("G4", gate_input(reports=reports))
        assert (result.status, result.value, result.reason) == (FAIL, "0 of 0 approve", "no agent voted")


@pytest.mark.parametrize(
    ("regime", "status"),
    [
        (Regime.NORMAL, PASS),
        (Regime.HIGH_VIX, PASS),
        (Regime.SPY_STRESS, FAIL),
        (Regime.UNKNOWN, FAIL),
    ],
)
def test_g5_stress_and_ignorance_fail(gate_input: Build, regime: Regime, status: GateStatus) -> None:
    result = gate("G5", gate_input(regime=regime))
    assert (result.status, result.value) == (status, regime.value)


def test_g6_unknown_news_fails_unless_the_dataset_cannot_hold_any(gate_input: Build) -> None:
    stored = gate("G6", gate_input(dataset=True))
    assert (stored.status, stored.reason) == (EXCUSED, "dataset has no news or earnings dates")
    running = gate("G6", gate_input(dataset=False))
    assert (running.status, running.reason) == (
        FAIL,
        "no news source: headlines and earnings dates are unknown",
    )


@pytest.mark.parametrize(
    ("rule", "dataset", "status", "reason"),
    [
        ("naive", True, EXCUSED, "rule naive has its own liquidity limit"),
        ("naive", False, EXCUSED, "rule naive has its own liquidity limit"),
        ("full", True, EXCUSED, "dataset has no spreads"),
        ("full", False, FAIL, "spread and slippage are not measured"),
    ],
)
def test_g7_spread_and_slippage(
    gate_input: Build, rule: str, dataset: bool, status: GateStatus, reason: str
) -> None:
    result = gate("G7", gate_input(rule=rule, dataset=dataset))
    assert (result.status, result.reason) == (status, reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"open_in_strategy": 8}, "8 in strategy, limit 8"),
        ({"open_total": 20}, "20 in all, limit 20"),
        ({"open_in_instrument": 1}, "1 in instrument, limit 1"),
        ({"entries_this_session": 3}, "3 this session, limit 3"),
        (
            {"open_in_strategy": 9, "entries_this_session": 4},
            "9 in strategy, limit 8; 4 this session, limit 3",
        ),
    ],
)
def test_g8_each_limit_fails_when_it_is_reached(
    gate_input: Build, changes: dict[str, int], reason: str
) -> None:
    result = gate("G8", gate_input(**changes))
    assert (result.status, result.reason) == (FAIL, reason)


@pytest.mark.parametrize(
    "changes", [{"open_in_strategy": 7}, {"open_total": 19}, {"entries_this_session": 2}, {}]
)
def test_g8_one_below_each_limit_passes(gate_input: Build, changes: dict[str, int]) -> None:
    result = gate("G8", gate_input(**changes))
    assert (result.status, result.reason) == (PASS, "room left; sector not applicable: no sector source")


def test_g8_values_and_limits_are_shown(gate_input: Build) -> None:
    result = gate("G8", gate_input(switches=DATASET))
    assert result.value == "3 in strategy, 3 in all, 0 in instrument, 1 this session"
    assert result.limit == "< 8 in strategy, < 20 in all, < 1 in instrument, off this session"
    assert result.reason == (
        "room left; limits off (dataset): this session; sector not applicable: no sector source"
    )


def test_g8_a_limit_that_is_off_does_not_block(gate_input: Build) -> None:
    assert gate("G8", gate_input(switches=DATASET, entries_this_session=99)).status is PASS
    assert gate("G8", gate_input(switches=DATASET, open_in_strategy=8)).status is FAIL


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "sNaN", "Infinity"])
def test_g9_no_size_left_fails(gate_input: Build, quantity: str) -> None:
    result = gate("G9", gate_input(quantity=Decimal(quantity)))
    assert (result.status, result.limit) == (FAIL, "> 0")
    assert result.reason.startswith("too_small")


def test_g9_shows_the_quantity(gate_input: Build) -> None:
    result = gate("G9", gate_input(quantity=Decimal(1200)))
    assert (result.status, result.value) == (PASS, "1,200")


def test_g10_is_excused_until_the_risk_ledger_exists(gate_input: Build) -> None:
    result = gate("G10", gate_input(dataset=False))
    assert (result.status, result.reason) == (EXCUSED, "correlation and VaR come with the risk ledger")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"market_open": False}, "the market is closed"),
        ({"limit_price": Decimal("8.375")}, "limit 8.375 is not a price on tick 0.01"),
        ({"limit_price": Decimal(0)}, "limit 0 is not a price on tick 0.01"),
        ({"limit_price": Decimal("-8.37")}, "limit -8.37 is not a price on tick 0.01"),
        ({"limit_price": Decimal(0), "tick_size": None}, "limit 0 is not a price on tick None"),
        ({"tick_size": Decimal(0)}, "limit 8.37 is not a price on tick 0"),
        ({"quantity": Decimal("39.5")}, "quantity 39.5 is not in lots of 1"),
        ({"quantity": Decimal(39), "lot_size": Decimal(10)}, "quantity 39 is not in lots of 10"),
        ({"lot_size": Decimal(0)}, "quantity 39 is not in lots of 0"),
        ({"buying_power": Decimal("326.42")}, "value 326.43 is above buying power 326.42"),
        ({"buying_power": Decimal("NaN")}, "value 326.43 is above buying power NaN"),
        ({"buying_power": Decimal("Infinity")}, "value 326.43 is above buying power Infinity"),
        (
            {"market_open": False, "buying_power": Decimal(0)},
            "the market is closed; value 326.43 is above buying power 0",
        ),
    ],
)
def test_g11_each_broker_check_fails(gate_input: Build, changes: dict[str, object], reason: str) -> None:
    result = gate("G11", gate_input(**changes))
    assert (result.status, result.reason) == (FAIL, reason)


def test_g11_exactly_all_buying_power_passes(gate_input: Build) -> None:
    result = gate("G11", gate_input(buying_power=Decimal("326.43")))
    assert (result.status, result.value, result.limit) == (PASS, "326.43", "<= 326.43")


def test_g11_unrounded_prices_of_a_dataset_pass_without_a_tick(gate_input: Build) -> None:
    result = gate("G11", gate_input(tick_size=None, limit_price=Decimal("8.369999885559082")))
    assert result.status is PASS


def test_g11_without_the_buying_power_limit_the_rest_still_counts(gate_input: Build) -> None:
    broke = {"buying_power": Decimal(0), "switches": NONE}
    assert gate("G11", gate_input(**broke)).status is PASS
    assert gate("G11", gate_input(**broke)).limit == "none"
    assert gate("G11", gate_input(**broke, market_open=False)).status is FAIL


def test_live_account_is_excused_from_nothing(gate_input: Build) -> None:
    for switches in (FULL, DATASET, NONE):
        for rule in ("naive", "full"):
            for dataset in (True, False):
                inputs = gate_input(
                    account_kind=AccountKind.LIVE, switches=switches, rule=rule, dataset=dataset
                )
                results = {result.gate: result.status for result in evaluate(inputs)}
                assert EXCUSED not in results.values()
                assert {results[name] for name in ("G3", "G6", "G7", "G10")} == {FAIL}


@pytest.mark.parametrize("name", ["G5", "G8"])
def test_live_account_fails_where_a_limit_is_off(gate_input: Build, name: str) -> None:
    result = gate(name, gate_input(account_kind=AccountKind.LIVE, switches=NONE))
    assert result.status is FAIL
    assert result.reason.endswith("; a live account needs it")


def test_live_account_keeps_its_buying_power_limit_when_it_is_off(gate_input: Build) -> None:
    off = dataclasses.replace(FULL, buying_power=False)
    inputs = gate_input(account_kind=AccountKind.LIVE, switches=off, buying_power=Decimal(1))
    assert gate("G11", inputs).status is FAIL
