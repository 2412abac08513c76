"""Retries with full jitter (SPEC 10.5), by the clock and the chance that are passed in (ADR 029)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.clock import US_PER_S, Clock
from engine.errors import RateLimited, SourceOff, SourceUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """`tries` in all. Between them up to `initial_s`, twice that, and so on, never more than `max_s`."""

    initial_s: float
    max_s: float
    tries: int
    jitter: bool = True
    """False: each pause in full."""


def ceiling_s(config: RetryConfig, failures: int) -> float:
    """The longest pause after so many failures, from 1 on."""
    return min(config.max_s, config.initial_s * 2.0 ** min(failures - 1, 60))


def pause_s(config: RetryConfig, failures: int, chance: Callable[[], float]) -> float:
    """How long to wait after so many failures. `chance` draws a fraction of 0..1."""
    ceiling = ceiling_s(config, failures)
    return ceiling * chance() if config.jitter else ceiling


async def retried(
    work: Callable[[], Awaitable[T]], config: RetryConfig, clock: Clock, chance: Callable[[], float]
) -> T:
    """What `work` gives, asked again while its source is unavailable. Only for calls that may be repeated.

    A service that names a pause gets it; one longer than `max_s` is the caller's to wait for. Raises what the
    last try raised; at once what no repetition can mend.
    """
    failures = 0
    while True:
        try:
            return await work()
        except SourceOff:
            raise
        except SourceUnavailable as error:
            failures += 1
            asked_s = error.retry_after_s if isinstance(error, RateLimited) else 0.0
            if failures >= config.tries or asked_s > config.max_s:
                raise
            wait_s = max(asked_s, pause_s(config, failures, chance))
        await clock.sleep_until(clock.now_us() + round(wait_s * US_PER_S))
