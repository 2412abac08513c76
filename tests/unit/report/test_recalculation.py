"""Numbers worked out again from what a decision holds: right ones are the same, each changed one differs."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine.execution.bracket import entry_spec
from engine.model.assessment import Assessment
from engine.model.candidates import (
    AgentReport,
    FeatureValue,
    GapCandidate,
    GateResult,
    GateStatus,
    Regime,
    Vote,
)
from engine.model.evidence import EdgeEvidence
from engine.model.exits import single_target
from engine.model.forecasts import Contribution, Forecast
from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName, TicketId
from engine.model.market import Provenance, Quote
from engine.model.tickets import Ticket
from engine.report.comparing import Outcome
from engine.report.digests import NO_PROOF, Proof, digests
from engine.report.document import document
from engine.report.facts import AuditLine, ConfigFact, Facts, TicketFact
from engine.report.markdown import markdown
from engine.report.page import page
from engine.report.pure import recalculated
from engine.scoring.bcs import score
from engine.strategies.expected import forecast_value
from engine.strategies.gaps_config import GapsConfig

DAY, NOW = date(2026, 11, 6), 1_700_000_000_000_000
ABC = InstrumentId("ABC.US")
FORECAST = Forecast(
    "m-1", 0.72, 0.66, 0.58, 0.73, 0.066, -0.084, -0.003, (Contribution("rsi2", 4.0, 0.3),), (), True
)
YES = AgentReport("sentinel", Vote.APPROVE, False, ("fine",))
SAME, DIFFERS, OPEN = Outcome.SAME, Outcome.DIFFERS, Outcome.NOT_CHECKED


def feature(id: str, value: float) -> FeatureValue:
    return FeatureValue(id, value, None, NOW, NOW, "bars", "1.0.0")


VALUES = {
    "rsi2": 4.0,
    "z5": -2.1,
    "dist_200": -0.02,
    "gap_dn": -0.07,
    "adv_usd_20": 8e6,
    "volume_ratio_20": 3.0,
}
FEATURES = tuple(feature(id, value) for id, value in VALUES.items())


def candidate(**changes: Any) -> GapCandidate:
    bcs = score(
        q_bounce=FORECAST.q_bounce,
        gap_dn=-0.07,
        rsi2=4.0,
        z5=-2.1,
        volume_ratio=3.0,
        dist_200=-0.02,
        regime=Regime.NORMAL,
        adv_usd=8e6,
        slippage_pct=0.18,
    )
    found = Assessment(
        FORECAST, "", 0.004, forecast_value(FORECAST, 0.004), bcs, 0.62, 5.5, 0.18,
        EdgeEvidence(3, 2, 0.01, None, None, None), (), "all 6 voters approve",
    )  # fmt: skip
    made = GapCandidate(
        CorrelationId("C1"), StrategyName("gaps"), ABC, DAY, NOW, 9.3, 10.0, 9.3 / 10.0 - 1, 8e6,
        Regime.NORMAL, FEATURES, found,
    )  # fmt: skip
    return replace(made, **changes)


GATES = (
    GateResult("G2", "data", GateStatus.PASS, "0.5 s", "15 s", ""),
    GateResult("G4", "agents", GateStatus.PASS, "1 of 1 approve", "all", ""),
    GateResult("G9", "size", GateStatus.PASS, "12", "> 0", ""),
)


def ticket(**changes: Any) -> Ticket:
    judged = candidate()
    quote = Quote(ABC, 9.29, 9.30, NOW - 500_000, NOW - 500_000, Provenance.LIVE)
    stop, target = Decimal("8.55"), Decimal("9.85")
    order = entry_spec(TicketId("0" * 26), AccountId("a"), ABC, Decimal(12), Decimal("9.30"), stop, target)
    made = Ticket(
        TicketId("0" * 26), 1, judged.correlation, judged.strategy, AccountId("a"), ABC, DAY, NOW, NOW + 1,
        order, single_target(stop, target, 5), 1, judged.decision_price, None, quote, Regime.NORMAL, FEATURES,
        (YES,), GATES, Decimal(10_000), Decimal(9_000), "strategy", "gaps-full-1-P-00000000", "m-1",
        judged.gap, 10.0, judged.assessment,
    )  # fmt: skip
    return replace(made, **changes)


def facts(judged: GapCandidate | None = None, made: Ticket | None = None, **changes: Any) -> Facts:
    made = made or ticket()
    fact = TicketFact(
        made,
        made.canonical().decode(),
        made.sha256,
        "pending",
        "",
        "",
        None,
        "",
        "",
        changes.pop("replaces", ""),
    )
    line = AuditLine(2, NOW, "engine", "pending", "h", {"ticket": made.id, "sha256": made.sha256})
    found = Facts(
        CorrelationId("C1"), "a", "paper", judged or candidate(), (YES,), "", (fact,), None, None, None,
        (line,), ConfigFact("c", GapsConfig()),
    )  # fmt: skip
    return replace(found, **changes)


def told(found: Facts, proof: Proof = NO_PROOF) -> dict[str, Outcome]:
    return {one.name: one.outcome for one in (*digests(found, proof), *recalculated(found))}


def test_what_was_not_changed_is_the_same() -> None:
    outcomes = told(facts())
    for name in ("gap", "gap_dn", "EV", "BCS", "vote", "stop, limit, target", "size", "T-1 sha256"):
        assert outcomes[name] is SAME, name
    for name in ("G2 data", "G4 agents", "G9 size", "T-1 text", "T-1 in the log", "T-1 and candidate"):
        assert outcomes[name] is SAME, name


def changed(**values: Any) -> Assessment:
    found = candidate().assessment
    assert found is not None
    return replace(found, **values)


CHANGED = {
    "gap": candidate(gap=-0.08),
    "gap_dn": candidate(features=(*FEATURES[:3], feature("gap_dn", -0.09))),
    "EV": candidate(assessment=changed(ev=0.5)),
    "BCS": candidate(features=(feature("rsi2", 9.0), *FEATURES[1:])),
    "no look-ahead": candidate(features=(replace(FEATURES[0], ts_known=NOW + 1), *FEATURES[1:])),
    "T-1 and candidate": candidate(assessment=changed(vote="another")),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_judgment_differs(name: str) -> None:
    assert told(facts(CHANGED[name]))[name] is DIFFERS


def with_gate(at: int, **values: Any) -> Ticket:
    gates = list(GATES)
    gates[at] = replace(gates[at], **values)
    return ticket(gates=tuple(gates))


OLD = Quote(ABC, 9.29, 9.30, NOW - 16_000_000, NOW, Provenance.LIVE)
TICKETS = {
    "stop, limit, target": ticket(quote=replace(OLD, ask=9.40, bid=9.35)),
    "size": ticket(equity=Decimal(30_000)),
    "G2 data": ticket(quote=OLD),
    "G4 agents": ticket(reports=(YES, AgentReport("trader", Vote.VETO, True, ("wide",)))),
}


@pytest.mark.parametrize("name", TICKETS)
def test_a_changed_ticket_differs(name: str) -> None:
    assert told(facts(made=TICKETS[name]))[name] is DIFFERS


@pytest.mark.parametrize(
    ("bound", "equity", "outcome"),
    [
        ("strategy", 10_000, SAME),
        ("strategy x 0.5 for its past", 20_000, SAME),
        ("strategy x 0.5 for its past x 0.5 for drawdown", 40_000, SAME),
        ("strategy x 0.5 for its past", 10_000, DIFFERS),
        ("strategy", 20_000, SAME),  # asked for caution: half the share
        ("strategy", 30_000, DIFFERS),
        ("kelly", 10_000, OPEN),
        ("correlation", 10_000, OPEN),
        ("liquidity", 10_000, DIFFERS),
        ("cash", 10_000, DIFFERS),
    ],
)
def test_the_size_follows_from_the_bound_that_is_named(bound: str, equity: int, outcome: Outcome) -> None:
    made = ticket(size_binding=bound, equity=Decimal(equity))
    assert told(facts(made=made))["size"] is outcome


def test_a_bound_of_cash_is_all_the_cash() -> None:
    made = ticket(size_binding="cash", cash_after=Decimal("1.00"))
    assert told(facts(made=made))["size"] is SAME


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"config": ConfigFact("c", None)}, "size"),
        ({"config": ConfigFact("c", None)}, "stop, limit, target"),
        ({"config": ConfigFact("c", None)}, "policy"),
        ({"reports": ()}, "vote"),
        ({"replaces": "T0"}, "size"),
        ({"lines": ()}, "T-1 in the log"),
    ],
)
def test_what_is_not_stored_is_not_checked(changes: dict[str, Any], name: str) -> None:
    assert told(facts(**changes))[name] is OPEN


def test_gates_that_failed_for_more_than_is_stored_are_not_checked() -> None:
    failed = with_gate(0, status=GateStatus.FAIL, value="spread 2%")
    assert told(facts(made=failed))["G2 data"] is OPEN
    old = replace(failed, quote=OLD)
    assert told(facts(made=old))["G2 data"] is SAME
    out = with_gate(2, status=GateStatus.NOT_APPLICABLE, reason="off")
    assert told(facts(made=out))["G9 size"] is OPEN


def test_a_weighted_vote_is_left_open_and_a_hard_veto_is_not() -> None:
    soft = (YES, AgentReport("trader", Vote.VETO, False, ("wide",)))
    assert told(facts(reports=soft))["vote"] is OPEN
    hard = (YES, AgentReport("trader", Vote.VETO, True, ("wide",)))
    assert told(facts(reports=hard))["vote"] is DIFFERS


@pytest.mark.parametrize(
    ("proof", "outcome"),
    [
        (Proof("", None, "", "", FORECAST), SAME),
        (Proof("", None, "", "", replace(FORECAST, q_bounce=0.5)), DIFFERS),
        (Proof("", None, "", "", replace(FORECAST, contributions=())), DIFFERS),
        (Proof("", None, "", None, None), OPEN),
    ],
)
def test_the_registered_model_is_asked_again(proof: Proof, outcome: Outcome) -> None:
    assert told(facts(), proof)["forecast"] is outcome


def test_a_model_that_was_changed_is_named() -> None:
    assert told(facts(), Proof("", None, "", "its hash does not fit", None))["model m-1"] is DIFFERS


def test_without_a_forecast_its_number_is_left_open() -> None:
    nothing = candidate(assessment=changed(forecast=None, no_forecast="no model", ev=None, bcs=None))
    outcomes = told(facts(nothing))
    assert (outcomes["EV"], outcomes["BCS"]) == (OPEN, OPEN)
    assert "forecast" not in outcomes


def test_a_report_holds_chances_contributions_and_evidence_in_every_form() -> None:
    made = document(facts(), (*digests(facts(), NO_PROOF), *recalculated(facts())))
    assert made["assessment"]["p_revert"] == pytest.approx(0.72 * 0.66)
    assert made["assessment"]["contributions"] == [{"feature": "rsi2", "value": 4.0, "amount": 0.3}]
    for text in (markdown(made), page(made)):
        for words in (
            "Forecast and scores",
            "Contributions",
            "Evidence of an edge",
            "q bounce",
            "probability",
        ):
            assert words in text


def test_a_naive_decision_has_no_such_part() -> None:
    made = document(facts(candidate(assessment=None)), ())
    assert made["assessment"] is None
    assert "Forecast and scores" not in markdown(made)
