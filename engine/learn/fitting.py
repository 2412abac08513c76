"""From labeled events to the two calibrated models of the bounce (SPEC 3.3.3-3.3.5)."""

from dataclasses import dataclass, field

import numpy as np

from engine.learn.boosting import BoostParams, Sample
from engine.learn.calibration import cross_calibrated, fit_band, fit_calibrator
from engine.learn.crossfit import CrossFit, Trained, cross_fit, fit_whole
from engine.learn.events import Events
from engine.learn.labels import STOP, TARGET, TIME
from engine.learn.lightgbm_model import Chance, GapsModel, Returns, training_range
from engine.learn.scores import Skill, skill

FEWEST = 40
"""Events below which there is no model (SPEC 3.3.3)."""
SEED = 42


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How the two models are trained."""

    touch: BoostParams = field(default_factory=BoostParams)
    bounce: BoostParams = field(default_factory=BoostParams)
    seed: int = SEED


@dataclass(frozen=True, slots=True)
class Half:
    """One of the two models with what it was judged on: `events` are row numbers into the training events."""

    trained: Trained
    chance: Chance
    crossed: CrossFit
    sample: Sample
    events: np.ndarray
    out_of_fold: np.ndarray
    """Chances (N,) of the sample's rows, twice out of fold: neither model nor calibrator saw the row."""

    @property
    def shares(self) -> tuple[float, float]:
        """How many training events had this outcome: plain, and weighted as in training."""
        happened = self.sample.happened
        return float(happened.mean()), float(np.average(happened, weights=self.sample.weight))

    def skill(self) -> Skill:
        """Of the out-of-fold chances, against always saying one of `shares`."""
        judged = np.isfinite(self.out_of_fold)
        return skill(self.out_of_fold[judged], self.sample.happened[judged], *self.shares)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model and what its manifest tells of how it came to be."""

    model: GapsModel
    touch: Half
    bounce: Half
    events: Events


def fit_gaps(events: Events, settings: FitSettings, model_id: str) -> Fitted | None:
    """The model of these events, all of them labeled; None where there are too few or one outcome only.

    It is not usable yet: only a walk-forward can say that (`engine.learn.walkforward`).
    """
    if len(events) < FEWEST:
        return None
    weight = events.weights()
    touched = np.flatnonzero(events.touched > 0)
    whole = Sample(events.x, events.touched, weight)
    half = Sample(events.x[touched], events.bounced[touched], weight[touched])
    touch = _fit(whole, np.arange(len(events)), events, settings.touch, settings.seed)
    bounce = _fit(half, touched, events, settings.bounce, settings.seed + 1)
    if touch is None or bounce is None:
        return None
    scored = np.isfinite(bounce.crossed.scores)
    band = fit_band(
        bounce.crossed.scores[scored],
        half.happened[scored],
        half.weight[scored],
        events.session[touched][scored],
        settings.seed,
    )
    low, high = training_range(events.x)
    model = GapsModel(
        model_id, events.inputs, touch.chance, bounce.chance, band, _returns(events), low, high, False
    )
    return Fitted(model, touch, bounce, events)


def _fit(sample: Sample, rows: np.ndarray, events: Events, params: BoostParams, seed: int) -> Half | None:
    if len(rows) < FEWEST or not 0 < sample.happened.sum() < len(rows):
        return None
    crossed = cross_fit(sample, events.session[rows], events.known[rows], events.inputs, params, seed)
    scored = np.isfinite(crossed.scores)
    if not scored.any():
        return None
    known = sample.take(scored)
    calibrator = fit_calibrator(crossed.scores[scored], known.happened, known.weight)
    chances = cross_calibrated(crossed.scores, sample.happened, sample.weight, list(crossed.folds))
    trained = fit_whole(sample, events.inputs, params, seed, crossed.rounds)
    return Half(trained, Chance(trained.scorer, calibrator), crossed, sample, rows, chances)


def _returns(events: Events) -> Returns:
    """Unweighted means; a way out that never happened counts as no return."""

    def mean(way: int) -> float:
        found = events.ret[events.way == way]
        return float(found.mean()) if len(found) else 0.0

    return Returns(mean(TARGET), mean(STOP), mean(TIME))
