"""Our books are kept those of the venue: at the start, after a break, by the clock, and when in doubt."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from engine.clock import US_PER_S, LiveClock
from engine.errors import BrokerUnavailable, ConfigError
from engine.execution.watch import Watch
from engine.loop import run_virtual
from engine.model.ids import AccountId, ClientOrderId, InstrumentId
from engine.model.orders import BracketKind, OrderRole, OrderSide, OrderState
from engine.model.positions import AccountKind, ExitReason
from engine.reliability.supervisor import Supervisor, no_jitter

XYZ = InstrumentId("XYZ.US")


class Station:
    """A watch on virtual time, with the stream in our hand. `wall_us` is the machine's own clock."""

    def __init__(self, world: Any, live: bool, capabilities: Any) -> None:
        self.rig = rig = world.Rig(capabilities)
        self.wall_us = 0
        clock = LiveClock(world.OPEN_US, lambda: clock.now_us() + self.wall_us)
        # A wall that is followed stands where our clock then does.
        followed = clock.follow_wall

        def follow() -> None:
            followed()
            self.wall_us = min(self.wall_us, 0)

        clock.follow_wall = follow  # type: ignore[method-assign]
        rig.clock = clock
        rig.venue._now_us = clock.now_us
        rig._boot()
        rig.streaming = False
        self.live = live
        self.degraded: list[str] = []
        self.supervisor = Supervisor(clock, self.degraded.append, rig.halt)
        self.changes: list[tuple[bool, bool]] = []
        self.looks: list[float] = []
        self.lines: list[asyncio.Queue[Any]] = []
        rig.venue.updates = self.updates
        real = rig.venue.open_orders

        async def counted() -> Any:
            self.looks.append(self.now_s)
            return await real()

        rig.venue.open_orders = counted
        self.boot()

    def boot(self) -> None:
        self.watch = Watch(self.rig.post, self.changed, self.live, no_jitter)

    def changed(self) -> None:
        self.changes.append((self.watch.is_ready, self.watch.is_following))

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def told(self) -> list[str]:
        return [text for text, _, _ in self.rig.alarms]

    async def updates(self) -> Any:
        line: asyncio.Queue[Any] = asyncio.Queue()
        self.lines.append(line)
        while (update := await line.get()) is not None:
            yield update

    def deliver(self) -> None:
        while self.rig.venue.outbox:
            self.lines[-1].put_nowait(self.rig.venue.outbox.popleft())

    def cut(self) -> None:
        self.lines[-1].put_nowait(None)

    async def start(self) -> None:
        self.supervisor.keep("venue updates", self.watch.follow)
        self.supervisor.keep("timers", self.rig.scheduler.run)
        await asyncio.sleep(0)
        await self.watch.begin()
        if self.live:
            self.supervisor.keep("reconciliation", self.watch.run)

    async def ready(self) -> None:
        """Ready, and free to look again at once; the time is 3 s then."""
        await self.start()
        await self.watch.ready()
        await asyncio.sleep(1)
        self.looks.clear()

    async def hold(self, **terms: Any) -> Any:
        """A position with its stop, told by the stream."""
        rig = self.rig
        bracket = rig.brackets.start(rig.make(**terms), (), ())
        await asyncio.sleep(0.1)
        rig.venue.fill(bracket.entry.id)
        self.deliver()
        await asyncio.sleep(0.1)
        found = rig.now(bracket.ticket)
        assert found.cover == found.position == 10
        return found


Go = Callable[[Station], Coroutine[Any, Any, None]]


@pytest.fixture
def station(world: Any) -> Callable[..., None]:
    """Runs a story on virtual time."""

    def run(go: Go, live: bool = True, **card: Any) -> None:
        async def main() -> None:
            found = Station(world, live, world.card(**card))
            found.rig.make = world.make_ticket
            try:
                await go(found)
            finally:
                await found.supervisor.end()
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    task.cancel()

        run_virtual(main())

    return run


