"""Each gate of SPEC 11.3: how it passes, fails and is excused, and that nothing is excused live."""

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from math import nan
from typing import Any

import pytest

from engine.model.candidates import AgentReport, GateResult, GateStatus, Regime, Vote
from engine.model.ids import instrument_id
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.risk.collar import PriceReferences
from engine.risk.drawdown import Level
from engine.risk.exposure import Exposure
from engine.risk.gates import TITLES, GateInput, GateStage, evaluate, first_failure
from engine.risk.limits import DATASET, FULL, NONE
from engine.risk.var import ValueAtRisk
from engine.risk.view import RiskView

Build = Callable[..., GateInput]
NEEDED = "needed: 100 on 60 sessions and a bound above 0"
ABC = instrument_id("ABC")
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
        gate_input(switches=DATASET),
        gate_input(switches=NONE),
        gate_input(quote=None, reports=(), dataset=False),
    ):
        for result in evaluate(inputs):
            assert all((result.value, result.limit, result.reason)), result


def test_replay_in_order_passes_and_excuses_only_what_a_dataset_cannot_hold(gate_input: Build) -> None:
    results = evaluate(gate_input())
    assert first_failure(results) is None
    assert [result.gate for result in results if result.status is EXCUSED] == ["G6", "G7"]


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
    assert (result.status, result.value, result.limit) == (FAIL, state or "unknown", "RUNNING")


def test_g1_names_the_reason_of_a_halt_and_never_claims_a_measured_drawdown(gate_input: Build) -> None:
    halted = gate("G1", gate_input(engine_state="HALTED", halt_reason="operator: lunch"))
    assert halted.reason == "the engine is HALTED: operator: lunch"
    running = gate("G1", gate_input(switches=DATASET))
    assert (running.status, running.value) == (PASS, "RUNNING")
    assert running.reason == "the engine is RUNNING; drawdown limits off (dataset)"
    running = gate("G1", gate_input())
    assert running.reason == "the engine is RUNNING; drawdown 0.99 %, no limit"


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
        ("canary", f"no_edge_evidence: no evidence of an edge: no past proposals were followed, {NEEDED}"),
        ("live", f"no_edge_evidence: no evidence of an edge: no past proposals were followed, {NEEDED}"),
    ],
)
def test_g3_live_account_needs_evidence_and_without_any_has_none(
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
    ("vote", "rule", "kind", "status", "reason"),
    [
        (
            Vote.APPROVE,
            "naive",
            AccountKind.SIMULATION,
            PASS,
            "2 headlines; rule naive asks for no earnings date",
        ),
        (Vote.APPROVE, "naive", AccountKind.PAPER, PASS, "2 headlines; rule naive asks for no earnings date"),
        (Vote.APPROVE, "naive", AccountKind.LIVE, FAIL, "no source of earnings dates; 2 headlines"),
        (Vote.APPROVE, "full", AccountKind.SIMULATION, FAIL, "no source of earnings dates; 2 headlines"),
        (Vote.VETO, "naive", AccountKind.SIMULATION, FAIL, "2 headlines"),
        (
            Vote.ABSTAIN,
            "naive",
            AccountKind.SIMULATION,
            FAIL,
            "no news source: headlines and earnings dates are unknown",
        ),
    ],
)
def test_g6_says_what_the_agent_of_the_news_heard(
    gate_input: Build,
    report: Build,
    vote: Vote,
    rule: str,
    kind: AccountKind,
    status: GateStatus,
    reason: str,
) -> None:
    reports = (report("sentinel"), report("newssentry", vote, "2 headlines"))
    result = gate("G6", gate_input(dataset=False, rule=rule, account_kind=kind, reports=reports))
    assert (result.status, result.reason) == (status, reason)


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
    result = gate("G9", gate_input(quantity=Decimal(1200), switches=DATASET))
    assert (result.status, result.value) == (PASS, "1,200")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"market_open": False}, "the market is closed"),
        ({"limit_price": Decimal("8.375")}, "limit 8.375 is not a price on tick 0.01"),
        ({"limit_price": Decimal(0), "switches": DATASET}, "limit 0 is not a price on tick 0.01"),
        ({"limit_price": Decimal("-8.37"), "switches": DATASET}, "limit -8.37 is not a price on tick 0.01"),
        (
            {"limit_price": Decimal(0), "tick_size": None, "switches": DATASET},
            "limit 0 is not a price on tick None",
        ),
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
                assert {results[name] for name in ("G1", "G2", "G3", "G6", "G7", "G8")} == {FAIL}


