"""The account of the pictures 09 and 10: its worth, what it holds, made and may lose; all invented."""

from dataclasses import replace
from decimal import Decimal

from engine.model.ids import Symbol, TicketId
from tui.shown.details import EquityDetail
from tui.shown.portfolio import (
    NO_PORTFOLIO,
    InstrumentRow,
    PortfolioView,
    PositionRow,
    RateView,
    RoundTripRow,
    StrategyRow,
)
from tui.shown.risk import (
    NO_RISK,
    CorrelationPair,
    DrawdownStep,
    EntryCheck,
    LimitRow,
    RiskView,
    SectorRow,
    Unit,
    VarHistogram,
    WaitingShare,
)

S = 1_000_000
HOUR = 3_600 * S
DAY = 24 * HOUR
COUNT, RATIO = Unit.COUNT, Unit.RATIO
PERIODS = {"1d": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": 400}


def ticket(number: int) -> TicketId:
    return TicketId(f"01JD4Q7XK{number:03d}BCDEFGHJKMNPQ"[:26].ljust(26, "0"))


def _position(
    number: int,
    symbol: str,
    strategy: str,
    quantity: int,
    average: str,
    last: float,
    stop: str,
    target: str | None,
    day: int,
    max_days: int | None,
) -> PositionRow:
    held, paid = Decimal(quantity), Decimal(average)
    value = held * Decimal(str(last))
    pnl = value - held * paid
    return PositionRow(
        ticket(number),
        number,
        Symbol(symbol),
        strategy,
        held,
        held,
        paid,
        last,
        value,
        value,
        pnl,
        float(pnl / (held * paid)),
        Decimal(stop),
        float(stop) / last - 1,
        None if target is None else Decimal(target),
        None if target is None else float(target) / last - 1,
        day,
        max_days,
        unknown=False,
        protected=True,
    )


def make_positions() -> tuple[PositionRow, ...]:
    """Full ones, one partly filled, one that trails, and one of unknown fate that has no price."""
    known = (
        _position(27, "HELQ", "gaps", 78, "4.19", 4.31, "3.85", "4.44", 2, 5),
        _position(26, "LANTRN", "gems", 418, "0.4880", 0.521, "0.5080", None, 3, None),
        _position(30, "KYTE", "gaps", 41, "4.02", 4.05, "3.70", "4.26", 1, 5),
        _position(25, "PRISTINE", "signals", 12_500, "112.345", 118.25, "97.5", "131.06", 41, 250),
    )
    lost = replace(
        known[2],
        ticket=ticket(31),
        number=31,
        symbol=Symbol("TLMN"),
        quantity=Decimal(0),
        quantity_high=Decimal(154),
        average=None,
        last=None,
        value=None,
        value_high=Decimal("331.10"),
        pnl=None,
        pnl_ratio=None,
        stop_price=Decimal("1.97"),
        stop_ratio=None,
        target_price=Decimal("2.27"),
        target_ratio=None,
        unknown=True,
        protected=False,
    )
    return (*known, lost)


CLOSED = (
    ("HELQ", "gaps", "target", 0.2, "19.62", 0.060),
    ("DRVN", "gaps", "target", 26, "18.90", 0.059),
    ("SABLE", "signals", "time", 27, "41.07", 0.204),
    ("KORU", "gaps", "stop", 50, "-26.80", -0.081),
    ("PTHN", "gaps", "corporate_action", 52, "-3.11", -0.009),
    ("MERL", "gaps", "news", 75, "0.00", 0.0),
    ("VIREO", "signals", "emergency", 98, "-29.94", -0.150),
    ("HAWX", "gaps", "manual", 99, "12519.40", 1.060),
)
"""Symbol, strategy, exit, hours ago, profit, return."""


def make_round_trips(now: int) -> tuple[RoundTripRow, ...]:
    rows = []
    for at, (symbol, strategy, exit, hours, pnl, ratio) in enumerate(CLOSED * 3):
        ended = now - round((hours + 120 * (at // len(CLOSED))) * HOUR)
        rows.append(
            RoundTripRow(
                ticket(100 + at),
                100 + at,
                Symbol(symbol),
                strategy,
                exit,
                ended - 2 * DAY,
                ended,
                Decimal(78),
                Decimal("4.19"),
                Decimal("4.44"),
                Decimal(pnl),
                ratio,
                Decimal("0.70"),
                2,
            )
        )
    return tuple(rows)


def _instrument(
    symbol: str,
    n: int,
    wins: int,
    net: str,
    best: str,
    worst: str,
    factor: float | None = None,
    mean: str | None = None,
) -> InstrumentRow:
    rate = RateView(n, wins, wins / n, 0.4, 0.8, n < 5)
    expectancy = None if mean is None else Decimal(mean)
    return InstrumentRow(
        Symbol(symbol), rate, 0.01, Decimal(net), Decimal(best), Decimal(worst), factor, expectancy
    )


INSTRUMENTS = (
    _instrument("HAWX", 21, 14, "12519.40", "12519.40", "-802.11", 3.1, "596.16"),
    _instrument("HELQ", 3, 3, "58.86", "19.62", "19.62"),
    _instrument("SANMERIDIAN", 6, 2, "4.00", "41.07", "-26.80"),
    _instrument("MERL", 1, 0, "0.00", "0.00", "0.00"),
    _instrument("KORU", 22, 22, "80.40", "26.80", "1.10", None, "3.65"),
    _instrument("VIREO", 3, 0, "-89.82", "-29.94", "-29.94"),
)
"""Many trades, few, one of nothing, and many without one that lost."""


def make_portfolio(now: int) -> PortfolioView:
    trips = make_round_trips(now)
    positions = make_positions()
    return PortfolioView(
        equity=Decimal("27512.40"),
        put_in=Decimal("25000.00"),
        change=Decimal("2512.40"),
        change_ratio=0.100496,
        started_us=now - 90 * DAY,
        day_start=Decimal("27428.30"),
        day_pnl=Decimal("84.10"),
        day_pnl_ratio=0.0031,
        realised_today=Decimal("19.50"),
        win=RateView(24, 14, 14 / 24, 0.39, 0.76, False),
        win_30d=RateView(11, 7, 7 / 11, 0.38, 0.83, False),
        win_30d_before=RateView(9, 5, 5 / 9, 0.30, 0.79, False),
        win_change=0.081,
        best=trips[7],
        worst=trips[6],
        sharpe=1.42,
        sharpe_low=0.3,
        sharpe_high=2.6,
        sharpe_probability=0.97,
        sharpe_reason="",
        sharpe_days=62,
        profit_factor=1.8,
        expectancy=Decimal("12.55"),
        drawdown_ratio=0.012,
        worst_drawdown_ratio=0.047,
        worst_drawdown_us=now - 60 * DAY,
        exposure=Decimal("720.01"),
        exposure_ratio=0.026,
        positions=positions,
        unknown=1,
        round_trips=trips,
        strategies=(
            StrategyRow("gaps", "live", RateView(14, 9, 9 / 14, 0.42, 0.82, False), 0.011, Decimal("214.40")),
            StrategyRow("signals", "paper", RateView(8, 4, 0.5, 0.25, 0.75, False), 0.023, Decimal("91.15")),
            StrategyRow("gems", "canary", RateView(2, 1, 0.5, 0.09, 0.91, True), -0.004, Decimal("-4.02")),
            StrategyRow("ml", "shadow", RateView(0, 0, None, None, None, True), None, Decimal(0)),
        ),
        instruments=INSTRUMENTS,
    )


def make_young_portfolio() -> PortfolioView:
    """The first minutes of an account: money, and nothing done with it."""
    reason = "not meaningful: 0 of 20 trades"
    money = Decimal("27512.40")
    return replace(NO_PORTFOLIO, equity=money, put_in=money, day_start=money, sharpe_reason=reason)


STEPS = (
    DrawdownStep(1, 0.05, "sizes halved", 0.03, "below 3.0%"),
    DrawdownStep(2, 0.10, "conservative only", 0.07, "below 7.0%"),
    DrawdownStep(3, 0.15, "stop", None, "until you type the account name"),
)


def _limit(
    name: str, used: float | None, allowed: float, unit: Unit, subject: str, note: str = ""
) -> LimitRow:
    share = None if used is None else used / allowed if allowed else float(used > 0)
    full = share is None or share >= 1
    return LimitRow(name, used, allowed, unit, share, full, subject, note or ("full" if full else ""))


def make_limits() -> tuple[LimitRow, ...]:
    return (
        _limit("unknown orders", 1, 0, COUNT, "TLMN"),
        _limit("sector Tech", 3, 3, COUNT, "gaps"),
        _limit("VaR 95% 1 day", None, 0.05, RATIO, "account", "no bars of PRISTINE"),
        _limit("correlated > .70", 0.041, 0.10, RATIO, "account", "worst: CYDR, 2 unknown count as 1"),
        _limit("positions open", 3, 8, COUNT, "gaps"),
        _limit("positions total", 4, 20, COUNT, "all"),
        _limit("entries a minute", 1, 5, COUNT, "account"),
        _limit("largest position", 0.012, 0.10, RATIO, "HELQ"),
        _limit("entries today", 3, 30, COUNT, "account"),
        _limit("sector Health", 0, 3, COUNT, "gaps signals"),
        _limit("sector Communication Services", 1, 12, COUNT, "gaps"),
        _limit("daily loss", 0.0, 0.03, RATIO, "account"),
    )


def make_checks() -> tuple[EntryCheck, ...]:
    return (
        EntryCheck("kill switch", True, False, "off"),
        EntryCheck("account", True, False, "match, paper-1 PAPER"),
        EntryCheck("reconciled", True, False, "41s ago, clean but B-31"),
        EntryCheck("regime", True, False, "normal"),
        EntryCheck("breakers", True, False, "none"),
        EntryCheck("TLMN", False, False, "order fate unknown, 0:14"),
        EntryCheck("sector Tech", False, False, "3 of 3, gaps only"),
    )


def make_histogram() -> VarHistogram:
    counts = (1, 0, 1, 2, 1, 4, 3, 7, 9, 14, 18, 26, 31, 34, 29, 22, 16, 11, 8, 5, 3, 2, 1, 1, 0, 1)
    edges = tuple(-0.026 + 0.0018 * at for at in range(len(counts) + 1))
    return VarHistogram(edges, counts, sum(counts))


def make_risk(now: int) -> RiskView:
    names = ("HELQ", "KYTE", "LANTRN", "TLMN", "T-18", "T-20")
    pairs = tuple(
        CorrelationPair(one, other, None if other == "TLMN" else ((at * 7 + to * 13) % 19 - 4) / 16)
        for at, one in enumerate(names)
        for to, other in enumerate(names[at + 1 :], at + 1)
    )
    return RiskView(
        equity=Decimal("27512.40"),
        high_water=Decimal("27846.90"),
        high_us=now - 12 * DAY,
        drawdown_ratio=0.012,
        worst_drawdown_ratio=0.047,
        worst_drawdown_us=now - 60 * DAY,
        level=0,
        steps=STEPS,
        limits=make_limits(),
        limits_apply=True,
        entries_on=True,
        entries_words="on, except TLMN, sector Tech",
        checks=make_checks(),
        exposure=Decimal("720.01"),
        exposure_ratio=0.026,
        sectors=(
            SectorRow(
                "Tech", Decimal("502.23"), 0.018, (Symbol("HELQ"), Symbol("KYTE")), (Symbol("TLMN"),), ()
            ),
            SectorRow("crypto base", Decimal("217.78"), 0.008, (Symbol("LANTRN"),), (), ()),
            SectorRow("Health", Decimal(0), 0.0, (), (), (WaitingShare(18, 0.012),)),
            SectorRow("Communication Services", Decimal(0), 0.0, (), (), (WaitingShare(20, None),)),
            SectorRow("unknown", None, None, (Symbol("PRISTINE"),), (), ()),
        ),
        names=names,
        pairs=pairs,
        correlation_limit=0.7,
        var=Decimal("385.20"),
        var_ratio=0.014,
        var_confidence=0.95,
        var_historical=Decimal("385.20"),
        var_parametric=Decimal("341.07"),
        var_days=250,
        var_reason="",
        histogram=make_histogram(),
    )


def make_quiet_risk() -> RiskView:
    """Nothing held, nothing measured yet, every limit free."""
    free = tuple(
        _limit(name, 0, allowed, unit, "account")
        for name, allowed, unit in (
            ("unknown orders", 0, COUNT),
            ("positions open", 8, COUNT),
            ("daily loss", 0.03, RATIO),
        )
    )
    return replace(
        NO_RISK,
        equity=Decimal("27512.40"),
        high_water=Decimal("27512.40"),
        drawdown_ratio=0.0,
        worst_drawdown_ratio=0.0,
        steps=STEPS,
        limits=free,
        limits_apply=True,
        entries_on=True,
        entries_words="on",
        checks=make_checks()[:5],
        exposure=Decimal(0),
        exposure_ratio=0.0,
        correlation_limit=0.7,
        var=None,
        var_reason="nothing is held",
    )


def make_equity(period: str, now: int) -> EquityDetail:
    """A rise of a tenth with one deep fall and a gap of nothing."""
    count, span = 180, PERIODS[period] * DAY
    ts = tuple(now - span + span * at // (count - 1) for at in range(count))
    values = [
        24_950 + 2_560 * at / (count - 1) + 120 * abs(at % 24 - 12) / 6 - (900 if 40 <= at < 70 else 0)
        for at in range(count)
    ]
    values[-1] = 27_512.40
    high, falls = values[0], []
    for value in values:
        high = max(high, value)
        falls.append(value / high - 1)
    return EquityDetail(period, ts, tuple(values), tuple(falls))
