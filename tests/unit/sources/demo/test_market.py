from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

import pytest

from engine.features.market import vix_pct_252
from engine.model.ids import instrument_id
from engine.model.market import MarketBatch, SessionPhase
from engine.sources.demo.market import DemoMarket
from engine.sources.demo.universe import COMPANIES, SECTORS, SPY, VIX
from engine.sources.demo.walk import DemoWalk

S = 1_000_000


@pytest.fixture(scope="module")
def market(calendar, first) -> DemoMarket:
    """Any test may read it from any instant: each reading begins anew."""
    return DemoMarket(1, calendar, first, DemoWalk())


def test_all_streams_are_told_as_one_in_strict_order(market) -> None:
    batches = list(islice(market.read(), 200))
    times = [batch.ts for batch in batches]
    assert times == sorted(set(times))
    assert times[0] == market.start_us == market.first.open_us - 60 * S
    for part in ("headlines", "tokens", "books", "quotes", "trades"):
        assert any(getattr(batch, part) for batch in batches)


async def test_the_source_port_tells_the_same(market) -> None:
    heard: list[MarketBatch] = []
    async for batch in market.batches(market.start_us + 30 * S):
        heard.append(batch)
        if len(heard) == 40:
            break
    assert heard == list(islice(market.read(market.start_us + 30 * S), 40))


def test_reading_goes_on_after_any_instant_with_the_same_batches(market) -> None:
    whole = list(islice(market.read(), 700))
    for after_s in (0, 60, 61, 300):
        after_us = market.start_us + after_s * S
        expected = [batch for batch in whole if batch.ts > after_us][:100]
        assert list(islice(market.read(after_us), 100)) == expected


def test_history_and_indexes_exist_before_the_first_session(market, first) -> None:
    history = market.history(first)
    assert set(history.instruments()) == set(SECTORS)
    bars = history.daily(COMPANIES[0].instrument, 400)
    assert bars is not None
    assert len(bars) == 320
    assert bars.day[-1].item() < first
    vix, spy = market.index("VIX", first), market.index("SPY", first)
    assert vix is not None
    assert spy is not None
    assert len(spy) == 320
    assert 0 <= vix_pct_252(vix.close)[-1] < 0.8
    assert market.history(date(2020, 1, 2)).instruments() == ()
    assert market.index("VIX", date(2020, 1, 2)) is None


def test_a_finished_session_joins_the_history_as_its_closing_bar(market, first) -> None:
    for batch in market.read(market.first.close_us - 10 * S):
        if batch.phase is SessionPhase.CLOSE:
            break
    bars = {bar.instrument: bar for bar in batch.bars}
    history = market.history(first + timedelta(days=1))
    for company in COMPANIES:
        last = history.daily(company.instrument, 1)
        bar = bars[company.instrument]
        assert last is not None
        assert (last.open[0], last.high[0], last.low[0], last.close[0], last.volume[0]) == (
            bar.open, bar.high, bar.low, bar.close, bar.volume,
        )  # fmt: skip
    vix = market.index("VIX", first + timedelta(days=1))
    assert vix is not None
    assert vix.close[-1] == bars[VIX].close


def test_ticks_follow_the_open_of_the_session_and_pairs_have_their_own(market, first) -> None:
    opened = market._stocks.diary.day(320)
    for company in COMPANIES:
        cheap = opened[company.instrument].nodes[0] < 10_000
        tick = market.instruments[company.instrument].tick_size
        assert tick == (Decimal("0.0001") if cheap else Decimal("0.01"))
    assert VIX not in market.instruments
    assert SPY in market.instruments
    pair = market.instruments[instrument_id("BTC/USD", "ALPHA")]
    assert pair.tick_size == Decimal("0.1")
    assert pair.lot_size == Decimal("0.0001")
    assert len(list(market.instruments)) == len(market.instruments) == 87


def test_names_and_sectors(market) -> None:
    company = COMPANIES[0]
    assert market.name_of(company.instrument) == company.name
    assert market.sector_of(company.instrument) == company.sector
    assert market.sector_of(SPY) is None
    assert market.name_of(instrument_id("NONE")) == "NONE.US"


def test_token_prices_are_known_for_the_day_before(market) -> None:
    token = next(batch.tokens[0] for batch in market.read() if batch.tokens)
    prices = market.token_prices(token.id, market.start_us + 2 * S, 12)
    assert all(ts <= market.start_us + 2 * S and price > 0 for ts, price in prices)


def test_a_digest_is_of_the_seed_and_changes_no_feed(weekdays, first) -> None:
    # Half an hour is enough to tell.
    calendar = weekdays(date(2026, 6, 30), short=(first,), noon=15)
    market, other = (DemoMarket(seed, calendar, first, DemoWalk()) for seed in (1, 2))
    before = market.feeds()
    assert market.digest(first) != other.digest(first)
    assert market.feeds() == before
    with pytest.raises(ValueError, match="no session of the demo market"):
        market.digest(first - timedelta(days=3))


def test_no_feed_has_heard_of_what_is_still_to_come(make_market) -> None:
    market = make_market(1)
    for batch in islice(market.read(), 400):
        heard = [feed.last_us for feed in market.feeds() if feed.last_us is not None]
        assert max(heard, default=batch.ts) <= batch.ts
    assert len(heard) == len(market.feeds()) == 7
