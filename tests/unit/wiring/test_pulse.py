"""What a process measures of itself: real files, a real journal, and a clock that the test turns."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from engine.loop import run_virtual
from engine.model.positions import AccountKind
from engine.ports import AuditEntry
from storage.degraded import LastingJournal, open_lasting_journal
from storage.journal_schema import JOURNAL
from tui.wiring import pulse
from tui.wiring.pulse import PERIOD_S, Pulse, memory_bytes


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[LastingJournal]:
    with open_lasting_journal(tmp_path / "journal.db", "SIM-1", AccountKind.SIMULATION) as opened:
        yield opened


def test_the_gauges_are_of_this_process_and_its_journal(journal: LastingJournal, tmp_path: Path) -> None:
    gauges = Pulse(journal, tmp_path).gauges
    journal.commit((), (AuditEntry(77, "engine", "started", "", {}),))
    assert gauges.log_head() == (1, 77)
    assert gauges.writes.count == 1
    assert gauges.trouble() == ""
    assert (gauges.disk_free() or 0) > 0
    assert gauges.schema == JOURNAL.version
    assert gauges.version


def test_a_clock_that_says_the_loop_woke_early_is_no_lag(journal: LastingJournal, tmp_path: Path) -> None:
    clock = [10.0]

    def monotonic() -> float:
        clock[0] += PERIOD_S / 2
        return clock[0]

    async def measure() -> None:
        found = Pulse(journal, tmp_path, monotonic)
        task = asyncio.create_task(found.watch())
        await asyncio.sleep(10 * PERIOD_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        lag = found.gauges.loop_lag
        assert lag.count >= 8
        assert lag.quantile(0.5) == 0.0
        assert found.gauges.up_us() > 0

    run_virtual(measure())


def test_a_late_loop_is_seen(journal: LastingJournal, tmp_path: Path) -> None:
    clock = [0.0]

    async def measure() -> None:
        loop = asyncio.get_running_loop()
        found = Pulse(journal, tmp_path, lambda: loop.time() + clock[0])
        task = asyncio.create_task(found.watch())
        await asyncio.sleep(0)
        clock[0] += 0.08
        await asyncio.sleep(1.5 * PERIOD_S)
        assert found.gauges.loop_lag.quantile(1.0) == pytest.approx(0.08)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run_virtual(measure())


def test_what_the_system_does_not_tell_is_not_known(
    journal: LastingJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statm = tmp_path / "statm"
    statm.write_text("1000 25 3 0 0 0 0")
    monkeypatch.setattr(pulse, "_STATM", statm)
    assert (memory_bytes() or 0) % 25 == 0
    statm.write_text("")
    assert memory_bytes() is None
    monkeypatch.setattr(pulse, "_STATM", tmp_path / "absent")
    assert memory_bytes() is None
    assert Pulse(journal, tmp_path / "absent").gauges.disk_free() is None
