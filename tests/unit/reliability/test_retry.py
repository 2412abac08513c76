"""Retries: how long, how often, and of what."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import US_PER_S, LiveClock
from engine.errors import BadPayload, RateLimited, SourceOff, SourceRefused, SourceUnavailable
from engine.loop import run_virtual
from engine.reliability.config import RETRIES, ServiceKind
from engine.reliability.retry import RetryConfig, ceiling_s, pause_s, retried

FULL = 1.0


class Service:
    """Fails as told, then answers; knows at what second it was asked."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.asked_s: list[float] = []

    def ask(self, config: RetryConfig, chance: float = FULL) -> str:
        async def main() -> str:
            clock = LiveClock(0)

            async def work() -> str:
                self.asked_s.append(clock.now_us() / US_PER_S)
                if self._failures:
                    raise self._failures.pop(0)
                return "answer"

            return await retried(work, config, clock, lambda: chance)

        return run_virtual(main())


def down() -> SourceUnavailable:
    return SourceUnavailable("it does not answer")


def test_worked_example(example: Callable[[str], dict[str, Any]]) -> None:
    row = example("backoff")
    given = row["input"]
    config = RetryConfig(given["initial"], given["max"], 9)
    assert [ceiling_s(config, n + 1) for n in range(given["n"])] == row["expected"]


def test_ceiling_stays_at_its_most_however_often_it_failed() -> None:
    config = RetryConfig(1, 30, 9)
    assert [ceiling_s(config, n) for n in (5, 6, 7, 100_000)] == [16, 30, 30, 30]


def test_full_jitter_draws_from_nothing_to_the_ceiling() -> None:
    config, chance = RetryConfig(1, 30, 9), random.Random(4)
    pauses = [pause_s(config, 4, chance.random) for _ in range(2000)]
    assert 0 <= min(pauses) < 0.1
    assert 7.9 < max(pauses) <= 8
    assert sum(pauses) / len(pauses) == pytest.approx(4, abs=0.2)


def test_pauses_without_jitter_are_whole() -> None:
    config = RetryConfig(5, 20, 4, jitter=False)
    assert [pause_s(config, n, lambda: 0.1) for n in (1, 2, 3)] == [5, 10, 20]


def test_answer_after_two_failures() -> None:
    service = Service(down(), down())
    assert service.ask(RetryConfig(0.5, 10, 3)) == "answer"
    assert service.asked_s == [0, 0.5, 1.5]


def test_last_try_says_why() -> None:
    service = Service(down(), down(), SourceUnavailable("the last"))
    with pytest.raises(SourceUnavailable, match="the last"):
        service.ask(RetryConfig(0.5, 10, 3))
    assert len(service.asked_s) == 3


@pytest.mark.parametrize(
    "error", [BadPayload("shape"), SourceRefused("403", status=403), SourceOff("open"), ValueError("ours")]
)
def test_what_no_repetition_mends_is_told_at_once(error: Exception) -> None:
    service = Service(error)
    with pytest.raises(type(error)):
        service.ask(RetryConfig(0.5, 10, 3))
    assert len(service.asked_s) == 1


def test_pause_that_is_asked_for_is_kept() -> None:
    service = Service(RateLimited("slower", 7))
    service.ask(RetryConfig(0.5, 10, 3), chance=0.0)
    assert service.asked_s == [0, 7]


def test_own_pause_is_kept_when_it_is_longer_than_the_one_asked_for() -> None:
    service = Service(RateLimited("slower", 0.1))
    service.ask(RetryConfig(0.5, 10, 3))
    assert service.asked_s == [0, 0.5]


def test_pause_longer_than_the_longest_is_not_waited_for() -> None:
    service = Service(RateLimited("tomorrow", 600))
    with pytest.raises(RateLimited, match="tomorrow"):
        service.ask(RetryConfig(0.5, 10, 3))
    assert service.asked_s == [0]


def test_table_of_kinds() -> None:
    table = {kind.value: (one.initial_s, one.max_s, one.tries) for kind, one in RETRIES.items()}
    assert table["cex"] == (0.5, 10, 3)
    assert table["dex"] == (1, 30, 4)
    assert table["twitter"] == (2, 60, 3)
    assert set(RETRIES) == set(ServiceKind)
