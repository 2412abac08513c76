"""The emergency shutdown: six steps in one order, each bounded, none repeated, none in another's way."""

import asyncio
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.execution.anomalies import Anomalies
from engine.execution.bracket import BracketPhase
from engine.execution.emergency import Emergency, EmergencyDesk
from engine.execution.halts import HaltDesk, Halts
from engine.execution.shutdown import META_KEY, ORDER, Shutdown, ShutdownStep, from_json, to_json
from engine.model.events import Alarm, AnomalySeen
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import ExitReason

LAST = 10_000
SHUTDOWN = Shutdown(7, "ann on pts/1", "enough", flatten=False)


class Folder:
    """Snapshots in memory; `failures` writes to come fail."""

    def __init__(self) -> None:
        self.files: dict[str, Mapping[str, object]] = {}
        self.failures = 0

    def write(self, name: str, document: Mapping[str, object]) -> str:
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full")
        self.files[name] = document
        return f"snapshots/{name}"


class Scene:
    """The sequence on the bracket writer's rig."""

    def __init__(self, rig: Any) -> None:
        self.rig = rig
        self.folder: Folder | None = Folder()
        self.boot()

    def boot(self) -> None:
        """As a start does."""
        rig = self.rig
        self.halts = Halts(
            HaltDesk(
                rig.journal,
                rig.clock,
                rig.scheduler,
                rig.events.append,
                lambda halted: self._halted(),
                lambda scope: rig.brackets.review_all(),
            )
        )
        self.halts.restore()
        rig.halted = self.halts.account is not None
        self.emergency = Emergency(
            EmergencyDesk(
                rig.journal,
                rig.venue,
                rig.clock,
                rig.brackets,
                rig.books,
                self.halts,
                rig.picture.last,
                self.folder,
                rig.events.append,
            )
        )
        self.emergency.restore()

    def _halted(self) -> None:
        self.rig.halted = True

    async def run(self, seconds: float = 60) -> None:
        """The sequence and time, side by side."""
        task = asyncio.ensure_future(self.emergency.run())
        for _ in range(round(seconds * 4)):
            await self.rig.settle()
            if task.done():
                break
            await self.rig.advance(0.25)
        assert task.done(), "the sequence does not end"
        await task

    @property
    def shutdown(self) -> Shutdown:
        assert self.emergency.shutdown is not None
        return self.emergency.shutdown

    def steps(self) -> list[str]:
        entries = self.rig.journal.entries
        return [str(entry.body["step"]) for entry in entries if entry.kind == "shutdown_step"]

    def alerts(self) -> list[str]:
        return [event.text for event in self.rig.events if isinstance(event, Alarm) and event.page]


@pytest.fixture
async def scene(rig: Any) -> Scene:
    return Scene(rig)


def test_the_plan_takes_the_steps_in_order() -> None:
    plan, taken = SHUTDOWN, []
    while (step := plan.next_step) is not None:
        taken.append(step)
        plan = plan.after(step)
    assert taken == [step for step in ORDER if step is not ShutdownStep.FLATTEN]
    assert plan.words() == "done: 5 of 5 steps"
    assert [step.value for step in ORDER] == [
        "halt", "cancel_entries", "verify_stops", "flatten", "snapshot", "alert",
    ]  # fmt: skip


def test_flattening_comes_in_its_place_and_what_follows_comes_again() -> None:
    plan = SHUTDOWN
    for step in (ShutdownStep.HALT, ShutdownStep.CANCEL):
        plan = plan.after(step)
    assert plan.words() == "step 3 of 5: verify a stop at the venue for every position"
    done = plan.after(ShutdownStep.VERIFY).after(ShutdownStep.SNAPSHOT, ("late",)).after(ShutdownStep.ALERT)
    again = done.flattening()
    assert again.next_step is ShutdownStep.FLATTEN
    assert again.words() == "step 4 of 6: sell every position"
    assert again.after(ShutdownStep.FLATTEN).next_step is ShutdownStep.SNAPSHOT


def test_the_journal_keeps_all_of_it() -> None:
    plan = SHUTDOWN.after(ShutdownStep.HALT, ("a note",))
    assert from_json(to_json(plan)) == plan
    assert from_json(to_json(None)) is None
    assert from_json(None) is None


