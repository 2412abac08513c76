"""How tokens of the demo market come to be: those of the first day, and those launched while it runs."""

from random import Random

from engine.model.tokens import TokenId
from engine.sources.demo.contracts import Fault
from engine.sources.demo.draws import between, happens, one_of, spread
from engine.sources.demo.natures import Nature, Range
from engine.sources.demo.pools import MICRO, PRICE_UNITS, ConstantPool
from engine.sources.demo.tokennames import NameMaker, address
from engine.sources.demo.tokenstate import Cents, LiveToken, Mood
from engine.sources.demo.whales import WHALE_BITS

DAY_US = 86_400_000_000
MINUTES_A_DAY = 1_440
CHAINS = ("base", "base", "ethereum", "bsc", "solana")
"""A chain as often as it stands here."""
_DEXES = {
    "base": ("tidepool", "quayswap"),
    "ethereum": ("alderswap", "fathom"),
    "bsc": ("biscuit", "marlin"),
    "solana": ("emberpool", "lumen"),
}
_STABLE = {"base": "USDC", "ethereum": "USDC", "bsc": "USDT", "solana": "USDC"}
_NATIVE = {"base": "WETH", "ethereum": "WETH", "bsc": "WBNB", "solana": "SOL"}
_FEES_BPS = (25, 30, 30, 30, 100)
_OFTEN_UNKNOWN = ("has_trading_cooldown", "is_personal_tax_modifiable", "creator_made_honeypots", "is_fake")


def take_up(token: LiveToken, nature: Nature, cents: Cents, rng: Random) -> None:
    """From now on it is traded and talked about as tokens of that nature are."""
    token.nature = nature
    token.mood = Mood.RISING if nature.up > 500 else Mood.CALM
    depth = token.pools[0].depth_cents(cents[token.pools[0].coin]) // 100
    token.move_ppm = between(rng, *nature.move_ppm)
    token.flow = depth * between(rng, *nature.turnover) * MICRO // 1000 // MINUTES_A_DAY
    token.orders_milli = max(1, spread(rng, *nature.orders_day) * 1000 // MINUTES_A_DAY)
    token.buy_share = between(rng, *nature.buys)
    token.whale_chance = (between(rng, *nature.whales_day) << WHALE_BITS) // MINUTES_A_DAY
    token.whale_buys = between(rng, *nature.whale_buys)
    token.mentions_micro = between(rng, *nature.mentions_day) * MICRO // MINUTES_A_DAY
    token.positive = between(rng, *nature.positive)
    token.negative = between(rng, *nature.negative)
    growth = between(rng, *nature.holder_growth_week)
    token.growth_micro = token.holders_micro * growth // 1000 // (7 * MINUTES_A_DAY)


class Founder:
    """Makes tokens of a nature; all chance of making one comes from `rng`."""

    def __init__(self, rng: Random, names: NameMaker) -> None:
        self._rng = rng
        self._names = names

    def found(
        self,
        nature: Nature,
        now_us: int,
        cents: Cents,
        faults: tuple[Fault, ...] = (),
        chain: str = "",
        names: tuple[str, str] | None = None,
    ) -> LiveToken:
        """A token as it stands at `now_us`, without any trade yet."""
        rng = self._rng
        chain = chain or one_of(rng, CHAINS)
        symbol, name = names or self._names.name()
        age_us = between(rng, nature.age_days[0] * DAY_US, nature.age_days[1] * DAY_US)
        depth = spread(rng, *nature.depth_usd)
        supply = 10 ** between(rng, 6, 10) * between(rng, 1, 9)
        pools = self._pools(chain, depth, supply, cents)
        price = pools[0].price(cents[pools[0].coin])
        holders = spread(rng, *nature.holders)
        whole_days = min(7, age_us // DAY_US)
        token = LiveToken(
            id=TokenId(f"{chain}:{address(rng, chain)}"),
            symbol=symbol,
            name=name,
            chain=chain,
            nature=nature,
            created_us=now_us - age_us,
            owner=address(rng, chain),
            supply=supply,
            circulating_permille=self._within(nature.circulating),
            unlock_permille=between(rng, 0, 60) if happens(rng, 500) else None,
            pools=pools,
            fair=price,
            anchor=price,
            distinct=between(rng, 330, 620),
            members=self._maybe(spread(rng, *nature.members)),
            commits=self._maybe(self._within(nature.commits)),
            holders_micro=holders * MICRO,
            top_ten=self._within(nature.top_ten),
            creator=self._within(nature.creator),
            locked=self._within(nature.locked),
            faults=set(faults),
            unknown=tuple(fact for fact in _OFTEN_UNKNOWN if happens(rng, 30)),
            days=self._closes(nature, price, whole_days),
            peak=price * between(rng, 105, 400) // 100 if whole_days == 7 else 0,
        )
        take_up(token, nature, cents, rng)
        grown, mentions = token.growth_micro * MINUTES_A_DAY, token.mentions_micro * MINUTES_A_DAY // MICRO
        token.holder_days = [
            max(1, (token.holders_micro - grown * (whole_days - at)) // MICRO) for at in range(whole_days)
        ]
        token.mention_days = [
            mentions * self._within(nature.mentions_before) * between(rng, 85, 115) // 100_000
            for _ in range(whole_days)
        ]
        return token

    def _pools(self, chain: str, depth: int, supply: int, cents: Cents) -> list[ConstantPool]:
        """One to three pools at one price; together they hold 4 to 40 % of the supply."""
        rng = self._rng
        coin = _STABLE[chain] if happens(rng, 450) else _NATIVE[chain]
        quote = depth * MICRO * 50 // cents[coin]
        first = ConstantPool(
            one_of(rng, _DEXES[chain]),
            coin,
            supply * MICRO * between(rng, 40, 220) // 1000,
            quote,
            one_of(rng, _FEES_BPS),
        )
        price = first.price(cents[coin])
        pools = [first]
        for at in range(2 if happens(rng, 100) else 1 if happens(rng, 300) else 0):
            coin = _NATIVE[chain] if pools[-1].coin == _STABLE[chain] else _STABLE[chain]
            side = depth * between(rng, 120, 420) * MICRO // 20 // cents[coin]
            base = side * cents[coin] * (PRICE_UNITS // 100) // price
            pools.append(ConstantPool(_DEXES[chain][at % 2], coin, base, side, one_of(rng, _FEES_BPS)))
        return pools

    def _closes(self, nature: Nature, price: int, days: int) -> list[int]:
        """Closes of the days before, made backwards from the price of now."""
        closes = []
        drift = 60 if nature.up > 500 else 0
        for _ in range(days):
            price = price * 1000 // (1000 + drift + between(self._rng, -40, 40))
            closes.append(max(1, price))
        return closes[::-1]

    def _within(self, limits: Range) -> int:
        return between(self._rng, *limits)

    def _maybe(self, value: int) -> int | None:
        """Nine of ten times the value: about the tenth, no source tells."""
        return value if happens(self._rng, 900) else None
