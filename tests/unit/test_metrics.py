"""Timings: what is kept of them, and what a quantile of few says."""

import pytest

from engine.errors import StorageError
from engine.metrics import Timings


class Hand:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def fail(self) -> None:
        self.now += 0.5
        raise StorageError("the disk is full", "")

    def __call__(self) -> float:
        return self.now


def test_nothing_measured_says_nothing() -> None:
    assert Timings(Hand()).quantile(0.95) is None


def test_the_95th_of_a_hundred_is_the_96th_smallest() -> None:
    timings = Timings(Hand())
    for value in range(100, 0, -1):
        timings.add(value / 1000)
    assert timings.quantile(0.95) == 0.096
    assert (timings.quantile(0.0), timings.quantile(1.0)) == (0.001, 0.1)


def test_only_the_newest_are_kept_and_all_are_counted() -> None:
    timings = Timings(Hand(), kept=3)
    for value in (9.0, 1.0, 2.0, 3.0):
        timings.add(value)
    assert (timings.quantile(1.0), timings.count) == (3.0, 4)


def test_a_clock_that_went_back_took_no_time() -> None:
    timings = Timings(Hand())
    timings.add(-0.5)
    assert timings.quantile(0.5) == 0.0


def test_work_is_timed_also_when_it_fails() -> None:
    hand = Hand()
    timings = Timings(hand)
    with timings.measured():
        hand.now += 0.25
    with pytest.raises(StorageError), timings.measured():
        hand.fail()
    assert (timings.count, timings.failures, timings.quantile(1.0)) == (2, 1, 0.5)
