from collections import defaultdict
from datetime import date, timedelta
from itertools import islice, pairwise, takewhile

import pytest

from engine.model.market import MarketBatch, Provenance, SessionPhase
from engine.sources.demo.intraday import CENT, UNIT
from engine.sources.demo.stocks import StockStream
from engine.sources.demo.universe import COMPANIES, SPY, VIX

S = 1_000_000
LAST = date(2026, 6, 30)


@pytest.fixture(scope="module")
def stream(calendar, first) -> StockStream:
    return StockStream(2, calendar, first)


@pytest.fixture(scope="module")
def told(stream) -> list[MarketBatch]:
    """From the start to a quarter of an hour into the second session."""
    return list(takewhile(lambda batch: batch.ts < stream.first.open_us + 87_300 * S, stream.batches(-1)))


@pytest.fixture(scope="module")
def day(told, stream) -> list[MarketBatch]:
    """From the start to the first close."""
    return [batch for batch in told if batch.ts <= stream.first.close_us]


def units(price: float) -> int:
    whole = round(price * UNIT)
    assert whole / UNIT == price
    return whole


def test_time_goes_strictly_forward_from_a_minute_before_the_open(day) -> None:
    times = [batch.ts for batch in day]
    assert times == sorted(set(times))
    opening = next(batch for batch in day if batch.phase is SessionPhase.OPEN)
    assert day[0].ts == opening.ts - 60 * S
    assert {batch.ts - before.ts for before, batch in pairwise(day[1:])} == {2 * S}


def test_all_that_is_told_is_synthetic_and_known_by_then(day) -> None:
    for batch in day:
        for fact in (*batch.quotes, *batch.trades, *batch.headlines):
            assert fact.ts_event <= fact.ts_known <= batch.ts
            assert fact.provenance is Provenance.SYNTHETIC
        assert all(bar.ts_close == batch.ts and bar.provenance is Provenance.SYNTHETIC for bar in batch.bars)


def test_the_opening_tells_a_print_and_a_quote_of_everything(day) -> None:
    opening = next(batch for batch in day if batch.phase is SessionPhase.OPEN)
    names = {company.instrument for company in COMPANIES}
    assert {trade.instrument for trade in opening.trades} == names | {SPY, VIX}
    assert {quote.instrument for quote in opening.quotes} == names | {SPY}
    assert all(trade.is_open for trade in opening.trades)
    assert not any(trade.is_open for batch in day if batch is not opening for trade in batch.trades)


def test_the_bar_is_exactly_the_prints_of_its_session(day) -> None:
    prints = defaultdict(list)
    for batch in day:
        for trade in batch.trades:
            prints[trade.instrument].append(trade.price)
    bars = {bar.instrument: bar for bar in day[-1].bars}
    assert bars.keys() == prints.keys()
    for name, prices in prints.items():
        bar = bars[name]
        found = (prices[0], max(prices), min(prices), prices[-1])
        assert (bar.open, bar.high, bar.low, bar.close) == found


def test_quotes_are_whole_ticks_never_crossed_and_hold_the_price(day) -> None:
    last = {}
    for batch in day:
        last |= {trade.instrument: trade.price for trade in batch.trades}
        for quote in batch.quotes:
            bid, ask = units(quote.bid), units(quote.ask)
            assert 0 < bid < ask
            assert bid < UNIT or bid % CENT == 0
            assert ask < UNIT or ask % CENT == 0
        at = {quote.instrument: quote for quote in batch.quotes}
        for trade in batch.trades:
            if trade.instrument != VIX:
                quote = at[trade.instrument]
                assert quote.bid <= trade.price <= quote.ask


def test_what_fell_is_quoted_every_two_seconds_and_the_rest_every_ten(day, stream) -> None:
    stocks = stream.diary.day(320)
    times = defaultdict(list)
    for batch in day:
        for quote in batch.quotes:
            times[quote.instrument].append(quote.ts_known)
    for name, known in times.items():
        longest = max(after - before for before, after in pairwise(known))
        assert longest == (2 * S if stocks[name].is_followed else 10 * S)
    assert sum(stocks[name].gap <= -0.03 for name in times) >= 6


