"""One seed from start to end: trouble, then calm for a minute, then every position is left."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from brokers.simvenue.faults import Fault
from engine.clock import US_PER_S
from engine.loop import VirtualLoop
from engine.model.ids import InstrumentId
from simulator.invariants import BOUNDED_PER_CALL, Violation, always, at_rest, at_the_end, gaps
from simulator.market import Market, Walk, calendar
from simulator.person import People
from simulator.recovery import Restart
from simulator.station import Station, keep_tasks
from simulator.swarm import Plan, draw

CALM_S = 60.0
FREEZE_S = 35.0
"""So long after the last fault the prices still move."""
LATEST_END_S = 300.0
LOOK_S = 2.0


@dataclass
class Result:
    """What one seed gave."""

    seed: int
    family: str
    violations: list[Violation] = field(default_factory=list)
    crashes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    gaps: list[tuple[int, Decimal]] = field(default_factory=list)
    """How long shares had no stop, where at most 15 % of the calls suffer (R2)."""
    worse_gaps: list[tuple[int, Decimal]] = field(default_factory=list)
    """The same where more do."""
    covered: Decimal = Decimal(0)
    brackets: int = 0
    restarts: list[Restart] = field(default_factory=list)
    """Where at most 15 % of the calls suffer (R11)."""
    most_open: int = 0
    """Positions held at once, over all accounts."""
    virtual_s: float = 0.0
    card: str = ""


def run_seed(seed: int, trace: Callable[[str], None] | None = None) -> Result:
    """Run one seed in virtual time of its own."""
    # A session leaves cycles of tasks and frames, and a young collection in the middle of it finds none.
    gc.disable()
    try:
        return run_plan(draw(seed), trace)
    finally:
        gc.enable()


def run_plan(plan: Plan, trace: Callable[[str], None] | None = None) -> Result:
    """Run a plan."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        loop.set_task_factory(keep_tasks)  # type: ignore[arg-type]
        loop.set_exception_handler(lambda loop, context: None)
        return runner.run(_run(plan, trace))


class World:
    """The market, and everybody who trades on it."""

    def __init__(self, plan: Plan, trace: Callable[[str], None] | None) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        self.random = Random(f"world {plan.seed}")
        say = None if trace is None else lambda text: trace(f"{self.loop.time():.6f} {text}")
        walks = [
            Walk(
                InstrumentId(f"S{number:02d}.US"),
                Decimal(self.random.randint(2000, 20000)) / 100,
                plan.volatility,
            )
            for number in range(plan.instruments)
        ]
        self.market = Market(
            walks,
            calendar(plan.sessions_s, plan.pause_s),
            Random(f"market {plan.seed}"),
            plan.tick_s,
            self.now_us,
        )
        self.stations = [
            Station(mix, self.market, Random(f"{mix.account} {plan.seed}"), say) for mix in plan.stations
        ]
        self.people = [
            People(station, plan.habits, Random(f"people {station.mix.account} {plan.seed}"))
            for station in self.stations
        ]
        market, stations = self.market, self.stations
        market.price_seen = lambda name, price: [s.priced(name, price) for s in stations] and None
        market.opened = lambda session: [s.opened(session) for s in stations] and None
        market.closed = lambda session: [s.closed(session) for s in stations] and None
        market.ticked = lambda names: [s.ticked(names) for s in stations] and None
        self.counts: Counter[str] = Counter()

    def now_us(self) -> int:
        from simulator.market import ORIGIN_US

        return ORIGIN_US + round(self.loop.time() * US_PER_S)

    def start(self) -> None:
        for station in self.stations:
            station.disk.active = True
            station.boot()
            for kind, rate in (station.mix.faults.per_minute or {}).items():
                if rate:
                    self._later(station, kind, rate)
        for people in self.people:
            people.start()
        self.market.start()

    def _later(self, station: Station, kind: Fault, rate: float) -> None:
        delay = self.random.expovariate(rate / 60)
        self.loop.call_later(delay, self._happen, station, kind, rate)

    def _happen(self, station: Station, kind: Fault, rate: float) -> None:
        if not station.plan.active:
            return
        if cause(station, kind, self.random):
            station.counts[kind.value] += 1
            station.say(f"fault {kind.value}")
        self._later(station, kind, rate)

    def heal(self) -> None:
        for station in self.stations:
            station.heal()
        for people in self.people:
            people.is_active = False


