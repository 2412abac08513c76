"""The costly numbers of Risk: value at risk, its histogram, and what moves together.

Measured anew when what is held or waits changed, else once a second of wall time while prices move.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from engine.core import Engine
from engine.model.ids import InstrumentId, symbol_of
from engine.money import ZERO
from engine.risk.exposure import Exposure
from engine.risk.var import MIN_RETURNS, ValueAtRisk
from tui.shown.risk import CorrelationPair, VarHistogram

EVERY_S = 1.0
MOST_NAMES = 8
BINS = 40
_State = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """The name that most moves together with."""

    name: InstrumentId
    exposure: Exposure


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one instant."""

    var: ValueAtRisk | None
    var_reason: str
    histogram: VarHistogram | None
    worst: Together | None
    """None: nothing is held, or it cannot be measured."""
    is_together_known: bool
    names: tuple[str, ...]
    pairs: tuple[CorrelationPair, ...]


NOTHING = Measures(None, "no session has begun", None, None, False, (), ())


class Measurer:
    """Of one engine. `wall`: monotonic seconds."""

    def __init__(self, engine: Engine, wall: Callable[[], float]) -> None:
        self._engine = engine
        self._wall = wall
        self._measured_s = 0.0
        self._state: _State | None = None
        self._measures = NOTHING

    def now(self) -> Measures:
        """At most a second old, and of what is held and waits now."""
        wall, state = self._wall(), self._state_now()
        if state != self._state or wall - self._measured_s >= EVERY_S:
            self._measures = measure(self._engine)
            self._state, self._measured_s = state, wall
        return self._measures

    def _state_now(self) -> _State:
        engine = self._engine
        brackets = ((b.ticket, b.position, b.entry.is_live) for b in engine.brackets.open())
        waiting = (entry.ticket.id for entry in engine.tickets.waiting())
        return (engine.picture.session, *brackets, *waiting)


def measure(engine: Engine) -> Measures:
    """Against the daily bars before the session of now."""
    session, values = engine.picture.session, engine.risk.values()
    if session is None:
        return NOTHING
    if values is None:
        return Measures(None, "a position has no price", None, None, False, (), ())
    held = [name for name, value in values.items() if value != ZERO]
    var, made = engine.risk.value_at_risk(session), engine.risk.daily_results(session)
    names: dict[str, InstrumentId] = {symbol_of(name): name for name in held}
    for entry in engine.tickets.waiting():
        names.setdefault(f"T-{entry.ticket.number}", entry.ticket.instrument)
    shown = dict(list(names.items())[:MOST_NAMES])
    return Measures(
        var=var,
        var_reason=_why_not(var, bool(held)),
        histogram=None if made is None else _histogram(made, engine.equity()),
        worst=_worst(engine, session, held),
        is_together_known=True,
        names=tuple(shown),
        pairs=_pairs(engine, session, shown),
    )


def _why_not(var: ValueAtRisk | None, is_held: bool) -> str:
    if var is None:
        return f"fewer than {MIN_RETURNS} common days of what is held"
    return "" if is_held else "nothing is held"


def _histogram(made: np.ndarray, equity: Decimal | None) -> VarHistogram | None:
    """Of daily results (T,) in currency, as fractions of equity."""
    if equity is None or equity <= ZERO or not np.isfinite(made).all():
        return None
    counts, edges = np.histogram(made / float(equity), bins=BINS)
    return VarHistogram(tuple(edges.tolist()), tuple(counts.tolist()), len(made))


def _worst(engine: Engine, session: date, held: Iterable[InstrumentId]) -> Together | None:
    found = [(name, engine.risk.exposure(session, name)) for name in held]
    known = [Together(name, exposure) for name, exposure in found if exposure is not None]
    return max(known, key=lambda together: together.exposure.value, default=None)


def _pairs(engine: Engine, session: date, names: dict[str, InstrumentId]) -> tuple[CorrelationPair, ...]:
    labels = list(names)
    return tuple(
        CorrelationPair(one, other, engine.risk.correlation(session, names[one], names[other]))
        for place, one in enumerate(labels)
        for other in labels[place + 1 :]
    )
