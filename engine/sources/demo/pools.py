"""Constant-product pools in whole base units: `out = y * dx * (1 - fee) / (x + dx * (1 - fee))`, SPEC 9.4."""

from collections import deque

from engine.model.tokens import Pool

MICRO = 1_000_000
"""Base units of one token or one quote coin: six decimals, of every token and coin here."""
MARKS_A_DAY = 288
"""Every five minutes a pool marks how much it has traded."""
_WHOLE = 10_000
PRICE_UNITS = 10**12
"""Prices are compared in whole units of 1e-12 USD a token."""


class ConstantPool:
    """Reserves of one pool. What rounding leaves stays in the pool, so a trade never lowers `product`.

    `base` and `quote` are the reserves in millionths of a token and of a quote coin, `fee_bps` stays in the
    pool with each trade, `traded` sums the quote side of all trades so far; `marks` is what it was at marks.
    """

    __slots__ = ("base", "coin", "dex", "fee_bps", "marks", "quote", "traded")

    def __init__(self, dex: str, coin: str, base: int, quote: int, fee_bps: int) -> None:
        self.dex = dex
        self.coin = coin
        self.base = base
        self.quote = quote
        self.fee_bps = fee_bps
        self.traded = 0
        self.marks: deque[int] = deque(maxlen=MARKS_A_DAY + 1)

    @property
    def product(self) -> int:
        """k: the reserves multiplied."""
        return self.base * self.quote

    def buy(self, quote_in: int) -> int:
        """Pay `quote_in`, get tokens: how many."""
        net = quote_in * (_WHOLE - self.fee_bps)
        out = self.base * net // (self.quote * _WHOLE + net)
        self.quote += quote_in
        self.base -= out
        self.traded += quote_in
        return out

    def sell(self, base_in: int) -> int:
        """Give `base_in` tokens, get quote coins: how many."""
        net = base_in * (_WHOLE - self.fee_bps)
        out = self.quote * net // (self.base * _WHOLE + net)
        self.base += base_in
        self.quote -= out
        self.traded += out
        return out

    def sell_worth(self, quote_wanted: int) -> int:
        """Sell as many tokens as would bring `quote_wanted` at the price of now: what they do bring."""
        return self.sell(quote_wanted * self.base // self.quote)

    def withdraw(self, permille: int) -> None:
        """Take that share of both reserves out; never the last unit."""
        self.base -= self.base * permille // 1000
        self.quote -= self.quote * permille // 1000

    def price(self, cents: int) -> int:
        """What one token costs in units of 1e-12 USD, when one quote coin is worth `cents`."""
        return self.quote * cents * (PRICE_UNITS // 100) // self.base

    def depth_cents(self, cents: int) -> int:
        """Both reserves in US cents: the quote side twice, as a pool holds as much of either."""
        return 2 * self.quote * cents // MICRO

    def shown(self, cents: int) -> Pool:
        """As a source tells it; its volume is that of the 24 hours before, or since it was made."""
        quote = self.quote / MICRO
        before = self.marks[0] if len(self.marks) > MARKS_A_DAY else 0
        volume = (self.traded - before) * cents / (MICRO * 100)
        return Pool(self.dex, self.coin, self.base / MICRO, quote, quote * cents / 50, volume)