@pytest.mark.parametrize("name", ["G5", "G8"])
def test_live_account_fails_where_a_limit_is_off(gate_input: Build, name: str) -> None:
    result = gate(name, gate_input(account_kind=AccountKind.LIVE, switches=NONE))
    assert result.status is FAIL
    assert result.reason.endswith("; a live account needs it")


def test_live_account_keeps_its_buying_power_limit_when_it_is_off(gate_input: Build) -> None:
    off = dataclasses.replace(FULL, buying_power=False)
    inputs = gate_input(account_kind=AccountKind.LIVE, switches=off, buying_power=Decimal(1))
    assert gate("G11", inputs).status is FAIL


LIVE = {"account_kind": AccountKind.LIVE}
KNOWN = {**LIVE, "reconciled_age_us": 5_000_000, "clock_skew_us": 20_000, "sector_open": 1}


@pytest.mark.parametrize(
    ("changes", "value", "limit", "reason"),
    [
        (
            {"level": Level.STOPPED, "drawdown": Decimal("0.16")},
            "16.00 %",
            "< 15.00 %",
            "drawdown 16.00 % stopped the account (L3) until a person releases it",
        ),
        ({"drawdown": None}, "unknown", "measured", "the drawdown of the account is not known"),
        ({"drawdown": Decimal("NaN")}, "unknown", "measured", "the drawdown of the account is not known"),
    ],
)
def test_g1_drawdown_of_the_account(
    gate_input: Build,
    view: Callable[..., RiskView],
    changes: dict[str, Any],
    value: str,
    limit: str,
    reason: str,
) -> None:
    result = gate("G1", gate_input(risk=view(**changes)))
    assert (result.status, result.value, result.limit, result.reason) == (FAIL, value, limit, reason)
    assert gate("G1", gate_input(risk=view(**changes), switches=DATASET)).status is PASS
    assert gate("G1", gate_input(risk=view(**changes), switches=NONE, **KNOWN)).status is FAIL


def test_g1_a_lower_level_only_says_what_it_means(gate_input: Build, view: Callable[..., RiskView]) -> None:
    fallen = view(level=Level.CONSERVATIVE, drawdown=Decimal("0.11"))
    result = gate("G1", gate_input(risk=fallen))
    assert result.status is PASS
    assert result.reason.endswith("drawdown 11.00 %, conservative only, sizes halved")


@pytest.mark.parametrize(
    ("changes", "value", "limit", "reason"),
    [
        ({"symbol_halt": "split"}, "halted", "not halted", "the symbol is halted: split"),
        (
            {"reconciled_age_us": 121_000_000},
            "121 s ago",
            "<= 120 s",
            "the books were last reconciled 121 s ago, limit 120 s",
        ),
        (
            {"reconciled_age_us": -1_000_000},
            "-1 s ago",
            "<= 120 s",
            "the books were last reconciled -1 s ago, limit 120 s",
        ),
        (
            {"clock_skew_us": -1_000_001},
            "1.000 s",
            "<= 1 s",
            "our clock differs from the venue's by 1.000 s, limit 1 s",
        ),
    ],
)
def test_g1_the_venue_must_be_known(
    gate_input: Build, changes: dict[str, Any], value: str, limit: str, reason: str
) -> None:
    for switches in (FULL, DATASET, NONE):
        result = gate("G1", gate_input(switches=switches, **changes))
        assert (result.status, result.value, result.limit, result.reason) == (FAIL, value, limit, reason)


def test_g1_at_the_limits_passes(gate_input: Build) -> None:
    known = {"reconciled_age_us": 120_000_000, "clock_skew_us": 1_000_000}
    assert gate("G1", gate_input(**known)).status is PASS
    assert gate("G1", gate_input(**LIVE, **known)).status is PASS


def test_g1_a_live_account_does_not_trade_on_what_nobody_measures(gate_input: Build) -> None:
    result = gate("G1", gate_input(**LIVE))
    assert (result.status, result.value) == (FAIL, "never")
    assert result.reason == (
        "the books were last reconciled never, limit 120 s;"
        " our clock differs from the venue's by unknown, limit 1 s"
    )


