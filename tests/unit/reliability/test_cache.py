"""The cache: how long an answer stays true, one load a key, and old answers for the eyes only."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.clock import US_PER_S, TestClock
from engine.errors import SourceUnavailable
from engine.reliability.cache import Cache, TtlConfig, same_price
from engine.reliability.config import CacheKind, ReliabilityConfig

BOOKS = TtlConfig(5, 2, 15)


class Prices:
    """Loads the next of some prices; an exception among them is raised."""

    def __init__(self, *values: float | Exception) -> None:
        self._values = list(values)
        self.loads = 0

    async def __call__(self) -> float:
        self.loads += 1
        await asyncio.sleep(0)
        value = self._values.pop(0)
        if isinstance(value, Exception):
            raise value
        return value


def later(clock: TestClock, seconds: float) -> None:
    clock.advance_to(clock.now_us() + round(seconds * US_PER_S))


async def test_worked_example(example: Callable[[str], dict[str, Any]], clock: TestClock) -> None:
    row = example("cache_ttl")
    cache = Cache[float](BOOKS, clock, same_price)
    price = 100.0
    await cache.get("book", Prices(price))
    seen = []
    for event in row["input"]["events"]:
        price += 0 if event == "same" else 1
        later(clock, 15)
        await cache.get("book", Prices(price))
        seen.append(cache.ttl_s("book"))
    assert seen == pytest.approx(row["expected"], rel=1e-6)


async def test_fresh_answer_is_not_loaded_again_and_an_expired_one_is(clock: TestClock) -> None:
    cache, prices = Cache[float](BOOKS, clock), Prices(1, 2)
    assert (await cache.get("k", prices)).value == 1
    later(clock, 4.999)
    assert (await cache.get("k", prices)).value == 1
    later(clock, 0.001)
    assert (await cache.get("k", prices)).value == 2
    assert prices.loads == 2


@pytest.mark.parametrize(("step", "bound"), [(0, 15), (1, 2)])
async def test_time_to_live_stays_within_its_bounds(clock: TestClock, step: float, bound: float) -> None:
    cache = Cache[float](BOOKS, clock)
    for n in range(20):
        await cache.get("k", Prices(n * step))
        later(clock, 15)
    assert cache.ttl_s("k") == bound


@pytest.mark.parametrize(("after", "same"), [(100.01, True), (100.02, False), (99.99, True), (0.0, False)])
def test_prices_within_a_basis_point_are_the_same(after: float, same: bool) -> None:
    assert same_price(100.0, after) is same


async def test_many_who_ask_at_once_make_one_load(clock: TestClock) -> None:
    cache, prices = Cache[float](BOOKS, clock), Prices(7)
    answers = await asyncio.gather(*(cache.get("k", prices) for _ in range(50)))
    assert {answer.value for answer in answers} == {7}
    assert prices.loads == 1


async def test_failure_reaches_everybody_who_waits_and_is_not_kept(clock: TestClock) -> None:
    cache, prices = Cache[float](BOOKS, clock), Prices(SourceUnavailable("down"), 7)
    answers = await asyncio.gather(*(cache.get("k", prices) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [SourceUnavailable] * 3
    assert (await cache.get("k", prices)).value == 7


async def test_caller_that_is_canceled_leaves_the_load_to_the_others(clock: TestClock) -> None:
    cache, prices = Cache[float](BOOKS, clock), Prices(7)
    first = asyncio.create_task(cache.get("k", prices))
    second = asyncio.create_task(cache.get("k", prices))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).value == 7
    assert prices.loads == 1


async def test_old_answer_is_for_display_only_marked_and_not_for_long(clock: TestClock) -> None:
    cache = Cache[float](BOOKS, clock)
    await cache.get("k", Prices(7))
    later(clock, 10)
    with pytest.raises(SourceUnavailable):
        await cache.get("k", Prices(SourceUnavailable("down")))
    shown = await cache.get("k", Prices(SourceUnavailable("down")), display=True)
    assert (shown.value, shown.is_stale) == (7, True)
    later(clock, 0.1)
    with pytest.raises(SourceUnavailable):
        await cache.get("k", Prices(SourceUnavailable("down")), display=True)


async def test_fault_of_our_own_is_never_hidden_by_an_old_answer(clock: TestClock) -> None:
    cache = Cache[float](BOOKS, clock)
    await cache.get("k", Prices(7))
    later(clock, 6)
    with pytest.raises(ZeroDivisionError):
        await cache.get("k", Prices(ZeroDivisionError()), display=True)


async def test_full_cache_forgets_the_fifth_that_was_used_longest_ago(clock: TestClock) -> None:
    cache = Cache[float](BOOKS, clock, entries=10)
    for n in range(10):
        await cache.get(n, Prices(n))
    await cache.get(0, Prices())  # used again: the next to go are 1 and 2
    await cache.get(10, Prices(10))
    assert len(cache) == 9
    assert (await cache.get(0, Prices())).value == 0
    with pytest.raises(IndexError):
        await cache.get(1, Prices())


async def test_closing_ends_the_loads_that_are_under_way(clock: TestClock) -> None:
    cache = Cache[float](BOOKS, clock)
    never: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def hang() -> float:
        return await never

    waiting = asyncio.create_task(cache.get("k", hang))
    await asyncio.sleep(0)
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_table_of_kinds() -> None:
    config = ReliabilityConfig()
    table = {kind.value: config.ttl(kind) for kind in CacheKind}
    assert table == {
        "books": TtlConfig(5, 2, 15),
        "dex": TtlConfig(30, 10, 120),
        "twitter": TtlConfig(300, 60, 900),
        "market": TtlConfig(60, 30, 300),
    }
