"""The bootstrap of whole sessions that an edge is told by (SPEC 3.3.6)."""

from datetime import date, timedelta

import numpy as np
import pytest

from engine.model.evidence import PROPOSALS_NEEDED, SESSIONS_NEEDED, EdgeEvidence
from engine.strategies.evidence import edge_evidence

FIRST = date(2016, 1, 4)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(count)]


def test_nothing_and_one_session_have_no_bound() -> None:
    assert edge_evidence([], [], 7) == EdgeEvidence(0, 0, None, None, None, None)
    one = edge_evidence([0.02, 0.04], [FIRST, FIRST], 7)
    assert (one.n, one.sessions, one.mean, one.bound) == (2, 1, pytest.approx(0.03), None)
    assert not one.is_shown


def test_bounds_lie_around_the_mean_and_are_the_same_each_time() -> None:
    values = np.random.default_rng(3).normal(0.01, 0.05, 150).tolist()
    found = edge_evidence(values, days(150), 7)
    assert found == edge_evidence(values, days(150), 7)
    assert found != edge_evidence(values, days(150), 8)
    assert found.mean is not None
    assert found.bound is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.bound < found.mean < found.high
    error = float(np.std(values, ddof=1)) / np.sqrt(150)
    assert found.bound == pytest.approx(found.mean - 1.645 * error, abs=0.15 * error)


def test_order_of_the_trades_changes_nothing() -> None:
    values, sessions = [0.01, -0.02, 0.03, 0.04], [FIRST, FIRST, FIRST + timedelta(1), FIRST + timedelta(2)]
    turned = edge_evidence([-0.02, 0.01, 0.04, 0.03], [sessions[at] for at in (0, 1, 3, 2)], 7)
    assert turned.bound == edge_evidence(values, sessions, 7).bound


def test_a_crowd_in_one_session_counts_as_one_session() -> None:
    """A hundred trades of one good day beside sixty days of nothing: no evidence."""
    lone = [0.0] * 60
    crowd = edge_evidence([*lone, *[0.06] * 100], [*days(60), *[FIRST + timedelta(days=90)] * 100], 7)
    spread = edge_evidence([*lone, *[0.06] * 100], days(160), 7)
    assert crowd.n == spread.n == 160
    assert crowd.mean == pytest.approx(spread.mean)
    assert crowd.bound == 0.0
    assert not crowd.is_shown
    assert spread.is_shown


def test_it_is_shown_only_from_a_hundred_proposals_on_sixty_sessions() -> None:
    gains = [0.01] * 200
    assert edge_evidence(gains[:PROPOSALS_NEEDED], days(PROPOSALS_NEEDED), 7).is_shown
    assert not edge_evidence(gains[: PROPOSALS_NEEDED - 1], days(PROPOSALS_NEEDED - 1), 7).is_shown
    few_days = [FIRST + timedelta(days=n % (SESSIONS_NEEDED - 1)) for n in range(200)]
    assert not edge_evidence(gains, few_days, 7).is_shown


def test_an_even_game_is_shown_as_an_edge_hardly_ever() -> None:
    chance = np.random.default_rng(11)
    shown = sum(
        edge_evidence(chance.normal(0, 0.05, 120).tolist(), days(120), seed).is_shown for seed in range(100)
    )
    assert shown <= 12  # 5 expected


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        edge_evidence([0.01, bad], days(2), 7)
    with pytest.raises(ValueError, match="1 returns of 2"):
        edge_evidence([0.01], days(2), 7)
