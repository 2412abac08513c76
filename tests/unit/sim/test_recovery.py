"""How long a restart took: failed starts add up, a crash begins anew, time without the venue is apart."""

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from engine.loop import run_virtual


class Watched:
    """A watch that becomes ready when told."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def ready(self) -> None:
        await self.event.wait()


class Rig:
    def __init__(self, module: ModuleType) -> None:
        loop = asyncio.get_running_loop()
        self.recovery = module.Recovery(lambda: round(loop.time() * 1_000_000))
        self.recovery.counting(True)

    async def start(self, seconds: float, *, ready: bool) -> None:
        watch: Any = Watched()
        self.recovery.begins(watch)
        await asyncio.sleep(seconds)
        if ready:
            watch.event.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    @property
    def seconds(self) -> list[tuple[float | None, float]]:
        return [
            (None if one.took_us is None else one.took_us / 1e6, one.took_up_us / 1e6)
            for one in self.recovery.restarts
        ]


@pytest.fixture
def recovery(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("simulator.recovery")


def test_a_start_that_fails_is_part_of_the_same_recovery(recovery: ModuleType) -> None:
    async def main() -> None:
        rig = Rig(recovery)
        await rig.start(3, ready=False)
        rig.recovery.failed()
        await rig.start(2, ready=True)
        assert rig.seconds == [(5.0, 5.0)]
        rig.recovery.failed()  # a later start that fails after this one was ready is another recovery
        await rig.start(1, ready=True)
        assert rig.seconds == [(5.0, 5.0), (1.0, 1.0)]

    run_virtual(main())


def test_a_crash_ends_a_recovery_unready(recovery: ModuleType) -> None:
    async def main() -> None:
        rig = Rig(recovery)
        await rig.start(3, ready=False)
        await rig.start(2, ready=True)
        assert rig.seconds == [(None, 3.0), (2.0, 2.0)]
        await rig.start(4, ready=False)
        rig.recovery.ends()
        assert rig.seconds[-1] == (None, 4.0)

    run_virtual(main())


def test_time_without_the_venue_is_counted_apart(recovery: ModuleType) -> None:
    async def main() -> None:
        rig = Rig(recovery)
        rig.recovery.counting(False)
        asyncio.get_running_loop().call_later(4, rig.recovery.counting, True)
        await rig.start(6, ready=True)
        assert rig.seconds == [(6.0, 2.0)]

    run_virtual(main())
