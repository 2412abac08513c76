"""A closed trade as the journal holds it, and a journal to keep what is found of it."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.agents.compliance import Facts
from engine.agents.policyrows import Rules
from engine.clock import TestClock
from engine.model.candidates import AgentReport, GateResult, GateStatus, Vote
from engine.model.ids import CorrelationId, InstrumentId, StrategyName, UlidFactory
from engine.model.market import Session
from engine.model.policy import ClosedTrade
from engine.model.positions import AccountKind, ExitReason, RoundTrip
from engine.risk.limits import FULL
from engine.strategies.adapting import default_policy
from engine.strategies.gaps_config import GapsConfig
from storage.journal import SqliteJournal, open_journal


class Weekdays:
    """A calendar of weekdays."""

    def between(self, first: date, last: date) -> list[Session]:
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [Session(day, 0, 1) for day in days if day.weekday() < 5]


@pytest.fixture(scope="session")
def calendar() -> Any:
    """A calendar of weekdays."""
    return Weekdays()


@pytest.fixture(scope="session")
def world() -> ModuleType:
    """The builders of the execution core's own tests."""
    # By path: another distribution installs a top-level package `tests`.
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def rules() -> Rules:
    """The defaults on a paper account."""
    return Rules(GapsConfig(), AccountKind.PAPER, FULL, 0.10)


@pytest.fixture
def facts(world: ModuleType, rules: Rules) -> Facts:
    """12 shares of ABC at 100 on 100,000 of equity, as the rules demand; sold at the target."""
    gates = tuple(GateResult(f"G{n}", "gate", GateStatus.PASS, "", "", "fine") for n in range(1, 12))
    report = AgentReport("screener", Vote.APPROVE, False, ("fine",))
    ticket = replace(world.make_ticket(quantity=12), gates=gates, reports=(report,))
    trip = RoundTrip(
        ticket.id,
        ticket.number,
        ticket.correlation,
        ticket.strategy,
        ticket.account,
        ticket.instrument,
        ticket.session,
        Decimal(12),
        Decimal(100),
        Decimal(106),
        ticket.created_us,
        ticket.created_us + 60_000_000,
        ExitReason.TARGET,
        1,
        Decimal(72),
        Decimal("0.03"),
    )
    return Facts(
        ticket=ticket,
        stored_sha256=ticket.sha256,
        approved_by="nina on pts/7",
        approved_us=ticket.created_us,
        approvals=({"nonce": "n", "ticket": ticket.id},),
        bracket={"id": ticket.id, "qty": "12"},
        orders=(
            {"role": "E", "n": 0, "px": "100", "stop_px": None},
            {"role": "S", "n": 0, "px": None, "stop_px": "92"},
            {"role": "T", "n": 0, "px": "106", "stop_px": None},
        ),
        others=(),
        ended={},
        trip=trip,
        rules=rules,
        policy=default_policy(rules.gaps, "p0"),
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """An empty journal."""
    with open_journal(tmp_path / "journal.db", "paper", AccountKind.SIMULATION) as opened:
        yield opened


@pytest.fixture
def clock() -> TestClock:
    """Monday 4 January 2016, 21:00 UTC."""
    return TestClock(1_451_941_200_000_000)


@pytest.fixture
def ids(clock: TestClock) -> UlidFactory:
    """Names for steps."""
    return UlidFactory(clock.now_us, lambda bits: 1)


@pytest.fixture
def trade() -> Callable[..., ClosedTrade]:
    """The n-th closed trade."""

    def make(n: int, reason: ExitReason = ExitReason.STOP, **changes: Any) -> ClosedTrade:
        values: dict[str, Any] = dict(
            id=f"T{n}",
            correlation=CorrelationId(f"C{n}"),
            strategy=StrategyName("gaps"),
            instrument=InstrumentId(f"A{n % 5}.US"),
            session=date(2015, 12, 1),
            shadow=False,
            proposed=True,
            entry_us=n,
            entry_price=Decimal(10),
            exit_us=n,
            exit_session=date(2015, 12, 1),
            exit_price=Decimal("10.6") if reason is ExitReason.TARGET else Decimal("9.2"),
            exit_reason=reason,
            sessions=1,
            quantity=Decimal(5),
            cost=Decimal(0),
        )
        return ClosedTrade(**{**values, **changes})

    return make
