"""What is held, worth and moving together: the inputs of the portfolio limits, measured on daily bars."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Protocol

import numpy as np

from engine.execution.bracket import Bracket
from engine.model.ids import InstrumentId
from engine.money import ZERO
from engine.ports import BarColumns
from engine.risk.exposure import Exposure, correlated_exposure, room
from engine.risk.limits import RiskConfig
from engine.risk.returns import Returns, correlation, returns_of
from engine.risk.var import BARS, ValueAtRisk, daily_results, portfolio_var
from engine.state import LivePicture


class Daily(Protocol):
    """Daily bars as they were known before one session."""

    def daily(self, instrument: InstrumentId, bars: int) -> BarColumns | None: ...


Values = Mapping[InstrumentId, Decimal]
"""Positions and entries that may still fill, by instrument, in account currency."""


def values_of(brackets: Iterable[Bracket], picture: LivePicture) -> Values | None:
    """Positions at their last prices and working entries at their limits; None when a price is not known."""
    values: defaultdict[InstrumentId, Decimal] = defaultdict(lambda: ZERO)
    for bracket in brackets:
        if bracket.position != ZERO:
            last = picture.last_decimal(bracket.instrument)
            if last is None:
                return None
            values[bracket.instrument] += bracket.position * last
        if bracket.entry.is_live:
            values[bracket.instrument] += bracket.entry.remaining * bracket.limit_price
    return dict(values)


class Portfolio:
    """Measures against the daily bars of one session at a time; what it computed for that it keeps."""

    def __init__(self, history: Callable[[date], Daily], config: RiskConfig) -> None:
        self._history = history
        self._config = config
        self._session: date | None = None
        self._returns: dict[InstrumentId, Returns | None] = {}
        self._correlations: dict[tuple[InstrumentId, InstrumentId], float | None] = {}
        self._measured: tuple[Values, ValueAtRisk | None] | None = None
        """The last value at risk: the gates ask for the same one at proposal and at the send."""

    def exposure(self, session: date, candidate: InstrumentId, values: Values) -> Exposure:
        """What moves together with the candidate."""
        self._turn_to(session)
        return correlated_exposure(candidate, values, self._correlation, self._config.corr_threshold)

    def room(self, session: date, candidate: InstrumentId, values: Values, equity: Decimal) -> Decimal:
        """What the candidate may still be worth."""
        taken = self.exposure(session, candidate, values).value
        return room(equity, self._config.corr_exposure_max, taken)

    def value_at_risk(self, session: date, values: Values) -> ValueAtRisk | None:
        """Of one day; None when it is not known."""
        self._turn_to(session)
        if self._measured is None or self._measured[0] != values:
            held = {name: float(value) for name, value in values.items()}
            returns = {name: self._returns_of(name) for name in held}
            self._measured = values, portfolio_var(held, returns, self._config.var_conf)
        return self._measured[1]

    def daily_results(self, session: date, values: Values) -> np.ndarray | None:
        """What the holdings of now would have made on each day (T,); None when it is not known."""
        self._turn_to(session)
        held = {name: float(value) for name, value in values.items()}
        return daily_results(held, {name: self._returns_of(name) for name in held})

    def correlation(self, session: date, one: InstrumentId, other: InstrumentId) -> float | None:
        """Of two instruments' daily returns; None: too few common days."""
        self._turn_to(session)
        return self._correlation(one, other)

    def _turn_to(self, session: date) -> None:
        if session != self._session:
            self._session = session
            self._daily = self._history(session)
            self._measured = None
            self._returns.clear()
            self._correlations.clear()

    def _returns_of(self, instrument: InstrumentId) -> Returns | None:
        if instrument not in self._returns:
            self._returns[instrument] = returns_of(self._daily.daily(instrument, BARS + 1))
        return self._returns[instrument]

    def _correlation(self, one: InstrumentId, other: InstrumentId) -> float | None:
        pair = (one, other)
        if pair not in self._correlations:
            self._correlations[pair] = correlation(self._returns_of(one), self._returns_of(other))
        return self._correlations[pair]
