"""The live picture: what is known of the market now, in today's dollars."""

from datetime import date
from decimal import Decimal

import pytest

from engine.model.ids import InstrumentId
from engine.model.market import (
    Bar,
    Book,
    CorporateAction,
    CorporateActionKind,
    Headline,
    MarketBatch,
    Provenance,
    Quote,
    SessionPhase,
    Trade,
)
from engine.state import HEADLINES_US, MAX_HEADLINES, MAX_TITLE, LivePicture

ABC, XYZ = InstrumentId("ABC.US"), InstrumentId("XYZ.US")
MONDAY, TUESDAY = date(2016, 1, 4), date(2016, 1, 5)
OPEN, CLOSE = SessionPhase.OPEN, SessionPhase.CLOSE


def quote(price: float, ts: int = 1, instrument: InstrumentId = ABC) -> Quote:
    return Quote(instrument, price, price, ts, ts, Provenance.REPLAY)


def trade(price: float, ts: int = 1) -> Trade:
    return Trade(ABC, price, ts, ts, Provenance.REPLAY)


def bar(close: float, ts: int = 1) -> Bar:
    return Bar(ABC, 9.0, 11.0, 8.0, close, 1e6, ts - 1, ts, Provenance.REPLAY)


def action(ratio: float) -> CorporateAction:
    return CorporateAction(ABC, CorporateActionKind.SPLIT, ratio, 10.0, TUESDAY, 1)


@pytest.fixture
def picture() -> LivePicture:
    found = LivePicture()
    found.take(MarketBatch(1, session=MONDAY, phase=OPEN, quotes=(quote(10.0),), trades=(trade(10.0),)))
    return found


def test_nothing_is_known_before_the_first_batch() -> None:
    picture = LivePicture()
    assert (picture.session, picture.phase, picture.is_session_open) == (None, None, False)
    assert (picture.quote(ABC), picture.last(ABC), picture.last_decimal(ABC)) == (None, None, None)


def test_a_batch_shows_quotes_and_last_prices(picture: LivePicture) -> None:
    assert picture.quote(ABC) == quote(10.0)
    assert (picture.last(ABC), picture.last_decimal(ABC)) == (10.0, Decimal("10.0"))
    assert (picture.ts, picture.session, picture.is_session_open) == (1, MONDAY, True)


def test_a_batch_inside_the_session_keeps_what_it_does_not_tell(picture: LivePicture) -> None:
    picture.take(MarketBatch(2, quotes=(quote(5.0, 2, XYZ),)))
    assert (picture.session, picture.phase) == (MONDAY, OPEN)
    assert set(picture.quotes) == {ABC, XYZ}


def test_the_last_of_print_and_closing_bar_is_the_bar(picture: LivePicture) -> None:
    picture.take(MarketBatch(2, session=MONDAY, phase=CLOSE, trades=(trade(10.4),), bars=(bar(10.5),)))
    assert picture.last(ABC) == 10.5
    assert not picture.is_session_open


def test_quotes_of_one_session_do_not_serve_the_next(picture: LivePicture) -> None:
    picture.take(MarketBatch(2, session=MONDAY, phase=CLOSE, bars=(bar(10.5),)))
    assert picture.quote(ABC) is not None
    picture.take(MarketBatch(3, session=TUESDAY, phase=OPEN))
    assert picture.quote(ABC) is None
    assert picture.last(ABC) == 10.5


def test_last_prices_are_restated_before_the_batch_and_once(picture: LivePicture) -> None:
    picture.restate((action(0.5), CorporateAction(XYZ, CorporateActionKind.SPLIT, 0.5, 1.0, TUESDAY, 1)))
    assert picture.last(ABC) == 5.0
    picture.take(MarketBatch(2, session=TUESDAY, phase=OPEN, actions=(action(0.5),)))
    assert picture.last(ABC) == 5.0
    assert picture.last(XYZ) is None


def test_ratios_are_those_of_this_session(picture: LivePicture) -> None:
    picture.take(MarketBatch(2, session=TUESDAY, phase=OPEN, actions=(action(0.5),)))
    assert picture.ratios == {ABC: 0.5}
    picture.take(MarketBatch(3, session=TUESDAY, phase=CLOSE))
    assert picture.ratios == {ABC: 0.5}
    picture.take(MarketBatch(4, session=date(2016, 1, 6), phase=OPEN))
    assert picture.ratios == {}


def test_a_restart_knows_where_the_session_stood() -> None:
    picture = LivePicture()
    picture.restore(MONDAY, OPEN)
    assert (picture.session, picture.is_session_open, picture.last(ABC)) == (MONDAY, True, None)


def test_a_seeded_price_serves_until_the_market_speaks() -> None:
    picture = LivePicture()
    picture.seed(ABC, 9.5)
    assert picture.last(ABC) == 9.5
    picture.take(MarketBatch(2, trades=(trade(9.7),)))
    assert picture.last(ABC) == 9.7


