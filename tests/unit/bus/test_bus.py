"""The bus: one order for all, nobody waits, nothing is lost silently."""

import asyncio
from dataclasses import dataclass

import pytest

from engine.bus import Bus, ListenerOverflow, Subscription, Trouble
from engine.loop import run_virtual
from engine.model.events import Alarm, MarketMoved
from engine.model.ids import CorrelationId
from engine.model.market import MarketBatch


@dataclass(frozen=True, slots=True)
class Happened:
    n: int


@dataclass(frozen=True, slots=True)
class HappenedAgain(Happened):
    pass


@dataclass(frozen=True, slots=True)
class Unrelated:
    n: int


def market(ts: int) -> MarketMoved:
    return MarketMoved(MarketBatch(ts))


def alarm(text: str) -> Alarm:
    return Alarm(text, False, CorrelationId(""), 0)


async def drain(subscription: Subscription[object], into: list[object] | None = None) -> list[object]:
    read = [] if into is None else into
    async for event in subscription:
        read.append(event)
    return read


def test_callback_gets_its_kinds_and_their_subclasses_in_order() -> None:
    bus, seen = Bus(), []
    bus.subscribe_call(Happened, seen.append, "recorder")
    for event in (Happened(1), Unrelated(2), HappenedAgain(3)):
        bus.publish(event)
    assert seen == [Happened(1), HappenedAgain(3)]


def test_listener_of_object_gets_everything_and_of_a_tuple_its_members() -> None:
    bus, everything, some = Bus(), [], []
    bus.subscribe_call(object, everything.append, "log")
    bus.subscribe_call((Unrelated, HappenedAgain), some.append, "some")
    events = [Happened(1), Unrelated(2), HappenedAgain(3)]
    for event in events:
        bus.publish(event)
    assert everything == events
    assert some == events[1:]


def test_listener_added_later_and_closed_earlier_gets_only_its_time() -> None:
    bus, seen = Bus(), []
    bus.publish(Happened(1))
    handle = bus.subscribe_call(Happened, seen.append, "late")
    bus.publish(Happened(2))
    handle.close()
    handle.close()
    bus.publish(Happened(3))
    assert seen == [Happened(2)]
    assert bus.listeners() == ()


def test_event_published_by_a_callback_comes_after_the_one_it_follows_from_for_all() -> None:
    bus, early, late = Bus(), [], []

    def follow(event: Happened) -> None:
        early.append(event)
        if event.n < 3:
            bus.publish(Happened(event.n + 1))

    bus.subscribe_call(Happened, follow, "early")
    bus.subscribe_call(Happened, late.append, "late")
    bus.publish(Happened(1))
    assert early == late == [Happened(1), Happened(2), Happened(3)]


def test_callback_closed_by_an_earlier_one_does_not_get_the_event() -> None:
    bus, seen = Bus(), []
    second = None

    def first(event: Happened) -> None:
        assert second is not None
        second.close()

    bus.subscribe_call(Happened, first, "first")
    second = bus.subscribe_call(Happened, seen.append, "second")
    bus.publish(Happened(1))
    assert seen == []


def test_failing_callback_is_named_and_counted_and_others_still_get_the_event() -> None:
    troubles: list[Trouble] = []
    bus, seen = Bus(troubles.append), []

    def fail(event: Happened) -> None:
        raise LookupError(f"event {event.n}")

    bus.subscribe_call(Happened, fail, "broken")
    bus.subscribe_call(Happened, seen.append, "fine")
    bus.publish(Happened(1))
    bus.publish(Happened(2))
    assert seen == [Happened(1), Happened(2)]
    assert [(t.listener, t.event, str(t.error)) for t in troubles] == [
        ("broken", Happened(1), "event 1"),
        ("broken", Happened(2), "event 2"),
    ]
    broken, fine = bus.listeners()
    assert (broken.name, broken.delivered, broken.failures) == ("broken", 2, 2)
    assert (fine.name, fine.delivered, fine.failures) == ("fine", 2, 0)


def test_alarm_about_an_alarm_ends() -> None:
    bus = Bus()
    seen: list[Alarm] = []
    bus.on_trouble = lambda trouble: bus.publish(alarm(f"{trouble.listener}: {trouble.error}"))

    def fail(event: object) -> None:
        raise LookupError("always")

    bus.subscribe_call((Happened, Alarm), fail, "broken")
    bus.subscribe_call(Alarm, seen.append, "screen")
    bus.publish(Happened(1))
    assert [event.text for event in seen] == ["broken: always"]
    assert bus.listeners()[0].failures == 2


