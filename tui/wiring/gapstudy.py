"""The full rule over stored bars, joined: bars -> panel -> walk-forward models -> study -> document."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from engine.backtest.brackets import tape_of
from engine.backtest.costs import Costs
from engine.backtest.full import read_rows
from engine.backtest.naive import NaiveRule, naive_trades
from engine.backtest.outlook import Outlook, look_out
from engine.backtest.study import Terms, run_study, variants
from engine.backtest.study_document import study_document
from engine.errors import DataError, UsageError
from engine.features.panel import BASE, EXTENDED, decision_panel
from engine.learn.fitting import FitSettings
from engine.learn.labels import TARGET, TIME, TRUNCATED
from engine.learn.scores import Skill, skill
from engine.learn.walkforward import WalkForward
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.population import Population, populate
from storage.model_registry import open_registry
from storage.paths import Home, StatePaths, make_private
from tui.settings import Settings
from tui.wiring.learning import Material, executor_of, walk_over
from tui.wiring.market import BarInputs, MarketData, load_market, open_sessions
from tui.wiring.shelf import CHALLENGER, NAME

STUDY = f"{NAME}/backtest"
"""Under which the registry counts the configurations of back-tests."""
Narrate = Callable[[str], None]
Told = Callable[[str, int, int], None]
"""(what, done, total) after each step of a long piece of work."""


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """One study. `train`: the bars that models are trained on; None: those that are judged as well."""

    settings: Settings
    home: Home
    state: StatePaths
    inputs: BarInputs
    train: BarInputs | None
    first: date | None
    last: date | None
    is_extended: bool
    jobs: int
    cluster: str | None


def study_gaps(options: StudyOptions, with_rows: bool, narrate: Narrate, told: Told) -> dict[str, Any]:
    """Walk forward, decide, account: the document of the study. Raises DataError without bars."""
    market = _market(options, options.inputs, narrate)
    if market.vix is None or market.spy is None:
        raise DataError("the full rule needs the VIX and SPY", "Name their bars with --vix and --spy")
    config = options.settings.config.gaps
    panel = decision_panel(market.bars, market.vix, market.spy, first=options.first, last=options.last)
    if not len(panel):
        raise DataError("no stock opened 3 % lower in these bars", "Name more bars")
    population = populate(market.bars, panel, config)
    narrate(f"{len(panel):,} gaps, {int(population.traded.sum()):,} of them with the trigger")
    taught = population if options.train is None else _taught(options, config, narrate)
    walked = _walk(options, taught, told)
    outlook = look_out(panel, walked.shelf())
    tape = tape_of(market.bars)
    study = run_study(
        read_rows(panel, outlook, market.bars, tape),
        tape,
        naive_trades(market.bars, _naive(config), options.first, options.last),
        market.spy,
        _terms(options, config),
        [quarter.first for quarter in walked.quarters if quarter.first <= market.last_day()],
        lambda done, total: told("runs", done, total),
    )
    document = study_document(study, with_rows)
    document["models"] |= _skill(population, outlook, walked) | {
        "inputs": list(EXTENDED if options.is_extended else BASE),
        "trained_on": "the bars that are judged" if options.train is None else "other bars",
        "quarters": _quarters(walked),
    }
    return document


def _market(options: StudyOptions, inputs: BarInputs, narrate: Narrate) -> MarketData:
    market = load_market(inputs, options.state, open_sessions(options.home))
    for note in market.notes:
        narrate(note)
    return market


def _taught(options: StudyOptions, config: GapsConfig, narrate: Narrate) -> Population:
    """The gaps of the bars that models are trained on."""
    if options.train is None:
        raise ValueError("there are no other bars")
    market = _market(options, options.train, narrate)
    panel = decision_panel(market.bars, market.vix, market.spy)
    return populate(market.bars, panel, config)


def _walk(options: StudyOptions, population: Population, told: Told) -> WalkForward:
    events = population.events(EXTENDED if options.is_extended else BASE)
    name = CHALLENGER if options.is_extended else NAME
    with _executor(options) as executor:
        return walk_over(
            Material(population, events),
            FitSettings(),
            name,
            executor,
            lambda done, total: told("quarters", done, total),
        )


@contextmanager
def _executor(options: StudyOptions) -> Iterator[Executor | None]:
    if options.cluster is None:
        with executor_of(options.jobs) as executor:
            yield executor
        return
    with cluster_executor(options.cluster) as remote:
        yield remote


@contextmanager
def cluster_executor(address: str) -> Iterator[Executor]:
    """A dask.distributed scheduler as an executor; what waits there is dropped when the block is left."""
    try:
        from distributed import Client  # extra `cluster`
    except ImportError as error:
        raise UsageError("--cluster needs dask.distributed", "Install tradedeck[cluster]") from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(f"no scheduler answers at {address}: {error}", "Start one, or use --jobs") from error
    with client, client.get_executor() as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _naive(config: GapsConfig) -> NaiveRule:
    return NaiveRule(
        price_min=config.price_min,
        price_max=config.price_max,
        adv_min_usd=config.adv_min_usd,
        stop_pct=config.stop_pct,
        target_pct=config.target_pct,
        max_sessions=config.max_sessions,
    )


def _terms(options: StudyOptions, config: GapsConfig) -> Terms:
    """The registry counts this configuration, and each that the sensitivity tries (SPEC 9.3)."""
    settings, inputs = options.settings.config, list(EXTENDED if options.is_extended else BASE)
    make_private(options.home.data)
    with open_registry(make_private(options.home.models)) as registry:
        for one in (config, *(variant for _, _, variant in variants(config))):
            registry.record_trial(STUDY, _tried(one, inputs), None, time.time_ns() // 1000)
        trials = registry.trials(NAME)
    return Terms(
        config,
        settings.risk,
        Costs(spread_bps=settings.backtest.spread_bps),
        settings.accounts["paper"].initial_cash,
        trials,
    )


def _tried(config: GapsConfig, inputs: list[str]) -> Mapping[str, object]:
    """What makes it one configuration: thresholds and inputs, not stage, rule or hour."""
    values = {key: value for key, value in asdict(config).items() if isinstance(value, float | int)}
    return values | {"inputs": inputs}


def _skill(population: Population, outlook: Outlook, walked: WalkForward) -> dict[str, Any]:
    """How good the chances were on what is traded, against the base rates of each quarter's own training."""
    labels = population.labels
    at = np.flatnonzero(population.traded & outlook.is_there & (labels.way != TRUNCATED))
    session = np.unique(population.panel.day[at], return_inverse=True)[1]
    shares = _shares(population.panel.day[at], walked)
    touched, won = labels.way[at] != TIME, labels.way[at] == TARGET
    p_touch, q_bounce = outlook.p_touch[at], outlook.q_bounce[at]
    found = {
        "p_touch": skill(p_touch, touched.astype(float), *shares[0], session=session),
        "q_bounce": skill(
            q_bounce[touched], won[touched].astype(float), *shares[1][:, touched], session=session[touched]
        ),
        "p_revert": skill(p_touch * q_bounce, won.astype(float), *(shares[0] * shares[1]), session=session),
    }
    return {"skill": {name: _rounded(one) for name, one in found.items()}}


def _shares(days: np.ndarray, walked: WalkForward) -> np.ndarray:
    """(2, 2, K) as `engine.learn.walkforward.Quarter.shares` of the quarter that served each day."""
    served = [quarter for quarter in walked.quarters if quarter.model is not None]
    starts = np.array([quarter.first for quarter in served], dtype="datetime64[D]")
    place = np.maximum(np.searchsorted(starts, days.astype("datetime64[D]"), side="right") - 1, 0)
    if not served:
        return np.full((2, 2, len(days)), np.nan)
    shares = np.stack([quarter.shares for quarter in served], axis=-1)
    return np.asarray(shares[..., place])


def _rounded(one: Skill) -> dict[str, Any]:
    return {
        key: round(value, 10) if isinstance(value, float) else value for key, value in asdict(one).items()
    }


def _quarters(walked: WalkForward) -> list[dict[str, Any]]:
    return [
        {
            "first": quarter.first.isoformat(),
            "trained": quarter.trained,
            "model": None if quarter.model is None else quarter.model.model_id,
            "usable": quarter.model is not None and quarter.model.is_usable,
        }
        for quarter in walked.quarters
    ]
