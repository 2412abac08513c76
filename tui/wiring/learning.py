"""Training and tuning, joined: bars -> panel -> events -> walk-forward -> model -> its folder."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from multiprocessing import get_context
from typing import Any

import numpy as np

from engine.errors import DataError, UsageError
from engine.features.catalogue import CATALOGUE
from engine.features.panel import BASE, EXTENDED, decision_panel
from engine.learn.boosting import BoostParams, Sample
from engine.learn.events import Events
from engine.learn.fitting import FEWEST, SEED, FitSettings, Fitted, Half, fit_gaps
from engine.learn.importance import importances
from engine.learn.labels import TRUNCATED
from engine.learn.manifest import Standing, sha256
from engine.learn.modelfiles import BOUNCE, TOUCH, Provenance, pack
from engine.learn.scores import decisions
from engine.learn.tuning import GUIDED, RANDOM, Task, Tried, configuration, tune
from engine.learn.walkforward import Proof, WalkForward, prove, walk_forward
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.population import Population, populate
from storage.model_registry import ModelRegistry, Stage, open_registry
from storage.paths import Home, StatePaths, make_private
from storage.studies import studies_in
from tui.settings import Settings
from tui.wiring.market import BarInputs, load_market, open_sessions
from tui.wiring.shelf import CHALLENGER, NAME, describe, writing_store

TRIALS = RANDOM + GUIDED
ACTOR = "train"
Narrate = Callable[[str], None]
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """One training or search. `is_extended`: the inputs of the challenger; `jobs`: processes side by side."""

    settings: Settings
    home: Home
    state: StatePaths
    inputs: BarInputs
    first: date | None
    last: date | None
    is_extended: bool
    jobs: int

    @property
    def name(self) -> str:
        """Of the model."""
        return CHALLENGER if self.is_extended else NAME

    @property
    def features(self) -> tuple[str, ...]:
        """Its inputs."""
        return EXTENDED if self.is_extended else BASE


@dataclass(frozen=True, slots=True)
class Material:
    """What is learned from."""

    population: Population
    events: Events

    def day(self, place: int) -> str:
        """ISO day of a place on the axis."""
        return str(self.population.axis[place])


def gather_events(options: LearnOptions, narrate: Narrate) -> Material:
    """Read the bars and label their gaps. Raises DataError where there are none to learn from."""
    market = load_market(options.inputs, options.state, open_sessions(options.home))
    for note in market.notes:
        narrate(note)
    panel = decision_panel(market.bars, market.vix, market.spy, first=options.first, last=options.last)
    population = populate(market.bars, panel, options.settings.config.gaps)
    events = population.events(options.features)
    usable = int((events.trains & (events.way != TRUNCATED)).sum())
    narrate(f"{len(panel):,} gaps, {usable:,} to learn from, {int(events.traded.sum()):,} of them are traded")
    if usable < FEWEST:
        missing = [name for name, on in (("VIX", market.vix), ("SPY", market.spy)) if on is None]
        hint = f"Bars of {' and '.join(missing)} are missing: name them" if missing else "Name more bars"
        raise DataError(f"{usable} gaps to learn from, {FEWEST} are needed", f"{hint}; see --data")
    return Material(population, events)


def train_gaps(options: LearnOptions, is_tuned: bool, narrate: Narrate, told: Told) -> dict[str, object]:
    """Judge by walk-forward, train on everything, explain, store and register. The document of the model."""
    material = gather_events(options, narrate)
    make_private(options.home.data)
    make_private(options.home.models)
    with open_registry(options.home.models) as registry:
        settings = _tuned(registry, options.name) if is_tuned else FitSettings()
        registry.record_trial(f"{options.name}/train", _tried(options, settings), None, _now_us())
        with executor_of(options.jobs) as executor:
            walked = walk_over(material, settings, options.name, executor, told)
        standing, judged = _standing(material, walked, options.settings.config.gaps)
        known = material.events.take(material.events.learnable(len(material.population.axis)))
        fitted = fit_gaps(known, settings, options.name)
        if fitted is None:
            raise DataError("the gaps at hand have one outcome only: there is nothing to learn", "")
        packed = pack(fitted, _provenance(options, material, fitted, settings, standing, judged, registry))
        store = writing_store(options.home)
        manifest = store.put(packed, _now_us())
        if manifest.version not in registry.stages():
            registry.move(manifest.version, Stage.VALIDATE, _now_us(), ACTOR, "trained")
        stage = registry.stages()[manifest.version]
        trials = registry.trials(NAME)
    checked = store.check([manifest.version])[0]
    if checked.model is None:
        raise DataError(f"the model {manifest.version} was stored and is not used: {checked.problem}", "")
    return describe(checked, stage) | {"quarters": _quarters(walked), "trials": trials}


def walk_over(
    material: Material, settings: FitSettings, name: str, executor: Executor | None, told: Told
) -> WalkForward:
    """The walk-forward of what was gathered."""
    rows = len(material.population.panel)
    return walk_forward(material.events, material.population.axis, rows, settings, name, executor, told)


def tune_gaps(
    options: LearnOptions, trials: int, url: str | None, narrate: Narrate, told: Told
) -> dict[str, object]:
    """Search the parameters of both models; every trial is counted in the registry."""
    material = gather_events(options, narrate)
    known = material.events.take(material.events.learnable(len(material.population.axis)))
    make_private(options.home.data)
    with open_registry(make_private(options.home.models)) as registry:
        found: dict[str, object] = {}
        for number, (half, task) in enumerate(_tasks(known)):
            study = f"{options.name}/{half}/{_digest(task)}"
            narrate(f"{half}: {trials} trials over {len(task.session):,} events")

            told_one = _teller(registry, f"{options.name}/{half}", task, number, told)
            with studies_in(options.home.models, url) as place, executor_of(options.jobs) as executor:
                best = tune(task, place, study, trials, executor, options.jobs, told_one)
            found[half] = {
                "trials": len(best),
                "log_loss": best[0].loss,
                "params": asdict(best[0].params),
            }
        return {"model": options.name, "events": len(known), **found, "trials_counted": registry.trials(NAME)}


@contextmanager
def executor_of(jobs: int) -> Iterator[Executor | None]:
    """So many processes; None for one, which is this. What waits is dropped when the block is left."""
    if jobs == 1:
        yield None
        return
    executor = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _now_us() -> int:
    return time.time_ns() // 1000


def _tuned(registry: ModelRegistry, name: str) -> FitSettings:
    """The best of what was tuned. Raises UsageError where nothing was."""
    found = []
    for half in (TOUCH, BOUNCE):
        trial = registry.best_trial(f"{name}/{half}")
        if trial is None:
            raise UsageError(f"{half} of {name} was never tuned", "Run tradedeck tune gaps first")
        params = trial["params"]
        assert isinstance(params, dict)  # noqa: S101 - `configuration` wrote it
        found.append(BoostParams(**params))
    return FitSettings(found[0], found[1])


def _tried(options: LearnOptions, settings: FitSettings) -> dict[str, object]:
    """What makes this training one configuration in the count of trials."""
    return {
        "inputs": list(options.features),
        "touch": asdict(settings.touch),
        "bounce": asdict(settings.bounce),
        "seed": settings.seed,
    }


def _standing(material: Material, walked: WalkForward, config: GapsConfig) -> tuple[Standing, dict[str, Any]]:
    """Whether all quarters together speak for a model of this kind, and their scores on both populations."""
    events = material.events
    shares = np.full((2, 2, len(events)), np.nan)
    for number, quarter in enumerate(walked.quarters):
        shares[..., walked.quarter[events.row] == number] = quarter.shares[..., np.newaxis]
    p_touch, q_bounce = walked.p_touch[events.row], walked.q_bounce[events.row]
    judged = np.isfinite(p_touch) & (events.way != TRUNCATED)
    found: dict[str, Any] = {}
    proofs: dict[str, Proof] = {}
    for name, members in (("traded", events.traded), ("all", events.trains)):
        rows = judged & members
        those = events.take(rows)
        proofs[name] = prove(those, p_touch[rows], q_bounce[rows], shares[..., rows])
        touched = those.touched > 0
        found[name] = {
            "p_touch": asdict(proofs[name].touch),
            "q_bounce": asdict(proofs[name].bounce),
            "p_revert": asdict(proofs[name].revert),
            "at_q_min": asdict(decisions(q_bounce[rows][touched], those.bounced[touched], config.q_min)),
        }
    failings = proofs["traded"].failings
    return Standing(not failings, failings), found


def _provenance(
    options: LearnOptions,
    material: Material,
    fitted: Fitted,
    settings: FitSettings,
    standing: Standing,
    judged: Mapping[str, object],
    registry: ModelRegistry,
) -> Provenance:
    session = fitted.events.session
    before = registry.order(options.name)

    def worth(half: Half) -> tuple[Any, ...]:
        return importances(half, session[half.events], fitted.events.inputs, settings.seed)

    return Provenance(
        name=options.name,
        first=material.day(int(session.min())),
        last=material.day(int(session.max())),
        versions={name: CATALOGUE[name].version for name in options.features},
        settings=settings,
        standing=standing,
        walk_forward=judged,
        importance={TOUCH: worth(fitted.touch), BOUNCE: worth(fitted.bounce)},
        parent=before[0] if before else None,
    )


def _quarters(walked: WalkForward) -> list[dict[str, object]]:
    return [
        {
            "first": quarter.first.isoformat(),
            "trained": quarter.trained,
            "usable": quarter.model is not None and quarter.model.is_usable,
            "failings": [] if quarter.proof is None else list(quarter.proof.failings),
        }
        for quarter in walked.quarters
    ]


def _tasks(known: Events) -> list[tuple[str, Task]]:
    weight = known.weights()
    touched = np.flatnonzero(known.touched > 0)
    whole = Sample(known.x, known.touched, weight)
    half = Sample(known.x[touched], known.bounced[touched], weight[touched])
    return [
        (TOUCH, Task(whole, known.session, known.known, known.inputs, SEED)),
        (BOUNCE, Task(half, known.session[touched], known.known[touched], known.inputs, SEED + 1)),
    ]


def _teller(
    registry: ModelRegistry, study: str, task: Task, number: int, told: Told
) -> Callable[[Tried, int], None]:
    """Counts each trial and shows how far the search of the one half, of two, is."""

    def tell(tried: Tried, total: int) -> None:
        told(number * total + tried.number + 1, 2 * total)
        registry.record_trial(
            study, configuration(tried.params, task.seed, task.inputs), tried.loss, _now_us()
        )

    return tell


def _digest(task: Task) -> str:
    """Other data are another study."""
    parts = (task.sample.x, task.sample.happened, task.session, task.known)
    return sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))[:12]
