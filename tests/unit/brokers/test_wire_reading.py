"""The strict reader of venue payloads: limits, numbers, ids, words, instants."""

from decimal import Decimal
from typing import Any

import pytest

from brokers.wire import reading
from engine.errors import BadAnswer, BrokerError
from engine.model.orders import OrderSide

LIMIT = 10_000
LONE = "\ud800"
HOSTILE = (
    "\x1b[2J",
    "a\x00b",
    "\x9b31m",
    "a\u202eb",
    "a\u2066b",
    "\x1b]52;c;AAAA\x07",
    LONE,
    "a\nb",
    "\u0301" * 9,
)


class TestJson:
    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"", "not JSON"),
            (b"{", "not JSON"),
            (b'{"a":1} x', "not JSON"),
            (b"\xef\xbb\xbf{}", "not JSON"),
            (b'{"a":"\x1b"}', "not JSON"),
            (b"[]", "not an object"),
            (b"null", "not an object"),
            (b'"text"', "not an object"),
            (b'{"a":1,"a":2}', "at a: a key given twice"),
            (b'{"b":{"a":1,"a":1}}', "a key given twice"),
            (b'{"a":NaN}', "not finite"),
            (b'{"a":-Infinity}', "not finite"),
            (b'{"a":1e999}', "not a number"),
            (b'{"a":1e99}', "more than 18 places"),
            (b'{"a":' + b"9" * 33 + b"}", "33 characters, limit 32"),
            (b'{"a":0.' + b"1" * 40 + b"}", "42 characters, limit 32"),
            (b'{"a":"\xff"}', "not UTF-8"),
            ('{"a":1}'.encode("utf-16"), "not UTF-8"),
            (b'{"a":' + b"[" * 16 + b"]" * 16 + b"}", "more than 16 levels"),
            (b'{"a":' + b"[" * 100_000, "limit 10000"),
            (b'{"a":' + b'{"a":' * 1_900, "more than 16 levels"),
            (b" " * (LIMIT + 1), "10001 bytes, limit 10000"),
        ],
    )
    def test_refuses(self, data: bytes, why: str) -> None:
        with pytest.raises(BadAnswer) as caught:
            reading.read_json(data, LIMIT)
        assert why in caught.value.message
        assert caught.value.hint

    def test_reads_exact_numbers_and_deep_enough(self) -> None:
        data = b'{"a":' + b"[" * 15 + b"]" * 15 + b',"b":0.10,"c":-12,"d":1e2}'
        found = reading.read_json(data, LIMIT)
        assert (str(found["b"]), found["c"], str(found["d"])) == ("0.10", -12, "100")

    def test_brackets_inside_texts_are_not_levels(self) -> None:
        data = b'{"a":"[[[[[[[[[[[[[[[[[[[[ \\" {{{{{{{{{{"}'
        assert reading.read_json(data, LIMIT)["a"].startswith("[[[")

    @pytest.mark.parametrize("unit", [b'\\"[', b'"[', b"[\\", b'"\\', b"{", b"]["])
    def test_bombs_are_refused_and_no_quote_is_searched_from_in_vain(self, unit: bytes) -> None:
        data = b'{"a":"' + unit * (reading.MAX_FRAME_BYTES // len(unit) - 10)
        with pytest.raises(BadAnswer):
            reading.read_json(data, reading.MAX_FRAME_BYTES)
        # A search from a quote that finds no token reads to the end: one for each would be quadratic.
        assert b'"' not in reading._TOKENS.sub("", data.decode()).encode()

    def test_is_an_error_of_the_broker(self) -> None:
        assert issubclass(BadAnswer, BrokerError), "callers treat it as an answer that was lost"

    def test_message_is_safe_to_show(self) -> None:
        with pytest.raises(BadAnswer) as caught:
            reading.read_json('{"\x1b]52;c;AAAA\x07\u202e'.encode(), LIMIT)
        assert caught.value.message.isprintable()
        assert len(caught.value.message) < 250


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("10.25", "10.25"),
            ("-0.5", "-0.5"),
            (7, "7"),
            (Decimal("0.10"), "0.10"),
            ("1e-8", "1E-8"),
            ("1.5e3", "1500"),
            ("-0", "0"),
            ("0e18", "0"),
            ("0.000000000000000001", "1E-18"),
            ("9" * 32, "9" * 32),
        ],
    )
    def test_exact(self, value: object, expected: str) -> None:
        assert str(reading.decimal(value, "x")) == expected

    @pytest.mark.parametrize(
        "value",
        [
            "", " 1", "1 ", "1_000", "\u0661", "+1", ".5", "5.", "1,5", "0x1", "NaN", "sNaN", "Infinity",
            "-inf", "1e", "1e100", "1e-19", "1e19", "0.0000000000000000001", "9" * 33,
            None, True, [], {}, 1.5, "1\n",
        ],
    )  # fmt: skip
    def test_not_a_number(self, value: object) -> None:
        with pytest.raises(BadAnswer, match="at x"):
            reading.decimal(value, "x")

    @pytest.mark.parametrize(
        ("reader", "value"),
        [
            (reading.quantity, "-1"),
            (reading.quantity, "1000000000000.1"),
            (reading.positive, "0"),
            (reading.price, "0"),
            (reading.price, "-0.01"),
            (reading.price, "1000000001"),
            (reading.price, None),
            (reading.money, "1e16"),
            (reading.money, "-1e16"),
        ],
    )
    def test_out_of_range(self, reader: Any, value: object) -> None:
        with pytest.raises(BadAnswer, match="at k"):
            reader({"k": value}, "k")

    def test_price_may_be_missing_where_an_order_has_none(self) -> None:
        assert reading.price_or_none({}, "k") is None
        assert reading.price_or_none({"k": None}, "k") is None
        assert reading.price_or_none({"k": "2"}, "k") == 2

    def test_missing_key_is_named(self) -> None:
        with pytest.raises(BadAnswer, match="at fee: missing"):
            reading.money({}, "fee")


