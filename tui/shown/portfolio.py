"""What the screen Portfolio is shown: the account's value, what it holds, and what its closed trades made.

Money Decimal in account currency, ratios fractions (0.06 = 6 %), times int microseconds UTC. `None` is a
value that is not known, never zero.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.model.ids import Symbol, TicketId


@dataclass(frozen=True, slots=True)
class RateView:
    """How many of `n` closed trades won, and where the true rate lies with 90 % confidence (Wilson)."""

    n: int
    wins: int
    ratio: float | None
    """None without a trade."""
    low: float | None
    high: float | None
    is_too_few: bool
    """Fewer than 5: shown as `too few`, the interval says nothing yet."""


NO_RATE = RateView(0, 0, None, None, None, True)


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position, or an entry whose fate is not known. Prices in today's dollars."""

    ticket: TicketId
    number: int
    symbol: Symbol
    strategy: str
    quantity: Decimal
    """Shares held, as far as the fate of every order is proved."""
    quantity_high: Decimal
    """At most so many: more than `quantity` while the fate of its entry is not known."""
    average: Decimal | None
    last: float | None
    value: Decimal | None
    """Of `quantity` at the last price."""
    value_high: Decimal | None
    """Of `quantity_high`."""
    pnl: Decimal | None
    """Of what is held now, entry fees not counted."""
    pnl_ratio: float | None
    stop_price: Decimal
    stop_ratio: float | None
    """From the last price to the stop, negative while it is below."""
    target_price: Decimal | None
    """None: the exit has no target left, it trails."""
    target_ratio: float | None
    """From the last price to the target, positive while it is above."""
    day: int
    """Session of the holding, the first is 1."""
    max_days: int | None
    """None: no end by time."""
    unknown: bool
    protected: bool


@dataclass(frozen=True, slots=True)
class RoundTripRow:
    """A finished trade."""

    ticket: TicketId
    number: int
    symbol: Symbol
    strategy: str
    exit: str
    """target, stop, time, news, manual, emergency or corporate_action."""
    entry_us: int
    exit_us: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    pnl: Decimal
    """After fees."""
    return_ratio: float
    fees: Decimal
    sessions: int


@dataclass(frozen=True, slots=True)
class StrategyRow:
    """All closed trades of one strategy."""

    strategy: str
    stage: str
    """shadow, paper, canary or live; "" for one that is not configured any more."""
    win: RateView
    average_ratio: float | None
    """Mean return of a trade."""
    net: Decimal


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """All closed trades of one instrument (SPEC 6.8)."""

    symbol: Symbol
    win: RateView
    average_ratio: float | None
    net: Decimal
    best: Decimal
    worst: Decimal
    profit_factor: float | None
    """None under 20 trades, or without a losing one."""
    expectancy: Decimal | None
    """Mean profit of a trade; None under 20 trades."""


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """Everything that Portfolio shows but the curve, which is `Topic.EQUITY`."""

    equity: Decimal | None
    put_in: Decimal
    """Initial cash and deposits less withdrawals: no profit."""
    change: Decimal | None
    """Since the start: equity less `put_in`."""
    change_ratio: float | None
    """Of `put_in`."""
    started_us: int | None
    """First recorded value of the account."""
    day_start: Decimal
    day_pnl: Decimal | None
    day_pnl_ratio: float | None
    realised_today: Decimal | None
    win: RateView
    """Of every closed trade."""
    win_30d: RateView
    win_30d_before: RateView
    """Of the 30 days before the last 30."""
    win_change: float | None
    """The last 30 days' rate less that of the 30 before, as a fraction; None while one of them is too few."""
    best: RoundTripRow | None
    worst: RoundTripRow | None
    sharpe: float | None
    """A year's, of daily returns."""
    sharpe_low: float | None
    """Bounds of its bootstrap 95 % interval."""
    sharpe_high: float | None
    sharpe_probability: float | None
    """That the true one is above 0 (probabilistic Sharpe ratio)."""
    sharpe_reason: str
    """Why there is none, `not meaningful: 7 of 20 trades`; "" when there is one."""
    sharpe_days: int
    """Daily returns it follows from, or that there are."""
    profit_factor: float | None
    """None under 20 trades, or without a losing one."""
    expectancy: Decimal | None
    """Mean profit of a trade; None under 20 trades."""
    drawdown_ratio: float | None
    worst_drawdown_ratio: float | None
    """The deepest ever recorded."""
    worst_drawdown_us: int | None
    exposure: Decimal | None
    exposure_ratio: float | None
    positions: tuple[PositionRow, ...]
    """Unknown ones last, else oldest first."""
    unknown: int
    """How many of them are not certain."""
    round_trips: tuple[RoundTripRow, ...]
    """Newest first, at most 100."""
    strategies: tuple[StrategyRow, ...]
    """Most trades first; also those that never traded."""
    instruments: tuple[InstrumentRow, ...]
    """Best net first, at most 50."""


NO_PORTFOLIO = PortfolioView(
    equity=None,
    put_in=Decimal(0),
    change=None,
    change_ratio=None,
    started_us=None,
    day_start=Decimal(0),
    day_pnl=None,
    day_pnl_ratio=None,
    realised_today=None,
    win=NO_RATE,
    win_30d=NO_RATE,
    win_30d_before=NO_RATE,
    win_change=None,
    best=None,
    worst=None,
    sharpe=None,
    sharpe_low=None,
    sharpe_high=None,
    sharpe_probability=None,
    sharpe_reason="",
    sharpe_days=0,
    profit_factor=None,
    expectancy=None,
    drawdown_ratio=None,
    worst_drawdown_ratio=None,
    worst_drawdown_us=None,
    exposure=None,
    exposure_ratio=None,
    positions=(),
    unknown=0,
    round_trips=(),
    strategies=(),
    instruments=(),
)
"""Before an engine said anything."""
