from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice, pairwise

import pytest

from engine.model.market import MarketBatch
from engine.model.tokens import TokenId, TokenSnapshot
from engine.sources.demo.chance import stream
from engine.sources.demo.tokennames import HOSTILE
from engine.sources.demo.tokens import TokenStream
from engine.sources.demo.walk import UNITS_PER_USD, DemoWalk, walk_path

START = 1_773_149_340_000_000
S = 1_000_000
MINUTE = 60 * S


@pytest.fixture
def make() -> Callable[[int], TokenStream]:
    return lambda seed: TokenStream(seed, START, DemoWalk())


@cache
def opening(seed: int) -> MarketBatch:
    """The first batch, which takes a day of simulation to make."""
    return next(TokenStream(seed, START, DemoWalk()).batches(0))


def until(stream: TokenStream, minutes: int) -> Iterator[MarketBatch]:
    for batch in stream.batches(0):
        if batch.ts > START + minutes * MINUTE:
            return
        yield batch


def one(batch: MarketBatch, symbol: str) -> TokenSnapshot:
    return next(token for token in batch.tokens if token.symbol == symbol)


def test_the_first_batch_holds_all_tokens_and_the_posts_of_the_day_before() -> None:
    first = opening(1)
    assert first.ts == START + S
    assert len({token.id for token in first.tokens}) == 150
    assert {token.chain for token in first.tokens} == {"base", "ethereum", "bsc", "solana"}
    assert Counter(len(token.pools) for token in first.tokens).keys() == {1, 2, 3}
    assert len(first.posts) > 200
    assert all(START - 86_400 * S <= post.ts_event <= first.ts for post in first.posts)


def test_tokens_are_told_a_few_at_a_time_each_once_a_minute(make) -> None:
    batches = list(until(make(1), 5))[1:]
    assert max(len(batch.tokens) for batch in batches) <= 7
    told = Counter(token.id for batch in batches for token in batch.tokens)
    assert set(told.values()) <= {4, 5}


def test_symbols_and_names_of_the_hostile_are_told_as_they_are() -> None:
    first = opening(1)
    told = {(token.symbol, token.name) for token in first.tokens}
    assert told.issuperset(HOSTILE)
    assert max(len(post.text) for post in first.posts) <= 280


def test_ids_are_chain_and_address_in_lower_case() -> None:
    for token in opening(1).tokens:
        chain, address = token.id.split(":")
        assert chain == token.chain
        assert token.id == token.id.lower()
        assert len(address) == (44 if chain == "solana" else 42)


def test_seed_follows_its_walk_one_step_a_minute_to_the_unit(make) -> None:
    path = walk_path(DemoWalk(), stream(9, "tokens", "walk"))
    told = [
        token.price_usd for batch in until(make(9), 30) for token in batch.tokens if token.symbol == "SEED"
    ]
    assert told == [units / UNITS_PER_USD for units in path[: len(told)]]
    assert len(told) == 30


def test_seed_goes_on_from_its_last_price_when_its_walk_ends() -> None:
    walk = DemoWalk(steps=3)
    told = []
    for batch in until(TokenStream(9, START, walk), 8):
        told += [round(token.price_usd * UNITS_PER_USD) for token in batch.tokens if token.symbol == "SEED"]
    rng = stream(9, "tokens", "walk")
    first = walk_path(walk, rng)
    second = walk_path(DemoWalk(start=first[-1] / UNITS_PER_USD, steps=3), rng)
    assert told[:7] == [*first, *second[1:]]


def test_a_day_of_prices_exists_before_the_start(make) -> None:
    stream = make(1)
    token = opening(1).tokens[1]
    prices = stream.prices(token.id, START, 1_000)
    assert len(prices) >= 288
    assert prices[0][0] <= START - 86_100 * S
    assert all(later - earlier == 300 * S for (earlier, _), (later, _) in pairwise(prices))
    assert all(price > 0 for _, price in prices)
    assert stream.prices(token.id, START, 12) == prices[-12:]


def test_prices_are_only_what_is_known_by_then(make) -> None:
    stream = make(1)
    token = opening(1).tokens[5]
    for _ in until(stream, 21):
        pass
    known = stream.prices(token.id, START + 12 * MINUTE, 500)
    assert START + 7 * MINUTE < known[-1][0] <= START + 12 * MINUTE
    later = stream.prices(token.id, START + 20 * MINUTE, 500)
    assert later[: len(known)] == known
    assert len(later) > len(known)


def test_a_token_that_is_not_listed_has_no_prices(make) -> None:
    assert make(1).prices(TokenId("base:0x0"), START, 10) == ()


def test_a_change_over_a_day_is_that_of_its_prices(make) -> None:
    stream = make(1)
    token = next(stream.batches(0)).tokens[1]
    day_ago = stream.prices(token.id, START, 289)[0][1]
    assert token.price_change_24h_pct == pytest.approx(100 * (token.price_usd / day_ago - 1), abs=1e-4)


def test_what_is_too_young_for_a_window_says_none() -> None:
    first = opening(1)
    seed = one(first, "SEED")
    assert seed.price_change_24h_pct is seed.price_change_7d_pct is None
    assert seed.holders_7d_ago is seed.liquidity_24h_ago_usd is None
    assert seed.mentions_daily_7d == ()


def test_seeds_differ_and_one_seed_is_always_the_same(make) -> None:
    first = list(islice(make(1).batches(0), 3))
    assert list(islice(make(1).batches(0), 3)) == first
    assert opening(2) != first[0]


def test_a_second_reading_of_a_stream_begins_anew(make) -> None:
    stream = make(1)
    first = list(islice(stream.batches(0), 40))
    assert list(islice(stream.batches(0), 40)) == first


def test_feeds_say_what_was_heard_and_nothing_of_what_comes(make) -> None:
    stream = make(1)
    assert [feed.name for feed in stream.feeds()] == ["token pools", "token contracts", "posts"]
    assert {feed.last_us for feed in stream.feeds()} == {None}
    batches = stream.batches(0)
    first, second = next(batches), next(batches)
    pools = stream.feeds()[0]
    assert (pools.last_us, pools.messages) == (first.ts, len(first.tokens))
    next(batches)
    assert stream.feeds()[0].last_us == second.ts
    assert stream.feeds()[0].note == "150 tokens on 4 chains"


def test_new_tokens_are_launched_and_their_number_stays_bounded(make) -> None:
    stream = make(4)
    known: set[TokenId] = set()
    young = 0
    for batch in until(stream, 5 * 60):
        for token in batch.tokens:
            if token.id not in known and known and batch.ts - token.created_us <= MINUTE:
                young += 1
            known.add(token.id)
    assert 1 <= young <= 15
    assert len(stream._world.tokens) <= 158


def test_whole_numbers_tell_batches_apart(make) -> None:
    first = list(islice(make(1).states(START), 40))
    assert first != list(islice(make(2).states(START), 40))
    assert [ts for ts, _ in first] == [batch.ts for batch in islice(make(1).batches(START), 40)]
    assert all(isinstance(number, int) for _, numbers in first for number in numbers)
