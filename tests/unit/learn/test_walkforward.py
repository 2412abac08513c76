from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.learn.events import Events
from engine.learn.fitting import FitSettings
from engine.learn.walkforward import EMBARGO, WalkForward, prove, quarter_starts, walk_forward
from engine.model.forecasts import Forecast

SESSIONS = 1100  # of weekdays: a bit over four years
AXIS = np.busday_offset(np.datetime64("2012-01-02"), np.arange(SESSIONS), roll="forward").astype(
    "datetime64[D]"
)


@pytest.fixture(scope="module")
def events(make_events: Callable[..., Events]) -> Events:
    return make_events(1100, sessions=SESSIONS, signal=1.0)


@pytest.fixture(scope="module")
def walked(events: Events, settings: FitSettings) -> WalkForward:
    return walk_forward(events, AXIS, len(events), settings, "gaps")


def test_the_first_quarter_begins_after_two_whole_years() -> None:
    assert quarter_starts(AXIS)[0] == np.datetime64("2014-04-01")  # 2012-01-02 is no first of a month
    whole = np.arange("2012-01-01", "2015-01-01", dtype="datetime64[D]")
    assert quarter_starts(whole)[0] == np.datetime64("2014-01-01")
    assert quarter_starts(whole)[-1] == np.datetime64("2014-10-01")
    assert quarter_starts(whole[:300]) == []
    assert quarter_starts(whole[:0]) == []


def test_events_that_teach_nothing_do_not_open_the_window(events: Events, settings: FitSettings) -> None:
    late = replace(events, trains=events.session >= 300)
    found = walk_forward(late, AXIS, len(events), settings, "gaps")
    assert found.quarters[0].first == date(2015, 4, 1)  # place 300 is 2013-02-25


def test_every_event_from_the_first_quarter_on_is_judged_out_of_time(
    events: Events, walked: WalkForward
) -> None:
    start = int(np.searchsorted(AXIS, quarter_starts(AXIS)[0]))
    judged = np.isfinite(walked.p_touch)
    assert np.array_equal(judged, events.session >= start)
    assert np.array_equal(judged, walked.quarter >= 0)
    for row in np.flatnonzero(judged):
        quarter = walked.quarters[walked.quarter[row]]
        assert quarter.first <= AXIS[events.session[row]].item() < quarter.end


def test_rows_come_from_the_model_of_their_quarter_to_the_bit(events: Events, walked: WalkForward) -> None:
    shelf = walked.shelf()
    for row in np.flatnonzero(walked.quarter >= 0)[::25]:
        model = shelf.as_of(AXIS[events.session[row]].item())
        assert model is not None
        found = model.forecast(dict(zip(events.inputs, events.x[row].tolist(), strict=True)))
        assert (found.p_touch, found.q_bounce) == (walked.p_touch[row], walked.q_bounce[row])


def test_a_shelf_has_no_model_before_the_first_quarter_and_keeps_the_last(walked: WalkForward) -> None:
    shelf = walked.shelf()
    assert shelf.as_of(date(2014, 3, 31)) is None
    assert shelf.as_of(date(2030, 1, 1)) is walked.quarters[-1].model


def test_truncating_the_future_changes_no_past_row(
    events: Events, walked: WalkForward, settings: FitSettings
) -> None:
    cut = int(np.searchsorted(AXIS, np.datetime64("2015-04-01")))
    then = events.take(np.flatnonzero(events.session < cut))
    # What is not known by then has no label either.
    unknown = then.known >= cut
    then = replace(
        then,
        way=np.where(unknown, -1, then.way).astype(np.int8),
        known=np.where(unknown, -1, then.known),
        left=np.where(unknown, -1, then.left),
    )
    again = walk_forward(then, AXIS[:cut], len(events), settings, "gaps")
    past = events.row[events.session < cut]
    assert np.isfinite(again.p_touch[past]).sum() > 100
    assert np.array_equal(again.p_touch[past], walked.p_touch[past], equal_nan=True)
    assert np.array_equal(again.q_bounce[past], walked.q_bounce[past], equal_nan=True)
    for old, new in zip(walked.quarters, again.quarters, strict=False):
        assert (old.trained, old.proof) == (new.trained, new.proof)