class TestTexts:
    @pytest.mark.parametrize("value", ["", "x" * 129, 5, None, [], *HOSTILE])
    def test_id_is_refused_not_cleaned(self, value: object) -> None:
        with pytest.raises(BadAnswer) as caught:
            reading.identifier({"k": value}, "k")
        assert caught.value.message.isprintable()

    @pytest.mark.parametrize("value", ["td01", "a b", "\u00e9t\u00e9", "x" * 128])
    def test_id_is_kept_exactly(self, value: str) -> None:
        assert reading.identifier({"k": value}, "k") == value

    @pytest.mark.parametrize("value", HOSTILE)
    def test_words_are_cleaned(self, value: str) -> None:
        said = reading.words({"k": f"no {value} money {'x' * 500}"}, "k")
        assert said.startswith("no ")
        assert len(said) <= 200
        assert not set(said) & set("\x00\x07\x1b\x9b\n\u202e\u2066" + LONE)

    def test_words_may_be_missing(self) -> None:
        assert reading.words({}, "k") == reading.words({"k": None}, "k") == ""
        with pytest.raises(BadAnswer, match="not a text"):
            reading.words({"k": 5}, "k")

    def test_word_of_a_closed_set(self) -> None:
        assert reading.word({"k": "buy"}, "k", OrderSide) is OrderSide.BUY
        for value in ("BUY", "hold", 1, None, []):
            with pytest.raises(BadAnswer, match="not one of buy, sell"):
                reading.word({"k": value}, "k", OrderSide)


class TestInstants:
    def test_microseconds(self) -> None:
        assert reading.time_us({"k": 1_451_917_800_000_000}, "k") == 1_451_917_800_000_000

    @pytest.mark.parametrize(
        "value", [1_451_917_800, 1_451_917_800_000, 0, -1, 10**18, "1451917800000000", True, None, Decimal(1)]
    )
    def test_other_units_and_types_are_refused(self, value: object) -> None:
        with pytest.raises(BadAnswer, match="at k"):
            reading.time_us({"k": value}, "k")


def test_lists_and_objects() -> None:
    assert reading.items([1], "k") == [1]
    for value in ({}, "x", None):
        with pytest.raises(BadAnswer, match="not a list"):
            reading.items(value, "k")
    with pytest.raises(BadAnswer, match="got 'a list of 3'"):
        reading.fields([1, 2, 3], "k")
    with pytest.raises(BadAnswer, match="got 'an object of 1'"):
        reading.items({"a": 1}, "k")