@pytest.mark.parametrize("kind", [AccountKind.PAPER, AccountKind.LIVE])
def test_g2_only_live_quotes_decide_outside_a_simulation(
    gate_input: Build, quote: Callable[..., Quote], kind: AccountKind
) -> None:
    for provenance in set(Provenance) - {Provenance.LIVE}:
        made = gate_input(account_kind=kind, quote=quote(provenance=provenance))
        result = gate("G2", made)
        assert (result.status, result.value, result.limit) == (FAIL, provenance, "live")
    assert gate("G2", gate_input(account_kind=kind, quote=quote(provenance=Provenance.LIVE))).status is PASS


@pytest.mark.parametrize(
    ("stage", "dataset", "bid", "status"),
    [
        (GateStage.SEND, False, 8.25, FAIL),
        (GateStage.PROPOSAL, False, 8.25, PASS),
        (GateStage.SEND, True, 8.25, PASS),
        (GateStage.SEND, False, 8.30, PASS),
    ],
)
def test_g2_spread_counts_when_it_is_sent(
    gate_input: Build,
    quote: Callable[..., Quote],
    stage: GateStage,
    dataset: bool,
    bid: float,
    status: GateStatus,
) -> None:
    result = gate("G2", gate_input(stage=stage, dataset=dataset, quote=quote(bid, 8.37)))
    assert result.status is status
    if status is FAIL:
        assert (result.value, result.limit) == ("1.44 %", "<= 1.00 %")
        assert result.reason == "spread 1.44 % of the mid, limit 1.00 %"


def test_g8_sectors_count_where_they_are_known(gate_input: Build) -> None:
    full = gate("G8", gate_input(sector_open=3))
    assert (full.status, full.reason) == (FAIL, "3 in sector, limit 3")
    room = gate("G8", gate_input(sector_open=2))
    assert (room.status, room.reason) == (PASS, "room left; sector counted")
    unknown = gate("G8", gate_input(**{**KNOWN, "sector_open": None}))
    assert (unknown.status, unknown.reason) == (FAIL, "no sector source; a live account needs it")
    assert gate("G8", gate_input(**KNOWN)).status is PASS
    assert gate("G8", gate_input(sector_open=3, switches=NONE)).status is EXCUSED


def test_g8_a_duplicate_is_refused(gate_input: Build) -> None:
    result = gate("G8", gate_input(duplicates=1))
    assert (result.status, result.reason) == (FAIL, "1 the same within 10 min, limit 1")
    assert gate("G8", gate_input(duplicates=1, switches=DATASET)).status is PASS
    assert gate("G8", gate_input(duplicates=1, switches=NONE, **KNOWN)).status is FAIL


def test_g9_a_fat_finger_is_refused(gate_input: Build, view: Callable[..., RiskView]) -> None:
    result = gate("G9", gate_input(quantity=Decimal(200)))
    assert (result.status, result.value) == (FAIL, "1,674.00")
    assert result.reason == "value 1,674.00 is above 1,000.00, the most for one order"
    thin = gate("G9", gate_input(adv_usd=None))
    assert (thin.status, thin.reason) == (FAIL, "the mean traded value is not known")
    broke = gate("G9", gate_input(risk=view(equity=None)))
    assert (broke.status, broke.reason) == (FAIL, "equity is not known")
    assert gate("G9", gate_input(quantity=Decimal(200), switches=DATASET)).status is PASS
    assert gate("G9", gate_input(quantity=Decimal(200), switches=DATASET, **LIVE)).status is FAIL
    assert gate("G9", gate_input()).reason == "quantity 39, value 326.43"


def test_g10_shows_what_was_measured(gate_input: Build) -> None:
    result = gate("G10", gate_input())
    assert (result.status, result.reason) == (PASS, "1 positions move with it; VaR 250.00")
    assert result.value == "826.43 moving together, 250.00 at risk"
    assert result.limit == "<= 1,000.00 moving together, <= 500.00 at risk"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"exposure": Exposure(Decimal(700), (ABC, ABC), (ABC,))},
            "1,026.43 would move together (2 held, 1 of them of unknown correlation),"
            " limit 1,000.00 (10.00 %)",
        ),
        ({"value_at_risk": ValueAtRisk(501.0, 1.0, 250)}, "VaR 501.00 of one day, limit 500.00"),
        ({"value_at_risk": ValueAtRisk(nan, 1.0, 250)}, "VaR nan of one day, limit 500.00"),
        ({"exposure": None}, "what moves together is not known"),
        (
            {"value_at_risk": None, "dataset": False},
            "VaR is not known: fewer than 60 common returns of what is held",
        ),
        (
            {"value_at_risk": None, **LIVE},
            "VaR is not known: fewer than 60 common returns of what is held",
        ),
    ],
)
def test_g10_each_limit_fails(gate_input: Build, changes: dict[str, Any], reason: str) -> None:
    result = gate("G10", gate_input(**changes))
    assert (result.status, result.reason) == (FAIL, reason)


