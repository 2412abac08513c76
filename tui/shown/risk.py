"""What the screen Risk is shown: the fall from the high, every limit with what is used, why entries are off.

Money Decimal in account currency, ratios fractions, times int microseconds UTC; `None` is not known.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.model.ids import Symbol


@dataclass(frozen=True, slots=True)
class DrawdownStep:
    """A level of the drawdown breaker, as configured."""

    level: int
    at_ratio: float
    effect: str
    """`sizes halved`, `conservative only`, `stop`."""
    release_ratio: float | None
    """It ends below this fall; None: by a person's word only."""
    release: str
    """`below 3.0%`, `until you type the account name`."""


class Unit(StrEnum):
    """What the numbers of a limit count."""

    COUNT = "count"
    RATIO = "ratio"
    """Of the account's equity, shown as percent."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit: how much of it is used, by what."""

    name: str
    used: float | None
    allowed: float
    unit: Unit
    share: float | None
    """Of what is allowed, 0 and up; nothing allowed and something used is 1. None: not known."""
    is_full: bool
    """Nothing more fits; also where it is not known."""
    subject: str
    """`TLMN`, `gaps`, `account`."""
    note: str
    """`full`, `worst: CYDR`, `no bars of ABCD`; "" when there is nothing to say."""


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """One switch that new entries must pass."""

    name: str
    ok: bool
    is_stop: bool
    """Not ok, and it keeps every entry out; else only those it names."""
    words: str


@dataclass(frozen=True, slots=True)
class WaitingShare:
    """What a waiting ticket would add to its sector."""

    number: int
    ratio: float | None
    """Of equity."""


@dataclass(frozen=True, slots=True)
class SectorRow:
    """What is held or being entered in one sector."""

    sector: str
    """`unknown` where nobody says."""
    value: Decimal | None
    """None: one of them has no price."""
    ratio: float | None
    """Of equity."""
    symbols: tuple[Symbol, ...]
    uncertain: tuple[Symbol, ...]
    """Those of them with an order of unknown fate."""
    waiting: tuple[WaitingShare, ...]


@dataclass(frozen=True, slots=True)
class CorrelationPair:
    """Of daily returns; `one` stands before `other` in `RiskView.names`."""

    one: str
    other: str
    value: float | None
    """-1..1; None: too few common days, it counts as 1."""


@dataclass(frozen=True, slots=True)
class VarHistogram:
    """Daily returns of what is held now, as fractions of equity: bar i counts from edge i to edge i + 1."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    days: int


@dataclass(frozen=True, slots=True)
class RiskView:
    """Everything that Risk shows."""

    equity: Decimal | None
    high_water: Decimal
    high_us: int | None
    """When the high was reached; None where the record does not reach back to it."""
    drawdown_ratio: float | None
    worst_drawdown_ratio: float | None
    worst_drawdown_us: int | None
    level: int
    steps: tuple[DrawdownStep, ...]
    limits: tuple[LimitRow, ...]
    """The fullest first."""
    limits_apply: bool
    """False: this run is not held to the account's limits, they are shown as they would stand."""
    entries_on: bool
    entries_words: str
    """`on`, `on, except TLMN`, `off: halted by you`."""
    checks: tuple[EntryCheck, ...]
    exposure: Decimal | None
    exposure_ratio: float | None
    sectors: tuple[SectorRow, ...]
    """Largest first."""
    names: tuple[str, ...]
    """Whose correlations are in `pairs`: symbols held, then waiting tickets as `T-18`; at most 8."""
    pairs: tuple[CorrelationPair, ...]
    correlation_limit: float
    """Above it two count as one."""
    var: Decimal | None
    """Loss that one day exceeds with the tail probability, of what is held now; a positive number."""
    var_ratio: float | None
    var_confidence: float
    var_historical: Decimal | None
    var_parametric: Decimal | None
    var_days: int
    var_reason: str
    """Why it is not known, or why there is no histogram; ""."""
    histogram: VarHistogram | None


NO_RISK = RiskView(
    equity=None,
    high_water=Decimal(0),
    high_us=None,
    drawdown_ratio=None,
    worst_drawdown_ratio=None,
    worst_drawdown_us=None,
    level=0,
    steps=(),
    limits=(),
    limits_apply=False,
    entries_on=False,
    entries_words="",
    checks=(),
    exposure=None,
    exposure_ratio=None,
    sectors=(),
    names=(),
    pairs=(),
    correlation_limit=1.0,
    var=None,
    var_ratio=None,
    var_confidence=0.95,
    var_historical=None,
    var_parametric=None,
    var_days=0,
    var_reason="",
    histogram=None,
)
"""Before an engine said anything."""
