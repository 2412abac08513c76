"""The value at risk of each close against the next session, and the verdict of a month."""

from datetime import date, timedelta
from decimal import Decimal
from math import nan

import pytest

from engine.model.ids import instrument_id
from engine.risk.vartest import Holding, VarTest, close

ABC = instrument_id("ABC")
DAY = date(2016, 1, 4)


HELD = {ABC: Holding(Decimal(1_000), Decimal(10))}


def closes(losses: list[int | None], forecast: float | None = 10.0) -> VarTest:
    """One close a day; what was held lost so much since the one before."""
    state, _ = close(VarTest(month="2016-01"), DAY, None, forecast, HELD, 0.95)
    for number, loss in enumerate(losses):
        lost = None if loss is None else Decimal(loss)
        state, _ = close(state, DAY + timedelta(days=number % 20), lost, forecast, HELD, 0.95)
    return state


def test_a_loss_beyond_the_forecast_is_an_exception() -> None:
    state = closes([10, 11, None, -50, 0])
    assert (state.outcomes, state.exceptions) == ("0100", 1)


@pytest.mark.parametrize("forecast", [None, 0.0, -1.0, nan])
def test_a_session_without_a_forecast_is_not_counted(forecast: float | None) -> None:
    assert closes([100, 100], forecast) == VarTest("", None, {}, "2016-01")


def test_what_was_held_loses_by_its_prices() -> None:
    state = closes([])
    assert state.loss({ABC: Decimal(9)}.get) == 100
    assert state.loss({ABC: Decimal(11)}.get) == -100
    assert state.loss(lambda name: None) is None
    assert VarTest().loss(lambda name: None) == 0
    worthless = VarTest(held={ABC: Holding(Decimal(1), Decimal(0))})
    assert worthless.loss({ABC: Decimal(9)}.get) is None


def test_only_the_last_250_sessions_count() -> None:
    assert closes([11] + [0] * 250).outcomes == "0" * 250


def test_a_verdict_at_the_first_close_of_a_month_with_sixty_sessions() -> None:
    state = closes([11, *[0] * 58])
    early, verdict = close(state, date(2016, 2, 1), Decimal(1), None, {}, 0.95)
    assert (len(early.outcomes), verdict is not None) == (60, True)
    young, none = close(closes([0] * 58), date(2016, 2, 1), Decimal(0), None, {}, 0.95)
    assert (len(young.outcomes), none, young.month) == (59, None, "2016-01")
    again, none = close(early, date(2016, 2, 2), Decimal(1), 10.0, {}, 0.95)
    assert (none, again.month) == (None, "2016-02")


def test_a_verdict_says_whether_the_forecast_fits() -> None:
    _, good = close(closes([11, 11, 11, *[0] * 57]), date(2016, 2, 1), Decimal(0), None, {}, 0.95)
    assert good is not None
    assert (good.days, good.exceptions, good.fits) == (61, 3, True)
    assert good.expected == pytest.approx(3.05)
    _, bad = close(closes([11] * 30 + [0] * 30), date(2016, 2, 1), Decimal(0), None, {}, 0.95)
    assert bad is not None
    assert (bad.exceptions, bad.fits) == (30, False)
