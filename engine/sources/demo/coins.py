"""Invented prices of the coins that tokens are quoted in and that the crypto venues trade."""

from dataclasses import dataclass

from engine.sources.demo.chance import stream
from engine.sources.demo.draws import NORMAL

STEP_US = 5_000_000
MICRO_USD = 1_000_000


@dataclass(frozen=True, slots=True)
class Coin:
    """Where a coin begins and how it moves: `volatility_ppm` of the price per step of 5 seconds."""

    symbol: str
    start_usd: int
    volatility_ppm: int


COINS = (
    Coin("BTC", 97_000, 150),
    Coin("ETH", 3_200, 190),
    Coin("SOL", 180, 260),
    Coin("BNB", 610, 170),
)
COIN_BY_SYMBOL = {coin.symbol: coin for coin in COINS}


class CoinWalk:
    """One coin's fair price in millionths of a US dollar, step by step; the same for every reader of a seed.

    Half the time calm, half the time at twice the deviation, in spells of about half an hour. A pull of
    1e-5 a step towards the start keeps a market that runs for months in sight of it.
    """

    __slots__ = ("_pull_to", "_rng", "_volatility", "_wild", "price")

    def __init__(self, seed: int, coin: Coin) -> None:
        self._rng = stream(seed, "coin", coin.symbol)
        self.price = self._pull_to = coin.start_usd * MICRO_USD
        self._volatility = coin.volatility_ppm * 2 // 3
        self._wild = 1

    def step(self) -> int:
        """The price 5 seconds later."""
        bits = self._rng.getrandbits(19)
        if bits >> 10 < 1:
            self._wild = 3 - self._wild
        move = NORMAL[bits & 1023] * self._volatility * self._wild
        self.price += self.price * move // 1_000_000_000 + (self._pull_to - self.price) // 100_000
        return self.price
