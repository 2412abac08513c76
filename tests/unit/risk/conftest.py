"""Builders of gate inputs: everything in order unless a test says otherwise."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.model.candidates import AgentReport, Regime, Vote
from engine.model.ids import instrument_id
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.risk.gates import GateInput, GateStage
from engine.risk.limits import FULL

NOW_US = 1_451_918_400_000_000


@pytest.fixture
def report() -> Callable[..., AgentReport]:
    def build(agent: str, vote: Vote = Vote.APPROVE, *reasons: str) -> AgentReport:
        return AgentReport(agent, vote, False, reasons)

    return build


@pytest.fixture
def quote() -> Callable[..., Quote]:
    def build(bid: float | None = 8.35, ask: float | None = 8.37, age_us: int = 0) -> Quote:
        ts = NOW_US - age_us
        return Quote(instrument_id("ABC"), bid, ask, ts, ts, Provenance.REPLAY)

    return build


@pytest.fixture
def gate_input(report: Callable[..., AgentReport], quote: Callable[..., Quote]) -> Callable[..., GateInput]:
    """A daily replay with limits where every gate passes or has its excuse."""

    def build(**changes: object) -> GateInput:
        values: dict[str, object] = {
            "stage": GateStage.PROPOSAL,
            "now_us": NOW_US,
            "engine_state": "RUNNING",
            "halt_reason": "",
            "account_kind": AccountKind.SIMULATION,
            "strategy_stage": "paper",
            "quote": quote(),
            "quote_max_age_us": 15_000_000,
            "reports": (report("sentinel"), report("trader")),
            "regime": Regime.NORMAL,
            "dataset": True,
            "rule": "naive",
            "open_in_strategy": 3,
            "max_in_strategy": 8,
            "open_total": 3,
            "max_total": 20,
            "open_in_instrument": 0,
            "entries_this_session": 1,
            "max_entries_per_session": 3,
            "quantity": Decimal(39),
            "lot_size": Decimal(1),
            "limit_price": Decimal("8.37"),
            "tick_size": Decimal("0.01"),
            "buying_power": Decimal("9673.57"),
            "market_open": True,
            "switches": FULL,
        }
        return GateInput(**(values | changes))  # type: ignore[arg-type]  # the builder's own table

    return build
