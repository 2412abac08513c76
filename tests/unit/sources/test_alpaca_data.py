"""Alpaca: what its answers mean, how pages join, and what is asked for."""

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.clock import LiveClock
from engine.errors import BadPayload
from engine.http import Reach, open_client
from engine.model.company import Listing, ListingKind
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import Bar, Headline, Provenance, Quote, Session, Trade
from engine.model.secrets import Secret
from engine.model.snapshots import DayBar
from engine.sources.alpaca_data import (
    SYMBOLS_A_CALL,
    AlpacaData,
    AlpacaKeys,
    parse_calendar,
    parse_daily,
    parse_listings,
    parse_minutes,
    parse_news,
    parse_quotes,
    parse_snapshots,
)
from engine.sources.listing_kinds import listing_kind
from engine.sources.reading import Doc, read_json

NOW = 1_714_743_900_000_000  # 2024-05-03 13:45 UTC, 9:45 in New York
ABC, BRK = instrument_id("ABC"), instrument_id("BRK.B")
MINUTE_US = 60_000_000
LIVE = Provenance.LIVE
Online = Callable[[Callable[[Any], Any]], Any]
Recorded = Callable[[str], bytes]


def doc(data: bytes) -> Doc:
    return read_json(data, "alpaca")


def use(online: Online, *answers: Any, ask: Callable[[AlpacaData], Any]) -> tuple[Any, list[dict[str, str]]]:
    """What a call gives, and the parameters of each request that it made."""
    queries: list[dict[str, str]] = []

    async def main(server: Any) -> Any:
        server.then(*answers)
        keys = AlpacaKeys(Secret("THE-KEY-ID"), Secret("the-secret"))
        async with open_client(Reach(frozenset(), loopback=True)) as client:
            source = AlpacaData(client, keys, LiveClock(NOW), data_url=server.url, trading_url=server.url)
            value = await ask(source)
        for target, headers in server.requests:
            assert headers["apca-api-key-id"] == "the-key-id"
            assert headers["apca-api-secret-key"] == "the-secret"
            query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
            queries.append({"path": urlsplit(target).path, **query})
        return value

    return online(main), queries


def test_pages_of_daily_bars_join(online: Online, answer: Any, recorded: Recorded) -> None:
    pages = (answer(recorded(f"alpaca/http_bars_{n}.json")) for n in (1, 2))
    bars, queries = use(
        online, *pages, ask=lambda source: source.daily([ABC, BRK], date(2024, 5, 1), date(2024, 5, 3))
    )
    assert list(bars) == [ABC, BRK]
    assert bars[ABC].day.astype(str).tolist() == ["2024-05-01", "2024-05-02", "2024-05-03"]
    assert bars[ABC].close.tolist() == [10.31, 10.5, 9.0]
    assert bars[ABC].volume.tolist() == [1204300, 998100, 4100200]
    assert bars[ABC].event_ratio.tolist() == [1, 1, 1]
    assert queries[0]["symbols"] == "ABC,BRK.B"
    assert "page_token" not in queries[0]
    assert queries[1]["page_token"] == "QUJDfDE3MTQ2MjI0MDA="  # noqa: S105 - of a page, no secret
    assert queries[0]["adjustment"] == "all"
    assert queries[0]["feed"] == "sip", "volume of one exchange would be a few percent of the whole"


def test_last_quarter_of_an_hour_is_not_asked_for(online: Online, answer: Any, recorded: Recorded) -> None:
    body = answer(recorded("alpaca/http_bars_2.json"))
    _, queries = use(online, body, ask=lambda one: one.daily([ABC], date(2024, 5, 1), date(2024, 5, 3)))
    assert queries[0]["start"] == "2024-05-01T04:00:00Z"
    assert queries[0]["end"] == "2024-05-03T13:29:00Z"
    _, queries = use(online, body, ask=lambda one: one.daily([ABC], date(2024, 5, 1), date(2024, 5, 1)))
    assert queries[0]["end"] == "2024-05-02T03:59:59Z"


def test_days_to_come_are_not_asked_for(online: Online, answer: Any) -> None:
    value, queries = use(
        online, answer(), ask=lambda one: one.daily([ABC], date(2024, 5, 4), date(2024, 5, 6))
    )
    assert (value, queries) == ({}, [])