def test_prints_are_most_frequent_at_the_open_and_the_close(day) -> None:
    opened = next(batch.ts for batch in day if batch.phase is SessionPhase.OPEN)
    halves = [0] * 13
    for batch in day:
        if batch.ts >= opened and batch.phase is None:
            halves[(batch.ts - opened) // (1_800 * S)] += len(batch.trades)
    middle = sum(halves[5:8]) / 3
    assert halves[0] > 1.5 * middle < 1.5 * halves[-1]


def test_spreads_are_wider_for_cheap_stocks_and_at_the_open(day) -> None:
    opening = next(batch for batch in day if batch.phase is SessionPhase.OPEN)
    later = next(batch for batch in day if batch.ts >= opening.ts + 7_200 * S)
    wide = {quote.instrument: quote.spread_ratio for quote in opening.quotes}
    calm = [quote for quote in later.quotes if quote.instrument != SPY]
    assert sum(wide[quote.instrument] for quote in calm) > sum(quote.spread_ratio for quote in calm)
    cheap = [quote.spread_ratio for quote in opening.quotes if quote.ask < 2]
    dear = [quote.spread_ratio for quote in opening.quotes if quote.bid > 10]
    assert sum(cheap) / len(cheap) > 2 * sum(dear) / len(dear)


@pytest.mark.parametrize("after_s", [-3_600, -60, 0, 1, 899, 900, 5_555, 23_398, 23_400, 80_000])
def test_reading_goes_on_after_any_instant_with_the_same_batches(told, stream, after_s: int) -> None:
    after_us = stream.first.open_us + after_s * S
    expected = [batch for batch in told if batch.ts > after_us][:400]
    assert list(islice(stream.batches(after_us), len(expected))) == expected
    assert len(expected) > 20


def test_another_stream_of_the_seed_tells_the_same(make_stocks, told) -> None:
    assert list(islice(make_stocks(2).batches(-1), 300)) == told[:300]
    assert list(islice(make_stocks(3).batches(-1), 300)) != told[:300]


def test_nights_are_silent_but_for_the_morning_papers(stream) -> None:
    for batch in stream.batches(stream.first.close_us):
        if batch.phase is SessionPhase.OPEN:
            break
        assert batch.headlines
        assert not batch.quotes
        assert not batch.trades
        assert batch.ts > stream.first.close_us + 3_600 * S


def test_a_short_session_closes_early_with_whole_bars(weekdays, first) -> None:
    stream = StockStream(1, weekdays(LAST, short=(first,)), first)
    batches = stream.batches(stream.first.close_us - 1_800 * S)
    close = next(batch for batch in batches if batch.phase is SessionPhase.CLOSE)
    assert close.ts == stream.first.close_us == stream.first.open_us + 12_600 * S
    assert len(close.bars) == 82


def test_the_stream_ends_with_the_calendar(weekdays, first) -> None:
    stream = StockStream(1, weekdays(first + timedelta(days=1)), first)
    last = list(stream.batches(stream.first.close_us + 86_100 * S))[-1]
    assert last.phase is SessionPhase.CLOSE
    assert last.session == first + timedelta(days=1)


def test_feeds_say_what_was_told_and_expect_silence_at_night(make_stocks) -> None:
    stream = make_stocks(3)
    assert [feed.last_us for feed in stream.feeds()] == [None, None]
    opened, closed = stream.first.open_us, stream.first.close_us
    for batch in stream.batches(closed - 60 * S):
        if batch.ts > closed:
            break
        assert stream.feeds()[0].max_age_us in (15 * S, 75 * S)
    stocks, papers = stream.feeds()
    assert stocks.last_us == closed
    assert opened + 86_400 * S < closed + stocks.max_age_us < opened + 86_460 * S
    assert stocks.messages > 82
    assert papers.name == "headlines"
