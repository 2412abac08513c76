"""Builders of gate inputs: everything in order unless a test says otherwise."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.model.candidates import AgentReport, Regime, Vote
from engine.model.ids import instrument_id
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.risk.collar import PriceReferences
from engine.risk.drawdown import Level
from engine.risk.exposure import Exposure
from engine.risk.gates import GateInput, GateStage
from engine.risk.limits import FULL, RiskConfig
from engine.risk.var import ValueAtRisk
from engine.risk.view import RiskView

NOW_US = 1_451_918_400_000_000


@pytest.fixture
def report() -> Callable[..., AgentReport]:
    def build(agent: str, vote: Vote = Vote.APPROVE, *reasons: str) -> AgentReport:
        return AgentReport(agent, vote, False, reasons)

    return build


@pytest.fixture
def quote() -> Callable[..., Quote]:
    def build(
        bid: float | None = 8.35,
        ask: float | None = 8.37,
        age_us: int = 0,
        provenance: Provenance = Provenance.REPLAY,
    ) -> Quote:
        ts = NOW_US - age_us
        return Quote(instrument_id("ABC"), bid, ask, ts, ts, provenance)

    return build


@pytest.fixture
def view() -> Callable[..., RiskView]:
    """An account of 10,000 a little under its high, quiet today."""

    def build(**changes: object) -> RiskView:
        values: dict[str, object] = {
            "equity": Decimal(10_000),
            "high_water": Decimal(10_100),
            "level": Level.NONE,
            "drawdown": Decimal("0.0099"),
            "day_start": Decimal(10_050),
            "day_loss": Decimal("0.005"),
            "is_day_over": False,
            "entries_minute": 1,
            "entries_today": 2,
            "orders_minute": 4,
            "rejects_in_a_row": 0,
        }
        return RiskView(**(values | changes))  # type: ignore[arg-type]  # the builder's own table

    return build


@pytest.fixture
def gate_input(
    report: Callable[..., AgentReport], quote: Callable[..., Quote], view: Callable[..., RiskView]
) -> Callable[..., GateInput]:
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
            "config": RiskConfig(),
            "symbol_halt": "",
            "reconciled_age_us": None,
            "clock_skew_us": None,
            "risk": view(),
            "exposure": Exposure(Decimal(500), (instrument_id("XYZ"),), ()),
            "value_at_risk": ValueAtRisk(200.0, 250.0, 250),
            "sector_open": None,
            "max_per_sector": 3,
            "duplicates": 0,
            "references": PriceReferences(8.37, 8.37, 9.0, is_gap=True),
            "adv_usd": 2e7,
            "live_missing": (),
        }
        return GateInput(**(values | changes))  # type: ignore[arg-type]  # the builder's own table

    return build
