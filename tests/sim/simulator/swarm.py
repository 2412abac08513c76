"""What each seed is: its own fault mix, venue card, crash rate, people and family of sessions."""

from dataclasses import dataclass, replace
from random import Random

from brokers.simvenue.card import CALM, draw_card
from brokers.simvenue.faults import EVENT_FAULTS, READ_FAULTS, WRITE_FAULTS, Fault, FaultMix
from engine.model.orders import BracketKind
from simulator.disk import DiskMix
from simulator.person import Habits
from simulator.station import StationMix
from simulator.trader import TraderMix

PER_MINUTE = (
    Fault.DISCONNECT,
    Fault.MUTE,
    Fault.TRADING_HALT,
    Fault.GAP,
    Fault.ID_ROLLBACK,
    Fault.CLOCK_JUMP,
    Fault.MUTE_FEED,
    Fault.SIGTERM,
    Fault.DOUBLE_START,
    Fault.FROZEN,
    Fault.SUSPENDED,
)
RICH_PLANS = True
LONG_S = 3600
"""The last session is open until everything is over."""
KINDS = tuple(BracketKind)


FREEZING = (Fault.FROZEN, Fault.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Plan:
    """One seed."""

    seed: int
    family: str
    stations: tuple[StationMix, ...]
    habits: Habits
    instruments: int
    volatility: float
    tick_s: float
    sessions_s: tuple[int, ...]
    pause_s: int
    faults_until_s: float


def draw(seed: int) -> Plan:
    """The plan of a seed: one in 500 holds 50 brackets over four accounts; below zero nothing fails."""
    random = Random(seed)
    if seed >= 0 and seed % 500 == 499:
        return _crowd(seed, random)
    calm = seed < 0
    trader = TraderMix(
        stop=(0.006, 0.02),
        target=(0.006, 0.03),
        max_sessions=1,
        tiers=random.random() < 0.3 and RICH_PLANS,
        trails=random.random() < 0.3 and RICH_PLANS,
    )
    two_days = random.random() < 0.15
    lengths = (random.randint(60, 120), LONG_S) if two_days else (LONG_S,)
    mix = StationMix(
        "SIM-1",
        CALM if calm else draw_card(random, KINDS),
        FaultMix() if calm else _faults(random),
        DiskMix() if calm else _disk(random),
        trader,
    )
    habits = Habits(
        halts_a_minute=random.choice((0.0, 0.0, 0.3)),
        exits_a_minute=random.choice((0.0, 0.5, 1.5)),
        delay_s=random.choice(((0.1, 1.0), (0.2, 6.0), (1.0, 30.0))),
    )
    return Plan(
        seed,
        "calm" if calm else "swarm",
        (mix,),
        habits,
        instruments=random.choice((1, 2, 2, 3)),
        volatility=random.choice((0.001, 0.002, 0.004)),
        tick_s=random.choice((0.8, 1.5, 2.5)),
        sessions_s=lengths,
        pause_s=20,
        faults_until_s=random.uniform(50, 130) + (lengths[0] if two_days else 0),
    )


def _crowd(seed: int, random: Random) -> Plan:
    """Fifty brackets at once over four accounts."""
    trader = TraderMix(stop=(0.05, 0.1), target=(0.05, 0.1), max_sessions=2, quantity=(1, 20))
    stations = tuple(
        StationMix(f"SIM-{number}", draw_card(random, KINDS), _shared(_faults(random)), DiskMix(), trader)
        for number in range(1, 5)
    )
    habits = Habits(delay_s=(0.2, 8.0), rejects=0.0, forgets=0.0, halts_a_minute=0.1, exits_a_minute=1.0)
    return Plan(seed, "crowd", stations, habits, 14, 0.002, 1.2, (LONG_S,), 20, 110.0)


def _shared(mix: FaultMix) -> FaultMix:
    """Without what would stop the one loop on which four accounts run."""
    rates = {kind: rate for kind, rate in (mix.per_minute or {}).items() if kind not in FREEZING}
    return replace(mix, per_minute=rates)


def _faults(random: Random) -> FaultMix:
    """Some kinds at random strengths and none of others: everything at once hides what two kinds do."""
    kinds = {*WRITE_FAULTS, *READ_FAULTS, *EVENT_FAULTS}
    weights = {
        kind: random.choice((0.0, 0.0, 0.3, 1.0, 3.0)) for kind in sorted(kinds, key=lambda kind: kind.value)
    }
    rates = {kind: random.choice((0.0, 0.0, 0.3, 1.0)) for kind in PER_MINUTE}
    return FaultMix(
        per_call=random.choice((0.0, 0.03, 0.08, 0.15, 0.15, 0.35)),
        weights=weights,
        per_minute=rates,
        partial_ratio=random.choice((0.0, 0.2, 0.6)),
        lag=random.random() < 0.5,
    )


def _disk(random: Random) -> DiskMix:
    return DiskMix(
        fails=random.choice((0.0, 0.0, 0.0, 0.001, 0.003)),
        slow=random.choice((0.0, 0.0, 0.02)),
        crashes=random.choice((0.0, 0.0, 0.01, 0.04)),
    )
