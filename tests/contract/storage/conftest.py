"""Every implementation of the storage ports, and builders of what is stored."""

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import InvariantBroken
from engine.model.candidates import (
    AgentReport,
    FeatureValue,
    GapCandidate,
    MissingReason,
    Proposal,
    Regime,
    Verdict,
    Vote,
)
from engine.model.exits import single_target
from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName, TicketId
from engine.model.policy import ClosedTrade
from engine.model.positions import AccountKind, ExitReason, RoundTrip
from engine.ports import AuditEntry, BarColumns, Journal, JournalRow, VenueStore
from storage.audit import FIRST_PREVIOUS, canonical, chain, row_text
from storage.bars import SqliteBarStore, open_bars
from storage.degraded import LastingJournal, open_lasting_journal
from storage.journal import connect_journal, open_journal
from storage.memory import SqlMemory, open_memory
from storage.paper_book import open_paper_book

KEYS = {
    "meta": ("k",),
    "ticket": ("id",),
    "bracket": ("id",),
    "ord": ("cid",),
    "fill": ("venue", "exec_id"),
    "halt": ("scope",),
    "nonce": ("nonce",),
    "round_trip": ("ticket",),
    "proposal_seen": ("key",),
    "whynot": ("correlation",),
    "settlement": ("id",),
    "policy": ("id",),
    "shadow": ("correlation",),
    "excursion": ("ticket",),
    "compliance": ("ticket",),
    "freeze": ("strategy",),
}


class MemoryJournal:
    """A journal in memory: the same promises, nothing kept. It knows tables and keys, not columns."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[tuple[str | int | None, ...], dict[str, str | int | None]]] = {
            name: {} for name in KEYS
        }
        self._audit: list[dict[str, str | int]] = []

    def commit(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False
    ) -> None:
        for row in rows:
            if row.table not in KEYS:
                raise InvariantBroken(f"no table {row.table!r}")
            if any(row.values.get(key) is None for key in KEYS[row.table]):
                raise InvariantBroken(f"a row of {row.table} lacks its key")
        bodies = [canonical(entry.body) for entry in audit]
        for row in rows:
            key = tuple(row.values[name] for name in KEYS[row.table])
            self._tables[row.table].setdefault(key, {}).update(row.values)
        for entry, body in zip(audit, bodies, strict=True):
            seq = len(self._audit) + 1
            previous = str(self._audit[-1]["h"]) if self._audit else FIRST_PREVIOUS
            text = row_text(seq, entry.ts, entry.actor, entry.kind, entry.correlation, body)
            self._audit.append(
                {
                    "seq": seq,
                    "ts_us": entry.ts,
                    "actor": entry.actor,
                    "kind": entry.kind,
                    "correlation": entry.correlation,
                    "body": body,
                    "prev": previous,
                    "h": chain(previous, text),
                }
            )

    def rows(self, table: str, **equal: str) -> Sequence[Mapping[str, str | int | None]]:
        if table not in KEYS:
            raise InvariantBroken(f"no table {table!r}")
        found = self._tables[table]
        return tuple(found[key] for key in sorted(found, key=str) if equal.items() <= found[key].items())

    def audit(self, correlation: str | None = None) -> Sequence[Mapping[str, str | int]]:
        return tuple(row for row in self._audit if correlation in (None, row["correlation"]))

    def meta(self, key: str) -> str | None:
        row = self._tables["meta"].get((key,))
        return None if row is None else str(row["v"])


class MemoryVenueStore:
    """A venue's book in memory."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self._values.get(key)

    def load(self) -> Mapping[str, str]:
        return dict(self._values)

    def put(self, changed: Mapping[str, str]) -> None:
        self._values.update(changed)


class FullDisk(sqlite3.Connection):
    """Takes no transaction while `is_full`."""

    is_full = False

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if self.is_full and sql.startswith("BEGIN"):
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *values)


class InMemory(LastingJournal):
    """On a disk that takes nothing: whatever is committed is kept in memory."""

    def commit(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False
    ) -> None:
        assert isinstance(self._connection, FullDisk)
        self._connection.is_full = True
        super().commit(rows, audit, protective=True)