def test_trouble_is_reported_again_after_an_alarm_was_delivered() -> None:
    bus = Bus()
    reported: list[str] = []

    def report(trouble: Trouble) -> None:
        reported.append(trouble.listener)
        bus.publish(alarm("x"))

    bus.on_trouble = report
    bus.subscribe_call(Happened, lambda event: 1 / 0, "broken")
    bus.publish(Happened(1))
    bus.publish(Happened(2))
    assert reported == ["broken", "broken"]


def test_without_a_report_the_error_is_raised_after_all_was_delivered() -> None:
    bus, seen = Bus(), []

    def fail(event: Happened) -> None:
        if event.n == 1:
            bus.publish(Happened(2))
            raise LookupError("first")

    bus.subscribe_call(Happened, fail, "broken")
    bus.subscribe_call(Happened, seen.append, "fine")
    with pytest.raises(LookupError, match="first"):
        bus.publish(Happened(1))
    assert seen == [Happened(1), Happened(2)]
    bus.publish(Happened(3))
    assert seen[-1] == Happened(3)


def test_several_unreported_errors_are_raised_together() -> None:
    bus = Bus()
    bus.subscribe_call(Happened, lambda event: 1 / 0, "one")
    bus.subscribe_call(Happened, lambda event: [][1], "two")
    with pytest.raises(ExceptionGroup) as group:
        bus.publish(Happened(1))
    assert [type(error) for error in group.value.exceptions] == [ZeroDivisionError, IndexError]


def test_report_that_fails_is_not_swallowed() -> None:
    def report(trouble: Trouble) -> None:
        raise OSError("the log is full")

    bus = Bus(report)
    bus.subscribe_call(Happened, lambda event: 1 / 0, "broken")
    with pytest.raises(OSError, match="the log is full"):
        bus.publish(Happened(1))


def test_reader_gets_all_queued_events_and_ends_with_the_bus() -> None:
    async def main() -> list[object]:
        bus = Bus()
        subscription = bus.subscribe(object, "reader")
        task = asyncio.create_task(drain(subscription))
        bus.publish(Happened(1))
        await asyncio.sleep(1)
        bus.publish(Happened(2))
        bus.publish(Unrelated(3))
        bus.close()
        with pytest.raises(RuntimeError, match="Happened was published after"):
            bus.publish(Happened(4))
        return await task

    assert run_virtual(main()) == [Happened(1), Happened(2), Unrelated(3)]


def test_reader_that_waits_ends_when_the_bus_closes() -> None:
    async def main() -> list[object]:
        bus = Bus()
        bus.subscribe_call(Happened, lambda event: None, "callback")
        task = asyncio.create_task(drain(bus.subscribe(object, "reader")))
        await asyncio.sleep(1)
        bus.close()
        return await task

    assert run_virtual(main()) == []


def test_newest_market_data_replaces_the_unread_and_every_order_is_kept() -> None:
    async def main() -> tuple[list[object], int]:
        bus = Bus()
        subscription: Subscription[object] = bus.subscribe(
            (MarketMoved, Happened), "screen", newest_only=True, bound=4
        )
        for n in range(3):
            bus.publish(market(n))
            bus.publish(Happened(n))
        for n in range(3, 1000):
            bus.publish(market(n))
        health = bus.listeners()[0]
        bus.close()
        return await drain(subscription), health.replaced

    events, replaced = run_virtual(main())
    assert events == [Happened(0), Happened(1), Happened(2), market(999)]
    assert replaced == 999


def test_read_market_data_is_not_replaced_any_more() -> None:
    async def main() -> list[object]:
        bus = Bus()
        subscription = bus.subscribe(MarketMoved, "screen", newest_only=True)
        bus.publish(market(1))
        first = await anext(subscription)
        bus.publish(market(2))
        bus.publish(market(3))
        return [first, await anext(subscription), subscription.pending]

    assert run_virtual(main()) == [market(1), market(3), 0]


def test_market_data_is_kept_for_a_reader_that_did_not_ask_for_the_newest() -> None:
    bus = Bus()
    subscription = bus.subscribe(MarketMoved, "recorder")
    for n in range(3):
        bus.publish(market(n))
    assert subscription.pending == 3


