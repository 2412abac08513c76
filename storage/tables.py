"""The agents' memory (SPEC 3.10) in types that SQLite and PostgreSQL share; rows never leave `storage`.

Times are BIGINT microseconds UTC. Decimals are text in plain form: SQLite has no exact number. Rows of the
agents' tables are only ever added: a correction is a new row. Importing this module costs half a second: do
it inside functions.
"""

from datetime import date

from sqlalchemy import JSON, BigInteger, Column, MetaData, Text
from sqlmodel import Field, SQLModel

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


class Table(SQLModel):
    """Keeps our tables apart from those of any other SQLModel user in the process."""

    metadata = METADATA


class Signal(Table, table=True):
    """One candidate as its strategy judged it. `signal_id` is the candidate's correlation id."""

    __tablename__ = "signals"

    signal_id: str = Field(primary_key=True, sa_type=Text)
    correlation: str = Field(index=True, sa_type=Text)
    ts: int = Field(index=True, sa_type=BigInteger)
    strategy: str = Field(sa_type=Text)
    instrument: str = Field(index=True, sa_type=Text)
    session: date
    features: list[dict[str, str | int | float | None]] = Field(sa_column=Column(JSON, nullable=False))
    p_revert: float | None = None
    bcs: float | None = None
    regime: str = Field(sa_type=Text)
    votes: list[dict[str, object]] = Field(sa_column=Column(JSON, nullable=False))
    vetoed: bool
    veto_agent: str | None = Field(default=None, sa_type=Text)
    veto_reason: str | None = Field(default=None, sa_type=Text)
    model_version: str | None = Field(default=None, sa_type=Text)
    policy_id: str | None = Field(default=None, sa_type=Text)


class Action(Table, table=True):
    """One step that followed from a signal. `signal_id` is empty where the signal itself is not on record."""

    __tablename__ = "actions"

    action_id: str = Field(primary_key=True, sa_type=Text)
    signal_id: str | None = Field(default=None, foreign_key="signals.signal_id", sa_type=Text)
    correlation: str = Field(index=True, sa_type=Text)
    ts: int = Field(index=True, sa_type=BigInteger)
    kind: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    payload: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))


class Outcome(Table, table=True):
    """One finished round trip, real or followed on paper. Ratios are fractions, `reward` as in SPEC 3.10.

    What stands after `reward` is empty in rows of before it was kept.
    """

    __tablename__ = "outcomes"

    outcome_id: str = Field(primary_key=True, sa_type=Text)
    signal_id: str | None = Field(default=None, foreign_key="signals.signal_id", sa_type=Text)
    correlation: str = Field(index=True, sa_type=Text)
    shadow: bool
    entry_ts: int = Field(sa_type=BigInteger)
    entry_px: str = Field(sa_type=Text)
    exit_ts: int = Field(index=True, sa_type=BigInteger)
    exit_px: str = Field(sa_type=Text)
    exit_reason: str = Field(sa_type=Text)
    sessions: int
    ret: float
    cost: str = Field(sa_type=Text)
    mae: float | None = None
    mfe: float | None = None
    reward: float | None = None
    strategy: str | None = Field(default=None, sa_type=Text)
    instrument: str | None = Field(default=None, sa_type=Text)
    session: date | None = None
    exit_session: date | None = None
    proposed: bool | None = None
    quantity: str | None = Field(default=None, sa_type=Text)
    net: float | None = None
    votes: dict[str, str] | None = Field(default=None, sa_column=Column(JSON))


class PolicyChange(Table, table=True):
    """One change of a parameter, with the evidence behind it (SPEC 3.11). `author`: auditor or user."""

    __tablename__ = "policy_history"

    policy_id: str = Field(primary_key=True, sa_type=Text)
    correlation: str = Field(index=True, sa_type=Text)
    ts: int = Field(index=True, sa_type=BigInteger)
    parent_id: str | None = Field(default=None, sa_type=Text)
    param: str = Field(sa_type=Text)
    old: str | None = Field(default=None, sa_type=Text)
    new: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    evidence: list[dict[str, object]] = Field(sa_column=Column(JSON, nullable=False))
    author: str = Field(sa_type=Text)


class Job(Table, table=True):
    """One scheduled job of the engine and its next run; the one table whose rows change."""

    __tablename__ = "job"

    name: str = Field(primary_key=True, sa_type=Text)
    next_us: int | None = Field(default=None, sa_type=BigInteger)
    last_us: int | None = Field(default=None, sa_type=BigInteger)
    last_result: str | None = Field(default=None, sa_type=Text)
    last_error: str | None = Field(default=None, sa_type=Text)
    runs: int = 0
    failures: int = 0
    running_us: int | None = Field(default=None, sa_type=BigInteger)
    """When the run that is under way began; empty while none is."""
