"""Walk-forward (SPEC 8.4): each quarter is judged by a model that knew nothing of it.

The window expands: a quarter's model learns from all events whose whole label window was over ten sessions
before it begins. Whether a model is usable (SPEC 3.3.4) is decided by the quarters before its own, on what
is traded.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from engine.learn.events import Events
from engine.learn.fitting import FitSettings, fit_gaps
from engine.learn.labels import TRUNCATED
from engine.learn.lightgbm_model import GapsModel
from engine.learn.scores import Skill, skill

MONTHS = 24
"""Of events before the first model (SPEC 3.3.3)."""
EMBARGO = 10
"""Sessions between the last label that is known and the first session that is judged."""
JUDGED_FEWEST = 40
"""Traded events judged so far below which nothing is shown."""
CALIBRATION_FROM = 1000
"""Judged events from which the calibration error is tested (SPEC 3.3.4)."""
ECE_MAX = 0.05


@dataclass(frozen=True, slots=True)
class Proof:
    """What past quarters say of a model on what is traded. `revert` is P(target), its factors apart."""

    touch: Skill
    bounce: Skill
    revert: Skill
    failings: tuple[str, ...]

    @property
    def is_usable(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.failings


@dataclass(frozen=True, slots=True)
class Quarter:
    """One quarter: first <= session < end are its days. `model` None: too few events were known."""

    first: date
    end: date
    trained: int
    model: GapsModel | None
    shares: np.ndarray
    """(2, 2): share of training events with a touch, and of those with the target; plain, weighted."""
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class WalkForward:
    """Out-of-time chances for each row of the panel that the events came from; arrays (N,).

    NaN, and -1 in `quarter`, where no model was asked: too early, or an input was missing.
    """

    p_touch: np.ndarray
    q_bounce: np.ndarray
    quarter: np.ndarray
    quarters: tuple[Quarter, ...]

    def shelf(self) -> "QuarterShelf":
        """Its models, by the session they serve."""
        return QuarterShelf(self.quarters)


@dataclass(frozen=True, slots=True)
class QuarterShelf:
    """`engine.ports.ModelShelf`: the newest model that was trained before a session began."""

    quarters: tuple[Quarter, ...]

    def as_of(self, session: date) -> GapsModel | None:
        """The model of the session's quarter; after the last quarter its model stays, and is not refitted."""
        found = None
        for quarter in self.quarters:
            if quarter.first <= session:
                found = quarter.model or found
        return found


def quarter_starts(axis: np.ndarray, months: int = MONTHS) -> list[np.datetime64]:
    """First days of the calendar quarters to judge, on an axis of sessions whose first starts the window."""
    if not len(axis):
        return []
    earliest = axis[0].astype("datetime64[M]") + months
    if axis[0] > axis[0].astype("datetime64[M]").astype("datetime64[D]"):
        earliest += 1  # the first month is not whole
    start = earliest + (-int(earliest.astype(np.int64))) % 3
    starts = np.arange(start, axis[-1].astype("datetime64[M]") + 1, 3)
    return list(starts.astype("datetime64[D]"))