def test_many_symbols_are_asked_for_in_parts(online: Online, answer: Any) -> None:
    many = [instrument_id(f"S{n}") for n in range(SYMBOLS_A_CALL + 1)]
    _, queries = use(online, answer(b'{"quotes": {}}'), ask=lambda source: source.quotes(many))
    assert [len(query["symbols"].split(",")) for query in queries] == [SYMBOLS_A_CALL, 1]
    assert {query["feed"] for query in queries} == {"iex"}


def test_page_that_names_itself_as_the_next_is_refused(online: Online, answer: Any) -> None:
    page = answer(b'{"news": [], "next_page_token": "again"}')
    with pytest.raises(BadPayload, match="next_page_token names the page that was just read"):
        use(online, page, ask=lambda source: source.news([ABC], 0, NOW))


def test_half_day_and_summer_time_of_the_calendar(recorded: Recorded) -> None:
    sessions = parse_calendar(doc(recorded("alpaca/http_calendar.json")), NOW)
    assert sessions == (
        Session(date(2024, 7, 2), 1_719_927_000_000_000, 1_719_950_400_000_000),
        Session(date(2024, 7, 3), 1_720_013_400_000_000, 1_720_026_000_000_000),
    )


def test_snapshots(recorded: Recorded) -> None:
    found = parse_snapshots(doc(recorded("alpaca/http_snapshots.json")), NOW)
    assert list(found) == [ABC, instrument_id("THIN")], "null stands for what is not known"
    whole = found[ABC]
    assert whole.trade == Trade(ABC, 9.01, 1_714_743_898_114_694, NOW, LIVE)
    assert whole.quote == Quote(ABC, 9.0, 9.03, 1_714_743_899_052_763, NOW, LIVE)
    assert whole.day == DayBar(date(2024, 5, 3), 9.1, 9.2, 8.9, 9.01, 410020, 9.04, NOW, LIVE)
    assert whole.previous_day is not None
    assert (whole.previous_day.day, whole.previous_day.close) == (date(2024, 5, 2), 10.5)
    thin = found[instrument_id("THIN")]
    assert (thin.trade, thin.minute, thin.day, thin.previous_day) == (None, None, None, None)
    assert thin.quote is not None
    assert (thin.quote.bid, thin.quote.ask) == (1.2, None), "0 is a side that nobody quotes, not a price"


def test_minute_that_is_not_over_is_not_final(recorded: Recorded) -> None:
    bars = parse_minutes(doc(recorded("alpaca/http_minutes.json")), NOW - 1)[ABC]
    first = 1_714_743_000_000_000
    assert bars[0] == Bar(ABC, 9.1, 9.2, 9.05, 9.11, 120400, first, first + MINUTE_US, LIVE)
    assert [bar.is_final for bar in bars] == [True, False]
    assert parse_minutes(doc(recorded("alpaca/http_minutes.json")), NOW)[ABC][1].is_final


def test_headlines_name_stocks_only(recorded: Recorded) -> None:
    assert parse_news(doc(recorded("alpaca/http_news.json")), NOW) == (
        Headline((ABC,), "ABC Cuts Its Guidance For The Year", "benzinga", 1_714_734_121_000_000, NOW, LIVE),
    )


def test_headline_that_tries_to_steer_the_terminal_loses_that_and_keeps_its_words() -> None:
    item = (
        b'{"news": [{"headline": "\\u001b]52;c;aGk=\\u0007Fraud\\u202e", "symbols": ["ABC"], '
        b'"created_at": "2024-05-03T11:02:01Z", "source": "x"}]}'
    )
    assert "Fraud" in parse_news(doc(item), NOW)[0].title
    assert "\x1b" not in parse_news(doc(item), NOW)[0].title
    assert "\u202e" not in parse_news(doc(item), NOW)[0].title


