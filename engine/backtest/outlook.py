"""The forecasts of a whole panel, each row by the newest model that was trained before its session."""

from dataclasses import dataclass

import numpy as np

from engine.features.panel import DecisionPanel
from engine.learn.lightgbm_model import GapsModel
from engine.learn.walkforward import QuarterShelf
from engine.money import EPSILON


@dataclass(frozen=True, slots=True)
class Outlook:
    """Arrays (N,) over the rows of a panel, NaN where no model was there or an input was missing.

    `outside`: inputs beyond 1 %..99 % of training. `is_usable`: the model had shown skill by then.
    `model`: place in `model_ids`, -1 without one.
    """

    p_touch: np.ndarray
    q_bounce: np.ndarray
    r_target: np.ndarray
    r_stop: np.ndarray
    r_time: np.ndarray
    outside: np.ndarray
    is_usable: np.ndarray
    model: np.ndarray
    model_ids: tuple[str, ...]

    @property
    def is_there(self) -> np.ndarray:
        """Rows that have a forecast (N,)."""
        return np.asarray(np.isfinite(self.p_touch))


def look_out(panel: DecisionPanel, shelf: QuarterShelf) -> Outlook:
    """Each row asked of the newest model that was trained before its session."""
    count = len(panel)
    chances, returns = np.full((2, count), np.nan), np.full((3, count), np.nan)
    outside, number = np.zeros(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    is_usable = np.zeros(count, dtype=np.bool_)
    names: dict[str, int] = {}
    for model, rows in _by_model(panel, shelf):
        x = np.column_stack([panel.values[name][rows] for name in model.inputs]).astype(np.float64)
        known = np.isfinite(x).all(axis=1)
        at, x = rows[known], np.ascontiguousarray(x[known])
        if not len(at):
            continue
        chances[:, at] = model.chances(x)
        returns[:, at] = np.array([[model.returns.target], [model.returns.stop], [model.returns.time]])
        outside[at] = ((x < model.low - EPSILON) | (x > model.high + EPSILON)).sum(axis=1)
        is_usable[at] = model.is_usable
        number[at] = names.setdefault(model.model_id, len(names))
    p_touch, q_bounce = chances
    r_target, r_stop, r_time = returns
    return Outlook(p_touch, q_bounce, r_target, r_stop, r_time, outside, is_usable, number, tuple(names))


def _by_model(panel: DecisionPanel, shelf: QuarterShelf) -> list[tuple[GapsModel, np.ndarray]]:
    """Each model with the rows (K,) of the sessions that it serves."""
    days, session = np.unique(panel.day.astype("datetime64[D]"), return_inverse=True)
    served: dict[int, tuple[GapsModel, list[int]]] = {}
    for place, day in enumerate(days.tolist()):
        model = shelf.as_of(day)
        if model is not None:
            served.setdefault(id(model), (model, []))[1].append(place)
    return [(model, np.flatnonzero(np.isin(session, np.array(places)))) for model, places in served.values()]
