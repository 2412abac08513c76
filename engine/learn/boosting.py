"""Training of one boosted model, reproducible to the bit on one machine (SPEC 8.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import ConfigError

if TYPE_CHECKING:
    import lightgbm

ROUNDS = 1000
PATIENCE = 50
"""Rounds without a better log loss on the inner fold after which training stops."""


@dataclass(frozen=True, slots=True)
class BoostParams:
    """What is tuned (SPEC 8.3). The class weights are not: they would break the calibration."""

    num_leaves: int = 15
    learning_rate: float = 0.05
    feature_fraction: float = 0.8
    bagging_fraction: float = 0.8
    max_depth: int = 4
    min_child_samples: int = 100
    lambda_l1: float = 1e-8
    lambda_l2: float = 1.0

    def document(self, seed: int) -> dict[str, object]:
        """All that LightGBM is told, as the manifest keeps it."""
        return {
            "objective": "binary",
            "num_leaves": self.num_leaves,
            "learning_rate": self.learning_rate,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "max_depth": self.max_depth,
            "min_child_samples": self.min_child_samples,
            "lambda_l1": self.lambda_l1,
            "lambda_l2": self.lambda_l2,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows (N, K) with outcomes and weights (N,)."""

    x: np.ndarray
    happened: np.ndarray
    weight: np.ndarray

    def take(self, rows: np.ndarray) -> "Sample":
        """Those at `rows`."""
        return Sample(self.x[rows], self.happened[rows], self.weight[rows])


def boost(
    sample: Sample, inputs: Sequence[str], params: BoostParams, seed: int, rounds: int
) -> "lightgbm.Booster":
    """A model of so many rounds on all of the sample."""
    lgb = _lightgbm()
    booster: lightgbm.Booster = lgb.train(
        params.document(seed), _dataset(sample, inputs, seed), num_boost_round=rounds
    )
    return booster


def boost_until_worse(
    train: Sample, inner: Sample, inputs: Sequence[str], params: BoostParams, seed: int
) -> tuple["lightgbm.Booster", int]:
    """A model stopped early on the inner fold, cut to its best round; says which that was."""
    lgb = _lightgbm()
    data = _dataset(train, inputs, seed)
    booster = lgb.train(
        params.document(seed),
        data,
        num_boost_round=ROUNDS,
        valid_sets=[data.create_valid(inner.x, inner.happened, inner.weight)],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )
    return booster, max(booster.best_iteration, 1)


def _dataset(sample: Sample, inputs: Sequence[str], seed: int) -> "lightgbm.Dataset":
    dataset: lightgbm.Dataset = _lightgbm().Dataset(
        sample.x,
        sample.happened,
        weight=sample.weight,
        feature_name=list(inputs),
        params={"verbosity": -1, "num_threads": 1, "deterministic": True, "seed": seed},
    )
    return dataset


def _lightgbm() -> ModuleType:
    try:
        import lightgbm  # 0.9 s; only training needs it
    except OSError as error:
        raise ConfigError(
            f"LightGBM cannot be loaded: {error}",
            "It needs OpenMP: apt-get install libgomp1, or brew install libomp",
        ) from error
    module: ModuleType = lightgbm
    return module
