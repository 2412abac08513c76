"""The state of one token of the demo market, all in whole numbers, and what its windows remember."""

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from engine.model.tokens import ContractFacts, Holder, TokenId
from engine.sources.demo.contracts import Facts, Fault
from engine.sources.demo.natures import Nature
from engine.sources.demo.pools import MARKS_A_DAY, MICRO, ConstantPool

MARK_US = 300_000_000
"""Every five minutes each token marks its price and its counters; windows are counted in marks."""
MARKS_AN_HOUR = 12
MARKS_KEPT = 3 * MARKS_A_DAY

BUYS, SELLS, VOLUME, LARGE, WHALE_NET, TRANSFERS, MENTIONS, DEPTH = range(8)
"""Places in a token's counters: orders that bought, that sold, US cents of volume, of it in trades of 10,000
USD and more, of whales' buys less their sales, transfers, mentions; and its pools' depth in US cents as it
was at the mark."""

Cents = dict[str, int]
"""What one quote coin is worth in US cents, by its symbol."""


class Mood(IntEnum):
    """Where the market for a token is heading."""

    FALLING = 0
    CALM = 1
    RISING = 2


class RugKind(IntEnum):
    """How a token is taken from those who hold it."""

    PULL = 0
    """Its maker takes the liquidity out in one block."""
    MINT = 1
    """Its maker makes new tokens and sells them into the pool."""
    BLOCK = 2
    """Nobody but its maker can sell any more, and a sale is taxed away."""


@dataclass(slots=True, eq=False)
class LiveToken:
    """One token. Its pools hold the only price there is; `fair` is what its traders think it is worth.

    `fair` and `anchor`, where `fair` is drawn back to over days, in units of 1e-12 USD a token.
    """

    id: TokenId
    symbol: str
    name: str
    chain: str
    nature: Nature
    created_us: int
    owner: str
    supply: int
    circulating_permille: int
    unlock_permille: int | None
    pools: list[ConstantPool]
    """The deepest first."""
    fair: int
    anchor: int
    distinct: int
    """Permille of its orders that are of another trader than before."""
    members: int | None
    commits: int | None
    holders_micro: int
    top_ten: int
    creator: int
    locked: int
    """Permille of the supply that ten holders and the maker own, and of the liquidity that is locked."""
    faults: set[Fault]
    unknown: tuple[str, ...]
    days: list[int] = field(default_factory=list)
    """Closes of the seven days before, newest last; so are `holder_days` and `mention_days`."""
    holder_days: list[int] = field(default_factory=list)
    mention_days: list[int] = field(default_factory=list)
    move_ppm: int = 0
    """Deviation of `fair` a minute. From here to `growth_micro`: what `take_up` draws from its nature."""
    flow: int = 0
    """Organic volume a minute in millionths of a US dollar."""
    orders_milli: int = 0
    """Thousandths of an order a minute."""
    buy_share: int = 0
    """Permille of its orders."""
    whale_chance: int = 0
    """Of 1 << 20 minutes, how many have a whale; `whale_buys` permille of them buy."""
    whale_buys: int = 0
    mentions_micro: int = 0
    """Millionths of a mention a minute."""
    positive: int = 0
    negative: int = 0
    growth_micro: int = 0
    """New holders a minute, in millionths."""
    cools_us: int | None = None
    """When its fame is over, int microseconds UTC."""
    rug: tuple[int, RugKind] | None = None
    """When, int microseconds UTC, and how it will be rugged."""
    mood: Mood = Mood.CALM
    sells_blocked: bool = False
    died_us: int | None = None
    bots_left: int = 0
    """Minutes that a swarm of bots still posts about it."""
    peak: int = 0
    """Its highest price in units of 1e-12 USD."""
    part: int = 0
    """What of a mention is still owed, in millionths."""
    counts: list[int] = field(default_factory=lambda: [0] * 8)
    marks: deque[tuple[int, ...]] = field(default_factory=lambda: deque(maxlen=MARKS_A_DAY + 1))
    closes: deque[int] = field(default_factory=lambda: deque(maxlen=MARKS_KEPT))
    contract: ContractFacts | None = None
    facts: Facts | None = None
    """What its contract facts are made of; None when a fault came or went."""
    top_holders: tuple[Holder, ...] = ()
    lp_holders: tuple[Holder, ...] = ()
    told: tuple[Any, ...] = ()
    """All of its snapshot but the times, as told last."""
    changed: bool = True
    """Whether anything of that is no longer so."""

    @property
    def holders(self) -> int:
        """Addresses with a balance."""
        return self.holders_micro // MICRO

    def price(self, cents: Cents) -> int:
        """The price of its deepest pool in units of 1e-12 USD a token."""
        pool = self.pools[0]
        return pool.price(cents[pool.coin])

    def note_peak(self, cents: Cents) -> int:
        """The price of now, remembered if it is the highest yet."""
        price = self.price(cents)
        if price > self.peak:
            self.peak = price
        return price

    def depth_cents(self, cents: Cents) -> int:
        """Both sides of all its pools."""
        return sum(pool.depth_cents(cents[pool.coin]) for pool in self.pools)

    def mark(self, cents: Cents) -> None:
        """Remember counters and price of a whole five minutes."""
        self.counts[DEPTH] = self.depth_cents(cents)
        self.marks.append(tuple(self.counts))
        self.closes.append(self.note_peak(cents))
        for pool in self.pools:
            pool.marks.append(pool.traded)
