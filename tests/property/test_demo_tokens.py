"""Properties of the demo's tokens and crypto venues that hold for every seed, trade and instant."""

from fractions import Fraction
from functools import cache
from itertools import islice, pairwise

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from engine.model.market import Provenance
from engine.sources.demo.flow import level
from engine.sources.demo.pools import PRICE_UNITS, ConstantPool
from engine.sources.demo.snapshots import snapshot
from engine.sources.demo.tokens import TokenStream
from engine.sources.demo.tokenstate import LiveToken
from engine.sources.demo.tokenworld import TokenWorld
from engine.sources.demo.venues import LEVELS, VenueStream
from engine.sources.demo.walk import DemoWalk

START = 1_773_149_340_000_000
MINUTE = 60_000_000

reserves = st.integers(1, 10**18)
fees = st.integers(0, 1_000)
amounts = st.integers(0, 10**18)
seeds = st.integers(0, 10**6)
# One seed is as good as another: a smaller one explains nothing, and looking for it takes minutes.
worlds = settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))


def exact_out(paid: int, into: int, out_of: int, fee_bps: int) -> int:
    """out = y * dx * (1 - fee) / (x + dx * (1 - fee)), rounded down."""
    kept = paid * (1 - Fraction(fee_bps, 10_000))
    return int(out_of * kept / (into + kept))


@given(reserves, reserves, fees, amounts)
def test_every_trade_obeys_the_constant_product_to_the_unit(base, quote, fee, amount):
    buying, selling = ConstantPool("d", "USDC", base, quote, fee), ConstantPool("d", "USDC", base, quote, fee)
    assert buying.buy(amount) == exact_out(amount, quote, base, fee)
    assert selling.sell(amount) == exact_out(amount, base, quote, fee)
    assert (buying.quote, selling.base) == (quote + amount, base + amount)


@given(reserves, reserves, fees, st.lists(st.tuples(st.booleans(), amounts), max_size=30))
def test_trades_never_lower_the_product_nor_empty_a_pool(base, quote, fee, trades):
    pool = ConstantPool("d", "USDC", base, quote, fee)
    for is_buy, amount in trades:
        before = pool.product
        if is_buy:
            pool.buy(amount)
        else:
            pool.sell(amount)
        assert pool.product >= before
        assert pool.base > 0
        assert pool.quote > 0


@given(reserves, reserves, fees, amounts)
def test_buying_and_selling_back_never_gains(base, quote, fee, amount):
    pool = ConstantPool("d", "USDC", base, quote, fee)
    assert pool.sell(pool.buy(amount)) <= amount


@worlds
@given(seeds)
def test_only_makers_who_take_liquidity_out_lower_a_product(seed):
    world = TokenWorld(seed, START, DemoWalk())
    maker = world.tokens[0]  # SEED, whose reserves are set to its walk
    before: dict[int, int] = {}
    died: set[str] = set()
    for _ in range(30 * 80):
        _, tokens, _ = world.step()
        for token in tokens:
            for pool in token.pools:
                assert pool.base > 0
                assert pool.quote > 0
                if token is not maker and (token.died_us is None or token.id in died):
                    assert pool.product >= before.get(id(pool), 0)
                before[id(pool)] = pool.product
            if token.died_us is not None:
                died.add(token.id)
    assert died


@worlds
@given(seeds)
def test_what_is_told_follows_from_reserves_and_lies_in_order(seed):
    last, told = 0, {}
    for batch in islice(TokenStream(seed, START, DemoWalk()).batches(0), 30 * 12):
        assert batch.ts > last
        last = batch.ts
        for shown in batch.tokens:
            assert shown.provenance is Provenance.SYNTHETIC
            assert shown.ts_event <= shown.ts_known == batch.ts
            assert batch.ts - told.get(shown.id, batch.ts) <= MINUTE
            told[shown.id] = batch.ts
            deepest = shown.pools[0]
            assert deepest.liquidity_usd == max(pool.liquidity_usd for pool in shown.pools)
            for pool in shown.pools:
                usd = pool.liquidity_usd / 2 / pool.quote_reserve
                price = pool.quote_reserve / pool.base_reserve * usd
                if pool is deepest:
                    assert abs(price / shown.price_usd - 1) < 1e-9
            assert shown.buyers_h24 <= shown.buys_h24
            assert shown.sellers_h24 <= shown.sells_h24
            assert shown.large_volume_1h_usd <= shown.volume_1h_usd <= shown.volume_24h_usd
            assert sum(holder.share_pct for holder in shown.top_holders) < 100.001
            assert 99.9 < sum(holder.share_pct for holder in shown.lp_holders) < 100.1
            if shown.contract is not None:
                assert shown.contract.ts_event <= shown.contract.ts_known <= batch.ts
        for post in batch.posts:
            assert post.ts_event <= post.ts_known == batch.ts
            assert post.provenance is Provenance.SYNTHETIC


