"""Purged and embargoed folds (SPEC 8.2): blocks of sessions in time, never of rows.

A training event whose label window reaches into the test block is dropped, and so is one that begins while
windows of the test block are open or within the embargo after them (Lopez de Prado 2018, chapter 7).
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np

from engine.money import EPSILON

FOLDS = 5
EMBARGO = 0.01
"""Share of all sessions that stays unused after a test block."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers (M,) into the events: train on the one, judge on the other."""

    train: np.ndarray
    test: np.ndarray


def purged_folds(
    session: np.ndarray, known: np.ndarray, folds: int = FOLDS, embargo: float = EMBARGO
) -> list[Fold]:
    """Folds over events with windows from place `session` to place `known` of the sessions, both (N,).

    Blocks hold equal numbers of sessions; one without events to train on or to judge is left out.
    """
    if not len(session):
        return []
    start = int(session.min())
    sessions = int(session.max()) - start + 1
    idle = ceil(embargo * sessions - EPSILON)
    edges = [start + sessions * k // folds for k in range(folds + 1)]
    found = []
    for first, end in pairwise(edges):
        test = np.flatnonzero((session >= first) & (session < end))
        if not len(test):
            continue
        train = np.flatnonzero((known < first) | (session > known[test].max() + idle))
        if len(train):
            found.append(Fold(train, test))
    return found


def inner_fold(session: np.ndarray, known: np.ndarray, share: float) -> Fold:
    """The newest `share` of sessions to stop early on, and what is known before them; both may be empty."""
    start = session.min() + ceil((session.max() - session.min() + 1) * (1 - share))
    return Fold(np.flatnonzero(known < start), np.flatnonzero(session >= start))