def walk_forward(
    events: Events,
    axis: np.ndarray,
    rows: int,
    settings: FitSettings,
    name: str,
    executor: Executor | None = None,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> WalkForward:
    """Judge all quarters. `axis`: all sessions; `rows`: of the panel; `told(done, total)` after each.

    The window begins with the first session that has an event to learn from. With an executor quarters run
    side by side, and the result is the same.
    """
    if not events.trains.any():
        return _assemble(events, rows, [], [])
    starts = quarter_starts(axis[int(events.session[events.trains].min()) :])
    places = [int(np.searchsorted(axis, start)) for start in (*starts, *map(_after, starts[-1:]))]
    jobs = []
    for number, start in enumerate(starts):
        known = events.take(events.learnable(places[number] - EMBARGO))
        judged = _between(events, places[number], places[number + 1])
        jobs.append((known, events.x[judged], settings, f"{name}-{_name_of(start)}"))
    results: list[_Judged] = []
    if executor is None:
        for job in jobs:
            results.append(judge_quarter(*job))
            told(len(results), len(jobs))
    else:
        results = _gathered([executor.submit(judge_quarter, *job) for job in jobs], told)
    return _assemble(events, rows, list(zip(starts, places[:-1], places[1:], strict=True)), results)


@dataclass(frozen=True, slots=True)
class _Judged:
    trained: int
    model: GapsModel | None
    shares: np.ndarray
    p_touch: np.ndarray
    q_bounce: np.ndarray


def judge_quarter(known: Events, rows: np.ndarray, settings: FitSettings, model_id: str) -> _Judged:
    """Train on what is known and give the chances of rows (M, K): one piece of work for any process."""
    fitted = fit_gaps(known, settings, model_id)
    if fitted is None:
        nothing = np.full(len(rows), np.nan)
        return _Judged(len(known), None, np.full((2, 2), np.nan), nothing, nothing)
    p_touch, q_bounce = fitted.model.chances(rows)
    shares = np.array([fitted.touch.shares, fitted.bounce.shares])
    return _Judged(len(known), fitted.model, shares, p_touch, q_bounce)


def _gathered(futures: Sequence["Future[_Judged]"], told: Callable[[int, int], None]) -> list[_Judged]:
    results = []
    try:
        for future in futures:
            results.append(future.result())
            told(len(results), len(futures))
    finally:
        for future in futures:
            future.cancel()
    return results


def _assemble(
    events: Events, rows: int, spans: Sequence[tuple[np.datetime64, int, int]], results: Sequence[_Judged]
) -> WalkForward:
    touch, bounce = np.full(len(events), np.nan), np.full(len(events), np.nan)
    number = np.full(len(events), -1, dtype=np.int32)
    shares = np.full((2, 2, len(events)), np.nan)
    quarters = []
    for at, ((start, first, end), result) in enumerate(zip(spans, results, strict=True)):
        proof = _proof(events, touch, bounce, shares, first - EMBARGO) if result.model else None
        model = result.model
        if model is not None and proof is not None:
            model = replace(model, is_usable=proof.is_usable)
        quarters.append(
            Quarter(
                _day(start),
                _day(_after(start)),
                result.trained,
                model,
                result.shares,
                proof,
            )
        )
        judged = _between(events, first, end)
        touch[judged], bounce[judged] = result.p_touch, result.q_bounce
        shares[..., judged] = result.shares[..., np.newaxis]
        if model is not None:
            number[judged] = at
    whole = WalkForward(
        np.full(rows, np.nan), np.full(rows, np.nan), np.full(rows, -1, dtype=np.int32), tuple(quarters)
    )
    whole.p_touch[events.row], whole.q_bounce[events.row] = touch, bounce
    whole.quarter[events.row] = number
    return whole


def _proof(events: Events, touch: np.ndarray, bounce: np.ndarray, shares: np.ndarray, before: int) -> Proof:
    """Of what was judged and is known before a place on the axis."""
    seen = events.traded & (events.way != TRUNCATED) & (events.known < before) & np.isfinite(touch)
    return prove(events.take(seen), touch[seen], bounce[seen], shares[..., seen])


def prove(events: Events, p_touch: np.ndarray, q_bounce: np.ndarray, shares: np.ndarray) -> Proof:
    """The skill of out-of-time chances (N,) of labeled events; `shares` (2, 2, N) as in `Quarter`."""
    touched, session = events.touched > 0, events.session
    proof = Proof(
        touch=skill(p_touch, events.touched, *shares[0], session=session),
        bounce=skill(
            q_bounce[touched],
            events.bounced[touched],
            *shares[1][:, touched],
            session=session[touched],
        ),
        revert=skill(p_touch * q_bounce, events.bounced, *(shares[0] * shares[1]), session=session),
        failings=(),
    )
    return replace(proof, failings=tuple(_failings(proof)))


def _failings(proof: Proof) -> Iterator[str]:
    """Why a model is not usable: the chance of the target, and of the target given a touch, must have skill.

    The latter is what the gates compare (SPEC 3.5.1); P(target) alone would pass on volatility. A Brier score
    that is below the base rate's by luck is no skill: without inputs that matter every second one is.
    """
    if proof.bounce.n < JUDGED_FEWEST:
        yield f"{proof.bounce.n} traded events with a touch were judged, {JUDGED_FEWEST} are needed"
        return
    for name, found in (("p_revert", proof.revert), ("q_bounce", proof.bounce)):
        if found.brier is None or found.base_brier is None or found.brier >= found.base_brier:
            yield f"{name}: Brier {_four(found.brier)}, the training base rate has {_four(found.base_brier)}"
        elif found.bound is None or found.bound <= 0:
            yield (
                f"{name}: Brier {_four(found.brier)} against {_four(found.base_brier)} of the base rate"
                f" may be luck over these sessions (bound {_four(found.bound)})"
            )
        if found.n >= CALIBRATION_FROM and found.ece is not None and found.ece > ECE_MAX:
            yield f"{name}: ECE {found.ece:.4f}, at most {ECE_MAX} over {found.n:,} events"


def _four(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _between(events: Events, first: int, end: int) -> np.ndarray:
    return np.flatnonzero((events.session >= first) & (events.session < end))


def _name_of(start: np.datetime64) -> str:
    day = _day(start)
    return f"{day.year}q{(day.month + 2) // 3}"


def _after(start: np.datetime64) -> np.datetime64:
    return np.datetime64(start.astype("datetime64[M]") + 3, "D")


def _day(start: np.datetime64) -> date:
    return date.fromisoformat(str(start))
