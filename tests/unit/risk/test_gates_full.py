"""Gates G3, G4, G6 and G7 under the full rule: evidence, scores, results and what an order would slip."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from engine.model.assessment import HIGHEST, Assessment
from engine.model.candidates import AgentReport, GateResult, GateStatus, Vote
from engine.model.checks import Check, Step
from engine.model.evidence import EdgeEvidence
from engine.model.forecasts import Forecast
from engine.model.market import Quote
from engine.model.positions import AccountKind
from engine.risk.evidence import evidence_words
from engine.risk.gates import GateInput, evaluate
from engine.risk.slippage import expected_slippage_pct

Build = Callable[..., GateInput]
PASS, FAIL, EXCUSED = GateStatus.PASS, GateStatus.FAIL, GateStatus.NOT_APPLICABLE
SHOWN = EdgeEvidence(140, 71, 0.004, 0.001, 0.0004, 0.0076)
NOT_SHOWN = EdgeEvidence(140, 71, 0.001, -0.002, -0.003, 0.005)
NEEDED = "needed: 100 on 60 sessions and a bound above 0"


def gate(name: str, inputs: GateInput) -> GateResult:
    return {result.gate: result for result in evaluate(inputs)}[name]


def check(name: str, step: Step, status: GateStatus = PASS, value: str = "1", limit: str = "> 0") -> Check:
    return Check(name, step, status, value, limit, f"{name} {value}, limit {limit}", "")


@pytest.fixture
def found() -> Assessment:
    return Assessment(
        forecast=Forecast("m", 0.7, 0.68, 0.6, 0.74, 0.066, -0.084, -0.003, (), (), is_usable=True),
        no_forecast="",
        cost=0.002,
        ev=0.012,
        bcs=HIGHEST,
        q_min=0.62,
        bcs_min=5.5,
        slippage_pct=0.09,
        evidence=None,
        checks=(
            check("earnings", Step.EARNINGS),
            check("slippage", Step.FILTERS, value="slippage 0.090 %", limit="< 0.5 %"),
            check("EV", Step.SCORES, value="EV +1.20 %", limit="> 0 %"),
            check("BCS", Step.SCORES, value="BCS 10.00", limit="> 5.50"),
        ),
        vote="all 6 voters approve",
    )


@pytest.fixture
def full(gate_input: Build, found: Assessment, report: Any) -> Build:
    """A live market on a simulated account, judged by the full rule."""

    def build(**changes: Any) -> GateInput:
        values = {
            "dataset": False,
            "rule": "full",
            "assessment": found,
            "realized_vol": 0.55,
            "reports": (report("newssentry", Vote.APPROVE, "2 headlines"), report("trader")),
        }
        return gate_input(**(values | changes))

    return build


def test_everything_in_order_passes(full: Build) -> None:
    assert {result.gate for result in evaluate(full()) if result.status is not PASS} == set()


def test_g3_says_on_every_ticket_what_is_known_of_the_edge(full: Build) -> None:
    none = gate("G3", full())
    assert (none.status, none.reason) == (
        PASS,
        f"no evidence of an edge: no past proposals were followed, {NEEDED}; a simulation account needs none",
    )
    some = gate("G3", full(evidence=NOT_SHOWN, account_kind=AccountKind.PAPER))
    assert some.reason == (
        "no evidence of an edge: n 140 on 71 sessions, mean +0.10 % net, 95 % interval -0.30 % to +0.50 %,"
        f" one-sided bound -0.20 %, {NEEDED}; a paper account needs none"
    )


def test_g3_offers_real_money_only_what_was_shown_to_pay(full: Build) -> None:
    live = {"account_kind": AccountKind.LIVE, "strategy_stage": "live"}
    shown = gate("G3", full(**live, evidence=SHOWN))
    assert (shown.status, shown.reason[:21]) == (PASS, "evidence of an edge: ")
    assert gate("G3", full(**live, evidence=NOT_SHOWN)).reason.startswith("no_edge_evidence: no evidence")
    few = replace(SHOWN, sessions=59)
    assert gate("G3", full(**live, evidence=few)).status is FAIL
    waived = gate("G3", full(**live, evidence=NOT_SHOWN, waiver="nina on pts/1 at 14:00:00Z"))
    assert waived.status is PASS
    assert waived.reason.endswith("; allowed by nina on pts/1 at 14:00:00Z")
    assert "one-sided bound -0.20 %" in waived.reason


def test_evidence_without_a_draw_is_unknown_in_words() -> None:
    words = evidence_words(EdgeEvidence(1, 1, 0.01, None, None, None), AccountKind.LIVE)
    assert words == (
        "no evidence of an edge: n 1 on 1 sessions, mean +1.00 % net, 95 % interval unknown to unknown,"
        f" one-sided bound unknown, {NEEDED}"
    )


def test_g3_a_frozen_strategy_does_not_trade(full: Build) -> None:
    result = gate("G3", full(frozen="compliance: size 40, policy 39"))
    assert (result.status, result.value) == (FAIL, "frozen")
    assert result.reason == "the strategy is frozen: compliance: size 40, policy 39"


def test_g4_shows_scores_beside_the_votes(full: Build, found: Assessment) -> None:
    result = gate("G4", full())
    assert result.status is PASS
    assert result.value == "2 of 2 approve, EV +1.20 %, BCS 10.00"
    assert result.limit == "all or outvoted, > 0 %, > 5.50"
    assert result.reason.startswith("all 6 voters approve; EV EV +1.20 %, limit > 0 %")
    assert gate("G4", full(assessment=replace(found, vote=""))).reason.startswith("all voters approve; EV")


@pytest.mark.parametrize("name", ["EV", "BCS"])
def test_g4_fails_by_a_score_with_its_own_numbers(full: Build, found: Assessment, name: str) -> None:
    checks = tuple(
        replace(each, status=FAIL, value="too little") if each.name == name else each for each in found.checks
    )
    result = gate("G4", full(assessment=replace(found, checks=checks)))
    assert (result.status, result.value) == (FAIL, "too little")
    assert name in result.reason


def test_g4_fails_without_scores(full: Build, found: Assessment) -> None:
    result = gate("G4", full(assessment=replace(found, checks=found.checks[:2])))
    assert (result.status, result.value) == (FAIL, "not scored")


def test_g4_a_soft_veto_may_be_outvoted_and_a_hard_one_never(full: Build, found: Assessment) -> None:
    soft = AgentReport("trader", Vote.VETO, False, ("spread 1.4%",))
    yes = AgentReport("newssentry", Vote.APPROVE, False, ("calm",))
    counted = replace(found, vote="weighted approval 0.826, limit 0.70")
    result = gate("G4", full(reports=(yes, soft), assessment=counted))
    assert result.status is PASS
    assert result.reason.startswith("weighted approval 0.826, limit 0.70; outvoted: trader")
    assert gate("G4", full(reports=(yes, soft), assessment=replace(found, vote=""))).status is FAIL
    hard = replace(soft, hard=True)
    assert gate("G4", full(reports=(yes, hard), assessment=counted)).reason == "trader: spread 1.4%"
    assert gate("G4", full(reports=(), assessment=counted)).reason == "no agent voted"


def test_g6_needs_results_that_are_far_away(full: Build, found: Assessment) -> None:
    assert gate("G6", full()).reason == "earnings 1, limit > 0; 2 headlines"
    without = replace(found, checks=found.checks[1:])
    assert gate("G6", full(assessment=without)).value == "earnings unknown"
    for status in (FAIL, EXCUSED):
        checks = (replace(found.checks[0], status=status), *found.checks[1:])
        assert gate("G6", full(assessment=replace(found, checks=checks))).status is FAIL


def test_g6_a_soft_veto_for_the_sound_of_the_news_may_be_outvoted(full: Build, found: Assessment) -> None:
    soft = AgentReport("newssentry", Vote.VETO, False, ("news sentiment -0.60",))
    assert gate("G6", full(reports=(soft,))).status is PASS
    assert gate("G6", full(reports=(soft,), assessment=replace(found, vote=""))).status is FAIL
    assert gate("G6", full(reports=(replace(soft, hard=True),))).reason == "news sentiment -0.60"


def test_g6_fails_by_what_was_told_since(full: Build) -> None:
    result = gate("G6", full(late_news='offering: "ABC prices an offering"'))
    assert (result.status, result.value) == (FAIL, "news since")


def test_g7_measures_this_order_in_this_quote(full: Build) -> None:
    result = gate("G7", full())
    assert result.status is PASS
    assert result.value == "spread 0.24 %, slippage 0.129 %"
    assert result.limit == "spread <= 1.00 %, slippage < 0.5 %"


@pytest.mark.parametrize(
    ("bid", "reason"),
    [
        (8.20, "spread 2.05 % of the mid, limit 1.00 %; slippage 1.036 % one way, limit 0.5 %"),
        (8.29, "slippage 0.490 % one way, limit 0.4 %"),
    ],
)
def test_g7_fails_with_value_and_limit(
    full: Build, quote: Callable[..., Quote], bid: float, reason: str
) -> None:
    most = 0.4 if bid == 8.29 else 0.5
    result = gate("G7", full(quote=quote(bid=bid), slippage_max_pct=most))
    assert (result.status, result.reason) == (FAIL, reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": None},
        {"adv_usd": None},
        {"adv_usd": 0.0},
        {"realized_vol": None},
        {"quantity": Decimal("nan")},
    ],
)
def test_g7_what_cannot_be_measured_fails(full: Build, changes: dict[str, Any]) -> None:
    result = gate("G7", full(**changes))
    assert (result.status, result.value) == (FAIL, "not measured")


def test_g7_of_a_dataset_says_what_was_assumed(full: Build, found: Assessment) -> None:
    result = gate("G7", full(dataset=True))
    assert result.status is EXCUSED
    assert result.reason == "dataset has no spreads; slippage slippage 0.090 %, limit < 0.5 %"
    bare = gate("G7", full(dataset=True, assessment=replace(found, checks=())))
    assert bare.reason == "dataset has no spreads"
    assert gate("G7", full(dataset=True, account_kind=AccountKind.LIVE)).status is FAIL


@pytest.mark.parametrize(
    ("spread", "order", "adv", "vol"),
    [(nan, 1.0, 1e6, 0.5), (0.001, nan, 1e6, 0.5), (0.001, 1.0, inf, 0.5), (0.001, 1.0, 1e6, -1.0)],
)
def test_slippage_of_what_makes_no_sense_is_not_known(
    spread: float, order: float, adv: float, vol: float
) -> None:
    assert expected_slippage_pct(spread, order, adv, vol) is None
