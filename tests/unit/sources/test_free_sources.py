"""Yahoo, Cboe, news feeds and halts: what their answers mean."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.clock import LiveClock
from engine.errors import BadPayload
from engine.http import Reach, open_client
from engine.model.company import Halt, is_enough_evidence
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import Headline, Provenance
from engine.ports import BarColumns
from engine.sources.cboe import VIX, parse_history
from engine.sources.halts import parse_halts
from engine.sources.reading import read_json
from engine.sources.rss import Rss, parse_feed
from engine.sources.yahoo import Yahoo, parse_chart, yahoo_symbol

NOW = 1_714_743_900_000_000  # 2024-05-03 13:45 UTC
ABC, BRK, XYZ = (instrument_id(symbol) for symbol in ("ABC", "BRK.B", "XYZ"))
LIVE = Provenance.LIVE
Online = Callable[[Callable[[Any], Any]], Any]
Recorded = Callable[[str], bytes]


def chart(data: bytes, instrument: InstrumentId = ABC) -> BarColumns | None:
    return parse_chart(read_json(data, "yahoo"), instrument)


def test_chart_is_adjusted_and_rows_without_trades_are_left_out(recorded: Recorded) -> None:
    bars = chart(recorded("yahoo/http_chart.json"))
    assert bars is not None
    assert bars.day.astype(str).tolist() == ["2024-05-01", "2024-05-03"]
    assert bars.open.tolist() == [5.0, 9.1], "the first day was 10.0 before a dividend of half of it"
    assert bars.close.tolist() == pytest.approx([5.1, 9.0])
    assert bars.volume.tolist() == [1204300, 4100200]


def test_chart_of_a_time_without_trades_is_none() -> None:
    empty = (
        b'{"chart": {"result": [{"meta": {"symbol": "ABC"}, "indicators": {"quote": [{}]}}], "error": null}}'
    )
    assert chart(empty) is None
    assert chart(b'{"chart": {"result": [], "error": null}}') is None


def test_chart_of_another_symbol_is_refused(recorded: Recorded) -> None:
    with pytest.raises(BadPayload, match=r"yahoo: chart.result\[0\].meta.symbol is not XYZ, got 'ABC'"):
        chart(recorded("yahoo/http_chart.json"), XYZ)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'"high": [10.4, null, 9.3]', b'"high": [10.4, null]', r"quote\[0\].high has 2 rows, not 3"),
        (b'"close": [10.2, null, 9.0]', b'"close": [0, null, 9.0]', r"close\[0\] must be above 0"),
        (
            b'"adjclose": [5.1, null, 9.0]',
            b'"adjclose": [1e-9, null, 9.0]',
            r"adjclose\[0\] is .* times the close",
        ),
        (
            b"[1714570200, 1714656600, 1714743000]",
            b"[1714743000, 1714656600, 5]",
            r"timestamp\[1\] comes before",
        ),
        (b'"quote": [{', b'"quote": [], "x": [{', "indicators.quote is empty"),
    ],
)
def test_damaged_chart_is_named(recorded: Recorded, old: bytes, new: bytes, says: str) -> None:
    data = recorded("yahoo/http_chart.json")
    assert old in data
    with pytest.raises(BadPayload, match=says):
        chart(data.replace(old, new))


@pytest.mark.parametrize(("ours", "theirs"), [("BRK.B", "BRK-B"), ("VIX", "^VIX"), ("ABC", "ABC")])
def test_symbols_as_yahoo_writes_them(ours: str, theirs: str) -> None:
    assert yahoo_symbol(instrument_id(ours)) == theirs


def test_symbol_that_yahoo_does_not_know_has_no_bars(online: Online, answer: Any) -> None:
    async def main(server: Any) -> None:
        server.then(answer(b'{"chart": {"result": null}}', status=404))
        async with open_client(Reach(frozenset(), loopback=True)) as client:
            yahoo = Yahoo(client, LiveClock(NOW), url=server.url)
            assert await yahoo.daily(VIX, date(2024, 5, 1), date(2024, 5, 3)) is None
        assert server.requests[0][0].startswith("/v8/finance/chart/%5EVIX?interval=1d&period1=1714536000&")

    online(main)


def test_best_effort_alone_is_not_evidence() -> None:
    assert not is_enough_evidence(["yahoo"])
    assert not is_enough_evidence([])
    assert is_enough_evidence(["yahoo", "alpaca"])


def test_history_of_the_vix(recorded: Recorded) -> None:
    bars = parse_history(recorded("cboe/http_vix.csv"))
    assert bars.instrument == VIX
    assert bars.day.astype(str).tolist() == ["2024-05-01", "2024-05-02", "2024-05-03"]
    assert bars.close.tolist() == [15.39, 14.68, 13.49]
    assert bars.volume.tolist() == [0, 0, 0]
    assert np.all(bars.event_ratio == 1)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("05/06/2024,13.9,14,13,nan", "CLOSE 'nan' is not a number"),
        ("05/06/2024,13.9,14,13,151", "CLOSE '151' is not a number of 5 to 150"),
        ("05/06/2024,13.9,14,13", "4 values, not 5"),
        ("2024-05-06,13.9,14,13,13.5", "DATE '2024-05-06' is not a day"),
        ("13/01/2024,13.9,14,13,13.5", "DATE '13/01/2024' is not a day"),
        ("05/02/2024,13.9,14,13,13.5", "DATE 2024-05-02 does not come after"),
    ],
)
def test_damaged_row_of_the_vix_is_named(recorded: Recorded, line: str, says: str) -> None:
    with pytest.raises(BadPayload, match=f"cboe: VIX_History.csv row 5: {says}"):
        parse_history(recorded("cboe/http_vix.csv") + line.encode())


@pytest.mark.parametrize(
    "data", [b"", b"DATE,CLOSE\n01/02/2024,13\n", b"DATE,OPEN,HIGH,LOW,CLOSE\n", b"\xff\xfe\x00"]
)
def test_file_without_its_columns_or_rows_is_refused(data: bytes) -> None:
    with pytest.raises(BadPayload, match=r"^cboe: "):
        parse_history(data)


def test_feed_names_companies_by_their_exchange(recorded: Recorded) -> None:
    told = 1_714_734_060_000_000
    title = "Abc Works (NASDAQ: ABC) Announces $40 Million Public Offering & Warrants"
    assert parse_feed(recorded("rss/http_feed.xml"), NOW) == (
        Headline((ABC, instrument_id("XYZ.A")), title, "Example Newswire", told, NOW, LIVE),
        Headline((BRK,), "Holding (NYSE: BRK.B) says nothing about when", "Example Newswire", NOW, NOW, LIVE),
    )


def test_feed_of_one_symbol_is_about_that_one(recorded: Recorded) -> None:
    (item,) = parse_feed(recorded("rss/http_atom.xml"), NOW + 3_600_000_000 * 24, XYZ)
    assert item.instruments == (XYZ,)
    assert item.title == "Abc Works resigns its auditor"
    assert item.ts_event == 1_714_748_310_000_000, "when it was published, with its offset"


def test_item_from_the_future_or_without_a_readable_time_counts_as_told_now(recorded: Recorded) -> None:
    feed = recorded("rss/http_atom.xml")
    assert parse_feed(feed, NOW, ABC)[0].ts_event == NOW
    broken = feed.replace(b"2024-05-03T10:58:30-04:00", b"today").replace(
        b"2024-05-03T10:59:00Z", b"2024-99-99"
    )
    assert parse_feed(broken, NOW, ABC)[0].ts_event == NOW


def test_feed_by_symbol_is_asked_once_for_each(online: Online, answer: Any, recorded: Recorded) -> None:
    async def main(server: Any) -> None:
        server.then(answer(recorded("rss/http_atom.xml"), kind="application/atom+xml"))
        async with open_client(Reach(frozenset(), loopback=True)) as client:
            feed = Rss(client, server.url + "/feed?s={symbol}", LiveClock(NOW))
            assert feed.is_by_symbol
            found = await feed.headlines([ABC, BRK])
        assert [item.instruments for item in found] == [(ABC,), (BRK,)]
        assert [target for target, _ in server.requests] == ["/feed?s=ABC", "/feed?s=BRK.B"]

    online(main)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss><channel><title>&b;</title></channel></rss>"""
