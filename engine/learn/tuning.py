"""Search of hyper-parameters (SPEC 8.3): Optuna's TPE on the mean log loss of purged folds.

The study lives in a database, so a search that was stopped goes on where it was and several machines may
share one. Each trial's sampler is seeded by the trial's number: how often the search was stopped changes
nothing. Nothing is searched that would shift the base rate, such as class weights.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import StorageError
from engine.learn.boosting import BoostParams, Sample
from engine.learn.crossfit import cross_fit

if TYPE_CHECKING:
    import optuna

RANDOM, GUIDED = 20, 60
SPACE: dict[str, tuple[float, float, str]] = {
    "num_leaves": (15, 127, "int"),
    "learning_rate": (0.01, 0.3, "log"),
    "feature_fraction": (0.5, 1.0, "float"),
    "bagging_fraction": (0.5, 1.0, "float"),
    "max_depth": (3, 12, "int"),
    "min_child_samples": (5, 100, "int"),
    "lambda_l1": (1e-8, 10.0, "log"),
    "lambda_l2": (1e-8, 10.0, "log"),
}
"""Key of BoostParams -> smallest, largest, scale."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is tuned: one outcome, its events' windows on the axis of sessions, and the seed of all draws."""

    sample: Sample
    session: np.ndarray
    known: np.ndarray
    inputs: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Tried:
    """One finished trial."""

    number: int
    params: BoostParams
    loss: float


def fold_loss(task: Task, params: BoostParams) -> float:
    """Mean over the purged folds of the weighted log loss of a fold's rows; infinite without a fold."""
    crossed = cross_fit(task.sample, task.session, task.known, task.inputs, params, task.seed)
    losses = []
    for fold in crossed.folds:
        scores, happened = crossed.scores[fold.test], task.sample.happened[fold.test]
        each = np.logaddexp(0, scores) - happened * scores
        losses.append(float(np.average(each, weights=task.sample.weight[fold.test])))
    return float(np.mean(losses)) if losses else float("inf")


def tune(
    task: Task,
    url: str,
    study_name: str,
    trials: int = RANDOM + GUIDED,
    executor: Executor | None = None,
    jobs: int = 1,
    told: Callable[[Tried, int], None] = lambda tried, total: None,
) -> list[Tried]:
    """Bring the study to so many finished trials; all of them, the best first. `told` after each new one.

    With an executor `jobs` trials run side by side: they know of each other only when all are done, so
    another number of jobs is another search. Raises StorageError.
    """
    import optuna  # 1 s, and only here

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage = optuna.storages.RDBStorage(url)
        study = optuna.create_study(storage=storage, study_name=study_name, load_if_exists=True)
        while (done := len(_finished(study))) < trials:
            asked = [_ask(study, task.seed) for _ in range(min(jobs, trials - done))]
            losses = _losses(task, [params for _, params in asked], executor)
            for (trial, params), loss in zip(asked, losses, strict=True):
                study.tell(trial, loss)
                told(Tried(trial.number, params, loss), trials)
        return sorted(_finished(study), key=lambda one: (one.loss, one.number))
    except optuna.exceptions.OptunaError as error:
        raise StorageError(
            f"the study {study_name} cannot be kept: {error}", "Check the database that --storage names"
        ) from error


def _losses(task: Task, params: Sequence[BoostParams], executor: Executor | None) -> list[float]:
    if executor is None:
        return [fold_loss(task, one) for one in params]
    futures = [executor.submit(fold_loss, task, one) for one in params]
    try:
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


def _ask(study: "optuna.Study", seed: int) -> tuple["optuna.Trial", BoostParams]:
    import optuna  # loaded by then

    number = len(study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=seed + number, n_startup_trials=RANDOM)
    trial = study.ask()
    values: dict[str, Any] = {}
    for key, (low, high, scale) in SPACE.items():
        if scale == "int":
            values[key] = trial.suggest_int(key, int(low), int(high))
        else:
            values[key] = trial.suggest_float(key, low, high, log=scale == "log")
    return trial, BoostParams(**values)


def _finished(study: "optuna.Study") -> list[Tried]:
    """Trials that ended with a loss; those that were stopped half way count for nothing."""
    return [
        Tried(trial.number, BoostParams(**trial.params), trial.value)
        for trial in study.get_trials(deepcopy=False)
        if trial.value is not None
    ]


def configuration(params: BoostParams, seed: int, inputs: Sequence[str]) -> dict[str, object]:
    """What makes a trial one configuration in the registry's count (SPEC 9.3)."""
    return {"params": asdict(params), "seed": seed, "inputs": list(inputs)}
