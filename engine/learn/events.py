"""The events of a panel that a model may learn from or be judged on, with their places in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from engine.features.panel import DecisionPanel
from engine.learn.labels import STOP, TARGET, TRUNCATED, Labels
from engine.learn.weights import training_weights
from engine.model.ids import InstrumentId
from engine.ports import BarColumns

LONGEST = 20
"""Sessions that the window of a label may span in training: in a longer one the instrument did not trade."""


@dataclass(frozen=True, slots=True)
class Events:
    """Rows of a panel whose inputs are all there, in order of session; arrays (N,), `x` (N, K).

    `row`: the panel's. `session`, `left`, `known`: places on the axis of sessions: of the entry, of the way
    out, of the end of the whole window; -1 where the label is truncated. `trains`: may be learned from once
    its label is known. `traded`: belongs to what is traded, which is what a model is judged on.
    """

    inputs: tuple[str, ...]
    x: np.ndarray
    row: np.ndarray
    session: np.ndarray
    left: np.ndarray
    known: np.ndarray
    way: np.ndarray
    ret: np.ndarray
    trains: np.ndarray
    traded: np.ndarray

    def __len__(self) -> int:
        return len(self.session)

    @property
    def touched(self) -> np.ndarray:
        """1.0 where the target or the stop came, else 0.0 (N,)."""
        return np.asarray((self.way == TARGET) | (self.way == STOP), dtype=np.float64)

    @property
    def bounced(self) -> np.ndarray:
        """1.0 where the target came first, else 0.0 (N,)."""
        return np.asarray(self.way == TARGET, dtype=np.float64)

    def take(self, rows: np.ndarray) -> "Events":
        """Those at `rows`."""
        columns = (getattr(self, column.name)[rows] for column in fields(self)[1:])
        return Events(self.inputs, *columns)

    def learnable(self, before: int) -> np.ndarray:
        """Row numbers that may be trained on by someone who knows all sessions up to place `before` - 1."""
        return np.flatnonzero(self.trains & (self.way != TRUNCATED) & (self.known < before))

    def weights(self) -> np.ndarray:
        """Average uniqueness of these events' windows, mean 1 (N,)."""
        return training_weights(self.session, self.left)


def session_axis(bars: Mapping[InstrumentId, BarColumns]) -> np.ndarray:
    """Every day (S,) that any instrument has a bar of, rising, datetime64[D]."""
    days = [columns.day.astype("datetime64[D]") for columns in bars.values() if len(columns)]
    return np.unique(np.concatenate(days)) if days else np.empty(0, dtype="datetime64[D]")


def gather(
    panel: DecisionPanel,
    labels: Labels,
    axis: np.ndarray,
    inputs: Sequence[str],
    trains: np.ndarray,
    traded: np.ndarray,
) -> Events:
    """The events of a panel with all `inputs` finite; `trains`, `traded` (N,) say what each row is for."""
    x = np.column_stack([panel.values[name] for name in inputs]).astype(np.float64)
    row = np.flatnonzero(np.isfinite(x).all(axis=1))
    row = row[np.lexsort((panel.instrument[row], panel.day[row]))]
    truncated = labels.way[row] == TRUNCATED

    def place(days: np.ndarray) -> np.ndarray:
        return np.searchsorted(axis, days)

    session = place(panel.day[row])
    known = np.where(truncated, -1, place(labels.known[row]))
    return Events(
        inputs=tuple(inputs),
        x=np.ascontiguousarray(x[row]),
        row=row,
        session=session,
        left=np.where(truncated, -1, place(labels.left[row])),
        known=known,
        way=labels.way[row].astype(np.int8),
        ret=labels.ret[row],
        trains=trains[row] & (known - session < LONGEST),
        traded=traded[row],
    )
