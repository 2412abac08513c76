"""Who is on stage when a demo begins: about 150 tokens, a few of them with a fate that is fixed."""

from dataclasses import replace
from random import Random

from engine.sources.demo.contracts import Fault
from engine.sources.demo.draws import between, one_of
from engine.sources.demo.fame import HOUR_US, set_spell
from engine.sources.demo.launches import Founder
from engine.sources.demo.natures import (
    FRESH,
    LOUD,
    PROMISING,
    QUIET,
    RISING,
    SCAM,
    SEEDED,
    STEADY,
    Nature,
)
from engine.sources.demo.pools import MICRO, PRICE_UNITS, ConstantPool
from engine.sources.demo.tokennames import HOSTILE
from engine.sources.demo.tokenstate import Cents, LiveToken, Mood, RugKind
from engine.sources.demo.walk import UNITS_PER_USD

MINUTE_US = 60_000_000

_CROWD = ((STEADY, 73), (QUIET, 28), (LOUD, 10), (PROMISING, 2), (RISING, 2))
_HOSTILE_NATURES = (PROMISING, LOUD, STEADY, STEADY, SCAM, QUIET)
_RISING_FAULTS: tuple[tuple[tuple[Fault, ...], str], ...] = (
    ((Fault.MINTABLE,), "base"),
    ((Fault.FREEZABLE,), "solana"),
    ((Fault.HIDDEN_OWNER,), "bsc"),
    ((Fault.HIGH_TAX, Fault.SETTABLE_TAX), "bsc"),
    ((Fault.UNPROVED,), "ethereum"),
    ((Fault.SILENT,), "base"),
    ((Fault.UNVERIFIED, Fault.PROXY), "ethereum"),
)
"""Tokens that look as good as the rising ones but for what their contract can do."""
SCAM_FAULTS: tuple[tuple[Fault, ...], ...] = (
    (Fault.HONEYPOT,),
    (Fault.HONEYPOT, Fault.SAME_CREATOR),
    (Fault.CANNOT_SELL, Fault.PAUSABLE),
    (Fault.REWRITES_BALANCES, Fault.HIDDEN_OWNER),
    (Fault.EXTREME_TAX, Fault.SETTABLE_TAX),
    (Fault.MINTABLE, Fault.BLACKLISTS),
    (Fault.SIPHONS,),
    (Fault.FAKE, Fault.UNVERIFIED),
    (Fault.TAKE_BACK, Fault.PROXY),
    (Fault.SELF_DESTRUCTS, Fault.UNVERIFIED),
    (),
)
SEED_TOKENS = 50_000_000
"""Tokens in the pool of SEED."""


def opening_cast(
    founder: Founder, rng: Random, start_us: int, cents: Cents, start_usd: float
) -> list[LiveToken]:
    """The tokens of the first minute, the one of the `[demo]` profile first."""
    tokens = [_seeded(founder, start_us, cents, start_usd)]
    for nature, count in _CROWD:
        tokens += [founder.found(nature, start_us, cents) for _ in range(count)]
    for names, nature in zip(HOSTILE, _HOSTILE_NATURES, strict=True):
        tokens.append(founder.found(nature, start_us, cents, (Fault.MINTABLE,), "base", names))
    for faults, chain in _RISING_FAULTS:
        tokens.append(founder.found(RISING, start_us, cents, faults, chain))
    tokens += _doomed(founder, rng, start_us, cents)
    for faults in SCAM_FAULTS:
        token = founder.found(SCAM, start_us, cents, faults)
        token.sells_blocked = bool({Fault.HONEYPOT, Fault.CANNOT_SELL} & token.faults)
        plan_rug(token, rng, start_us + 2 * HOUR_US, start_us + 20 * HOUR_US)
        tokens.append(token)
    for token in tokens:
        if token.nature is RISING:
            set_spell(token, rng, start_us)
    for _ in range(7):
        tokens.append(newcomer(founder, rng, start_us, cents))
        tokens[-1].created_us -= between(rng, 10, 700) * MINUTE_US
    return tokens


def newcomer(founder: Founder, rng: Random, now_us: int, cents: Cents) -> LiveToken:
    """A token launched at `now_us`; half of them are made to be rugged within hours."""
    is_scam = bool(rng.getrandbits(1))
    faults = one_of(rng, SCAM_FAULTS) if is_scam else ()
    token = founder.found(FRESH, now_us, cents, faults)
    token.mood = Mood.RISING
    token.sells_blocked = bool({Fault.HONEYPOT, Fault.CANNOT_SELL} & token.faults)
    if is_scam:
        token.locked = between(rng, 0, 400)
        token.bots_left = between(rng, 60, 300)
        plan_rug(token, rng, now_us + HOUR_US, now_us + 9 * HOUR_US)
    return token


def plan_rug(token: LiveToken, rng: Random, earliest_us: int, latest_us: int) -> None:
    """Set the hour and the way; only unlocked liquidity can be pulled."""
    ways = [RugKind.PULL] if token.locked < 400 else [RugKind.MINT, RugKind.BLOCK]
    if token.sells_blocked:
        ways = [RugKind.PULL] if token.locked < 400 else [RugKind.MINT]
    token.rug = (
        between(rng, earliest_us // MINUTE_US, latest_us // MINUTE_US) * MINUTE_US,
        one_of(rng, ways),
    )


def _doomed(founder: Founder, rng: Random, start_us: int, cents: Cents) -> list[LiveToken]:
    """Three that people watch and that are taken within the first hour and a quarter.

    The first could be seen: its liquidity is not locked. The second could not: the locker is its maker's own.
    Nor could the third, but for its settable tax.
    """
    watched = replace(RISING, name="doomed", depth_usd=(400_000, 900_000))
    loose = replace(watched, locked=(180, 380), creator=(120, 190))
    fates: tuple[tuple[Nature, tuple[Fault, ...], RugKind, tuple[int, int]], ...] = (
        (loose, (), RugKind.PULL, (5, 9)),
        (watched, (), RugKind.PULL, (14, 24)),
        (watched, (Fault.SETTABLE_TAX,), RugKind.BLOCK, (45, 75)),
    )
    tokens = []
    for nature, faults, kind, minutes in fates:
        token = founder.found(nature, start_us, cents, faults, "base")
        token.unknown = ()
        token.rug = (start_us + between(rng, *minutes) * MINUTE_US, kind)
        tokens.append(token)
    return tokens


def _seeded(founder: Founder, start_us: int, cents: Cents, start_usd: float) -> LiveToken:
    """SEED, whose maker sets the pool's reserves to the price of its walk each minute."""
    token = founder.found(SEEDED, start_us, cents, (), "base", ("SEED", "Seed of the demo profile"))
    units = max(1, round(start_usd * UNITS_PER_USD))
    token.supply = SEED_TOKENS * 10
    token.pools = [ConstantPool("tidepool", "USDC", SEED_TOKENS * MICRO, 1, 30)]
    set_seed_price(token, units)
    token.flow = units * SEED_TOKENS // 144_000
    token.fair = token.anchor = units * (PRICE_UNITS // UNITS_PER_USD)
    return token


def set_seed_price(token: LiveToken, units: int) -> None:
    """Its maker adds and withdraws liquidity until the reserves say `units` of 1e-8 USD exactly."""
    pool = token.pools[0]
    pool.base = SEED_TOKENS * MICRO
    pool.quote = units * SEED_TOKENS * MICRO // UNITS_PER_USD
    token.fair = units * (PRICE_UNITS // UNITS_PER_USD)
    token.changed = True
