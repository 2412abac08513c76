"""Scores of events by models that never saw them nor their neighbors in time (SPEC 3.3.4, 8.2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from engine.learn.boosting import BoostParams, Sample, boost, boost_until_worse
from engine.learn.folds import Fold, inner_fold, purged_folds
from engine.learn.logistic import Logistic, fit_logistic
from engine.learn.tree_text import read_trees
from engine.learn.trees import Trees

if TYPE_CHECKING:
    import lightgbm

BOOSTED_FROM = 1000
"""Events below which logistic regression is used (SPEC 3.3.3)."""
_INNER = 0.2
"""Share of a fold's training sessions, the newest, that training is stopped on."""
_FEWEST = 40


class Scorer(Protocol):
    """A model of one outcome: log-odds of rows of finite inputs."""

    def raw(self, values: np.ndarray) -> float:
        """Of one row (K,)."""
        ...

    def raw_rows(self, rows: np.ndarray) -> np.ndarray:
        """Of rows (N, K) -> (N,), each equal to `raw` of it."""
        ...

    def contributions(self, values: np.ndarray) -> np.ndarray:
        """What each input added to the mean log-odds (K,)."""
        ...


@dataclass(frozen=True, slots=True)
class Trained:
    """A scorer and what it is stored as: the text of LightGBM, or "" for a logistic model."""

    scorer: Logistic | Trees
    text: str


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Out-of-fold log-odds (N,), NaN where no fold judged a row.

    `models[i]` gives the log-odds of rows (N, K) -> (N,) and never saw `folds[i].test`.
    """

    folds: tuple[Fold, ...]
    models: tuple[Callable[[np.ndarray], np.ndarray], ...]
    scores: np.ndarray
    rounds: int
    """Of boosting in the median fold; 0 for logistic regression."""


def cross_fit(
    sample: Sample,
    session: np.ndarray,
    known: np.ndarray,
    inputs: Sequence[str],
    params: BoostParams,
    seed: int,
) -> CrossFit:
    """One model for each purged fold; rows with one outcome only train none."""
    is_boosted = len(session) >= BOOSTED_FROM
    scores = np.full(len(session), np.nan)
    folds: list[Fold] = []
    models: list[Callable[[np.ndarray], np.ndarray]] = []
    rounds: list[int] = []
    for fold in purged_folds(session, known):
        train = sample.take(fold.train)
        if not 0 < train.happened.sum() < len(fold.train):
            continue
        if is_boosted:
            inner = inner_fold(session[fold.train], known[fold.train], _INNER)
            if min(len(inner.train), len(inner.test)) < _FEWEST:
                continue
            booster, best = boost_until_worse(
                train.take(inner.train), train.take(inner.test), inputs, params, seed
            )
            models.append(partial(_scores_of, booster, best))
            rounds.append(best)
        else:
            models.append(fit_logistic(train.x, train.happened, train.weight).raw_rows)
        scores[fold.test] = models[-1](sample.x[fold.test])
        folds.append(fold)
    return CrossFit(tuple(folds), tuple(models), scores, int(np.median(rounds)) if rounds else 0)


def _scores_of(booster: "lightgbm.Booster", rounds: int, rows: np.ndarray) -> np.ndarray:
    """By LightGBM, which trained it in this process: quicker than to read its text, and the same bits."""
    return np.asarray(booster.predict(rows, raw_score=True, num_iteration=rounds, num_threads=1))


def fit_whole(sample: Sample, inputs: Sequence[str], params: BoostParams, seed: int, rounds: int) -> Trained:
    """The model on all of the sample: boosted for `rounds`, logistic for 0."""
    if not rounds:
        return Trained(fit_logistic(sample.x, sample.happened, sample.weight), "")
    text = boost(sample, inputs, params, seed, rounds).model_to_string()
    return Trained(read_trees(text, inputs), text)
