"""Whatever a provider answers: values, or a BadPayload that names the source. Never another error."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import BadPayload
from engine.model.ids import instrument_id
from engine.model.text import clean
from engine.sources import alpaca_data, cboe, edgar, halts, rss, yahoo
from engine.sources.reading import MAX_DEPTH, Doc, read_json

NOW = 1_714_743_900_000_000
ABC = instrument_id("ABC")
DATA = Path(__file__).parents[1] / "data"

JSON_PARSERS: dict[str, Callable[[Doc], object]] = {
    "alpaca/http_bars_1.json": lambda doc: (
        alpaca_data.parse_daily(doc, NOW),
        alpaca_data.next_page(doc, ""),
    ),
    "alpaca/http_minutes.json": lambda doc: alpaca_data.parse_minutes(doc, NOW),
    "alpaca/http_snapshots.json": lambda doc: alpaca_data.parse_snapshots(doc, NOW),
    "alpaca/http_quotes.json": lambda doc: alpaca_data.parse_quotes(doc, NOW),
    "alpaca/http_news.json": lambda doc: alpaca_data.parse_news(doc, NOW),
    "alpaca/http_assets.json": lambda doc: alpaca_data.parse_listings(doc, NOW),
    "alpaca/http_calendar.json": lambda doc: alpaca_data.parse_calendar(doc, NOW),
    "yahoo/http_chart.json": lambda doc: yahoo.parse_chart(doc, ABC),
    "edgar/http_tickers.json": lambda doc: edgar.parse_tickers(doc, NOW),
    "edgar/http_submissions.json": lambda doc: edgar.parse_submissions(doc, 1_000_001, ABC, NOW),
    "edgar/http_facts.json": lambda doc: edgar.parse_facts(doc, 1_000_001, NOW),
}
TEXT_PARSERS: dict[str, Callable[[bytes], object]] = {
    "cboe/http_vix.csv": cboe.parse_history,
    "rss/http_feed.xml": lambda data: rss.parse_feed(data, NOW),
    "rss/http_atom.xml": lambda data: rss.parse_feed(data, NOW, ABC),
    "halts/http_halts.xml": lambda data: halts.parse_halts(data, NOW),
}

HOSTILE: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    -1e308,
    5e-324,
    10**400,
    "",
    "NaN",
    "9" * 400,
    "\x1b]52;c;aGk=\x07",
    "\u202e\u0663\ud7ff",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2024-02-30T00:00:00Z",
    "2024-05-01T24:00:00+99:99",
    "0001-01-01",
    "1899-12-31",
    "9999-12-31",
    "2024-05-01",
    "x" * 10_000,
    [],
    [[]],
    {},
    {"": None},
]
FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refusal(parse: Callable[[Any], object], given_: Any) -> str | None:
    try:
        parse(given_)
    except BadPayload as error:
        return error.message
    return None


def parsed_or_refused(parse: Callable[[Any], object], given_: Any, source: str) -> None:
    message = refusal(parse, given_)
    if message is not None:
        assert message.startswith(f"{source}: ")
        assert len(message) < 400
        assert clean(message, 400) == message, "safe to show"


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document below its top."""
    children: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        children = list(document.items())
    elif isinstance(document, list):
        children = list(enumerate(document))
    return [place for key, one in children for place in ((*path, key), *places(one, (*path, key)))]


def changed(document: Any, place: tuple[Any, ...], how: Callable[[Any, Any], None]) -> Any:
    """A copy in which one place was changed."""
    copy = json.loads(json.dumps(document))
    below = copy
    for key in place[:-1]:
        below = below[key]
    how(below, place[-1])
    return copy


@pytest.mark.parametrize("name", JSON_PARSERS)
def test_every_value_missing_or_replaced_by_every_hostile_one(name: str) -> None:
    document, parse, source = (
        json.loads((DATA / name).read_text()),
        JSON_PARSERS[name],
        name.partition("/")[0],
    )
    for place in places(document):
        for value in HOSTILE:
            worse = changed(document, place, lambda below, key, value=value: below.__setitem__(key, value))
            parsed_or_refused(parse, Doc(worse, source), source)
        parsed_or_refused(
            parse, Doc(changed(document, place, lambda below, key: below.pop(key)), source), source
        )
    for value in HOSTILE:
        parsed_or_refused(parse, Doc(value, source), source)


@pytest.mark.parametrize("name", JSON_PARSERS)
@FEW
@given(data=st.data())
def test_damaged_bytes_of_json(name: str, data: st.DataObject) -> None:
    body, source = bytearray((DATA / name).read_bytes()), name.partition("/")[0]
    damage(body, data)
    parsed_or_refused(lambda given_: JSON_PARSERS[name](read_json(given_, source)), bytes(body), source)


@pytest.mark.parametrize("name", TEXT_PARSERS)
@FEW
@given(data=st.data())
def test_damaged_bytes_of_text(name: str, data: st.DataObject) -> None:
    body, source = bytearray((DATA / name).read_bytes()), name.partition("/")[0]
    damage(body, data)
    parsed_or_refused(TEXT_PARSERS[name], bytes(body), source)


def damage(body: bytearray, data: st.DataObject) -> None:
    """Bytes overwritten, taken out, doubled, and the end cut off."""
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(body) - 1)))
        kind = data.draw(st.sampled_from(["write", "remove", "double", "cut", "insert"]))
        if kind == "write":
            body[at : at + 1] = data.draw(st.binary(min_size=1, max_size=3))
        elif kind == "remove":
            del body[at : at + data.draw(st.integers(1, 40))]
        elif kind == "double":
            body[at:at] = body[at : at + data.draw(st.integers(1, 80))]
        elif kind == "insert":
            body[at:at] = data.draw(
                st.sampled_from([b"NaN", b"1e999", b"null", b"-", b"{", b"&x;", b"\xff", b"9" * 30])
            )
        else:
            del body[at:]


@FEW
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), st.lists))
def test_any_json_is_read_as_it_is_or_refused(value: object) -> None:
    text = json.dumps(value)
    try:
        found = read_json(text.encode(), "any").value
    except BadPayload:
        assert "NaN" in text or "Infinity" in text or text.count("[") > MAX_DEPTH or "\\ud" in text
        return
    assert (
        found == pytest.approx(value, nan_ok=False) if isinstance(value, float) else found == json.loads(text)
    )


@pytest.mark.parametrize(("levels", "ok"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False), (100_000, False)])
def test_levels_have_a_limit_and_brackets_in_texts_are_none(levels: int, ok: bool) -> None:
    assert read_json(b'["' + b"[" * 1000 + b'"]', "any").value
    data = b"[" * levels + b"]" * levels
    if ok:
        read_json(data, "any")
        return
    with pytest.raises(BadPayload, match="more than 24 levels"):
        read_json(data, "any")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "[1,]", "'a'", "01", "9" * 5000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(BadPayload, match="any: "):
        read_json(text.encode(), "any").number(0, 1)


@given(st.integers(-2_000_000_000_000_000, 4_000_000_000_000_000))
def test_time_is_read_to_the_microsecond_whatever_its_offset(instant_us: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant_us)
    for zone in (UTC, timezone(timedelta(hours=-4)), timezone(timedelta(hours=5, minutes=30))):
        assert Doc(at.astimezone(zone).isoformat(), "any").instant_us() == instant_us
    assert Doc(at.date().isoformat(), "any").day() == at.date()
    assert Doc("2024-02-29", "any").day() == date(2024, 2, 29)
