"""What the engine needs from the rim. Each Protocol is implemented outside and passed in by the wiring."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from engine.model.candidates import FeatureValue, Verdict
from engine.model.events import Alarm
from engine.model.features import FeatureLayout, FeatureVector, Refusal, Written
from engine.model.forecasts import Forecast
from engine.model.ids import ClientOrderId, InstrumentId
from engine.model.jobs import JobRecord
from engine.model.market import MarketBatch, Session
from engine.model.orders import BracketKind, BracketSpec, Fill, OrderSpec, VenueOrder, VenueUpdate
from engine.model.policy import ClosedTrade, PolicyStep
from engine.model.positions import AccountSnapshot
from engine.model.secrets import KeyName, Secret

REPLACED = "replaced"
"""Reason of an order that ended because another took its place."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The venue capability card of RELIABILITY 6."""

    bracket_kind: BracketKind
    client_id_unique_for_ever: bool
    request_expiry_us: int | None
    """How late a request may still be carried out; None when the venue sets no bound."""
    visibility_lag_us: int
    """How long after acceptance a query may still miss an order."""
    lookup_by_client_id: bool
    stop_rests_without_us: bool
    can_replace: bool
    reduces_pairs: bool
    """A part filled of one exit of a pair comes off the other in the same instant; it may be told later."""


class Broker(Protocol):
    """One account at one venue.

    The same client order id twice is one order. Reads may be retried. A write whose answer is lost raises
    OrderOutcomeUnknown; a definitive refusal raises OrderRejected; nothing sent raises BrokerUnavailable.
    `updates` ends when the connection ends and never loses an update while it lasts.

    `replace` puts `new`, with an id of its own, in the place of the working `order` of the same instrument
    and side, in one step of the venue and only where the card says `can_replace`. Done: `order` is CANCELED
    with reason `REPLACED` and `new` works for its own whole quantity, in the group that `order` was in.
    Refused, by OrderRejected: `order` works on with its old terms, or is over, and `new` never existed.
    `venue_time_us` is the venue's clock, int microseconds UTC; None when it tells none.
    """

    capabilities: Capabilities

    async def submit_bracket(self, spec: BracketSpec) -> None: ...
    async def submit(self, spec: OrderSpec) -> None: ...
    async def cancel(self, order: ClientOrderId) -> None: ...
    async def replace(self, order: ClientOrderId, new: OrderSpec) -> None: ...
    async def order(self, order: ClientOrderId) -> VenueOrder | None: ...
    async def open_orders(self) -> tuple[VenueOrder, ...]: ...
    async def executions(self, since_us: int) -> tuple[Fill, ...]: ...
    async def account(self) -> AccountSnapshot: ...
    async def venue_time_us(self) -> int | None: ...
    def updates(self) -> AsyncIterator[VenueUpdate]: ...


class Source(Protocol):
    """Streams market data in order of `ts`. `after_us`: only batches later than it."""

    name: str

    def batches(self, after_us: int) -> AsyncIterator[MarketBatch]: ...


@dataclass(frozen=True, slots=True)
class BarColumns:
    """Daily bars of one instrument, oldest first; arrays of shape (T,), prices in USD, volume in shares.

    `day`: datetime64[D], the exchange session. `event_ratio`: what the prior close must be multiplied by
    before it is compared with the open of that row; all 1.0 for adjusted data.
    """

    instrument: InstrumentId
    day: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    event_ratio: np.ndarray

    def __len__(self) -> int:
        return len(self.day)


class BarStore(Protocol):
    """Daily bars. `first` and `last` are inclusive sessions; None means unbounded."""

    def instruments(self) -> tuple[InstrumentId, ...]: ...
    def daily(
        self, instrument: InstrumentId, first: date | None = None, last: date | None = None
    ) -> BarColumns | None: ...
    def all_daily(self) -> Mapping[InstrumentId, BarColumns]: ...
    def put_daily(self, bars: BarColumns, source: str) -> bool:
        """Store all bars of one instrument in one transaction; False when they were there unchanged."""
        ...


class Sessions(Protocol):
    """The exchange calendar."""

    def between(self, first: date, last: date) -> Sequence[Session]: ...
    def on(self, day: date) -> Session | None: ...
    def next_after(self, ts: int) -> Session | None:
        """The first session whose close lies after `ts`; None past the calendar's horizon."""
        ...


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One upsert of the order journal: table name, and column -> value with the table's own names."""

    table: str
    values: Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the hash-chained audit log. `body` must be canonical-JSON-able; `correlation` may be ""."""

    ts: int
    actor: str
    kind: str
    correlation: str
    body: Mapping[str, object]


class Journal(Protocol):
    """The one writer of an account's truth (RELIABILITY 5.1).

    `commit` is one durable transaction: rows and audit entries together, or StorageError and nothing.
    `protective` marks facts: halts, measurements, states and plans of open brackets, never an entry or an
    approval. A journal that cannot be written may keep those in order in memory, and refuses all else until
    they are durable.
    `rows` reads a table in key order: all of it, or the rows whose columns have the texts of `equal`.
    `audit_page` gives the newest `count` lines of the log, newest first; `before`: with lower numbers only.
    """

    def commit(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False
    ) -> None: ...
    def rows(self, table: str, **equal: str) -> Sequence[Mapping[str, str | int | None]]: ...
    def audit(self, correlation: str | None = None) -> Sequence[Mapping[str, str | int]]: ...
    def audit_page(self, before: int | None, count: int) -> Sequence[Mapping[str, str | int]]: ...
    def meta(self, key: str) -> str | None: ...


class VenueStore(Protocol):
    """Where the paper venue keeps its own truth, apart from the journal: key -> JSON text."""

    def load(self) -> Mapping[str, str]: ...
    def get(self, key: str) -> str | None: ...
    def put(self, changed: Mapping[str, str]) -> None:
        """Write all of `changed` in one durable transaction."""
        ...


class JobStore(Protocol):
    """What is remembered of the engine's jobs, by name. The one store whose rows change."""

    def load(self) -> Mapping[str, JobRecord]: ...
    def put(self, record: JobRecord) -> None:
        """Keep it durably in the place of the older one. Raises StorageError."""
        ...