DISK = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel>&x;</channel></rss>"""


@pytest.mark.parametrize("data", [BOMB, DISK, b"<!DOCTYPE html><html></html>"])
def test_document_type_and_entities_are_refused(data: bytes) -> None:
    with pytest.raises(BadPayload, match="rss: the answer declares a document type"):
        parse_feed(data, NOW)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<html></html>", "the answer is a 'html'"),
        (b"<rss></rss>", "rss.channel is missing"),
        (b"<rss>" + b"<a>" * 40, "levels"),
        (b"<rss>" + b"<a/>" * 50_001 + b"</rss>", "elements"),
        (b'<?xml version="1.0" encoding="klingon"?><rss/>', "the answer"),
        (b"<rss>&nbsp;</rss>", "not XML"),
    ],
)
def test_what_is_no_feed_is_named(data: bytes, says: str) -> None:
    with pytest.raises(BadPayload, match=rf"^rss: .*{says}"):
        parse_feed(data, NOW)


def test_halts_of_new_york_time_oldest_first(recorded: Recorded) -> None:
    halts = parse_halts(recorded("halts/http_halts.xml"), NOW)
    first, second = halts[ABC]
    assert first == Halt(ABC, "LUDP", 1_714_743_900_000_000, 1_714_743_600_000_000, NOW, LIVE)
    assert second.ts_event > first.ts_event
    assert halts[XYZ][0].resumed_us is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            b"<ndaq:HaltTime>09:51:10",
            b"<ndaq:HaltTime>25:51:10",
            "item.HaltDate 05/03/2024 25:51:10 is no time",
        ),
        (b"<ndaq:HaltTime>09:51:10", b"<ndaq:HaltTime>soon", "item.HaltTime cannot be read, got 'soon'"),
        (
            b"<ndaq:ResumptionTradeTime>09:56:10",
            b"<ndaq:ResumptionTradeTime>?",
            "item.ResumptionTradeTime cannot",
        ),
    ],
)
def test_damaged_halt_is_named(recorded: Recorded, old: bytes, new: bytes, says: str) -> None:
    data = recorded("halts/http_halts.xml")
    assert old in data
    with pytest.raises(BadPayload, match=f"halts: {says}"):
        parse_halts(data.replace(old, new), NOW)