def test_labels_of_the_embargo_are_not_trained_on(
    events: Events, walked: WalkForward, settings: FitSettings
) -> None:
    place = int(np.searchsorted(AXIS, np.datetime64(walked.quarters[-1].first)))
    late = (events.known >= place - EMBARGO) & (events.session < place)
    assert late.sum() > 5
    turned = replace(events, way=np.where(late, 2 - events.way, events.way).astype(np.int8))
    again = walk_forward(turned, AXIS, len(events), settings, "gaps")
    last = walked.quarter == len(walked.quarters) - 1
    assert np.array_equal(again.p_touch[last], walked.p_touch[last])
    early = (events.known < place - EMBARGO) & (events.session >= place - EMBARGO - 60)
    turned = replace(events, way=np.where(early, 2 - events.way, events.way).astype(np.int8))
    again = walk_forward(turned, AXIS, len(events), settings, "gaps")
    assert not np.array_equal(again.p_touch[last], walked.p_touch[last])


def test_side_by_side_gives_the_same(events: Events, walked: WalkForward, settings: FitSettings) -> None:
    told: list[tuple[int, int]] = []
    with ThreadPoolExecutor(2) as executor:
        again = walk_forward(
            events, AXIS, len(events), settings, "gaps", executor, lambda *done: told.append(done)
        )
    assert np.array_equal(again.p_touch, walked.p_touch, equal_nan=True)
    assert told == [(k, len(walked.quarters)) for k in range(1, len(walked.quarters) + 1)]


def test_a_model_with_skill_becomes_usable_and_one_without_does_not(
    make_events: Callable[..., Events], settings: FitSettings
) -> None:
    skilled = make_events(3000, sessions=SESSIONS, signal=2.0, traded=1.0)
    last = walk_forward(skilled, AXIS, len(skilled), settings, "gaps").quarters[-1]
    assert last.model is not None
    assert last.proof is not None
    assert last.proof.failings == ()
    assert last.model.is_usable
    useless = make_events(3000, sessions=SESSIONS, signal=0.0, traded=1.0)
    last = walk_forward(useless, AXIS, len(useless), settings, "gaps").quarters[-1]
    assert last.model is not None
    assert last.proof is not None
    assert not last.model.is_usable
    assert any("Brier" in failing for failing in last.proof.failings)


def test_the_first_model_has_no_past_and_is_not_usable(walked: WalkForward) -> None:
    first = walked.quarters[0]
    assert first.model is not None
    assert not first.model.is_usable
    assert first.proof is not None
    assert "are needed" in first.proof.failings[0]


def test_only_what_is_traded_is_judged(events: Events, walked: WalkForward, settings: FitSettings) -> None:
    proof = walked.quarters[-1].proof
    assert proof is not None
    place = int(np.searchsorted(AXIS, np.datetime64(walked.quarters[-1].first)))
    seen = events.traded & np.isfinite(walked.p_touch) & (events.known < place - EMBARGO)
    assert proof.touch.n == seen.sum()
    assert proof.bounce.n == (events.touched[seen] > 0).sum()


def test_chances_of_many_events_that_are_off_fail_the_calibration(make_events: Callable[..., Events]) -> None:
    events = make_events(4000, signal=0.0, traded=1.0)
    shares = np.broadcast_to(np.array([0.3, 0.3])[:, None, None], (2, 2, len(events)))
    proof = prove(events, np.full(len(events), 0.9), np.full(len(events), 0.45), shares)
    assert any("ECE" in failing for failing in proof.failings)


def test_no_events_are_no_walk(events: Events, settings: FitSettings) -> None:
    nothing = events.take(np.empty(0, dtype=np.int64))
    found = walk_forward(nothing, AXIS, 3, settings, "gaps")
    assert (found.quarters, found.p_touch.shape) == ((), (3,))
    assert found.shelf().as_of(date(2020, 1, 1)) is None


def test_too_few_events_give_quarters_without_a_model(
    make_events: Callable[..., Events], settings: FitSettings
) -> None:
    events = make_events(30, sessions=SESSIONS)
    found = walk_forward(events, AXIS, len(events), settings, "gaps")
    assert {quarter.model for quarter in found.quarters} == {None}
    assert (found.quarter == -1).all()


def test_a_forecast_of_a_quarter_names_its_model(walked: WalkForward) -> None:
    model = walked.quarters[2].model
    assert model is not None
    found: Forecast = model.forecast(dict.fromkeys(model.inputs, 0.0))
    assert found.model_id == "gaps-2014q4"