def test_ready_after_two_clean_looks_two_seconds_apart(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.start()
        assert not s.watch.is_ready
        await s.watch.ready()
        assert s.looks == [0.0, 2.0]
        assert s.changes[-1] == (True, True)

    station(go)


def test_two_looks_at_nearly_the_same_time_are_one(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.start()
        s.watch.wake()
        await asyncio.sleep(0.5)
        assert (s.looks, s.watch.is_ready) == ([0.0, 0.0], False)
        await s.watch.ready()
        assert s.looks == [0.0, 0.0, 2.0]

    station(go)


def test_a_stepped_clock_has_both_looks_at_once_and_no_age(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.start()
        assert s.watch.is_ready
        assert s.looks == [0.0, 0.0]
        await asyncio.sleep(1000)
        assert s.looks == [0.0, 0.0]
        assert (s.watch.reconciled_age_us(), s.watch.clock_skew_us()) == (None, None)
        assert not s.watch.why_not_clean()

    station(go, live=False)


def test_it_looks_every_thirty_seconds(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        await asyncio.sleep(95)
        assert s.looks == [32.0, 62.0, 92.0]
        assert s.watch.reconciled_age_us() == 6 * US_PER_S

    station(go)


def test_orders_that_may_fill_untold_are_asked_for_every_five_seconds(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        bracket = s.rig.brackets.start(s.rig.make(), (), ())
        await asyncio.sleep(4)
        s.rig.venue.fill(bracket.entry.id)  # and the stream is mute
        await asyncio.sleep(6)
        found = s.rig.now(bracket.ticket)
        assert found.cover == found.position == 10
        s.rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
        await asyncio.sleep(1)
        s.rig.venue.fill(s.rig.now(bracket.ticket).of_role(OrderRole.EXIT)[0].id)
        await asyncio.sleep(6)
        assert s.rig.now(bracket.ticket).position == 0
        assert s.looks == []

    station(go, bracket_kind=BracketKind.SYNTHETIC)


def test_legs_that_wake_by_themselves_need_no_such_hurry(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        bracket = s.rig.brackets.start(s.rig.make(), (), ())
        await asyncio.sleep(20)
        assert ("ask", bracket.entry.id) not in s.rig.venue.calls

    station(go)


def test_a_start_at_a_venue_that_does_not_answer_fails(station: Any) -> None:
    async def go(s: Station) -> None:
        s.rig.venue.faults["account"].extend(["unavailable"] * 2)
        with pytest.raises(BrokerUnavailable):
            await s.start()
        assert s.watch.why_not_clean() == "the venue was not compared with the books yet"
        assert s.watch.clock_skew_us() is None
        await asyncio.sleep(7)
        assert s.watch.reconciled_age_us() == 7 * US_PER_S

    station(go)


def test_a_start_with_another_account_fails_for_good(station: Any) -> None:
    async def go(s: Station) -> None:
        s.rig.venue.identity = (AccountId("OTHER-9"), AccountKind.SIMULATION)
        with pytest.raises(ConfigError):
            await s.start()

    station(go)


def test_an_account_that_becomes_another_halts_and_is_told_nothing(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        bracket = await s.hold()
        s.rig.venue.identity = (AccountId("SIM-1"), AccountKind.LIVE)
        s.rig.venue.end(bracket.legs[1].id, OrderState.CANCELED)
        await asyncio.sleep(40)
        assert s.rig.scopes == [None]
        assert "'SIM-1'" in s.rig.halts[0]
        assert s.rig.now().cover == 10
        assert s.watch.why_not_clean() == s.rig.halts[0].partition(". ")[0]
        s.rig.venue.identity = (AccountId("SIM-1"), AccountKind.SIMULATION)
        await asyncio.sleep(40)
        assert not s.watch.why_not_clean()

    station(go)


def test_a_position_without_its_stop_is_covered_before_the_engine_is_ready(station: Any) -> None:
    async def go(s: Station) -> None:
        rig = s.rig
        bracket = rig.brackets.start(rig.make(), (), ())
        await asyncio.sleep(0.1)
        rig.venue.fill(bracket.entry.id, 4)
        rig.venue.end(bracket.entry.id, OrderState.CANCELED)
        rig.kill()
        s.boot()
        rig.venue.faults["send"].append("request lost")
        await s.start()
        assert rig.now().cover == 0
        await s.watch.ready()
        assert rig.now().cover == rig.now().position == 4
        assert [send for send in rig.venue.sent("S") if send[-2:] == "01"] != []
        assert s.watch.uncovered() == ()

    station(go)


def test_ready_waits_for_a_stop_that_is_not_confirmed(station: Any) -> None:
    async def go(s: Station) -> None:
        rig = s.rig
        bracket = rig.brackets.start(rig.make(), (), ())
        await asyncio.sleep(0.1)
        rig.venue.fill(bracket.entry.id, 4)
        rig.venue.end(bracket.entry.id, OrderState.CANCELED)
        rig.kill()
        s.boot()
        rig.venue.faults["send"].append("no answer until released")
        await s.start()
        await asyncio.sleep(6)
        assert not s.watch.is_ready
        assert [b.ticket for b in s.watch.uncovered()] == [bracket.ticket]
        rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
        assert s.watch.uncovered() == ()
        await asyncio.sleep(2)
        assert s.watch.is_ready

    station(go)


def test_a_stream_that_breaks_is_caught_up_with_before_it_is_followed(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        bracket = await s.hold()
        s.cut()
        s.rig.venue.fill(bracket.legs[2].id, price="106")
        s.rig.venue.outbox.clear()
        await asyncio.sleep(0.5)
        assert s.degraded == ["venue updates: the venue's update stream ended"]
        assert not s.watch.is_following
        await asyncio.sleep(0.6)
        assert s.watch.is_following
        assert s.rig.now().position == 0
        assert len(s.looks) == 1

    station(go)


def test_a_venue_that_stays_away_is_tried_for_ever(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        s.rig.venue.faults["account"].extend(["unavailable"] * 2000)
        s.cut()
        await asyncio.sleep(3600)
        assert s.degraded[-1] == "venue updates: cannot connect"
        assert len(s.degraded) > 60
        s.rig.venue.faults["account"].clear()
        await asyncio.sleep(61)
        assert s.watch.is_following

    station(go)


def test_before_it_is_ready_a_failed_look_is_made_again_soon(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.start()
        s.looks.clear()
        s.rig.venue.faults["open"].extend(["unavailable"] * 40)
        await asyncio.sleep(60)
        assert len(s.looks) > 12

    station(go)


def test_old_books_are_told_once_and_again_when_they_are_fresh(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        await s.hold()
        s.rig.venue.faults["open"].extend(["unavailable"] * 24)
        await asyncio.sleep(119)
        assert s.told == ["the venue cannot be compared with the books: cannot connect"]
        await asyncio.sleep(8)
        assert s.rig.alarms[-1][1:] == (True, "reconcile")
        assert "no new entries" in s.told[-1]
        assert "old, limit 120 s" in s.watch.why_not_clean()
        await asyncio.sleep(600)
        assert s.told[2:] == ["the venue is compared with the books again"]
        assert not s.watch.why_not_clean()

    station(go)


def test_a_question_that_is_never_answered_is_a_failed_look(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        real, never = s.rig.venue.account, asyncio.Event()

        async def hang() -> Any:
            await never.wait()

        s.rig.venue.account = hang
        await asyncio.sleep(65)
        assert s.told == ["the venue cannot be compared with the books: the venue did not answer in 30 s"]
        s.rig.venue.account = real
        await asyncio.sleep(65)
        assert not s.watch.why_not_clean()

    station(go)


def test_a_difference_that_two_looks_find_halts_its_instrument_and_corrects_the_bracket(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        await s.hold()
        await asyncio.sleep(10)
        s.rig.venue.position["ABC.US"] = Decimal(7)
        s.watch.wake()
        await asyncio.sleep(1)
        assert s.rig.halts == []
        assert s.watch.why_not_clean() == "ABC.US: we hold 10, the venue says 7"
        await asyncio.sleep(2)
        assert s.rig.halts[0] == "ABC.US: we hold 10, the venue says 7"
        assert set(s.rig.scopes) == {"ABC.US"}
        assert s.rig.now().held == 7
        await asyncio.sleep(60)
        assert s.rig.now().cover == 7
        assert "ABC.US: our books and the venue's agree again" in s.told
        assert not s.watch.why_not_clean(InstrumentId("ABC.US"))

    station(go)


def test_more_than_we_hold_halts_only_that_instrument_until_a_person_accepts_it(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        s.rig.venue.position[XYZ] = Decimal(3)
        await asyncio.sleep(40)
        assert (s.rig.halts, s.rig.scopes) == (["XYZ.US: we hold 0, the venue says 3"], [XYZ])
        await asyncio.sleep(120)
        assert len(s.rig.halts) == 1
        assert not s.watch.why_not_clean()
        assert s.watch.why_not_clean(XYZ) == "XYZ.US: we hold 0, the venue says 3"
        assert s.watch.accept(XYZ, "ann on pts/1")
        assert not s.watch.why_not_clean(XYZ)
        await asyncio.sleep(60)
        assert not s.watch.why_not_clean(XYZ)
        assert not s.watch.accept(XYZ, "ann on pts/1")
        assert len(s.rig.halts) == 1

    station(go)


def test_less_than_we_hold_can_not_be_accepted(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        s.rig.venue.position[XYZ] = Decimal(-3)
        await asyncio.sleep(40)
        assert not s.watch.accept(XYZ, "ann on pts/1")

    station(go)


def test_another_difference_is_doubted_anew(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        s.rig.venue.position[XYZ] = Decimal(3)
        s.watch.wake()
        await asyncio.sleep(1)
        s.rig.venue.position[XYZ] = Decimal(0)
        await asyncio.sleep(3)
        assert (s.rig.halts, s.watch.why_not_clean()) == ([], "")
        s.rig.venue.position[XYZ] = Decimal(4)
        s.watch.wake()
        await asyncio.sleep(1)
        s.rig.venue.position[XYZ] = Decimal(5)
        await asyncio.sleep(2)
        assert s.rig.halts == []
        await asyncio.sleep(2)
        assert s.rig.halts == ["XYZ.US: we hold 0, the venue says 5"]

    station(go)


def test_a_difference_of_an_instrument_that_moves_is_not_proved(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        s.rig.venue.faults["send"].append("arrives late")
        s.rig.venue.faults["ask"].extend(["unavailable"] * 3)
        s.rig.brackets.start(s.rig.make(), (), ())
        s.rig.venue.position["ABC.US"] = Decimal(2)
        s.watch.wake()
        await asyncio.sleep(8)
        assert s.rig.halts == []

    station(go, request_expiry_us=20 * US_PER_S)


def test_a_start_with_a_difference_is_ready_once_it_is_proved(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        await s.hold()
        await s.supervisor.end()
        s.rig.kill()
        s.boot()
        s.supervisor = Supervisor(s.rig.clock, s.degraded.append, s.rig.halt)
        s.rig.venue.position["ABC.US"] = Decimal(12)
        began = s.now_s
        await s.start()
        await s.watch.ready()
        assert s.rig.halts == ["ABC.US: we hold 10, the venue says 12"]
        assert s.now_s - began <= 10

    station(go)


def test_a_stepped_clock_proves_a_difference_at_the_start_and_after_a_break(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.start()
        await s.hold()
        s.rig.venue.position["ABC.US"] = Decimal(7)
        s.cut()
        await asyncio.sleep(2)
        assert s.rig.halts[0] == "ABC.US: we hold 10, the venue says 7"
        assert s.rig.now().held == 7

    station(go, live=False)


def test_an_unknown_order_of_ours_in_the_stream_is_looked_for(station: Any, world: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        spec = world.make_ticket(7).order.entry
        s.rig.venue.orders[spec.client_order_id] = world.Placed(spec, Decimal(10))
        s.rig.venue._tell(spec.client_order_id)
        s.deliver()
        await asyncio.sleep(0.1)
        assert len(s.looks) == 1
        assert s.rig.venue.orders[spec.client_order_id].state is OrderState.CANCELED
        assert s.watch.foreign_updates == 0

    station(go)


def test_a_storm_of_unknown_orders_makes_one_look_a_second(station: Any, world: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        spec = world.make_ticket(7).order.entry
        s.rig.venue.orders[spec.client_order_id] = world.Placed(spec, Decimal(10), OrderState.CANCELED)
        for _ in range(500):
            s.rig.venue._tell(spec.client_order_id)
            s.deliver()
            await asyncio.sleep(0.01)
        assert len(s.looks) == 5

    station(go)


def test_orders_of_others_in_the_stream_are_counted_and_told_once(station: Any, world: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        spec = world.replace(
            world.make_ticket(7).order.entry, client_order_id=ClientOrderId("web-1"), side=OrderSide.SELL
        )
        s.rig.venue.orders[spec.client_order_id] = world.Placed(spec, Decimal(10))
        for _ in range(3):
            s.rig.venue._tell(spec.client_order_id)
        s.deliver()
        await asyncio.sleep(40)
        assert s.watch.foreign_updates == 3
        assert s.told == ["ABC.US: order web-1 is not ours: left alone"]
        assert s.rig.venue.orders[spec.client_order_id].is_live

    station(go)


def test_unknown_orders_keep_a_halt_from_ending(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        s.rig.venue.faults["send"].append("arrives late")
        s.rig.venue.faults["ask"].extend(["unavailable"] * 3)
        s.rig.brackets.start(s.rig.make(), (), ())
        await asyncio.sleep(1)
        assert s.watch.why_not_clean() == "1 orders UNKNOWN. Asking the venue."
        assert not s.watch.why_not_clean(XYZ)
        assert s.watch.why_not_clean(InstrumentId("ABC.US"))

    station(go, request_expiry_us=20 * US_PER_S)


@pytest.mark.parametrize(
    ("skew_us", "words"),
    [(250_000, []), (-251_000, ["-0.251 s off ours"]), (1_001_000, ["+1.001 s off ours: no new entries"])],
)
def test_a_skew_of_the_venues_clock_is_told_by_its_size(station: Any, skew_us: int, words: list[str]) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        s.rig.venue.skew_us = skew_us
        await asyncio.sleep(65)
        assert s.watch.clock_skew_us() == skew_us
        assert s.told == [f"the venue's clock is {text}" for text in words]
        s.rig.venue.skew_us = 0
        await asyncio.sleep(35)
        assert len(s.told) == 2 * len(words)

    station(go)


def test_a_question_of_the_time_that_was_lost_is_no_skew(station: Any) -> None:
    async def go(s: Station) -> None:
        ask, calls = s.rig.venue.venue_time_us, []

        async def lost_once() -> Any:
            calls.append(s.now_s)
            if len(calls) == 1:
                await asyncio.sleep(5)
                raise BrokerUnavailable("no answer")
            return await ask()

        s.rig.venue.venue_time_us = lost_once
        await s.start()
        assert calls == [0.0, 5.0]
        assert s.watch.clock_skew_us() == 0

    station(go)


def test_a_venue_without_a_clock_has_no_skew(station: Any) -> None:
    async def go(s: Station) -> None:
        s.rig.venue.skew_us = None
        await s.ready()
        assert s.watch.clock_skew_us() is None

    station(go)


def test_a_suspended_machine_looks_at_once_and_takes_the_time_over(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        before = s.rig.clock.now_us()
        s.wall_us = s.rig.venue.skew_us = 3600 * US_PER_S

        async def venue_time() -> int:
            return s.rig.clock.now_us() + s.rig.venue.skew_us if s.wall_us else s.rig.clock.now_us()

        s.rig.venue.venue_time_us = venue_time
        # The gate needs no beat to know that the time may be an hour wrong.
        assert s.watch.clock_skew_us() == 3600 * US_PER_S
        await asyncio.sleep(5.1)
        assert s.looks == [8.0]
        assert s.rig.clock.now_us() - before >= 3600 * US_PER_S
        assert s.told == ["the machine's clock jumped: it is +3600.0 s off ours"]
        assert s.watch.clock_skew_us() == 0
        await asyncio.sleep(20)
        assert len(s.told) == 1

    station(go)


def test_a_clock_that_was_set_wrong_is_not_followed(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        before = s.rig.clock.now_us()
        s.wall_us = 3600 * US_PER_S
        assert s.watch.clock_skew_us() == 3600 * US_PER_S
        await asyncio.sleep(20)
        assert s.rig.clock.now_us() - before == 20 * US_PER_S
        assert s.watch.clock_skew_us() == 0
        assert len(s.told) == 1

    station(go)


def test_a_clock_that_went_back_is_told_and_never_followed(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        s.wall_us = s.rig.venue.skew_us = -3600 * US_PER_S
        await asyncio.sleep(6)
        assert s.told == [
            "the machine's clock jumped: it is -3600.0 s off ours: no new entries before a restart,"
            " unless the venue says that our time is right",
            "the venue's clock is -3600.000 s off ours: no new entries"
            " before the machine's clock is right and the engine is restarted",
        ]
        assert s.watch.clock_skew_us() == -3600 * US_PER_S

    station(go)


def test_a_clock_set_back_at_a_venue_without_one_is_a_skew_that_stays(station: Any) -> None:
    async def go(s: Station) -> None:
        s.rig.venue.skew_us = None
        await s.ready()
        s.wall_us = -3600 * US_PER_S
        await asyncio.sleep(60)
        assert s.watch.clock_skew_us() == -3600 * US_PER_S

    station(go)


def test_a_small_jump_ahead_at_a_venue_without_a_clock_is_followed(station: Any) -> None:
    async def go(s: Station) -> None:
        s.rig.venue.skew_us = None
        await s.ready()
        s.wall_us = 1_500_000
        assert s.watch.clock_skew_us() == 1_500_000
        await asyncio.sleep(40)
        assert s.watch.clock_skew_us() is None

    station(go)


def test_a_jump_at_a_venue_without_a_clock_is_followed_ahead(station: Any) -> None:
    async def go(s: Station) -> None:
        s.rig.venue.skew_us = None
        await s.ready()
        s.rig.venue.position[XYZ] = Decimal(3)
        before = s.rig.clock.now_us()
        s.wall_us = 60 * US_PER_S
        await asyncio.sleep(6)
        assert s.rig.clock.now_us() - before == 66 * US_PER_S
        assert s.watch.clock_skew_us() is None

    station(go)


def test_a_full_disk_halts_and_the_looks_go_on(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        bracket = await s.hold()
        s.rig.venue.fill(bracket.legs[2].id, 3, price="106")
        s.rig.journal.failures = 1
        await asyncio.sleep(40)
        assert "the disk is full" in s.rig.halts[0]
        await asyncio.sleep(40)
        assert s.rig.now().position == 7
        assert s.rig.now().of_role(OrderRole.TARGET)[0].cum == 3

    station(go)


def test_looks_do_not_overlap(station: Any) -> None:
    async def go(s: Station) -> None:
        await s.ready()
        out, most = [0], [0]
        real = s.rig.venue.account

        async def slow() -> Any:
            out[0] += 1
            most[0] = max(most[0], out[0])
            await asyncio.sleep(3)
            out[0] -= 1
            return await real()

        s.rig.venue.account = slow
        s.watch.wake()
        s.cut()
        await asyncio.sleep(20)
        assert most == [1]
        assert s.watch.is_following

    station(go)