async def test_a_position_under_its_stop_and_a_working_entry(scene: Scene, world: ModuleType) -> None:
    await scene.rig.hold()
    other = world.InstrumentId("XYZ.US")
    await scene.rig.begin(number=2, instrument=other)
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    assert scene.halts.account_reason == "by ann on pts/1 (enough)"
    assert scene.emergency.is_due
    await scene.run()
    assert scene.steps() == ["halt", "cancel_entries", "verify_stops", "snapshot", "alert"]
    assert not scene.emergency.is_due
    assert scene.rig.legs(OrderRole.ENTRY, world.ticket_id(2)) == [OrderState.CANCELED]
    scene.rig.assert_covered()
    assert scene.folder is not None
    (name,) = scene.folder.files
    assert name == f"halt-{world.OPEN_US}.json"
    document: Any = scene.folder.files[name]
    assert document["shutdown"]["reason"] == "enough"
    assert document["halted"]["account"]["reason"] == "by ann on pts/1 (enough)"
    (position,) = document["positions"]
    assert (position["symbol"], position["quantity"], position["under_a_stop"]) == ("ABC", "10", "10")
    assert document["account"]["venue"]["positions"][0]["quantity"] == "10"
    (alert,) = scene.alerts()
    assert alert == (
        "Emergency shutdown by ann on pts/1 (enough): no new orders, 1 of 1 positions have their stop;"
        f" snapshot snapshots/{name}"
    )


async def test_nothing_open_is_over_at_once(scene: Scene, world: ModuleType) -> None:
    scene.folder = None
    scene.boot()
    scene.emergency.begin(world.ANN, "enough", flatten=True)
    await scene.run()
    assert scene.shutdown.texts == ()
    assert scene.alerts() == [
        "Emergency shutdown by ann on pts/1 (enough): no new orders, no position is open"
    ]


async def test_flatten_sells_every_position(scene: Scene, world: ModuleType) -> None:
    await scene.rig.hold()
    scene.emergency.begin(world.ANN, "enough", flatten=True)
    await scene.run()
    bracket = scene.rig.now()
    assert (bracket.phase, bracket.exit_wanted) == (BracketPhase.EXITING, ExitReason.EMERGENCY)
    assert "1 being sold" in scene.alerts()[-1]
    (exit_order,) = scene.rig.now().of_role(OrderRole.EXIT)
    scene.rig.venue.fill(exit_order.id)
    await scene.rig.settle()
    scene.rig.assert_over()


async def test_a_second_call_adds_selling_and_repeats_nothing_else(scene: Scene, world: ModuleType) -> None:
    await scene.rig.hold()
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run()
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    assert not scene.emergency.is_due
    scene.emergency.begin(world.BOB, "sell it all", flatten=True)
    assert scene.emergency.is_due
    await scene.run()
    assert scene.steps() == [
        "halt", "cancel_entries", "verify_stops", "snapshot", "alert", "flatten", "snapshot", "alert",
    ]  # fmt: skip
    scene.emergency.begin(world.BOB, "sell it all", flatten=True)
    assert not scene.emergency.is_due


async def test_a_stop_that_the_venue_lost_is_placed_again(scene: Scene, world: ModuleType) -> None:
    bracket = await scene.rig.hold()
    (stop,) = bracket.of_role(OrderRole.STOP)
    del scene.rig.venue.orders[stop.id]
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run()
    scene.rig.assert_covered()
    assert scene.shutdown.texts[0].startswith("snapshot")


async def test_a_stop_that_ended_unseen_is_found_and_replaced(scene: Scene, world: ModuleType) -> None:
    bracket = await scene.rig.hold()
    scene.rig.venue.end(bracket.of_role(OrderRole.STOP)[0].id, OrderState.CANCELED)
    scene.rig.venue.outbox.clear()
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run()
    scene.rig.assert_covered()


async def test_a_stop_that_does_not_come_is_named(scene: Scene, world: ModuleType) -> None:
    bracket = await scene.rig.hold()
    scene.rig.venue.hidden.add(bracket.of_role(OrderRole.STOP)[0].id)
    scene.rig.venue.hidden.add(bracket.of_role(OrderRole.TARGET)[0].id)
    open_orders = scene.rig.venue.open_orders

    async def nothing() -> tuple[Any, ...]:
        await open_orders()
        return ()

    scene.rig.venue.open_orders = nothing
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run()
    assert "ABC: 10 held, 0 under a stop at the venue" in scene.shutdown.texts
    assert "0 under a stop at the venue" in scene.alerts()[-1]


