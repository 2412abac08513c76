"""What the screen Health is shown: every source of data, and the engine's own pulse. `None` is not known."""

from dataclasses import dataclass
from enum import StrEnum


class SourceWord(StrEnum):
    """How a source does; never open or closed, a trader reads them the wrong way round."""

    OK = "ok"
    OFF = "off"
    """Its breaker keeps calls away."""
    TRYING = "trying"
    """One probe is out."""
    WAITING = "waiting"
    """Its budget is used, or it has not spoken yet."""
    MUTE = "mute"
    """Silent for longer than it may be."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One stream of data or service."""

    name: str
    word: SourceWord
    age_us: int | None
    """Since it last told something; None: never."""
    max_age_us: int
    budget_ratio: float | None
    """Of its calls in the current window; None: none is set."""
    messages: int
    note: str
    p95_ms: float | None = None
    """Of its last 100 calls; None: it is not called, or was not yet."""
    success_ratio: float | None = None
    """Of its last 100 calls."""
    failures: int = 0
    """Calls in a row."""
    sla: str = ""
    """OK, DEGRADED or FAILED; "" where nothing is expected of it."""
    last_error: str = ""
    """"" when the last call went well."""
    best_effort: bool = False
    """Never the only evidence for an order with real money."""


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One pulse of the engine: `p95 3 ms` of `< 50 ms`."""

    name: str
    figure: str
    limit: str
    """"" where there is none."""
    ok: bool | None
    """None: not measured yet."""
    value: float | None
    """The figure as a number, for JSON."""
    unit: str
    """Of `value`: ms, rows, s, bytes; "" without one."""


@dataclass(frozen=True, slots=True)
class GuestView:
    """A console that is attached to the engine over its socket."""

    number: int
    """Counted from 1 since the engine started."""
    user: str
    terminal: str
    """`pts/7`; "" when the system does not tell."""
    pid: int | None
    acts: bool
    """False: it may look only."""
    since_us: int
    """Wall clock, not the engine's."""


@dataclass(frozen=True, slots=True)
class HealthView:
    """Everything that Health shows."""

    sources: tuple[SourceRow, ...]
    sources_ok: int
    rows: tuple[HealthRow, ...]
    trusted: bool
    """Every row that is measured is ok, and no fate of an order is unknown."""
    pid: int | None
    up_us: int | None
    """Since the process began."""
    version: str
    guests: tuple[GuestView, ...] = ()
    """Who else looks on, longest first."""


NO_HEALTH = HealthView((), 0, (), False, None, None, "")
"""Before an engine said anything."""
