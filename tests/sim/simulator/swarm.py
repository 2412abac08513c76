"""What each seed is: its own fault mix, venue card, crash rate, people and family of sessions."""

from dataclasses import dataclass, replace
from random import Random

from brokers.simvenue.card import CALM, VenueCard, draw_card
from brokers.simvenue.faults import EVENT_FAULTS, READ_FAULTS, WRITE_FAULTS, Fault, FaultMix
from engine.clock import US_PER_S
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
USUAL = (0.0, 0.0, 0.3, 1.0, 3.0)
_NASTY, _CLUMSY = (0.0, 1.0, 3.0, 8.0), (0.0, 0.0, 0.0, 0.3, 1.0)
STRENGTHS = {
    Fault.DIES_AFTER_ACCEPT: _NASTY,
    Fault.GAP_AT_EXIT: _NASTY,
    Fault.LATE_REQUEST: _NASTY,
    Fault.ERROR_AFTER: _NASTY,
    Fault.LOST_RESPONSE: _NASTY,
    Fault.WRONG_ACCOUNT: _CLUMSY,
    Fault.BAD_FIELD: _CLUMSY,
    Fault.BANNED: _CLUMSY,
}
"""What leaves an order in doubt is drawn often, what only breaks the connection seldom."""
OFTEN, SELDOM = (0.0, 0.0, 0.0, 0.3, 0.8), (0.0, 0.0, 0.0, 0.0, 0.0, 0.4)
RATES = {Fault.CLOCK_JUMP: SELDOM, Fault.SUSPENDED: SELDOM, Fault.DOUBLE_START: SELDOM}
"""A minute, of what happens by itself: after a jump of the clock nothing new is traded."""
DOUBTFUL = (
    Fault.LOST_REQUEST,
    Fault.LOST_RESPONSE,
    Fault.ERROR_AFTER,
    Fault.REFUSED,
    Fault.DUPLICATE,
    Fault.DIES_AFTER_ACCEPT,
    Fault.GAP_AT_EXIT,
)
AMBIGUOUS = 7
PARTS = 13
"""Last digits of the seeds of these families."""
LONG_S = 3600
"""The last session is open until everything is over."""
KINDS = tuple(BracketKind)


MILD = {Fault.SIGTERM: 0.1, Fault.BANNED: 0.1}
"""In a crowd: what keeps an account from trading for half a minute each time."""
UNSHARED = (Fault.FROZEN, Fault.SUSPENDED, Fault.CLOCK_JUMP, Fault.GAP, Fault.MUTE_FEED)


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
    at_once: int = 0
    """So many positions must be held at some instant, over all accounts, or the seed shows nothing."""


def draw(seed: int) -> Plan:
    """The plan of a seed: one in 500 holds 50 brackets over four accounts, some are of a family
    that is after one kind of trouble; below zero nothing fails."""
    random = Random(seed)
    if seed >= 0 and seed % 500 == 499:
        return _crowd(seed, random)
    if seed >= 0 and seed % 10 == AMBIGUOUS:
        return _ambiguous(seed, random)
    if seed >= 0 and seed % 20 == PARTS:
        return _parts(seed, random)
    calm = seed < 0
    trader = TraderMix(
        stop=(0.006, 0.02),
        target=(0.006, 0.03),
        max_sessions=1,
        tiers=random.random() < 0.3,
        trails=random.random() < 0.3,
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
        instruments=random.choice((2, 3)),
        volatility=random.choice((0.001, 0.002, 0.004)),
        tick_s=random.choice((1.0, 1.8, 2.6)),
        sessions_s=lengths,
        pause_s=20,
        faults_until_s=random.uniform(50, 130) + (lengths[0] if two_days else 0),
    )


def _patient(card: VenueCard) -> VenueCard:
    """Requests have no expiry, refusals leave no trace, it sells what is not held: late ones all count."""
    able = replace(card.capabilities, client_id_unique_for_ever=True, request_expiry_us=None)
    return replace(card, name="patient", capabilities=able, holds_quantity=False, records_refusals=False)


def _forgetful(card: VenueCard) -> VenueCard:
    """An id that is over may come again, queries lag behind, and it sells what is not held."""
    able = replace(
        card.capabilities,
        client_id_unique_for_ever=False,
        request_expiry_us=5 * US_PER_S,
        visibility_lag_us=1_500_000,
    )
    return replace(card, name="forgetful", capabilities=able, holds_quantity=False)


DOUBTED = (
    (_patient, {Fault.LATE_REQUEST: 8.0, Fault.REFUSED: 8.0}),
    (_forgetful, {Fault.ERROR_AFTER: 8.0, Fault.LATE_REQUEST: 1.0}),
    (lambda card: card, {Fault.LATE_REQUEST: 3.0}),
)
"""What a venue is like that makes doubt dangerous, and what then happens for sure."""


