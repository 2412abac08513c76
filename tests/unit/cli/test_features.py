"""`tradedeck features`: the catalogue as a person and as a program reads it."""

import json
from collections.abc import Callable
from typing import Any

from engine.features.declared import records

Deck = Callable[..., Any]


def test_all_features_stand_in_one_table(deck: Deck) -> None:
    ended = deck("features")
    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert lines[0].split()[:2] == ["id", "category"]
    assert len(lines) == 1 + len(records())
    (z5,) = [line for line in lines if line.startswith("z5 ")]
    assert z5.split() == ["z5", "technical", "both", "z", "real", "last", "bar", "1.0.0"]


def test_one_feature_says_what_it_is(deck: Deck) -> None:
    ended = deck("features", "rsi2")
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "rsi2 1.0.0  technical, for both",
        "  Wilder RSI of 2 bars (Connors & Alvarez 2009), 0..100.",
        "unit            index",
        "range           [0,100]",
        "may be missing  no",
        "max age         last bar",
        "first value     bar 3",
        "looks at        all bars before",
        "read from       close",
        "scaled by       minmax",
    ]


def test_one_of_stocks_and_tokens_is_told_of_both(deck: Deck) -> None:
    found = json.loads(deck("features", "market_cap_usd", "--json").out)
    assert [(one["for"], one["max_age_s"]) for one in found] == [("stocks", 86_400), ("tokens", 3_600)]


def test_an_input_of_the_challenger_is_outside_the_catalogue(deck: Deck) -> None:
    assert "outside the 127" in deck("features", "gap_atr").out
    assert "outside" not in deck("features", "gap_dn").out


def test_json_has_every_field_of_every_record(deck: Deck) -> None:
    found = json.loads(deck("features", "--json").out)
    assert {one["id"] for one in found} == {record.id for record in records()}
    (fade,) = [one for one in found if one["id"] == "volume_fade"]
    assert (fade["range"], fade["dtype"], fade["lookback"], fade["inputs"]) == (
        "[0,1]",
        "bool",
        10,
        ["volume"],
    )


def test_an_unknown_feature_is_refused_with_the_nearest(deck: Deck) -> None:
    ended = deck("features", "rsi3")
    assert ended.code == 2
    assert "no feature 'rsi3' is declared" in ended.err
    assert "rsi2" in ended.err
    assert "\x1b" not in deck("features", "x\x1b[31m").err