async def test_a_venue_that_does_not_answer_delays_nothing_for_ever(scene: Scene, world: ModuleType) -> None:
    await scene.rig.hold()
    scene.rig.venue.faults["open"].extend(["unavailable"] * LAST)
    scene.emergency.begin(world.ANN, "enough", flatten=True)
    await scene.run()
    assert scene.shutdown.texts[0] == "the venue could not be asked for its stops: cannot connect"
    assert scene.shutdown.next_step is None
    assert scene.rig.now().exit_wanted is ExitReason.EMERGENCY


async def test_a_venue_that_is_mute_is_given_up_and_the_alert_is_told(
    scene: Scene, world: ModuleType
) -> None:
    await scene.rig.hold()

    async def mute() -> Any:
        await asyncio.Event().wait()

    scene.rig.venue.open_orders = scene.rig.venue.account = mute
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run()
    (alert,) = [event for event in scene.rig.events if isinstance(event, Alarm) and event.page][-1:]
    assert "the venue could not be asked for its stops: no answer in 10 s" in alert.text
    (document,) = scene.folder.files.values()
    assert "no answer in 10 s" in str(document)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"began_us": 1}', "7"])
def test_a_note_that_makes_no_sense_is_no_plan(text: str) -> None:
    with pytest.raises(StorageError, match="makes no sense"):
        from_json(text)


async def test_the_account_may_be_unknown(scene: Scene, world: ModuleType) -> None:
    from engine.errors import BrokerUnavailable

    async def silent() -> Any:
        raise BrokerUnavailable("cannot connect")

    scene.rig.venue.account = silent
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run()
    assert scene.folder is not None
    (document,) = scene.folder.files.values()
    account: Any = document["account"]
    assert account["venue"] == {"not_asked": "cannot connect"}


async def test_what_is_not_ours_is_shown_and_left_alone(scene: Scene, world: ModuleType) -> None:
    scene.rig.venue.position[world.InstrumentId("OLD.US")] += 5
    scene.emergency.begin(world.ANN, "enough", flatten=True)
    await scene.run()
    assert "OLD: the venue holds 5, no bracket of ours does" in scene.shutdown.texts


async def test_an_entry_whose_cancel_is_refused_is_named(scene: Scene, world: ModuleType) -> None:
    scene.rig.venue.faults["send"].append("no answer until released")
    scene.rig.venue.faults["hold"].append(None)
    await scene.rig.begin()
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run(80)
    assert any(note.startswith("ABC: the entry is ") for note in scene.shutdown.texts)
    scene.rig.venue.gate.set()
    scene.rig.venue.faults["hold"].clear()
    await scene.rig.settle()


async def test_an_entry_whose_fate_is_unknown_gets_ten_seconds(scene: Scene, world: ModuleType) -> None:
    scene.rig.venue.faults["send"].append("answer lost")
    bracket = await scene.rig.begin()
    scene.rig.venue.faults["ask"].extend(["unavailable"] * LAST)
    scene.rig.venue.outbox.clear()
    assert bracket.entry.state is not OrderState.CANCELED
    scene.rig.streaming = False
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run(80)
    assert scene.rig.clock.now_us() - world.OPEN_US >= 10 * US_PER_S
    assert scene.shutdown.texts[0].startswith("ABC: the entry is ")


async def test_a_snapshot_that_cannot_be_written_does_not_stop_the_alert(
    scene: Scene, world: ModuleType
) -> None:
    assert scene.folder is not None
    scene.folder.failures = 1
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    await scene.run()
    assert scene.alerts()[-1].endswith("; no snapshot: the disk is full")


async def test_a_crash_in_the_middle_goes_on_where_it_was(scene: Scene, world: ModuleType) -> None:
    await scene.rig.hold()
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    ask = scene.rig.venue.open_orders
    gate = asyncio.Event()

    async def stuck() -> Any:
        await gate.wait()

    scene.rig.venue.open_orders = stuck
    task = asyncio.ensure_future(scene.emergency.run())
    await scene.rig.settle()
    assert scene.shutdown.next_step is ShutdownStep.VERIFY
    scene.rig.kill()
    await asyncio.gather(task, return_exceptions=True)
    scene.rig.venue.open_orders = ask
    scene.boot()
    assert scene.rig.halted
    assert scene.shutdown.next_step is ShutdownStep.VERIFY
    await scene.run()
    assert scene.steps() == ["halt", "cancel_entries", "verify_stops", "snapshot", "alert"]


