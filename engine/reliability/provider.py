"""One outside service as the engine sees it: budget, breaker, retries and what is expected of it, joined.

A source makes each request, with the reading of its answer, through `Provider`: an answer that cannot be read
counts like one that never came. What kind of service it is says the configuration; nothing here knows one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from engine.clock import US_PER_S, Clock
from engine.errors import BadPayload, DeckError, RateLimited, SourceOff, SourceUnavailable
from engine.reliability.breaker import Breaker, BreakerState, Permit
from engine.reliability.config import RETRIES, SLAS, ReliabilityConfig, ServiceKind
from engine.reliability.ratelimit import Budget
from engine.reliability.retry import retried
from engine.reliability.sla import Sla, SlaStatus

T = TypeVar("T")


class Caller(Protocol):
    """How a source makes one request: `work` sends it and reads its answer, and may be done again."""

    async def __call__(self, work: Callable[[], Awaitable[T]], weight: float = 1.0) -> T: ...


async def directly(work: Callable[[], Awaitable[T]], weight: float = 1.0) -> T:
    """Without budget, breaker or retry."""
    return await work()


@dataclass(frozen=True, slots=True)
class SlaChange:
    """A service keeps what is expected of it again, or no longer; `reasons` with figures and limits."""

    source: str
    before: SlaStatus
    after: SlaStatus
    reasons: tuple[str, ...]
    ts: int


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a service does now. `None` is not known yet; ratios 0..1, times int microseconds UTC."""

    name: str
    breaker: BreakerState
    next_probe_us: int | None
    """When calls are tried again; None while they are let through."""
    sla: SlaStatus
    p95_ms: float | None
    p99_ms: float | None
    success_ratio: float | None
    failures: int
    """In a row."""
    calls: int
    last_ok_us: int | None
    max_age_us: int
    budget_ratio: float
    """Of the calls that may be made at once."""
    last_error: str
    """"" when the last call went well."""
    is_best_effort: bool
    """Never the only evidence for an order with real money."""


class Provider:
    """Calls to one service by one key. `changed` hears when it begins or ends to keep what is expected."""

    def __init__(
        self,
        name: str,
        kind: ServiceKind,
        config: ReliabilityConfig,
        budget: Budget,
        clock: Clock,
        chance: Callable[[], float],
        changed: Callable[[SlaChange], None],
        max_age_us: int,
        is_best_effort: bool = False,
    ) -> None:
        self.name = name
        self._retry = RETRIES[kind]
        self._breaker = Breaker(config.breaker(kind))
        self._sla = Sla(SLAS[kind], self._sla_changed)
        self._budget = budget
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._max_age_us = max_age_us
        self._is_best_effort = is_best_effort
        self._calls = 0
        self._last_ok_us: int | None = None
        self._last_error = ""

    async def __call__(self, work: Callable[[], Awaitable[T]], weight: float = 1.0) -> T:
        """What `work` gives, tried again where that may help: only for calls that may be repeated.

        Raises SourceOff while the breaker is open, RateLimited, SourceUnavailable, or what `work` raises.
        """
        return await retried(lambda: self.once(work, weight), self._retry, self._clock, self._chance)

    async def once(self, work: Callable[[], Awaitable[T]], weight: float = 1.0, is_exit: bool = False) -> T:
        """What `work` gives, tried once. `is_exit`: a protective order or a cancel; no breaker stops it."""
        permit = self._breaker.admit_exit() if is_exit else self._breaker.admit(self._clock.now_us())
        if permit is None:
            raise self._off()
        try:
            if not is_exit:
                await self._budget.take(weight)
            value = await self._measured(work, permit)
        finally:
            # Nothing more for a permit that was given back; one that said nothing leaves room for the next.
            self._breaker.let_go(permit)
        return value

    def health(self) -> SourceHealth:
        """How it does now."""
        breaker, sla = self._breaker, self._sla
        is_open = breaker.state is BreakerState.OPEN
        return SourceHealth(
            name=self.name,
            breaker=breaker.state,
            next_probe_us=breaker.next_probe_us() if is_open else None,
            sla=sla.status,
            p95_ms=sla.p95_ms,
            p99_ms=sla.p99_ms,
            success_ratio=sla.success_ratio,
            failures=sla.failures,
            calls=self._calls,
            last_ok_us=self._last_ok_us,
            max_age_us=self._max_age_us,
            budget_ratio=self._budget.left_ratio,
            last_error=self._last_error,
            is_best_effort=self._is_best_effort,
        )

    async def _measured(self, work: Callable[[], Awaitable[T]], permit: Permit) -> T:
        began_us = self._clock.now_us()
        self._calls += 1
        try:
            value = await work()
        except RateLimited as error:
            self._budget.hold(error.retry_after_s)
            self._last_error = error.message
            raise
        except (SourceUnavailable, BadPayload) as error:
            self._breaker.failed(permit, self._clock.now_us())
            self._sla.add(self._since_s(began_us), False)
            self._last_error = error.message
            raise
        except DeckError as error:
            self._last_error = error.message
            raise
        self._breaker.succeeded(permit)
        self._sla.add(self._since_s(began_us), True)
        self._last_ok_us = self._clock.now_us()
        self._last_error = ""
        return value

    def _since_s(self, began_us: int) -> float:
        return (self._clock.now_us() - began_us) / US_PER_S

    def _off(self) -> SourceOff:
        breaker = self._breaker
        if breaker.state is BreakerState.HALF_OPEN:
            return SourceOff(f"{self.name} is off: one call tries it now", "Wait for its answer")
        left_s = (breaker.next_probe_us() - self._clock.now_us()) / US_PER_S
        why = f": {self._last_error}" if self._last_error else ""
        return SourceOff(f"{self.name} is off{why}", f"It is tried again in {max(0.0, left_s):.0f} s")

    def _sla_changed(self, before: SlaStatus, after: SlaStatus) -> None:
        reasons = self._sla.broken()
        self._changed(SlaChange(self.name, before, after, reasons, self._clock.now_us()))


class Providers:
    """All services that are used, in the order they were added; the budget of one key is shared."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._providers: list[Provider] = []
        self._budgets: dict[str, Budget] = {}

    def budget(self, key: str, make: Callable[[], Budget]) -> Budget:
        """The one budget of a key at a provider."""
        if key not in self._budgets:
            self._budgets[key] = make()
        return self._budgets[key]

    def add(self, provider: Provider) -> Provider:
        """One more, under a name of its own."""
        if any(one.name == provider.name for one in self._providers):
            raise ValueError(f"{provider.name} is there already")
        self._providers.append(provider)
        return provider

    def health(self) -> tuple[SourceHealth, ...]:
        """How all of them do."""
        return tuple(provider.health() for provider in self._providers)