def cause(station: Station, kind: Fault, random: Random) -> bool:
    """Let something happen by itself; whether it could."""
    life, market, loop = station.life, station.market, asyncio.get_running_loop()
    if kind is Fault.DISCONNECT and life is not None:
        life.link.disconnect(random.uniform(1, 20))
    elif kind is Fault.MUTE and life is not None:
        life.link.mute(random.uniform(5, 60))
    elif kind is Fault.TRADING_HALT:
        name = random.choice(sorted(market.walks))
        station.venue.book.halt(name)
        station.counting()
        loop.call_later(random.uniform(5, 30), _resume, station, name)
    elif kind is Fault.GAP:
        market.gap(random.choice(sorted(market.walks)), random.choice((-1, 1)) * random.uniform(0.03, 0.12))
    elif kind is Fault.ID_ROLLBACK:
        station.venue.book.roll_back_ids()
    elif kind is Fault.CLOCK_JUMP:
        station.clock_offset_us = random.choice((-3600, 3600, -2, 2, 0)) * US_PER_S
    elif kind is Fault.MUTE_FEED:
        station.mute_feed_until = station.now_us() + round(random.uniform(3, 40) * US_PER_S)
    elif kind is Fault.FROZEN:
        station.freeze(random.uniform(0.5, 40))
    elif kind is Fault.SUSPENDED and life is not None:
        seconds = random.uniform(1, 90)
        station.freeze(seconds)
        life.clock.lose(seconds)
    elif kind is Fault.SIGTERM:
        return station.terminate()
    elif kind is Fault.DOUBLE_START:
        return station.start_twice()
    else:
        return False
    return True


def _resume(station: Station, name: InstrumentId) -> None:
    station.venue.book.resume(name)
    station.counting()


async def _run(plan: Plan, trace: Callable[[str], None] | None) -> Result:
    world = World(plan, trace)
    loop, stations = world.loop, world.stations
    world.start()
    most_open = 0
    while loop.time() < plan.faults_until_s:
        await asyncio.sleep(LOOK_S)
        most_open = max(most_open, sum(station.held() for station in stations))
        if world.market.session is not None and all(s.is_quiet() and s.decided for s in stations):
            break
    world.heal()
    violations: list[Violation] = []
    # Where everything is over already no price can change anything.
    world.market.is_moving = not all(station.is_quiet() for station in stations)
    await asyncio.sleep(FREEZE_S)
    world.market.is_moving = False
    await asyncio.sleep(CALM_S - FREEZE_S)
    for station in stations:
        violations += at_rest(station)
    for people in world.people:
        people.leave_all()
    end = loop.time() + LATEST_END_S
    while loop.time() < end and not all(station.is_quiet() for station in stations):
        await asyncio.sleep(LOOK_S)
        for people in world.people:
            people.leave_all()
    result = Result(plan.seed, plan.family, virtual_s=loop.time(), card=plan.stations[0].card.name)
    result.most_open = most_open
    for station in stations:
        station.disk.active = False
        station.history.finish()
        violations += at_the_end(station)
        violations += always(station)
        violations += gaps(station)
        result.crashes += station.crashes
        station.recovery.ends()
        result.faults.update({kind.value: count for kind, count in station.plan.counts.items()})
        result.faults.update(station.counts)
        result.faults.update(station.disk.counts)
        if station.mix.faults.per_call <= BOUNDED_PER_CALL:
            result.gaps += station.history.gaps
            result.covered += station.history.protected_at_once()
            result.restarts += station.recovery.restarts
        else:
            result.worse_gaps += station.history.gaps
        result.brackets += len(station.history.entries)
        violations += [("raised", text) for text in sorted(set(station.problems))]
    for people in world.people:
        result.faults.update(people.counts)
    if most_open < plan.at_once:
        violations.append(("crowd", f"{most_open} positions were held at once, {plan.at_once} are meant"))
    result.violations = violations
    for station in stations:
        if station.life is not None:
            station.disk.is_dead = True
            for task in tuple(station.life.tasks):
                task.cancel()
    await asyncio.sleep(0)
    for station in stations:
        station.connection.disk = None
        station.connection.close()
    return result
