"""Stored daily bars streamed as a market would tell them (SPEC 9.8).

A session is two instants. At the open: corporate actions, the opening print of every instrument with a bar
and a quote whose bid and ask are that print. At the close: the whole bars. Sessions without any bar are
streamed too, so that the engine's day turns over.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from engine.model.ids import InstrumentId, symbol_of
from engine.model.market import (
    Bar,
    CorporateAction,
    MarketBatch,
    Provenance,
    Quote,
    Session,
    SessionPhase,
    Trade,
    corporate_action_kind,
)
from engine.ports import BarColumns, Sessions

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Rows:
    """All bars of the replay ordered by day, then symbol; plain lists, as one element at a time is read."""

    instrument: list[InstrumentId]
    day: np.ndarray
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    ratio: list[float]
    prior_close: list[float]  # NaN: the instrument's first bar


class ReplaySource:
    """`engine.ports.Source` over daily bars. Batches of a session come strictly in order of time.

    `columns` hold the history too: only sessions of first..last (None: the last bar of all) are streamed. An
    action is told only where the instrument has a bar that day and one before it.
    """

    name = "replay"

    def __init__(
        self,
        columns: Mapping[InstrumentId, BarColumns],
        sessions: Sessions,
        first: date,
        last: date | None = None,
        provenance: Provenance = Provenance.REPLAY,
    ) -> None:
        self._rows = _flatten(columns, first, last)
        self._provenance = provenance
        if last is None:
            ends = [one.day[-1].item() for one in columns.values() if len(one)]
            last = max(ends, default=first)
        self.sessions = tuple(sessions.between(first, last))

    async def batches(self, after_us: int) -> AsyncIterator[MarketBatch]:
        """All batches later than `after_us`."""
        for batch in self.read(after_us):
            yield batch

    def read(self, after_us: int = -1) -> Iterator[MarketBatch]:
        """The same without a loop to run on."""
        for session in self.sessions:
            if session.close_us <= after_us:
                continue
            places = self._places(session.day)
            if session.open_us > after_us:
                yield self._opening(session, places)
            yield self._closing(session, places)

    def _places(self, day: date) -> range:
        start, end = np.searchsorted(
            self._rows.day, [np.datetime64(day, "D"), np.datetime64(day + ONE_DAY, "D")]
        )
        return range(int(start), int(end))

    def _opening(self, session: Session, places: range) -> MarketBatch:
        rows, ts, provenance = self._rows, session.open_us, self._provenance
        quotes, trades = [], []
        for at in places:
            instrument, price = rows.instrument[at], rows.open[at]
            quotes.append(Quote(instrument, price, price, ts, ts, provenance))
            trades.append(Trade(instrument, price, ts, ts, provenance, is_open=True))
        return MarketBatch(
            ts=ts,
            actions=tuple(self._actions(session, places)),
            trades=tuple(trades),
            quotes=tuple(quotes),
            session=session.day,
            phase=SessionPhase.OPEN,
        )

    def _actions(self, session: Session, places: range) -> Iterable[CorporateAction]:
        rows = self._rows
        for at in places:
            ratio, prior_close = rows.ratio[at], rows.prior_close[at]
            if ratio != 1.0 and prior_close == prior_close:  # not NaN
                kind = corporate_action_kind(ratio)
                yield CorporateAction(
                    rows.instrument[at], kind, ratio, prior_close, session.day, session.open_us
                )

    def _closing(self, session: Session, places: range) -> MarketBatch:
        rows, opened, closed, provenance = self._rows, session.open_us, session.close_us, self._provenance
        bars = [
            Bar(
                rows.instrument[at],
                rows.open[at],
                rows.high[at],
                rows.low[at],
                rows.close[at],
                rows.volume[at],
                opened,
                closed,
                provenance,
            )
            for at in places
        ]
        return MarketBatch(ts=closed, bars=tuple(bars), session=session.day, phase=SessionPhase.CLOSE)


def _flatten(columns: Mapping[InstrumentId, BarColumns], first: date, last: date | None) -> _Rows:
    instruments = sorted((one for one, bars in columns.items() if len(bars)), key=symbol_of)
    if not instruments:
        return _Rows([], np.array([], dtype="datetime64[D]"), [], [], [], [], [], [], [])
    day = np.concatenate([columns[one].day for one in instruments]).astype("datetime64[D]")
    owner = np.repeat(np.arange(len(instruments)), [len(columns[one]) for one in instruments])
    order = np.lexsort((owner, day))
    inside = day[order] >= np.datetime64(first, "D")
    if last is not None:
        inside &= day[order] <= np.datetime64(last, "D")
    order = order[inside]

    def column(name: str) -> list[float]:
        values = np.concatenate([getattr(columns[one], name) for one in instruments])
        return [float(value) for value in values[order].tolist()]

    prior = np.concatenate([np.append(np.nan, columns[one].close[:-1]) for one in instruments])
    return _Rows(
        instrument=[instruments[at] for at in owner[order].tolist()],
        day=day[order],
        open=column("open"),
        high=column("high"),
        low=column("low"),
        close=column("close"),
        volume=column("volume"),
        ratio=column("event_ratio"),
        prior_close=prior[order].tolist(),
    )