class Snapshots(Protocol):
    """Where an emergency shutdown leaves its document for a person."""

    def write(self, name: str, document: Mapping[str, object]) -> str:
        """Write it whole or not at all, readable by its owner only; says where. Raises StorageError."""
        ...


class Secrets(Protocol):
    """A person's keys, from the first place that holds each (RELIABILITY 9).

    `get`: None where no place holds the key. Both raise ConfigError for a place that others can read or
    change and for a value that cannot be this key, `require` for one that is missing too.
    """

    def get(self, name: KeyName) -> Secret | None: ...
    def require(self, name: KeyName) -> Secret: ...


class Notifier(Protocol):
    """One way to reach a person. It may be slow, fail or hang: whoever calls it bounds and counts that."""

    name: str

    async def notify(self, alarm: Alarm) -> None: ...


class Predictor(Protocol):
    """A registered model of the gap-down bounce (SPEC 3.3): pure, the same inputs give the same forecast."""

    @property
    def model_id(self) -> str: ...
    @property
    def inputs(self) -> tuple[str, ...]:
        """Features it needs, in order."""
        ...

    def forecast(self, values: Mapping[str, float]) -> Forecast:
        """Of one candidate; `values` holds all `inputs`, finite. Raises KeyError for one that is absent."""
        ...


class ModelShelf(Protocol):
    """The model that was the newest one before each session: of a walk-forward, or of the registry."""

    def as_of(self, session: date) -> Predictor | None:
        """None where none was trained by then."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What a memory holds: candidates, those of them with an action, outcomes, and steps of policy."""

    signals: frozenset[str]
    acted: frozenset[str]
    outcomes: frozenset[str]
    steps: frozenset[str]


class FeatureStore(Protocol):
    """Features point in time (SPEC 1.7, 1.8): a read says what was known then, in back-tests as in trading.

    A value is served when it was known by `as_of_us` and is not older than its feature allows, counted from
    when it was true; of features that must come from the last completed bar, when it is not older than
    `bar_us`, where one is given. The newest reading decides: where that holds no value, or a suspect one, an
    earlier value is not served in its place.
    """

    def put(self, vectors: Sequence[FeatureVector]) -> Written:
        """Check and store vectors, durable when it returns; raises StorageError and keeps none of them.

        One that was true before what is stored is kept as history and replaces nothing.
        """
        ...

    def get(
        self, entity: str, ids: Sequence[str], as_of_us: int, bar_us: int | None = None
    ) -> Mapping[str, FeatureValue]:
        """Each of `ids` as it was known; a missing one says why."""
        ...

    def vector(
        self, entity: str, layout: FeatureLayout, as_of_us: int, bar_us: int | None = None
    ) -> FeatureVector | None:
        """The newest vector of one layout as it was known, with NaN for what is not served; None without."""
        ...

    def panel(
        self, entities: Sequence[str], ids: Sequence[str], as_of_us: int, bar_us: int | None = None
    ) -> np.ndarray:
        """The served values of many entities, (entities, ids) float64; NaN where there is none."""
        ...

    def refused(self) -> Mapping[tuple[str, Refusal], int]:
        """How many values were ever refused: (feature or layout, reason) -> count."""
        ...

    def forget(self, now_us: int) -> int:
        """Of each entity and day more than 30 days ago keep the last vector alone; how many went."""
        ...


class Memory(Protocol):
    """The agents' memory tables of SPEC 3.10 and the projection of finished trades. Append-only."""

    def record_verdicts(self, verdicts: Sequence[Verdict], policy_id: str | None = None) -> None:
        """`policy_id`: the policy in force, where no proposal names it."""
        ...

    def record_action(
        self, correlation: str, ts: int, kind: str, actor: str, payload: Mapping[str, object]
    ) -> None: ...
    def record_outcome(self, trade: ClosedTrade) -> None: ...
    def record_policy(self, step: PolicyStep) -> None: ...
    def known(self) -> Known: ...
    def batch(self) -> AbstractContextManager[None]:
        """Group the writes made inside it into one transaction."""
        ...
