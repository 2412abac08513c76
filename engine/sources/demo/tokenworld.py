"""The tokens of the demo market, step by step, in whole numbers (SPEC 2).

A minute has 30 slots of two seconds; each token has one, in which its minute is traded and told. Every five
minutes all tokens mark their windows. Before the first slot lies a day in steps of five minutes.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from engine.model.tokens import Post
from engine.sources.demo.cast import newcomer, opening_cast, set_seed_price
from engine.sources.demo.chance import stream
from engine.sources.demo.coins import COIN_BY_SYMBOL, STEP_US, CoinWalk
from engine.sources.demo.contracts import Fault, contract_facts, facts_of
from engine.sources.demo.draws import between, happens
from engine.sources.demo.fame import HOUR_US, catch_on, cool_off
from engine.sources.demo.flow import trade_minutes
from engine.sources.demo.launches import DAY_US, Founder
from engine.sources.demo.natures import QUIET
from engine.sources.demo.pools import MARKS_A_DAY
from engine.sources.demo.posts import mention, posts_before, posts_of_minute
from engine.sources.demo.rugs import rug_pull
from engine.sources.demo.snapshots import count_holders
from engine.sources.demo.tokennames import NameMaker
from engine.sources.demo.tokenstate import MARK_US, MENTIONS, Cents, LiveToken, Mood
from engine.sources.demo.walk import UNITS_PER_USD, DemoWalk, walk_path
from engine.sources.demo.whales import whale_trade

SLOTS = 30
SLOT_US = 2_000_000
FIRST_US = 1_000_000
"""The first slot lies so long after the start."""
_READ_MINUTES = 10
"""A contract is read so often."""
_SILENT_US = 3 * 3_600_000_000
_COUNT_HOURS = 4
"""The lists of the largest holders are made anew so often, and after a rug."""
_LAUNCH_PERMILLE = 12
"""Of the minutes, how many bring a new token."""
_CATCH_ON_PERMILLE = 6
"""Of the minutes, in how many the crowd discovers a token."""
TOKENS_MAX = 158
_MOOD_CHANGES = 10
"""Of 1,024 marks; a mood lasts eight hours and a half on average."""
CALM_MINUTES = 5
_BUSY_MILLI = 400
"""A token with fewer thousandths of an order a minute trades five minutes in one."""
_NATIVE = {"WETH": "ETH", "WBNB": "BNB", "SOL": "SOL"}


class TokenWorld:
    """All tokens at one instant; `step` goes on to the next slot.

    The same seed, start and walk give the same worlds. `now_us` is the slot reached, 0 before the first.
    """

    def __init__(self, seed: int, start_us: int, walk: DemoWalk) -> None:
        self.now_us = 0
        self.contracts_read = 0
        self._start_us = start_us
        self._walk = walk
        self._trades = stream(seed, "tokens", "trades")
        self._talk = stream(seed, "tokens", "posts")
        self._births = stream(seed, "tokens", "births")
        self._path = self._seed_prices(seed)
        self._coins = {name: CoinWalk(seed, COIN_BY_SYMBOL[coin]) for name, coin in _NATIVE.items()}
        self.cents: Cents = {"USDC": 100, "USDT": 100}
        self._read_coins()
        self.mark_us = start_us // MARK_US * MARK_US
        self._slot = 0
        self._founder = Founder(self._births, NameMaker(self._births))
        self.tokens = opening_cast(self._founder, self._births, start_us, self.cents, walk.start)
        self._seed = self.tokens[0]
        """Never retired; its slot is the first of each minute."""
        self._slots: list[list[LiveToken]] = [self.tokens[at::SLOTS] for at in range(SLOTS)]
        self._live_through_the_day_before()

    def step(self) -> tuple[int, list[LiveToken], list[Post]]:
        """Trade the tokens of the next slot: its time, what is to be told of, and what was posted."""
        slot = self._slot
        self._slot += 1
        self.now_us = now = self._start_us + FIRST_US + slot * SLOT_US
        if slot == 0:
            return now, list(self.tokens), self._open()
        while self.mark_us + MARK_US <= now:
            self._mark()
        minute, place = divmod(slot, SLOTS)
        if place == 0:
            self._begin_minute()
        tokens = self._slots[place]
        posts: list[Post] = []
        reads = (minute + place) % _READ_MINUTES == 0
        is_fifth = (minute + place) % CALM_MINUTES == 0
        for token in tokens:
            if token.orders_milli >= _BUSY_MILLI:
                self._trade(token, 1, posts)
            elif is_fifth:
                self._trade(token, CALM_MINUTES, posts)
            if token.rug is not None and now >= token.rug[0]:
                rug_pull(token, self.cents, now)
                count_holders(token)
                self._read_contract(token)
            elif reads:
                self._read_contract(token)
        if place == 0:
            set_seed_price(self._seed, next(self._path))
            self._seed.note_peak(self.cents)
        return now, tokens, posts

    def closes(self, token: LiveToken, until_us: int) -> list[tuple[int, int]]:
        """Time and price, in units of 1e-12 USD, of its kept five minutes up to `until_us`, oldest first."""
        first = self.mark_us - MARK_US * (len(token.closes) - 1)
        return [
            (ts, price)
            for ts, price in zip(count(first, MARK_US), token.closes, strict=False)
            if ts <= until_us
        ]

    def _trade(self, token: LiveToken, minutes: int, posts: list[Post]) -> None:
        bits = self._trades.getrandbits(84)
        trade_minutes(token, self.cents, bits, minutes)
        if bits >> 64 < token.whale_chance * minutes:
            whale_trade(token, self.cents, self._trades)
        # Whether it changed is a reader's question, and what is told must not depend on who read before.
        token.note_peak(self.cents)
        mentions = mention(token, bits, minutes)
        if mentions:
            posts += posts_of_minute(token, self._talk, mentions, self.now_us)

    def _change_mood(self, token: LiveToken) -> None:
        draw = self._trades.getrandbits(64) % 1000
        nature = token.nature
        token.mood = (
            Mood.RISING if draw < nature.up else Mood.FALLING if draw < nature.up + nature.down else Mood.CALM
        )
        if token.rug is not None and happens(self._trades, 400):
            token.bots_left = between(self._trades, 30, 120)

    def _mark(self) -> None:
        """A whole five minutes are over: coins have new prices, and each window moves on by one."""
        self.mark_us += MARK_US
        for walk in self._coins.values():
            for _ in range(MARK_US // STEP_US):
                walk.step()
        self._read_coins()
        for token in self.tokens:
            token.changed = True
            token.mark(self.cents)
            if self._trades.getrandbits(10) < _MOOD_CHANGES and token.died_us is None:
                self._change_mood(token)
        if self.mark_us % HOUR_US == 0:
            for token in self.tokens:
                cool_off(token, self.cents, self._births, self.mark_us)
        if self.mark_us % (_COUNT_HOURS * HOUR_US) == 0:
            for token in self.tokens:
                count_holders(token)
        if (self.mark_us - self._start_us) % DAY_US < MARK_US:
            for token in self.tokens:
                self._end_day(token)

    def _end_day(self, token: LiveToken) -> None:
        day = token.marks[0][MENTIONS] if len(token.marks) > MARKS_A_DAY else 0
        token.days = [*token.days, token.closes[-1]][-7:]
        token.holder_days = [*token.holder_days, token.holders][-7:]
        token.mention_days = [*token.mention_days, token.counts[MENTIONS] - day][-7:]

    def _begin_minute(self) -> None:
        if happens(self._births, _LAUNCH_PERMILLE):
            self._launch()
        if happens(self._births, _CATCH_ON_PERMILLE):
            catch_on(self.tokens, self.cents, self._births, self.now_us)

    def _launch(self) -> None:
        if len(self.tokens) >= TOKENS_MAX:
            self._retire()
        token = newcomer(self._founder, self._births, self.now_us, self.cents)
        count_holders(token)
        self.tokens.append(token)
        min(self._slots, key=len).append(token)

    def _retire(self) -> None:
        """One leaves the lists: the longest dead, else one of the quiet."""
        dead = [token for token in self.tokens if token.died_us is not None]
        quiet = [token for token in self.tokens if token.nature is QUIET]
        gone = min(dead, key=lambda token: token.died_us or 0) if dead else (quiet or self.tokens[1:])[0]
        self.tokens.remove(gone)
        for tokens in self._slots:
            if gone in tokens:
                tokens.remove(gone)

    def _open(self) -> list[Post]:
        """All tokens are read once, and the feed's posts of the day before."""
        posts: list[Post] = []
        for token in self.tokens:
            count_holders(token)
            self._read_contract(token)
            mentions = token.counts[MENTIONS]
            posts += posts_before(token, self._talk, mentions, token.created_us, self.now_us)
        return sorted(posts, key=lambda post: post.ts_event)

    def _read_contract(self, token: LiveToken) -> None:
        read = self.now_us
        if Fault.SILENT in token.faults:
            if token.contract is not None:
                return
            read -= _SILENT_US
        if token.facts is None:
            token.facts = facts_of(token.faults, token.chain, token.owner, token.unknown)
        token.contract = contract_facts(token.facts, read)
        self.contracts_read += 1

    def _read_coins(self) -> None:
        for name, walk in self._coins.items():
            self.cents[name] = walk.price // 10_000

    def _live_through_the_day_before(self) -> None:
        draw = self._trades.getrandbits
        self.mark_us -= DAY_US + MARK_US
        for _ in range(MARKS_A_DAY + 1):
            self._mark_born()
            for token in self.tokens[1:]:
                if token.created_us <= self.mark_us:
                    bits = draw(84)
                    trade_minutes(token, self.cents, bits, CALM_MINUTES)
                    if bits >> 64 < token.whale_chance * CALM_MINUTES:
                        whale_trade(token, self.cents, self._trades)
                    mention(token, bits, CALM_MINUTES)

    def _mark_born(self) -> None:
        self.mark_us += MARK_US
        for token in self.tokens:
            if token.created_us <= self.mark_us:
                token.mark(self.cents)

    def _seed_prices(self, seed: int) -> Iterator[int]:
        """The walk from its first step on; each following walk begins where the last ended."""
        rng = stream(seed, "tokens", "walk")
        walk = self._walk
        while True:
            path = walk_path(walk, rng)
            yield from path[1:]
            walk = replace(walk, start=path[-1] / UNITS_PER_USD)
