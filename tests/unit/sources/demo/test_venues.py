from itertools import islice, pairwise
from statistics import fmean

import pytest

from engine.model.ids import instrument_id
from engine.sources.demo.venues import PAIRS, VENUES, VenueStream

START = 1_773_149_340_000_000
S = 1_000_000


@pytest.fixture(scope="module")
def mids() -> dict[str, list[float]]:
    """Mids of an hour and a half by instrument."""
    found: dict[str, list[float]] = {
        instrument_id(pair.symbol, venue): [] for pair in PAIRS for venue in VENUES
    }
    for batch in islice(VenueStream(5, START).batches(0), 1_080):
        for quote in batch.quotes:
            assert quote.mid is not None
            found[quote.instrument].append(quote.mid)
    return found


def test_three_pairs_at_two_venues_every_five_seconds() -> None:
    first, second = islice(VenueStream(1, START).batches(0), 2)
    names = [
        instrument_id(f"{coin}/USD", venue) for coin in ("BTC", "ETH", "SOL") for venue in ("ALPHA", "BETA")
    ]
    assert [book.instrument for book in first.books] == names
    assert second.ts - first.ts == 5 * S
    assert START < first.ts < START + 5 * S


@pytest.mark.parametrize(("coin", "price"), [("BTC", 97_000), ("ETH", 3_200), ("SOL", 180)])
def test_prices_begin_near_the_invented_ones(coin: str, price: int) -> None:
    first = next(VenueStream(1, START).batches(0))
    for quote in first.quotes:
        if quote.instrument.startswith(coin):
            assert quote.mid == pytest.approx(price, rel=0.002)


def test_prices_are_whole_ticks_and_sizes_whole_lots() -> None:
    for batch in islice(VenueStream(2, START).batches(0), 50):
        for place, book in enumerate(batch.books):
            pair = PAIRS[place // 2]
            for price, size in (*book.bids, *book.asks):
                ticks, lots = price * pair.ticks_per_usd, size * pair.lots_per_coin
                assert ticks == pytest.approx(round(ticks), abs=1e-6)
                assert lots == pytest.approx(round(lots), abs=1e-6)
                assert round(lots) >= 1


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.symbol)
def test_venues_differ_a_little_and_never_for_long(mids, pair) -> None:
    alpha, beta = (mids[instrument_id(pair.symbol, venue)] for venue in ("ALPHA", "BETA"))
    apart = [1e4 * (one / other - 1) for one, other in zip(alpha, beta, strict=True)]
    assert 0.3 < fmean(map(abs, apart)) < 4
    assert max(map(abs, apart)) < 25
    assert abs(fmean(apart)) < 1


def test_one_venue_leads_the_other() -> None:
    """What the leader did in one step, the follower does in the next: the lead of ETH while ALPHA has it."""
    alpha, beta = [], []
    for batch in islice(VenueStream(5, START).batches(0), 150):
        alpha.append(batch.quotes[2].mid)
        beta.append(batch.quotes[3].mid)
    moves = [b / a - 1 for a, b in pairwise(alpha)]
    others = [b / a - 1 for a, b in pairwise(beta)]
    follows = sum(x * y for x, y in zip(moves, others[1:], strict=False))
    leads = sum(x * y for x, y in zip(others, moves[1:], strict=False))
    assert follows > 2 * leads


def test_feeds_are_named_after_the_venues() -> None:
    stream = VenueStream(1, START)
    assert [(feed.name, feed.last_us) for feed in stream.feeds()] == [
        ("ALPHA books", None),
        ("BETA books", None),
    ]
    batches = stream.batches(0)
    first = next(batches)
    next(batches)
    assert [(feed.last_us, feed.messages) for feed in stream.feeds()] == [(first.ts, 3)] * 2


def test_whole_numbers_tell_seeds_apart() -> None:
    first = list(islice(VenueStream(1, START).states(START), 10))
    assert first == list(islice(VenueStream(1, START).states(START), 10))
    assert first != list(islice(VenueStream(2, START).states(START), 10))