def _ambiguous(seed: int, random: Random) -> Plan:
    """Orders arrive late or without an answer, are refused when they come again, and exits are many."""
    weights = {kind: random.choice((0.0, 1.0, 3.0)) for kind in DOUBTFUL}
    card, certain = random.choice(DOUBTED)
    faults = FaultMix(
        per_call=random.choice((0.3, 0.5)),
        weights=weights | certain,
        per_minute={Fault.GAP: random.choice((0.0, 2.0)), Fault.MUTE: random.choice((0.0, 4.0))},
        partial_ratio=random.choice((0.0, 0.5)),
        lag=random.random() < 0.7,
        reads=0.1,
    )
    trader = TraderMix(stop=(0.006, 0.04), target=(0.006, 0.03), tiers=random.random() < 0.3)
    mix = StationMix("SIM-1", card(draw_card(random, KINDS)), faults, DiskMix(), trader, neighbor=True)
    habits = Habits(halts_a_minute=0.2, exits_a_minute=8.0, delay_s=(0.1, 1.0), halts_at_once=0.05)
    return Plan(seed, "ambiguous", (mix,), habits, 8, 0.002, 1.5, (LONG_S,), 20, 120.0)


def _parts(seed: int, random: Random) -> Plan:
    """Entries fill in parts while the price runs away: the venue is honest, only slow."""
    faults = FaultMix(partial_ratio=1.0)
    trader = TraderMix(stop=(0.03, 0.06), target=(0.03, 0.06), entry_ttl_s=100, quantity=(20, 40))
    mix = StationMix("SIM-1", draw_card(random, KINDS), faults, DiskMix(), trader)
    habits = Habits(exits_a_minute=0.2, delay_s=(0.1, 1.0))
    return Plan(seed, "parts", (mix,), habits, 3, 0.003, 0.8, (LONG_S,), 20, 130.0)


def _crowd(seed: int, random: Random) -> Plan:
    """Fifty brackets at once over four accounts."""
    trader = TraderMix(
        stop=(0.06, 0.1),
        target=(0.06, 0.1),
        max_sessions=2,
        quantity=(1, 20),
        entry_ttl_s=300,
        approval_ttl_s=600,
    )
    stations = tuple(
        StationMix(
            f"SIM-{number}",
            draw_card(random, KINDS),
            _shared(_faults(random)),
            DiskMix(crashes=0.001),
            trader,
        )
        for number in range(1, 5)
    )
    # Five entries a minute are allowed: it takes three minutes to hold so many.
    habits = Habits(
        delay_s=(1.0, 150.0),
        rejects=0.0,
        forgets=0.0,
        both_at_once=0.05,
        stale_price=0.02,
        exits_a_minute=0.0,
        halts_a_minute=0.05,
        tries=60,
    )
    # Some tickets expire, are denied or never fill: of 80 instruments in four accounts 50 come to be held.
    return Plan(seed, "crowd", stations, habits, 20, 0.0006, 1.2, (LONG_S,), 20, 330.0, at_once=50)


def _shared(mix: FaultMix) -> FaultMix:
    """Mild enough that all brackets come to be open together, and nothing that stops the loop of all four."""
    rates = {
        kind: min(rate, MILD.get(kind, 0.3))
        for kind, rate in (mix.per_minute or {}).items()
        if kind not in UNSHARED
    }
    weights = {kind: min(weight, MILD.get(kind, weight)) for kind, weight in (mix.weights or {}).items()}
    return replace(mix, per_call=min(mix.per_call, 0.05), weights=weights, per_minute=rates)


def _faults(random: Random) -> FaultMix:
    """Some kinds at random strengths and none of others: everything at once hides what two kinds do."""
    kinds = sorted({*WRITE_FAULTS, *READ_FAULTS, *EVENT_FAULTS}, key=lambda kind: kind.value)
    weights = {kind: random.choice(STRENGTHS.get(kind, USUAL)) for kind in kinds}
    rates = {kind: random.choice(RATES.get(kind, OFTEN)) for kind in PER_MINUTE}
    return FaultMix(
        per_call=random.choice((0.0, 0.03, 0.08, 0.15, 0.15, 0.35)),
        weights=weights,
        per_minute=rates,
        partial_ratio=random.choice((0.0, 0.2, 0.6)),
        lag=random.random() < 0.5,
        reads=random.choice((0.2, 0.5, 1.0)),
    )


def _disk(random: Random) -> DiskMix:
    return DiskMix(
        fails=random.choice((0.0, 0.0, 0.0, 0.001, 0.003)),
        slow=random.choice((0.0, 0.0, 0.02)),
        crashes=random.choice((0.0, 0.0, 0.01, 0.04)),
    )
