"""Telling a person delays nothing: alarms queue, fail, hang and overflow, and are counted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from engine.loop import run_virtual
from engine.model.events import Alarm
from engine.model.ids import CorrelationId
from engine.notify.dispatch import Delivery, Dispatcher
from engine.notify.log import LogNotifier


def alarm(text: str, page: bool = False) -> Alarm:
    return Alarm(text, page, CorrelationId("01JD"), 7, "halt")


class Phone:
    """Does what `answer` does with the text of an alarm."""

    name = "phone"

    def __init__(self, answer: Callable[[str], Awaitable[None]]) -> None:
        self._answer = answer
        self.rung: list[str] = []

    async def notify(self, alarm: Alarm) -> None:
        self.rung.append(alarm.text)
        await self._answer(alarm.text)


async def at_once(text: str) -> None:
    return None


async def for_ever(text: str) -> None:
    await asyncio.Event().wait()


async def raising(text: str) -> None:
    raise ConnectionError("no route")


async def deaf(text: str) -> None:
    """Does not end when it is cancelled, for a thousand seconds."""
    deadline = asyncio.get_running_loop().time() + 1000
    while (left := deadline - asyncio.get_running_loop().time()) > 0:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(left)


def delivered(phone: Phone, texts: list[str], wait_s: float = 100.0) -> Delivery:
    """What became of the alarms after a while."""

    async def main() -> Delivery:
        dispatcher = Dispatcher(phone)
        task = asyncio.create_task(dispatcher.run())
        for text in texts:
            dispatcher.hear(alarm(text))
        await asyncio.sleep(wait_s)
        task.cancel()
        await asyncio.wait({task})
        return dispatcher.delivery()

    return run_virtual(main())


def test_alarms_are_delivered_in_order() -> None:
    phone = Phone(at_once)
    assert delivered(phone, ["one", "two"]) == Delivery("phone", 2, 0, 0, 0, "")
    assert phone.rung == ["one", "two"]


def test_a_notifier_that_raises_is_counted_and_asked_again() -> None:
    phone = Phone(raising)
    assert delivered(phone, ["one", "two"]) == Delivery("phone", 0, 0, 0, 2, "ConnectionError: no route")


def test_a_notifier_that_hangs_is_given_up_after_its_time() -> None:
    phone = Phone(for_ever)
    assert delivered(phone, ["one", "two"], 29.0) == Delivery("phone", 0, 1, 0, 0, "")
    assert delivered(Phone(for_ever), ["one", "two"], 61.0) == Delivery(
        "phone", 0, 0, 0, 2, "no answer in 30 s"
    )


def test_a_notifier_that_cannot_be_cancelled_is_left_behind() -> None:
    phone = Phone(deaf)
    assert delivered(phone, ["one", "two"], 2000.0).failures == 2
    assert phone.rung == ["one", "two"]


def test_a_notifier_that_cancels_itself_is_a_failure() -> None:
    async def cancelled(text: str) -> None:
        raise asyncio.CancelledError

    assert delivered(Phone(cancelled), ["one"]).last_failure == "it was cancelled"


def test_a_full_queue_keeps_pages_and_counts_what_it_drops() -> None:
    async def main() -> None:
        phone = Phone(at_once)
        dispatcher = Dispatcher(phone, bound=2)
        for heard in (alarm("a"), alarm("b"), alarm("c"), alarm("P1", page=True), alarm("P2", page=True)):
            dispatcher.hear(heard)
        dispatcher.hear(alarm("P3", page=True))
        assert dispatcher.delivery() == Delivery("phone", 0, 2, 4, 0, "")
        task = asyncio.create_task(dispatcher.run())
        await dispatcher.flushed()
        assert phone.rung == ["P1", "P2"]
        task.cancel()

    run_virtual(main())


def test_whoever_stops_may_wait_for_the_last_words() -> None:
    async def main() -> None:
        phone = Phone(lambda text: asyncio.sleep(1.5))
        dispatcher = Dispatcher(phone)
        await dispatcher.flushed()
        task = asyncio.create_task(dispatcher.run())
        dispatcher.hear(alarm("stopped"))
        began = asyncio.get_running_loop().time()
        await dispatcher.flushed()
        assert asyncio.get_running_loop().time() - began == 1.5
        task.cancel()

    run_virtual(main())


@pytest.mark.parametrize(
    ("page", "level", "word"), [(True, logging.CRITICAL, "page"), (False, logging.WARNING, "notice")]
)
def test_the_log_is_as_loud_as_the_alarm(
    page: bool, level: int, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    run_virtual(LogNotifier().notify(alarm("stop leg rejected", page)))
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (level, word)
    assert (record.text, record.kind, record.correlation, record.ts_us) == (  # type: ignore[attr-defined]
        "stop leg rejected",
        "halt",
        "01JD",
        7,
    )
