"""When Python looks for garbage."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from engine.loop import run_virtual
from tui.wiring.garbage import SETTLED_S, THRESHOLDS, put_off, settle, settle_soon


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.enable()


def test_nothing_is_collected_while_a_program_starts() -> None:
    with put_off():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_start_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ZeroDivisionError), put_off():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_what_is_loaded_is_set_aside_and_later_garbage_is_still_found() -> None:
    with put_off():
        settle()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == THRESHOLDS
        ring: list[object] = []
        ring.append(ring)
        del ring
        assert gc.collect() >= 1


def test_it_is_set_aside_once_the_program_has_loaded_what_it_needs() -> None:
    async def go() -> None:
        settle_soon()
        await asyncio.sleep(SETTLED_S - 0.1)
        assert not gc.isenabled()
        await asyncio.sleep(0.2)
        assert gc.isenabled()

    with put_off():
        run_virtual(go())