def test_g10_an_unknown_equity_fails(gate_input: Build, view: Callable[..., RiskView]) -> None:
    for equity in (None, Decimal("NaN")):
        result = gate("G10", gate_input(risk=view(equity=equity)))
        assert (result.status, result.reason) == (FAIL, "the equity of the account is not known")


def test_g10_exactly_at_the_limits_passes(gate_input: Build) -> None:
    at = {"exposure": Exposure(Decimal("673.57"), (), ()), "value_at_risk": ValueAtRisk(500.0, 500.0, 60)}
    assert gate("G10", gate_input(**at)).status is PASS


def test_g10_is_excused_where_it_does_not_limit_or_the_dataset_begins_too_late(gate_input: Build) -> None:
    off = gate("G10", gate_input(switches=DATASET))
    assert (off.status, off.reason) == (EXCUSED, "portfolio limits are off (dataset)")
    young = gate("G10", gate_input(value_at_risk=None))
    assert young.status is EXCUSED
    assert "fewer than 60 common returns" in young.reason
    assert "unknown at risk" in young.value


@pytest.mark.parametrize(
    ("changes", "value", "reason"),
    [
        ({"day_loss": Decimal("0.03")}, "3.00 %", "the daily loss limit of 3.00 % was reached, now 3.00 %"),
        ({"is_day_over": True}, "0.50 %", "the daily loss limit of 3.00 % was reached, now 0.50 %"),
        ({"day_loss": None}, "unknown", "the loss of today is not known"),
        ({"day_loss": Decimal("NaN")}, "NaN", "the loss of today is not known"),
        ({"entries_minute": 5}, "5", "5 entries in the last minute, limit 5"),
        ({"entries_today": 30}, "30", "30 entries today, limit 30"),
        ({"orders_minute": 31}, "31 orders", "31 orders in the last minute, limit 30"),
    ],
)
def test_g11_the_day_and_its_pace(
    gate_input: Build, view: Callable[..., RiskView], changes: dict[str, Any], value: str, reason: str
) -> None:
    result = gate("G11", gate_input(risk=view(**changes)))
    assert (result.status, result.value) == (FAIL, value)
    assert result.reason.startswith(reason)
    assert gate("G11", gate_input(risk=view(**changes), switches=DATASET)).status is PASS
    assert gate("G11", gate_input(risk=view(**changes), switches=NONE, **KNOWN)).status is FAIL


def test_g11_price_collar(gate_input: Build) -> None:
    away = {"references": PriceReferences(9.0, 8.37, 9.0, is_gap=True)}
    result = gate("G11", gate_input(**away))
    assert (result.status, result.value, result.limit) == (FAIL, "8.37", "within the collar")
    assert result.reason == "limit 8.37 is -7.00 % from the last trade 9, limit 2 %"
    assert gate("G11", gate_input(**away, switches=DATASET)).status is PASS
    assert gate("G11", gate_input()).reason.endswith("within the price collar, 0.50 % lost today")


def test_everything_known_and_in_order_leaves_a_live_account_only_what_is_not_built(
    gate_input: Build, quote: Callable[..., Quote]
) -> None:
    made = gate_input(**KNOWN, quote=quote(provenance=Provenance.LIVE), strategy_stage="live", dataset=False)
    failed = [result.gate for result in evaluate(made) if result.status is not PASS]
    assert failed == ["G3", "G6", "G7"]


def test_a_live_account_that_lacks_something_sends_nothing(gate_input: Callable[..., GateInput]) -> None:
    result = gate("G1", gate_input(live_missing=("--live was not given", "the phrase was not typed")))
    assert (result.status, result.value, result.limit) == (GateStatus.FAIL, "2 missing", "none missing")
    assert result.reason == "live mode is refused: --live was not given; the phrase was not typed"