def test_listings(recorded: Recorded) -> None:
    found = parse_listings(doc(recorded("alpaca/http_assets.json")), NOW)
    assert found[0] == Listing(
        ABC, "NASDAQ", "Abc Works, Inc. Common Stock", ListingKind.STOCK, True, True, NOW, NOW, LIVE
    )
    assert [(one.instrument, one.kind, one.is_tradable) for one in found[1:]] == [
        ("FND.US", ListingKind.FUND, True),
        ("XYZ.WS.US", ListingKind.WARRANT, True),
        ("OTCCO.US", ListingKind.STOCK, False),
    ]


@pytest.mark.parametrize(
    ("symbol", "name", "kind"),
    [
        ("AAPL", "Apple Inc. Common Stock", "stock"),
        ("UNIT", "Uniti Group Inc. Common Stock", "stock"),
        ("RIGL", "Rigel Pharmaceuticals, Inc. Common Stock", "stock"),
        ("TQQQ", "ProShares UltraPro QQQ", "fund"),
        ("VXX", "iPath Series B S&P 500 VIX Short-Term Futures ETN", "fund"),
        ("ABCU", "Abc Acquisition Corp. Units, each consisting of one share", "unit"),
        ("ABC.U", "Abc Acquisition Corp.", "unit"),
        ("ABCW", "Abc Acquisition Corp. Warrant", "warrant"),
        ("ABC.WS.A", "Abc Corp.", "warrant"),
        ("ABCR", "Abc Acquisition Corp. Rights", "right"),
        ("ABC.PRA", "Abc Corp.", "preferred"),
        ("ABCP", "Abc Corp. 6.5% Series A Preferred Stock", "preferred"),
        ("ABCZ", "Abc Corp. 5.5% Notes due 2029", "debt"),
    ],
)
def test_kind_of_a_listing(symbol: str, name: str, kind: str) -> None:
    assert listing_kind(symbol, name).value == kind


@pytest.mark.parametrize(
    ("parse", "data", "says"),
    [
        (parse_daily, b'{"next_page_token": null}', "bars is missing"),
        (
            parse_daily,
            b'{"bars": {"ABC": [{"t": "2024-05-01T04:00:00Z", "o": 1}]}}',
            r"bars.ABC\[0\].h is missing",
        ),
        (parse_daily, b'{"bars": {"a b": []}}', "bars.a b stands under what is no symbol"),
        (parse_daily, b'{"bars": [1]}', "bars is not an object"),
        (parse_quotes, b'{"quotes": {"ABC": {"bp": "1", "ap": 2}}}', "quotes.ABC.bp is not a number"),
        (
            parse_quotes,
            b'{"quotes": {"ABC": {"bp": true, "ap": 2}}}',
            "quotes.ABC.bp is not a number, got 'True'",
        ),
        (parse_quotes, b'{"quotes": {"ABC": {"bp": -1, "ap": 2}}}', "quotes.ABC.bp is not between 0"),
        (parse_quotes, b'{"quotes": {"ABC": {"bp": 1, "ap": 2, "t": "noon"}}}', "quotes.ABC.t is not a time"),
        (parse_news, b'{"news": [{"headline": 5, "symbols": []}]}', r"news\[0\].headline is not a text"),
        (parse_listings, b'[{"symbol": "ABC", "class": "us_equity"}]', r"\[0\].name is missing"),
        (parse_calendar, b'[{"date": "2024-02-30"}]', r"\[0\].date is not a day"),
        (
            parse_calendar,
            b'[{"date": "2024-02-29", "open": "9:30", "close": "16:00"}]',
            r"\[0\].open is not a time",
        ),
        (
            parse_calendar,
            b'[{"date": "2024-02-29", "open": "16:00", "close": "09:30"}]',
            r"\[0\].close is not after the open",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(parse: Callable[[Doc, int], object], data: bytes, says: str) -> None:
    with pytest.raises(BadPayload, match=rf"^alpaca: {says}"):
        parse(doc(data), NOW)


def test_day_that_comes_twice_counts_once(online: Online, answer: Any, recorded: Recorded) -> None:
    again = recorded("alpaca/http_bars_1.json")
    bars, _ = use(
        online,
        answer(again),
        answer(again.replace(b'"QUJDfDE3MTQ2MjI0MDA="', b"null")),
        ask=lambda source: source.daily([ABC], date(2024, 5, 1), date(2024, 5, 2)),
    )
    assert len(bars[InstrumentId("ABC.US")]) == 2
