"""Tickets of the full rule: what was found out is part of what is approved, and late news refuse it."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.execution.gating import Standing
from engine.execution.proposing import subject_of
from engine.execution.ticketbook import read_ticket
from engine.model.assessment import HIGHEST, Assessment
from engine.model.checks import Check, GateStatus, Step
from engine.model.evidence import EdgeEvidence
from engine.model.forecasts import Contribution, Forecast
from engine.model.market import Headline, MarketBatch, Provenance
from engine.risk.gates import GateStage

FORECAST = Forecast(
    "m-1", 0.7, 0.68, 0.6, 0.74, 0.066, -0.084, -0.003, (Contribution("rsi2", 3.4, 0.2),), ("z5",), False
)
CHECKS = tuple(
    Check(name, step, GateStatus.PASS, "1", "> 0", f"{name} 1, limit 0", "")
    for name, step in (("earnings", Step.EARNINGS), ("EV", Step.SCORES), ("BCS", Step.SCORES))
)
OFFERING = "ABC prices a public offering"
EVIDENCE = EdgeEvidence(3, 2, 0.01, None, None, None)
FOUND = Assessment(
    FORECAST, "", 0.002, 0.012, HIGHEST, 0.62, 5.5, 0.09, EVIDENCE, CHECKS, "all 6 voters approve"
)


@pytest.fixture
async def booth(rig: Any, world: ModuleType) -> Any:
    return world.Booth(rig)


async def test_an_assessment_is_part_of_the_approved_bytes(booth: Any, world: ModuleType) -> None:
    plain = booth.propose().ticket
    full = replace(plain, assessment=FOUND)
    assert b"assessment" not in plain.canonical()
    assert full.sha256 != plain.sha256
    again = read_ticket(full.canonical().decode())
    assert again == full
    assert again.assessment is not None
    assert again.assessment.forecast == FORECAST
    assert again.assessment.is_unproved


@pytest.fixture
def tell(booth: Any, world: ModuleType) -> Any:
    """A headline that is known from so many seconds on."""

    def make(title: str, from_s: float) -> None:
        now = booth.rig.clock.now_us()
        ts = now + round(from_s * US_PER_S)
        item = Headline((world.ABC,), title, "wire", ts, ts, Provenance.LIVE)
        booth.rig.picture.take(MarketBatch(now, headlines=(item,)))
        booth.quote(100.0)

    return make


async def test_severe_news_after_the_proposal_refuse_the_approval(booth: Any, tell: Any) -> None:
    entry = booth.propose()
    await booth.rig.advance(5)
    tell(OFFERING, 0)
    answer = booth.approve(entry)
    assert (answer.ok, answer.code) == (False, "gated_out")
    assert answer.text.endswith(f'told since the agents judged: offering: "{OFFERING}".')


@pytest.mark.parametrize(("title", "from_s"), [("ABC opens a plant", 0), (OFFERING, -60), (OFFERING, 1)])
async def test_other_news_refuse_nothing(booth: Any, tell: Any, title: str, from_s: float) -> None:
    """Calm ones, those that the agents judged, and what is not known yet."""
    entry = booth.propose()
    await booth.rig.advance(5)
    tell(title, from_s)
    assert booth.approve(entry).ok


async def test_a_frozen_strategy_waits_for_nobody(booth: Any, world: ModuleType) -> None:
    booth.gatekeeper = replace(booth.gatekeeper, standing=lambda strategy: Standing(None, "compliance: size"))
    results = {
        result.gate: result
        for result in booth.gatekeeper.run(GateStage.PROPOSAL, subject_of(make_proposal(booth, world)))
    }
    assert results["G3"].reason == "the strategy is frozen: compliance: size"


async def test_the_gates_of_a_full_proposal_are_those_of_its_assessment(
    booth: Any, world: ModuleType
) -> None:
    proposal = make_proposal(booth, world, FOUND)
    results = {
        result.gate: result for result in booth.gatekeeper.run(GateStage.PROPOSAL, subject_of(proposal))
    }
    assert results["G4"].value == "1 of 1 approve, 1, 1"
    assert "no past proposals were followed" in results["G3"].reason
    assert results["G7"].reason == "dataset has no spreads"


def make_proposal(booth: Any, world: ModuleType, found: Assessment | None = None) -> Any:
    booth.quote(100.0)
    proposal = world.make_verdict().proposal
    return replace(proposal, candidate=replace(proposal.candidate, assessment=found))