async def test_a_disk_that_takes_no_line_stops_no_step(scene: Scene, world: ModuleType) -> None:
    await scene.rig.hold()
    commit, refused = scene.rig.journal.commit, [0]

    def no_steps(rows: Any, audit: Any, protective: bool = False) -> None:
        if any(entry.kind in ("shutdown_step", "halted") for entry in audit):
            refused[0] += 1
            raise StorageError("the disk is full")
        commit(rows, audit, protective)

    scene.rig.journal.commit = no_steps
    scene.emergency.begin(world.ANN, "enough", flatten=True)
    await scene.run()
    assert scene.shutdown.next_step is None
    assert "the halt is not written down yet" in scene.shutdown.texts
    assert scene.rig.now().exit_wanted is ExitReason.EMERGENCY
    assert refused[0] >= len(scene.shutdown.steps)


async def test_a_position_that_cannot_be_given_up_is_named(scene: Scene, world: ModuleType) -> None:
    await scene.rig.hold()
    scene.emergency.begin(world.ANN, "enough", flatten=True)
    write = scene.rig.brackets.write

    def refuse(*arguments: Any, **named: Any) -> None:
        raise StorageError("the disk is full")

    scene.rig.brackets.write = refuse
    await scene.run()
    scene.rig.brackets.write = write
    assert "ABC is not sold: the disk is full" in scene.shutdown.texts


async def test_a_review_that_cannot_be_written_is_told(scene: Scene, world: ModuleType) -> None:
    def refuse() -> None:
        raise StorageError("the disk is full")

    scene.emergency.begin(world.ANN, "enough", flatten=False)
    scene.rig.brackets.review_all = refuse
    await scene.run()
    texts = [event.text for event in scene.rig.events if isinstance(event, Alarm)]
    assert "emergency shutdown: the disk is full" in texts


async def test_a_resume_ends_what_is_left(scene: Scene, world: ModuleType) -> None:
    await scene.rig.hold()
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    gate = asyncio.Event()
    ask = scene.rig.venue.open_orders

    async def stuck() -> Any:
        await gate.wait()
        return await ask()

    scene.rig.venue.open_orders = stuck
    task = asyncio.ensure_future(scene.emergency.run())
    await scene.rig.settle()
    scene.halts.release(world.ANN, rows=scene.emergency.forgotten())
    scene.emergency.forget()
    gate.set()
    await task
    assert scene.steps() == ["halt", "cancel_entries"]
    assert scene.rig.journal.meta(META_KEY) == ""
    assert scene.emergency.forgotten() == ()
    scene.boot()
    assert scene.emergency.shutdown is None


async def test_a_halt_after_a_resume_takes_every_step_again(scene: Scene, world: ModuleType) -> None:
    gate = asyncio.Event()
    ask = scene.rig.venue.open_orders

    async def stuck() -> Any:
        await gate.wait()
        return await ask()

    scene.rig.venue.open_orders = stuck
    scene.emergency.begin(world.ANN, "enough", flatten=False)
    task = asyncio.ensure_future(scene.emergency.run())
    await scene.rig.settle()
    scene.halts.release(world.ANN, rows=scene.emergency.forgotten())
    scene.emergency.forget()
    await scene.rig.advance(1)
    scene.emergency.begin(world.BOB, "again", flatten=False)
    gate.set()
    await task
    assert scene.steps() == [
        "halt", "cancel_entries", "halt", "cancel_entries", "verify_stops", "snapshot", "alert",
    ]  # fmt: skip


async def test_a_plan_that_outlived_its_halt_halts_again(scene: Scene, world: ModuleType) -> None:
    scene.emergency.shutdown = Shutdown(world.OPEN_US, "ann on pts/1", "enough", flatten=False)
    await scene.run()
    assert scene.halts.account_reason == "by ann on pts/1 (enough)"


def seen(kind: str, second: float, value: float = 7.5) -> AnomalySeen:
    return AnomalySeen(kind, value, 6.0, round(second * US_PER_S))


def test_two_kinds_of_anomaly_within_five_minutes_are_a_reason() -> None:
    anomalies = Anomalies()
    assert anomalies.see(seen("equity_jump", 0)) == ""
    assert anomalies.see(seen("equity_jump", 10)) == ""
    assert anomalies.see(seen("clock_skew", 311)) == ""
    assert anomalies.see(AnomalySeen("price_move", 12.0, 10.0, 611 * US_PER_S, "ABC")) == (
        "anomalies: clock skew 7.5, limit 6, price move of ABC 12, limit 10"
    )
    # It counts from nothing again.
    assert anomalies.see(seen("clock_skew", 612)) == ""