def test_a_seeded_price_is_not_of_the_market_until_it_trades(picture: LivePicture) -> None:
    picture.seed(XYZ, 9.5)
    picture.take(MarketBatch(5, quotes=(quote(9.6, 5, XYZ),)))
    assert (picture.is_seeded(XYZ), picture.is_heard(XYZ, 5), picture.last(XYZ)) == (True, True, 9.5)
    picture.take(MarketBatch(6, trades=(Trade(XYZ, 9.7, 6, 6, Provenance.LIVE),)))
    assert not picture.is_seeded(XYZ)
    picture.seed(XYZ, 9.5)
    assert (picture.is_seeded(XYZ), picture.last(XYZ)) == (False, 9.7)


def test_quotes_prints_and_bars_are_words_of_the_market(picture: LivePicture) -> None:
    assert picture.is_heard(ABC, 1)
    assert not picture.is_heard(ABC, 2)
    assert not picture.is_heard(XYZ, 0)
    picture.take(MarketBatch(3, quotes=(quote(10.0, 3),)))
    assert picture.is_heard(ABC, 3)
    picture.take(MarketBatch(4, session=MONDAY, phase=CLOSE, bars=(bar(10.5),)))
    assert picture.is_heard(ABC, 4)


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -1.0])
def test_what_is_no_price_tells_nothing(picture: LivePicture, price: float) -> None:
    before = picture.last(ABC)
    batch = MarketBatch(7, trades=(trade(price, 7),), bars=(bar(price),), quotes=(quote(price, 7),))
    picture.take(batch)
    assert (picture.last(ABC), picture.is_heard(ABC, 7)) == (before, False)
    shown = picture.quote(ABC)
    assert shown is not None
    assert (shown.bid, shown.ask) == (None, None)


def test_a_forgotten_price_may_be_seeded_again(picture: LivePicture) -> None:
    picture.forget(ABC)
    assert picture.last(ABC) is None
    picture.seed(ABC, 9.5)
    assert (picture.is_seeded(ABC), picture.last(ABC)) == (True, 9.5)


def headline(title: str, ts: int, *instruments: InstrumentId, source: str = "wire") -> Headline:
    return Headline(instruments or (ABC,), title, source, ts, ts, Provenance.REPLAY)


def test_a_headline_is_kept_for_each_of_its_instruments_in_the_order_told(picture: LivePicture) -> None:
    first, second = headline("one", 2), headline("two", 1, ABC, XYZ)
    picture.take(MarketBatch(3, headlines=(first,)))
    picture.take(MarketBatch(4, headlines=(second,)))
    assert picture.headlines(ABC) == (first, second)
    assert picture.headlines(XYZ) == (second,)
    assert picture.headlines(InstrumentId("NONE.US")) == ()


def test_words_of_a_headline_come_in_harmless(picture: LivePicture) -> None:
    hostile = headline("a\x1b[31m\u202eb\n" + "c" * 2000, 2, source="w\x07ire" * 20)
    picture.take(MarketBatch(3, headlines=(hostile,)))
    (kept,) = picture.headlines(ABC)
    assert kept.title == "ab " + "c" * (MAX_TITLE - 3)
    assert kept.source == ("wire" * 20)[:40]


@pytest.mark.parametrize("before", ["Acme beats \u00e2\u20ac\x9destimates", "Acme \x1b]0;", "word " * 60])
def test_bad_news_does_not_vanish_behind_what_stands_before_it(picture: LivePicture, before: str) -> None:
    picture.take(MarketBatch(3, headlines=(headline(f"{before} and files for bankruptcy", 2),)))
    (kept,) = picture.headlines(ABC)
    assert kept.title.endswith("files for bankruptcy")


def test_old_headlines_go_at_the_next_opening(picture: LivePicture) -> None:
    now = HEADLINES_US + 10
    old, young = headline("old", 10), headline("young", 11)
    picture.take(MarketBatch(20, headlines=(old, young, headline("gone", 10, XYZ))))
    picture.take(MarketBatch(now, session=TUESDAY, phase=OPEN))
    assert picture.headlines(ABC) == (young,)
    assert picture.headlines(XYZ) == ()


def test_a_flood_of_headlines_leaves_the_newest(picture: LivePicture) -> None:
    flood = tuple(headline(str(number), number) for number in range(MAX_HEADLINES + 5))
    picture.take(MarketBatch(9_999, headlines=flood))
    assert picture.headlines(ABC) == flood[5:]
    picture.take(MarketBatch(9_999, session=TUESDAY, phase=OPEN))
    picture.take(MarketBatch(10_000, headlines=(headline("last", 10_000),)))
    assert len(picture.headlines(ABC)) == MAX_HEADLINES


def test_the_newest_book_of_each_instrument_is_kept(picture: LivePicture) -> None:
    older, newer = (
        Book(ABC, ((price, 1.0),), ((price + 1, 2.0),), 5, 5, Provenance.REPLAY) for price in (9.0, 10.0)
    )
    picture.take(MarketBatch(5, books=(older,)))
    picture.take(MarketBatch(6, books=(newer,)))
    assert picture.book(ABC) == newer
    assert picture.book(XYZ) is None
