"""Average uniqueness of label windows: events that share their sessions count for less (SPEC 8.2).

The weight of an event is the mean, over the sessions of its window, of one over the windows that are open in
that session, those of all symbols (Lopez de Prado 2018, chapter 4.4).
"""

import numpy as np


def average_uniqueness(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Weights (N,) in 0..1 of windows from place `first` to place `last` (N,), both inside the window."""
    if not len(first):
        return np.empty(0)
    start = int(first.min())
    begin, end = first - start, last - start + 1
    steps = np.zeros(int(end.max()) + 1)
    np.add.at(steps, begin, 1.0)
    np.add.at(steps, end, -1.0)
    open_windows = np.cumsum(steps)[:-1]
    # A session without a window lies inside none of them: its share is never summed.
    share = np.divide(1.0, open_windows, out=np.zeros_like(open_windows), where=open_windows > 0)
    until = np.concatenate(([0.0], np.cumsum(share)))
    return np.asarray((until[end] - until[begin]) / (end - begin))


def training_weights(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Average uniqueness scaled to a mean of 1, so that regularization means the same for every panel."""
    weight = average_uniqueness(first, last)
    return weight / weight.mean() if len(weight) else weight
