"""What Risk shows, made from the engine's risk book, its halts and its brackets."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from engine.core import Engine
from engine.execution.bracket import Bracket
from engine.model.ids import InstrumentId, Symbol, symbol_of
from engine.model.orders import OrderState
from engine.money import ZERO, to_decimal
from engine.risk.limits import RiskConfig
from engine.risk.sectors import UNKNOWN_SECTOR, sector_name
from tui import format
from tui.showing.entries import entry_checks, entry_words
from tui.showing.limits import limit_rows
from tui.showing.measures import Measurer
from tui.showing.portfolio import deepest, exposure
from tui.shown.risk import DrawdownStep, RiskView, SectorRow, WaitingShare

_EFFECTS = ("sizes halved", "conservative only", "stop")


class RiskMaker:
    """Of one engine. `wall`: monotonic seconds, for what is too costly to measure ten times a second."""

    def __init__(self, engine: Engine, wall: Callable[[], float]) -> None:
        self._engine = engine
        self._measurer = Measurer(engine, wall)

    def make(self) -> RiskView:
        """As of now."""
        engine, measures = self._engine, self._measurer.now()
        risk, config = engine.risk.view(), engine.parts.risk
        equity = risk.equity
        fall = None if risk.drawdown is None else float(risk.drawdown)
        worst, worst_us = deepest(engine, fall)
        held = exposure(engine)
        rows = limit_rows(engine, risk, measures)
        checks = entry_checks(engine, risk, rows)
        is_on, words = entry_words(checks)
        var = measures.var
        return RiskView(
            equity=equity,
            high_water=risk.high_water,
            high_us=engine.risk.record.high_us,
            drawdown_ratio=fall,
            worst_drawdown_ratio=worst,
            worst_drawdown_us=worst_us,
            level=int(risk.level),
            steps=steps(config),
            limits=rows,
            limits_apply=engine.parts.switches.portfolio,
            entries_on=is_on,
            entries_words=words,
            checks=checks,
            exposure=held,
            exposure_ratio=_of(held, equity),
            sectors=sector_rows(engine, equity),
            names=measures.names,
            pairs=measures.pairs,
            correlation_limit=config.corr_threshold,
            var=None if var is None else to_decimal(var.larger),
            var_ratio=None if var is None else _of(to_decimal(var.larger), equity),
            var_confidence=config.var_conf,
            var_historical=None if var is None else to_decimal(var.historical),
            var_parametric=None if var is None else to_decimal(var.parametric),
            var_days=0 if var is None else var.returns,
            var_reason=measures.var_reason,
            histogram=measures.histogram,
        )


def steps(config: RiskConfig) -> tuple[DrawdownStep, ...]:
    """The levels of the drawdown breaker: two that end by themselves, and one that only a person ends."""
    releases = (*config.dd_release, None)
    found = zip(config.dd_levels, _EFFECTS, releases, strict=True)
    return tuple(
        DrawdownStep(
            level,
            at,
            f"{effect}, positions are sold" if level == len(_EFFECTS) and config.dd_flatten_at_l3 else effect,
            release,
            "until you type the account name" if release is None else f"below {format.percent(release)}",
        )
        for level, (at, effect, release) in enumerate(found, 1)
    )


def _of(value: Decimal | None, equity: Decimal | None) -> float | None:
    return float(value / equity) if value is not None and equity is not None and equity > ZERO else None


def sector_rows(engine: Engine, equity: Decimal | None) -> tuple[SectorRow, ...]:
    """What is held in each sector, what may be held there, and what waiting tickets would add."""
    held: defaultdict[str, list[Bracket]] = defaultdict(list)
    uncertain: defaultdict[str, list[Bracket]] = defaultdict(list)
    for bracket in engine.brackets.open():
        if bracket.held != ZERO:
            held[_sector(engine, bracket.instrument)].append(bracket)
        elif bracket.entry.state is OrderState.UNKNOWN:
            uncertain[_sector(engine, bracket.instrument)].append(bracket)
    waiting = _waiting(engine, equity)
    rows = []
    for sector in dict.fromkeys([*held, *uncertain, *waiting]):
        value = _value(engine, held[sector])
        names, doubted = _symbols(held[sector]), _symbols(uncertain[sector])
        rows.append(SectorRow(sector, value, _of(value, equity), names, doubted, waiting.get(sector, ())))
    return tuple(sorted(rows, key=lambda row: ZERO if row.value is None else -row.value))


def _value(engine: Engine, brackets: Iterable[Bracket]) -> Decimal | None:
    total = ZERO
    for bracket in brackets:
        last = engine.picture.last_decimal(bracket.instrument)
        if last is None:
            return None
        total += bracket.held * last
    return total


def _symbols(brackets: Iterable[Bracket]) -> tuple[Symbol, ...]:
    return tuple(dict.fromkeys(symbol_of(bracket.instrument) for bracket in brackets))


def _waiting(engine: Engine, equity: Decimal | None) -> Mapping[str, tuple[WaitingShare, ...]]:
    found: defaultdict[str, tuple[WaitingShare, ...]] = defaultdict(tuple)
    for entry in engine.tickets.waiting():
        order, sector = entry.ticket.order.entry, _sector(engine, entry.ticket.instrument)
        share = None
        if order is not None and order.limit_price is not None:
            share = _of(order.quantity * order.limit_price, equity)
        found[sector] += (WaitingShare(entry.ticket.number, share),)
    return found


def _sector(engine: Engine, instrument: InstrumentId) -> str:
    sector_of = engine.parts.sector_of
    return UNKNOWN_SECTOR if sector_of is None else sector_name(sector_of, instrument)
