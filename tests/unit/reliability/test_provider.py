"""Budget, breaker, retries and expectations of one service together, on the virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.clock import US_PER_S, LiveClock
from engine.errors import BadPayload, RateLimited, SourceError, SourceOff, SourceRefused, SourceUnavailable
from engine.loop import run_virtual
from engine.reliability.breaker import BreakerState
from engine.reliability.cache import Cache
from engine.reliability.config import CacheKind, ReliabilityConfig, ServiceKind
from engine.reliability.provider import Provider, Providers, SlaChange, SourceHealth
from engine.reliability.ratelimit import Budget, BudgetConfig
from engine.reliability.sla import SlaStatus

MAX_AGE_US = 60 * US_PER_S


class World:
    """A service that does as told, and its provider; nothing takes time but what the service takes."""

    def __init__(
        self, kind: ServiceKind = ServiceKind.CEX, budget: BudgetConfig | None = None, took_s: float = 0.1
    ) -> None:
        self.clock = LiveClock(0)
        self.changes: list[SlaChange] = []
        self.providers = Providers(self.clock)
        self.budget = Budget("venue", budget or BudgetConfig(1000, 1000), self.clock)
        self.error: Exception | None = None
        self.asked_s: list[float] = []
        self.took_s = took_s
        self.provider = self.add("venue", kind)

    def add(self, name: str, kind: ServiceKind) -> Provider:
        return self.providers.add(
            Provider(
                name,
                kind,
                ReliabilityConfig(),
                self.budget,
                self.clock,
                lambda: 1.0,
                self.changes.append,
                MAX_AGE_US,
            )
        )

    @property
    def now_s(self) -> float:
        return self.clock.now_us() / US_PER_S

    @property
    def health(self) -> SourceHealth:
        return self.provider.health()

    async def work(self) -> str:
        self.asked_s.append(self.now_s)
        await asyncio.sleep(self.took_s)
        if self.error is not None:
            raise self.error
        return "answer"

    async def once(self, is_exit: bool = False) -> str | type[SourceError]:
        try:
            return await self.provider.once(self.work, is_exit=is_exit)
        except SourceError as error:
            return type(error)


def played(test: Callable[[World], Awaitable[Any]], **terms: Any) -> Any:
    async def main() -> Any:
        return await test(World(**terms))

    return run_virtual(main())


def down() -> SourceUnavailable:
    return SourceUnavailable("venue does not answer")


def test_breaker_opens_probes_and_closes() -> None:
    async def test(world: World) -> None:
        world.error = down()
        for _ in range(5):
            assert await world.once() is SourceUnavailable
        assert world.health.breaker is BreakerState.OPEN
        assert world.health.next_probe_us == round(30.5 * US_PER_S)
        assert await world.once() is SourceOff
        assert len(world.asked_s) == 5, "nothing was sent"
        await asyncio.sleep(30)
        world.error = None
        first, second = await asyncio.gather(world.once(), world.once())
        assert (first, second) == ("answer", SourceOff), "one probe at a time"
        assert world.health.breaker is BreakerState.HALF_OPEN
        assert await world.once() == "answer"
        assert world.health.breaker is BreakerState.CLOSED

    played(test)


def test_failed_probe_keeps_it_away_again() -> None:
    async def test(world: World) -> None:
        world.error = down()
        for _ in range(5):
            await world.once()
        await asyncio.sleep(30)
        assert await world.once() is SourceUnavailable
        await asyncio.sleep(29)
        assert await world.once() is SourceOff
        await asyncio.sleep(1)
        assert await world.once() is SourceUnavailable

    played(test)


def test_probe_that_is_canceled_leaves_room_for_the_next() -> None:
    async def test(world: World) -> None:
        world.error = down()
        for _ in range(5):
            await world.once()
        await asyncio.sleep(30)
        probe = asyncio.create_task(world.once())
        await asyncio.sleep(0.05)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        world.error = None
        assert await world.once() == "answer"

    played(test)


def test_calls_are_tried_again_and_each_try_counts() -> None:
    async def test(world: World) -> None:
        world.error = down()
        with pytest.raises(SourceUnavailable):
            await world.provider(world.work)
        assert world.asked_s == [0, 0.6, 1.7]
        with pytest.raises(SourceOff, match="venue is off: venue does not answer") as raised:
            await world.provider(world.work)
        assert len(world.asked_s) == 5, "the breaker opened in the middle of the second call"
        assert "tried again in" in raised.value.hint
        assert world.health.failures == 5

    played(test)


def test_answer_that_cannot_be_read_counts_as_a_failure_and_is_not_repeated() -> None:
    async def test(world: World) -> None:
        world.error = BadPayload("venue: price is missing")
        for n in range(5):
            with pytest.raises(BadPayload):
                await world.provider(world.work)
            assert len(world.asked_s) == n + 1
        assert world.health.breaker is BreakerState.OPEN
        assert world.health.last_error == "venue: price is missing"

    played(test)


def test_too_many_requests_are_no_failure_and_hold_all_who_share_the_key() -> None:
    async def test(world: World) -> None:
        other = world.add("other", ServiceKind.CEX)
        world.error = RateLimited("venue answered 429", 20)
        for _ in range(9):
            assert await world.once() is RateLimited
        assert world.health.breaker is BreakerState.CLOSED
        assert world.health.budget_ratio == 0
        world.error = None
        began = world.now_s
        await other.once(world.work)
        assert world.asked_s[-1] >= began + 19.9
        assert world.changes == [], "it keeps what is expected of it"

    played(test)


def test_refusal_is_neither_failure_nor_success() -> None:
    async def test(world: World) -> None:
        world.error = down()
        for _ in range(4):
            await world.once()
        world.error = SourceRefused("venue answered 404", status=404)
        await world.once()
        assert world.health.breaker is BreakerState.CLOSED
        assert world.health.last_error == "venue answered 404"
        world.error = down()
        await world.once()
        assert world.health.breaker is BreakerState.OPEN

    played(test)


def test_exits_pass_an_open_breaker_and_an_empty_budget() -> None:
    async def test(world: World) -> None:
        world.error = down()
        for _ in range(3):
            await world.once()
        assert await world.once() is SourceOff
        world.error = None
        began = world.now_s
        assert await world.once(is_exit=True) == "answer"
        assert world.asked_s[-1] == began
        assert world.health.breaker is BreakerState.OPEN

    played(test, kind=ServiceKind.BROKER, budget=BudgetConfig(0.1, 3))


def test_budget_is_shared_by_all_services_of_one_key_by_weight() -> None:
    async def test(world: World) -> list[float]:
        other = world.add("other", ServiceKind.DEX)
        await asyncio.gather(
            world.provider.once(world.work, weight=2), other.once(world.work), world.provider.once(world.work)
        )
        return world.asked_s

    assert played(test, budget=BudgetConfig(1, 2), took_s=0) == [0, 1, 2]


def test_waiting_for_the_budget_is_not_held_against_the_service() -> None:
    async def test(world: World) -> None:
        await asyncio.gather(*(world.provider.once(world.work) for _ in range(5)))
        assert world.health.p99_ms == pytest.approx(100)

    played(test, budget=BudgetConfig(0.5, 1))


def test_change_of_what_is_expected_is_told_once_each_way() -> None:
    async def test(world: World) -> None:
        for _ in range(60):
            await world.once()
        world.error = down()
        for _ in range(3):
            await world.once()
        world.error = None
        for _ in range(60):
            await world.once()
        told = [(change.source, change.before, change.after) for change in world.changes]
        assert told == [
            ("venue", SlaStatus.OK, SlaStatus.FAILED),
            ("venue", SlaStatus.FAILED, SlaStatus.OK),
        ]
        assert world.changes[0].reasons == ("3 failures in a row, limit 3",)

    played(test)


def test_health_of_all_services_in_their_order() -> None:
    async def test(world: World) -> None:
        world.add("other", ServiceKind.DEX)
        await world.once()
        first, second = world.providers.health()
        assert first == SourceHealth(
            name="venue",
            breaker=BreakerState.CLOSED,
            next_probe_us=None,
            sla=SlaStatus.OK,
            p95_ms=pytest.approx(100),
            p99_ms=pytest.approx(100),
            success_ratio=1.0,
            failures=0,
            calls=1,
            last_ok_us=100_000,
            max_age_us=MAX_AGE_US,
            budget_ratio=1.0,
            last_error="",
            is_best_effort=False,
        )
        assert (second.name, second.calls, second.last_ok_us, second.p95_ms) == ("other", 0, None, None)
        with pytest.raises(ValueError, match="venue is there already"):
            world.add("venue", ServiceKind.CEX)

    played(test)


def test_key_has_one_budget() -> None:
    async def test(world: World) -> None:
        def make() -> Budget:
            return Budget("key", BudgetConfig(1, 1), world.clock)

        assert world.providers.budget("key", make) is world.providers.budget("key", make)
        assert world.providers.budget("other", make) is not world.providers.budget("key", make)

    played(test)


def test_whole_layer_many_readers_one_request_through_an_outage() -> None:
    """Forty readers a second of one key, for two minutes; the service is down for 15 seconds."""

    async def test(world: World) -> tuple[int, int, int]:
        cache = Cache[str](ReliabilityConfig().ttl(CacheKind.BOOKS), world.clock)
        fresh = stale = none = 0

        async def read() -> None:
            nonlocal fresh, stale, none
            try:
                found = await cache.get("book", lambda: world.provider(world.work), display=True)
            except SourceError:
                none += 1
                return
            fresh, stale = fresh + (not found.is_stale), stale + found.is_stale

        async with asyncio.TaskGroup() as group:
            for second in range(120):
                world.error = down() if 20 <= second < 35 else None
                for _ in range(40):
                    group.create_task(read())
                await asyncio.sleep(1)
        assert world.health.breaker is BreakerState.CLOSED
        assert fresh + stale + none == 4800
        return len(world.asked_s), stale, none

    asked, stale, none = played(test)
    assert asked < 40, "a time to live and the breaker keep almost all away"
    assert stale > 0, "an old answer is shown while the service is down"
    assert none > 0, "and not for ever"
