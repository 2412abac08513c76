"""The agents' memory (SPEC 3.10). Append-only: there is no way to change or delete a row.

The same fact recorded twice is one row, so that the memory can be rebuilt from the journal.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from engine.errors import InvariantBroken, StorageError
from engine.model.candidates import Regime, Verdict, Vote
from engine.model.ids import CorrelationId, InstrumentId, StrategyName, TicketId
from engine.model.policy import Author, ClosedTrade, Param, PolicyStep
from engine.model.positions import ExitReason
from engine.model.tickets import to_plain
from engine.ports import Known
from storage.audit import canonical
from storage.database import reason_of
from storage.memory_records import (
    ActionKind,
    ActionRecord,
    OutcomeRecord,
    PolicyRecord,
    SignalRecord,
    agent_report,
    feature_value,
    outcome_values,
    policy_values,
    signal_values,
)
from storage.sql import NAME, describe, open_engine, sql_errors

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from storage.tables import Action, Outcome, PolicyChange, Signal, Table

    Row = TypeVar("Row", Signal, Action, Outcome, PolicyChange)
    Record = TypeVar("Record")


class SqlMemory:
    """`engine.ports.Memory` on SQLite or PostgreSQL."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._open: Connection | None = None

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return describe(self._engine)

    def record_verdicts(self, verdicts: Sequence[Verdict], policy_id: str | None = None) -> None:
        """Keep what became of each candidate, with the features and votes behind it.

        `policy_id`: the policy in force, where no proposal names it.
        """
        from storage.tables import Signal  # loaded with the database

        if verdicts:
            self._add(Signal, [signal_values(verdict, policy_id) for verdict in verdicts])

    def record_action(
        self, correlation: str, ts: int, kind: str, actor: str, payload: Mapping[str, object]
    ) -> None:
        """Keep one step; `kind` is a word of ActionKind. Raises InvariantBroken for another."""
        from storage.tables import Action  # loaded with the database

        if kind not in set(ActionKind):
            raise InvariantBroken(f"an action of kind {kind!r} is not one of {', '.join(ActionKind)}")
        facts = {"correlation": correlation, "ts": ts, "kind": kind, "actor": actor}
        text = canonical({**facts, "payload": payload})
        with self.batch():
            row: dict[str, object] = {
                "action_id": hashlib.sha256(text.encode()).hexdigest()[:32],
                "signal_id": self._known_signal(correlation),
                "payload": to_plain(dict(payload)),
                **facts,
            }
            self._add(Action, [row])

    def record_outcome(self, trade: ClosedTrade) -> None:
        """Keep a trade that ended, or a followed signal, with its reward."""
        from storage.tables import Outcome  # loaded with the database

        with self.batch():
            row = {**outcome_values(trade), "signal_id": self._known_signal(trade.correlation)}
            self._add(Outcome, [row])

    def record_policy(self, step: PolicyStep) -> None:
        """Keep a step that was applied: a row for each parameter that it moved."""
        from storage.tables import PolicyChange  # loaded with the database

        self._add(PolicyChange, policy_values(step))

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make the writes inside it one transaction; none of them stays when it is left by an error."""
        if self._open is not None:
            yield
            return
        with sql_errors(self._engine, "writing"), self._engine.begin() as connection:
            self._open = connection
            try:
                yield
            finally:
                self._open = None

    def signals(self, correlation: str | None = None) -> tuple[SignalRecord, ...]:
        """What was judged, by time: everything, or one candidate."""
        from storage.tables import Signal  # loaded with the database

        return self._records(Signal, _signal_record, correlation, "ts", "signal_id")

    def actions(self, correlation: str | None = None) -> tuple[ActionRecord, ...]:
        """What was done, by time: everything, or for one candidate."""
        from storage.tables import Action  # loaded with the database

        return self._records(Action, _action_record, correlation, "ts", "action_id")

    def outcomes(self, correlation: str | None = None) -> tuple[OutcomeRecord, ...]:
        """How it ended, by time: everything, or for one candidate."""
        from storage.tables import Outcome  # loaded with the database

        return self._records(Outcome, _outcome_record, correlation, "exit_ts", "outcome_id")

    def policies(self) -> tuple[PolicyRecord, ...]:
        """How thresholds changed, by time."""
        from storage.tables import PolicyChange  # loaded with the database

        return self._records(PolicyChange, _policy_record, None, "ts", "policy_id")

    def known(self) -> Known:
        """What it holds, by id."""
        from storage.tables import Action, Outcome, PolicyChange, Signal  # loaded with the database

        ids = [
            self._ids(column)
            for column in (
                Signal.signal_id,
                Action.correlation,
                Outcome.outcome_id,
                PolicyChange.correlation,
            )
        ]
        return Known(*ids)

    def _ids(self, column: str) -> frozenset[str]:
        from sqlmodel import col, select  # loaded with the database

        with self._connection() as connection:
            return frozenset(str(row[0]) for row in connection.execute(select(col(column)).distinct()))

    def trades(self) -> tuple[ClosedTrade, ...]:
        """Outcomes as the policy reads them, by time; rows of before all of it was kept are left out."""
        return tuple(record.trade for record in self.outcomes() if record.trade is not None)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, table: "type[Table]", rows: list[dict[str, object]]) -> None:
        from sqlalchemy.dialects import postgresql, sqlite  # loaded with the database

        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with self._connection() as connection:
            connection.execute(insert(table).on_conflict_do_nothing(), rows)

    def _known_signal(self, correlation: str) -> str | None:
        """The key of the signal; None where it is not on record, for instance in a new database."""
        from sqlmodel import col, select  # loaded with the database

        from storage.tables import Signal

        with self._connection() as connection:
            found = connection.execute(
                select(Signal.signal_id).where(col(Signal.signal_id) == correlation)
            ).first()
        return None if found is None else str(found[0])

    def _records(
        self,
        table: "type[Row]",
        convert: "Callable[[Row], Record]",
        correlation: str | None,
        *order: str,
    ) -> "tuple[Record, ...]":
        try:
            return tuple(convert(row) for row in self._rows(table, correlation, *order))
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            raise StorageError(
                f"the {NAME} {self.place} holds a row that makes no sense: {reason_of(error)}",
                "Keep the database, and restore the last backup",
            ) from error

    def _rows(self, table: "type[Row]", correlation: str | None, *order: str) -> "Sequence[Row]":
        from sqlmodel import Session, col, select  # loaded with the database

        query = select(table).order_by(*(getattr(table, name) for name in order))
        if correlation is not None:
            query = query.where(col(table.correlation) == correlation)
        with self._connection() as connection, Session(connection) as session:
            return session.exec(query).all()

    @contextmanager
    def _connection(self) -> "Iterator[Connection]":
        with sql_errors(self._engine, "using"), self.batch():
            if self._open is None:
                raise InvariantBroken("a batch of the agents' memory has no connection")
            yield self._open


def open_memory(target: Path | str, *, read_only: bool = False) -> SqlMemory:
    """Open the memory in a file (a Path) or at a PostgreSQL URL (a str); see `open_engine`."""
    return SqlMemory(open_engine(target, read_only=read_only))


def _signal_record(row: "Signal") -> SignalRecord:
    return SignalRecord(
        correlation=CorrelationId(row.correlation),
        ts=row.ts,
        strategy=StrategyName(row.strategy),
        instrument=InstrumentId(row.instrument),
        session=row.session,
        features=tuple(feature_value(plain) for plain in row.features),
        p_revert=row.p_revert,
        bcs=row.bcs,
        regime=Regime(row.regime),
        votes=tuple(agent_report(plain) for plain in row.votes),
        vetoed=row.vetoed,
        veto_agent=row.veto_agent,
        veto_reason=row.veto_reason,
        model_version=row.model_version,
        policy_id=row.policy_id,
    )


def _action_record(row: "Action") -> ActionRecord:
    return ActionRecord(
        correlation=CorrelationId(row.correlation),
        ts=row.ts,
        kind=ActionKind(row.kind),
        actor=row.actor,
        payload=row.payload,
    )


def _outcome_record(row: "Outcome") -> OutcomeRecord:
    return OutcomeRecord(
        ticket=TicketId(row.outcome_id),
        correlation=CorrelationId(row.correlation),
        shadow=row.shadow,
        entry_ts=row.entry_ts,
        entry_px=Decimal(row.entry_px),
        exit_ts=row.exit_ts,
        exit_px=Decimal(row.exit_px),
        exit_reason=ExitReason(row.exit_reason),
        sessions=row.sessions,
        ret=row.ret,
        cost=Decimal(row.cost),
        mae=row.mae,
        mfe=row.mfe,
        reward=row.reward,
        trade=_trade(row),
    )


def _trade(row: "Outcome") -> ClosedTrade | None:
    """All of an outcome; None where its row was written before all of it was kept."""
    if row.exit_session is None or row.session is None or row.quantity is None or row.proposed is None:
        return None
    return ClosedTrade(
        id=row.outcome_id,
        correlation=CorrelationId(row.correlation),
        strategy=StrategyName(row.strategy or ""),
        instrument=InstrumentId(row.instrument or ""),
        session=row.session,
        shadow=row.shadow,
        proposed=row.proposed,
        entry_us=row.entry_ts,
        entry_price=Decimal(row.entry_px),
        exit_us=row.exit_ts,
        exit_session=row.exit_session,
        exit_price=Decimal(row.exit_px),
        exit_reason=ExitReason(row.exit_reason),
        sessions=row.sessions,
        quantity=Decimal(row.quantity),
        cost=Decimal(row.cost),
        votes={agent: Vote(word) for agent, word in (row.votes or {}).items()},
        mae=row.mae,
        mfe=row.mfe,
    )


def _policy_record(row: "PolicyChange") -> PolicyRecord:
    return PolicyRecord(
        policy_id=row.policy_id,
        step=row.correlation,
        ts=row.ts,
        parent_id=row.parent_id,
        param=Param(row.param),
        old=None if row.old is None else float(row.old),
        new=float(row.new),
        reason=row.reason,
        evidence=tuple(CorrelationId(str(found["correlation"])) for found in row.evidence),
        author=Author(row.author),
    )
