"""Every limit of the account with what is used of it, each row by the rule that its gate goes by."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from engine.core import Engine
from engine.execution.gating import is_taken
from engine.model.ids import InstrumentId, symbol_of
from engine.model.positions import AccountKind
from engine.money import ZERO, to_decimal
from engine.risk.rates import ENTRIES_PER_DAY, ENTRIES_PER_MINUTE
from engine.risk.sectors import sector_name
from engine.risk.view import RiskView as Measured
from tui import format
from tui.showing.measures import Measures
from tui.shown.risk import LimitRow, Unit

UNKNOWN_ORDERS = "unknown orders"
SECTOR = "sector"
POSITIONS_OPEN = "positions open"
LARGEST = "largest position"
TOGETHER = "correlated"
DAILY_LOSS = "daily loss"
ACCOUNT = "account"


def limit_rows(engine: Engine, risk: Measured, measures: Measures) -> tuple[LimitRow, ...]:
    """The fullest first; what is not known stands before what is half used."""
    rows = [
        *_counts(engine, risk),
        *_sectors(engine),
        *_shares(engine, risk, measures),
    ]
    return tuple(sorted(rows, key=lambda row: (not row.is_full, -(1.0 if row.share is None else row.share))))


def _counts(engine: Engine, risk: Measured) -> Iterator[LimitRow]:
    parts, brackets = engine.parts, engine.brackets.open()
    unknown = sorted({symbol_of(b.instrument) for b in brackets if b.has_unknown})
    yield _count(UNKNOWN_ORDERS, sum(b.has_unknown for b in brackets), 0, " ".join(unknown) or ACCOUNT)
    taken = [bracket for bracket in brackets if is_taken(bracket)]
    for strategy, terms in parts.terms.items():
        ours = sum(bracket.strategy == strategy for bracket in taken)
        yield _count(POSITIONS_OPEN, ours, terms.max_concurrent, strategy)
    yield _count("positions total", len(taken), parts.max_positions_total, "all")
    yield _count("entries a minute", risk.entries_minute, ENTRIES_PER_MINUTE, ACCOUNT)
    yield _count("entries today", risk.entries_today, ENTRIES_PER_DAY, ACCOUNT)


def _sectors(engine: Engine) -> Iterator[LimitRow]:
    """The gate counts the positions of all strategies, and holds each strategy to its own number."""
    sector_of, terms = engine.parts.sector_of, engine.parts.terms
    if sector_of is None or not terms:
        return
    counts: defaultdict[str, int] = defaultdict(int)
    for bracket in engine.brackets.open():
        if is_taken(bracket):
            counts[sector_name(sector_of, bracket.instrument)] += 1
    least = min(found.max_per_sector for found in terms.values())
    bound = [name for name, found in terms.items() if found.max_per_sector == least]
    for sector, count in counts.items():
        yield _count(f"{SECTOR} {sector}", count, least, " ".join(bound))


def _count(name: str, used: int, allowed: int, subject: str) -> LimitRow:
    # Nothing allowed is full only once there is something.
    is_full = used >= allowed if allowed else used > 0
    share = used / allowed if allowed else float(used > 0)
    return LimitRow(name, used, allowed, Unit.COUNT, share, is_full, subject, "full" if is_full else "")


def _shares(engine: Engine, risk: Measured, measures: Measures) -> Iterator[LimitRow]:
    config, equity = engine.parts.risk, risk.equity
    loss = None if risk.day_loss is None else max(risk.day_loss, ZERO)
    over = "no entries today" if risk.is_day_over else ""
    yield _share(DAILY_LOSS, loss, config.daily_loss_max, ACCOUNT, over, risk.is_day_over or None)
    yield _value_at_risk(engine, equity, measures)
    worst = measures.worst
    together = None if not measures.is_together_known else ZERO if worst is None else worst.exposure.value
    name = f"{TOGETHER} > {format.probability(config.corr_threshold)}"
    yield _share(name, _of(together, equity), config.corr_exposure_max, ACCOUNT, _together_note(measures))
    largest, value = _largest(engine)
    yield _share(LARGEST, _of(value, equity), config.max_position_pct, largest or ACCOUNT, "")


def _value_at_risk(engine: Engine, equity: Decimal | None, measures: Measures) -> LimitRow:
    """All of it may be used, and a stored dataset need not know it (SPEC 9.8), unless money is at stake."""
    parts = engine.parts
    most, name = parts.risk.var_max_pct, f"VaR {parts.risk.var_conf:.0%} 1 day"
    if measures.var is None:
        is_excused = parts.dataset and parts.kind is not AccountKind.LIVE
        return _share(name, None, most, ACCOUNT, measures.var_reason, not is_excused)
    used = _of(to_decimal(max(0.0, measures.var.larger)), equity)
    return _share(name, used, most, ACCOUNT, "", used is None or used > to_decimal(most))


def _together_note(measures: Measures) -> str:
    if measures.worst is None:
        return "" if measures.is_together_known else measures.var_reason
    unknown = len(measures.worst.exposure.unknown)
    more = f", {unknown} unknown count as 1" if unknown else ""
    return f"worst: {symbol_of(measures.worst.name)}{more}"


def _largest(engine: Engine) -> tuple[str, Decimal | None]:
    """The instrument that most is held or being entered in, and that value; None where it is not known."""
    values = engine.risk.values()
    if values is None:
        return "", None
    name: InstrumentId | None = max(values, key=lambda name: values[name], default=None)
    return ("", ZERO) if name is None else (symbol_of(name), values[name])


def _of(value: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return value / equity if value is not None and equity is not None and equity > ZERO else None


def _share(
    name: str, used: Decimal | None, allowed: float, subject: str, note: str, is_full: bool | None = None
) -> LimitRow:
    """A share of equity. Unless it is said, it is full when all of it is used or nobody knows how much is."""
    ratio = None if used is None else float(used)
    share = None if ratio is None else ratio / allowed if allowed else float(ratio > 0)
    full = (share is None or share >= 1) if is_full is None else is_full
    return LimitRow(name, ratio, allowed, Unit.RATIO, share, full, subject, note or ("full" if full else ""))
