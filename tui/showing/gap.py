"""What a person sees who opens a gap candidate. Pure: reads the engine, never writes."""

from datetime import date
from decimal import Decimal

import numpy as np

from engine.core import Engine
from engine.features.assemble import adjustment
from engine.features.news import known
from engine.model.candidates import Verdict
from engine.model.ids import CorrelationId, InstrumentId, symbol_of
from engine.model.text import clean
from engine.model.tickets import Ticket
from engine.ports import BarColumns
from engine.state import HEADLINES_US
from tui.showing.assessed import limits_of
from tui.showing.witnesses import witnesses
from tui.shown.details import ChartBars, GapDetail, HeadlineRow

DAILY_BARS = 60
MAX_HEADLINES = 20
ENOUGH_BARS = 12
"""An hour of five-minute bars: with fewer the daily chart says more and comes first."""
_US_PER_DAY = 86_400_000_000


def gap_detail(engine: Engine, id: str) -> GapDetail | None:
    """The candidate of this correlation, of the last decision or of a ticket; None when neither knows it."""
    correlation = CorrelationId(id)
    entry = engine.tickets.of_candidate(correlation)
    if entry is not None:
        return _of_ticket(engine, entry.ticket)
    verdict = _verdict(engine, correlation)
    return None if verdict is None else _of_verdict(engine, verdict)


def name_of(engine: Engine, instrument: InstrumentId) -> str | None:
    """The company's name, made harmless; None where it is not known."""
    name = engine.parts.name_of(instrument)
    return None if name is None else clean(name)


def sector_of(engine: Engine, instrument: InstrumentId) -> str | None:
    """Its sector; None where it is not known or nobody tells sectors."""
    ask = engine.parts.sector_of
    sector = None if ask is None else ask(instrument)
    return None if sector is None else clean(sector)


def _verdict(engine: Engine, correlation: CorrelationId) -> Verdict | None:
    for verdicts in engine.verdicts.values():
        for verdict in verdicts:
            if verdict.candidate.correlation == correlation:
                return verdict
    return None


def _of_verdict(engine: Engine, verdict: Verdict) -> GapDetail:
    candidate = verdict.candidate
    return GapDetail(
        correlation=candidate.correlation,
        symbol=symbol_of(candidate.instrument),
        sector=sector_of(engine, candidate.instrument),
        decided_us=candidate.decided_us,
        gap_ratio=candidate.gap,
        regime=candidate.regime.value,
        reports=(
            *verdict.reports,
            *witnesses(engine, candidate.strategy, candidate.instrument, candidate.session),
        ),
        gates=(),
        features=candidate.features,
        headlines=_headlines(engine, candidate.instrument),
        entry_price=None,
        stop_price=None,
        target_price=None,
        last=engine.picture.last(candidate.instrument),
        charts=_charts(engine, candidate.instrument, candidate.session),
        name=name_of(engine, candidate.instrument),
        assessment=candidate.assessment,
        limits=limits_of(verdict.reports, candidate.assessment, ()),
    )


def _of_ticket(engine: Engine, ticket: Ticket) -> GapDetail:
    order = ticket.order
    return GapDetail(
        correlation=ticket.correlation,
        symbol=symbol_of(ticket.instrument),
        sector=sector_of(engine, ticket.instrument),
        decided_us=ticket.created_us,
        gap_ratio=ticket.candidate_gap,
        regime=ticket.regime.value,
        reports=(*ticket.reports, *witnesses(engine, ticket.strategy, ticket.instrument, ticket.session)),
        gates=ticket.gates,
        features=ticket.features,
        headlines=_headlines(engine, ticket.instrument),
        entry_price=None if order.entry is None else _float(order.entry.limit_price),
        stop_price=_float(order.stop.stop_price),
        target_price=_float(order.target.limit_price),
        last=engine.picture.last(ticket.instrument),
        charts=_charts(engine, ticket.instrument, ticket.session),
        name=name_of(engine, ticket.instrument),
        assessment=ticket.assessment,
        limits=limits_of(ticket.reports, ticket.assessment, ticket.gates),
    )


def _float(price: Decimal | None) -> float | None:
    return None if price is None else float(price)


def _headlines(engine: Engine, instrument: InstrumentId) -> tuple[HeadlineRow, ...]:
    """What is known now, newest first."""
    now_us = engine.parts.clock.now_us()
    found = known(engine.picture.headlines(instrument), now_us, HEADLINES_US)
    newest = found[: -MAX_HEADLINES - 1 : -1]
    return tuple(HeadlineRow(item.ts_event, clean(item.title), item.source) for item in newest)


def _charts(engine: Engine, instrument: InstrumentId, session: date) -> tuple[ChartBars, ...]:
    """Five minutes first once there are enough of them, else days."""
    minutes = _minutes(engine, instrument)
    ratio = engine.picture.ratios.get(instrument, 1.0) if engine.picture.session == session else 1.0
    bars = engine.parts.history(session).daily(instrument, DAILY_BARS)
    days = None if bars is None else _days(bars, ratio)
    charts = tuple(chart for chart in (minutes, days) if chart is not None and chart.ts)
    return charts[::-1] if minutes is not None and len(minutes.ts) < ENOUGH_BARS else charts


def _minutes(engine: Engine, instrument: InstrumentId) -> ChartBars | None:
    bars = engine.tape.bars(instrument)
    if bars is None:
        return None
    return ChartBars("5m", bars.ts, bars.open, bars.high, bars.low, bars.close, ())


def _days(bars: BarColumns, ratio: float) -> ChartBars:
    """Prices in dollars of the session after the last bar; days that lack a number are left out."""
    factor = adjustment(bars, ratio)
    columns = [column * factor for column in (bars.open, bars.high, bars.low, bars.close)]
    # Shares of before a split in shares of today: what was traded in dollars stays what it was.
    columns.append(bars.volume / factor)
    whole = np.isfinite(np.stack(columns)).all(axis=0)
    days = bars.day[whole].astype("datetime64[D]").astype(np.int64) * _US_PER_DAY
    return ChartBars("1d", tuple(days.tolist()), *(tuple(column[whole].tolist()) for column in columns))