@worlds
@example(293342, 477)
@given(seeds, st.integers(-2, 3_000))
def test_reading_tokens_goes_on_the_same_after_any_instant(seed, seconds):
    after = START + seconds * 1_000_000
    whole = (batch for batch in TokenStream(seed, START, DemoWalk()).batches(0) if batch.ts > after)
    again = TokenStream(seed, START, DemoWalk())
    assert list(islice(again.batches(after), 40)) == list(islice(whole, 40))
    first = next(TokenStream(seed, START, DemoWalk()).states(after))
    assert first[0] == next(again.batches(after)).ts


@cache
def any_token() -> LiveToken:
    return TokenWorld(1, START, DemoWalk()).tokens[1]


@settings(deadline=None, max_examples=30)
@given(
    st.integers(10**12, 10**14),
    st.integers(10**9, 10**12),
    st.integers(10**12, 10**14),
    st.integers(10**9, 10**12),
)
def test_arbitrage_brings_two_pools_together_and_never_lowers_a_product(base, quote, base2, quote2):
    first, second = ConstantPool("a", "USDC", base, quote, 30), ConstantPool("b", "WETH", base2, quote2, 30)
    cents = {"USDC": 100, "WETH": 320_000}
    token = any_token()
    token.pools, token.sells_blocked = [first, second], False

    def gap() -> int:
        return abs(first.price(100) - second.price(320_000))

    wide, products = gap(), (first.product, second.product)
    level(token, cents)
    assert gap() <= wide
    assert first.product >= products[0]
    assert second.product >= products[1]


@worlds
@given(seeds)
def test_books_are_sorted_whole_and_never_crossed(seed):
    last = 0
    for batch in islice(VenueStream(seed, START).batches(0), 120):
        assert batch.ts > last
        last = batch.ts
        assert [book.instrument for book in batch.books] == [quote.instrument for quote in batch.quotes]
        for book, quote in zip(batch.books, batch.quotes, strict=True):
            assert len(book.bids) == len(book.asks) == LEVELS
            assert all(high > low for (high, _), (low, _) in pairwise(book.bids))
            assert all(low < high for (low, _), (high, _) in pairwise(book.asks))
            assert book.bids[-1][0] > 0
            assert book.bids[0][0] < book.asks[0][0]
            assert all(size > 0 for _, size in (*book.bids, *book.asks))
            assert (quote.bid, quote.ask) == (book.bids[0][0], book.asks[0][0])
            assert book.provenance is quote.provenance is Provenance.SYNTHETIC
            assert book.ts_event <= book.ts_known == batch.ts


@worlds
@given(seeds, st.integers(-2, 2_000))
def test_reading_venues_goes_on_the_same_after_any_instant(seed, seconds):
    after = START + seconds * 1_000_000
    whole = (batch for batch in VenueStream(seed, START).batches(0) if batch.ts > after)
    assert list(islice(VenueStream(seed, START).batches(after), 10)) == list(islice(whole, 10))


def test_a_price_is_the_ratio_of_the_reserves():
    world = TokenWorld(3, START, DemoWalk())
    _, tokens, _ = world.step()
    for token in tokens:
        pool = token.pools[0]
        exact = Fraction(pool.quote * world.cents[pool.coin], pool.base * 100)
        assert float(exact) == snapshot(token, world.cents, world.now_us).price_usd
        assert token.price(world.cents) == int(exact * PRICE_UNITS)