@pytest.fixture(params=["sqlite", "lasting", "lasting, disk full", "fake"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    path = tmp_path / "journal.db"
    if request.param == "fake":
        yield MemoryJournal()
    elif request.param == "sqlite":
        with open_journal(path, "paper", AccountKind.PAPER) as opened:
            yield opened
    elif request.param == "lasting":
        with open_lasting_journal(path, "paper", AccountKind.SIMULATION) as opened:
            yield opened
    else:
        connection, epoch = connect_journal(path, "paper", AccountKind.SIMULATION, factory=FullDisk)
        with InMemory(connection, path, epoch) as opened:
            yield opened


@pytest.fixture(params=["sqlite", "fake"])
def venue_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VenueStore]:
    if request.param == "fake":
        yield MemoryVenueStore()
        return
    with open_paper_book(tmp_path / "paper.db") as opened:
        yield opened


@pytest.fixture
def bar_store(tmp_path: Path) -> Iterator[SqliteBarStore]:
    with open_bars(tmp_path / "bars.db") as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def memory_target(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """An empty database of each kind: a file, and a schema of its own in the PostgreSQL that CI names."""
    if request.param == "sqlite":
        return tmp_path / "tradedeck.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty schema of its own."""
    url = os.environ.get("TRADEDECK_TEST_PG")
    if not url:
        pytest.skip("needs a PostgreSQL: set TRADEDECK_TEST_PG to its URL (.ci/postgres starts one)")
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{name}"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def memory(memory_target: Path | str) -> Iterator[SqlMemory]:
    with open_memory(memory_target) as opened:
        yield opened


@pytest.fixture
def new_bars() -> Callable[..., BarColumns]:
    """Bars of consecutive calendar days from `first`, prices rising by a cent from `price`."""

    def build(instrument: str, first: str, count: int, price: float = 10.0) -> BarColumns:
        day = np.datetime64(first, "D") + np.arange(count).astype("timedelta64[D]")
        close = price + 0.01 * np.arange(count)
        return BarColumns(
            instrument=InstrumentId(instrument),
            day=day,
            open=close - 0.05,
            high=close + 0.1,
            low=close - 0.1,
            close=close,
            volume=1_000_000.0 + np.arange(count),
            event_ratio=np.ones(count),
        )

    return build


@pytest.fixture
def new_verdict() -> Callable[..., Verdict]:
    """A candidate judged: proposed, or vetoed by the Screener unless `reports` say otherwise."""

    def build(
        correlation: str = "01CORRELATION0000000000001",
        proposed: bool = True,
        reports: tuple[AgentReport, ...] | None = None,
        features: tuple[FeatureValue, ...] | None = None,
        reason: str = "",
    ) -> Verdict:
        candidate = GapCandidate(
            correlation=CorrelationId(correlation),
            strategy=StrategyName("gaps"),
            instrument=InstrumentId("ABC.US"),
            session=date(2016, 1, 4),
            decided_us=1_451_917_800_000_000,
            decision_price=8.37,
            prev_close=9.0,
            gap=-0.07,
            adv_usd_20=8e6,
            regime=Regime.HIGH_VIX,
            features=features
            or (
                FeatureValue("z5", -2.1, None, 1, 2, "replay", "1.0.0"),
                FeatureValue("rsi2", None, MissingReason.INSUFFICIENT_HISTORY, 1, 2, "replay", "1.0.0"),
            ),
        )
        found = reports or (
            AgentReport("sentinel", Vote.APPROVE, False, ("adv 8.0M, limit 5.0M",), "ok", 0.8, 12),
            AgentReport(
                "screener", Vote.APPROVE if proposed else Vote.VETO, False, ("gap -2 %, limit -5 %",)
            ),
        )
        proposal = Proposal(
            candidate=candidate,
            reports=found,
            limit_price=Decimal("8.37"),
            quantity=Decimal(14),
            exit_plan=single_target(Decimal("7.70"), Decimal("8.87"), 5),
            size_binding="size_pct",
            entry_ttl_us=600_000_000,
            approval_ttl_us=600_000_000,
            priority=1.0,
            policy_id="default",
            model_id=None,
        )
        return Verdict(candidate, found, proposal if proposed else None, reason)

    return build


@pytest.fixture
def new_trade() -> Callable[..., ClosedTrade]:
    """A trade of the candidate that `new_verdict` makes, as it ended."""

    def build(ticket: str = "01TICKET000000000000000001", **changes: Any) -> ClosedTrade:
        values: dict[str, Any] = dict(
            id=ticket,
            correlation=CorrelationId("01CORRELATION0000000000001"),
            strategy=StrategyName("gaps"),
            instrument=InstrumentId("ABC.US"),
            session=date(2016, 1, 4),
            shadow=False,
            proposed=True,
            entry_us=1_451_917_801_000_000,
            entry_price=Decimal("8.3700000001"),
            exit_us=1_452_000_000_000_000,
            exit_session=date(2016, 1, 5),
            exit_price=Decimal("8.8722"),
            exit_reason=ExitReason.TARGET,
            sessions=2,
            quantity=Decimal(14),
            cost=Decimal("0.02"),
            votes={"sentinel": Vote.APPROVE, "forecaster": Vote.ABSTAIN},
            mae=-0.031,
            mfe=0.0625,
        )
        return ClosedTrade(**{**values, **changes})

    return build


@pytest.fixture
def new_round_trip() -> Callable[..., RoundTrip]:
    """A finished trade of the candidate that `new_verdict` makes."""

    def build(
        ticket: str = "01TICKET000000000000000001",
        exit_reason: ExitReason = ExitReason.TARGET,
        correlation: str = "01CORRELATION0000000000001",
    ) -> RoundTrip:
        return RoundTrip(
            ticket=TicketId(ticket),
            number=18,
            correlation=CorrelationId(correlation),
            strategy=StrategyName("gaps"),
            account=AccountId("paper"),
            instrument=InstrumentId("ABC.US"),
            session=date(2016, 1, 4),
            quantity=Decimal(14),
            entry_price=Decimal("8.3700000001"),
            exit_price=Decimal("8.8722"),
            entry_us=1_451_917_801_000_000,
            exit_us=1_452_000_000_000_000,
            exit_reason=exit_reason,
            sessions=2,
            pnl=Decimal("7.01"),
            fees=Decimal("0.02"),
        )

    return build