def test_reader_that_falls_behind_gets_what_was_queued_and_then_the_error() -> None:
    async def main() -> tuple[list[object], list[Trouble]]:
        troubles: list[Trouble] = []
        bus, others, read = Bus(troubles.append), [], []
        subscription = bus.subscribe(Happened, "slow", bound=2)
        bus.subscribe_call(Happened, others.append, "other")
        for n in range(5):
            bus.publish(Happened(n))
        assert others == [Happened(n) for n in range(5)]
        with pytest.raises(ListenerOverflow, match="slow fell 2 events behind and was cut off at Happened"):
            await drain(subscription, read)
        with pytest.raises(ListenerOverflow):
            await anext(subscription)
        health = bus.listeners()[0]
        assert (health.delivered, health.refused, health.failures) == (2, 3, 1)
        return read, troubles

    read, troubles = run_virtual(main())
    assert read == [Happened(0), Happened(1)]
    assert [(trouble.listener, trouble.event) for trouble in troubles] == [("slow", Happened(2))]


def test_cut_off_reader_can_subscribe_anew() -> None:
    async def main() -> object:
        bus = Bus(lambda trouble: None)
        with bus.subscribe(Happened, "slow", bound=1) as subscription:
            bus.publish(Happened(1))
            bus.publish(Happened(2))
        with bus.subscribe(Happened, "slow", bound=1) as subscription:
            bus.publish(Happened(3))
            return await anext(subscription)

    assert run_virtual(main()) == Happened(3)


def test_canceled_reader_loses_no_event() -> None:
    async def main() -> object:
        bus = Bus()
        subscription = bus.subscribe(Happened, "reader")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await anext(subscription)
        bus.publish(Happened(1))
        return await anext(subscription)

    assert run_virtual(main()) == Happened(1)


def test_two_tasks_cannot_read_one_subscription() -> None:
    async def main() -> None:
        bus = Bus()
        subscription = bus.subscribe(object, "shared")
        task = asyncio.create_task(drain(subscription))
        await asyncio.sleep(1)
        with pytest.raises(RuntimeError, match="two tasks read the subscription shared"):
            await anext(subscription)
        bus.close()
        await task

    run_virtual(main())


def test_closing_ends_a_waiting_reader_and_gives_up_the_rest() -> None:
    async def main() -> list[object]:
        bus = Bus()
        subscription = bus.subscribe(object, "reader")
        task = asyncio.create_task(drain(subscription))
        await asyncio.sleep(1)
        subscription.close()
        assert await task == []
        with bus.subscribe(object, "other") as other:
            bus.publish(Happened(1))
        return await drain(other)

    assert run_virtual(main()) == []


def test_settled_waits_for_the_work_on_the_last_event_and_what_it_led_to() -> None:
    async def main() -> tuple[list[object], float]:
        bus, done = Bus(), []

        async def work() -> None:
            with bus.subscribe(Happened, "worker") as subscription:
                async for event in subscription:
                    await asyncio.sleep(10)
                    done.append(event)
                    if event.n < 3:
                        bus.publish(Happened(event.n + 1))

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        bus.publish(Happened(1))
        await bus.settled()
        at = asyncio.get_running_loop().time()
        bus.close()
        await task
        return done, at

    assert run_virtual(main()) == ([Happened(1), Happened(2), Happened(3)], 30.0)


def test_settled_returns_at_once_when_nobody_has_work() -> None:
    async def main() -> None:
        bus = Bus()
        bus.subscribe(object, "never began")
        bus.subscribe_call(object, lambda event: None, "callback")
        await bus.settled()

    run_virtual(main())


def test_settled_fails_for_a_cut_off_reader() -> None:
    async def main() -> None:
        bus = Bus(lambda trouble: None)
        bus.subscribe(Happened, "slow", bound=1)
        bus.publish(Happened(0))
        waiting = asyncio.create_task(bus.settled())
        await asyncio.sleep(1)
        bus.publish(Happened(1))
        with pytest.raises(ListenerOverflow):
            await waiting
        with pytest.raises(ListenerOverflow):
            await bus.settled()

    run_virtual(main())


def test_settled_that_was_canceled_is_forgotten() -> None:
    async def main() -> None:
        bus = Bus()
        subscription = bus.subscribe(Happened, "slow")
        bus.publish(Happened(0))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await bus.settled()
        subscription.close()
        await bus.settled()

    run_virtual(main())


def test_bound_below_one_and_newest_only_without_market_data_are_refused() -> None:
    bus = Bus()
    with pytest.raises(ValueError, match="the bound of x must be at least 1, got 0"):
        bus.subscribe(Happened, "x", bound=0)
    with pytest.raises(ValueError, match="x asks for the newest market data only, but listens to none"):
        bus.subscribe(Happened, "x", newest_only=True)
    bus.subscribe(object, "x", newest_only=True)
