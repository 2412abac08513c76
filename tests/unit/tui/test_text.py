"""Cleaning of text from outside (RELIABILITY 9)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.text import MAX_LENGTH, clean, harmless, visible


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain text", "plain text"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x9b31mb", "ab"),
        ("x\x1b]52;c;ZXZpbA==\x07y", "xy"),
        ("x\x1b]52;c;ZXZpbA==\x1b\\y", "xy"),
        ("x\x9d0;title\x9cy", "xy"),
        ("x\x1bPq#0\x1b\\y", "xy"),
        ("x\x1b]never ends", "xnever ends"),
        ("x\x1b(0y\x1bcz", "xyz"),
        ("nul\x00bel\x07del\x7f", "nulbeldel"),
        ("one\ntwo\tthree\u2028four", "one two three four"),
        ("abc\u202edcba\u2066x\u200b", "abcdcbax"),
        ("private \ue000 surrogate \ud800", "private  surrogate "),
        ("PEPE[/] [@click=app.x()]", "PEPE[/] [@click=app.x()]"),
    ],
)
def test_sequences_go_as_units_and_format_characters_alone(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


def test_at_most_two_combining_marks_stay() -> None:
    assert clean("e" + "\u0301" * 40 + "x") == "e\u0301\u0301x"


def test_at_most_two_hundred_characters_stay() -> None:
    assert len(clean("a" * 500)) == MAX_LENGTH
    assert len(clean("é" * 500)) == MAX_LENGTH


@given(st.text(st.characters(codec=None), max_size=300))
def test_nothing_dangerous_survives(text: str) -> None:
    result = clean(text)
    assert len(result) <= MAX_LENGTH
    assert not {unicodedata.category(char) for char in result} & {"Cc", "Cf", "Cs", "Co"}
    assert clean(result) == result


@given(st.text(max_size=60))
def test_visible_is_printable_ascii_and_tells_texts_apart(text: str) -> None:
    result = visible(text)
    assert result.isascii()
    assert result.isprintable() or result == ""


def test_visible_escapes_instead_of_dropping() -> None:
    assert visible('{"sym":"A\u202eB"}') == '{"sym":"A\\u202eB"}'
    assert visible("\U0001f600") == "\\U0001f600"


def test_a_longer_limit_keeps_more() -> None:
    assert len(clean("a" * 900, 500)) == len(clean("\u00e9" * 900, 500)) == 500


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain [text]", "plain [text]"),
        ("\u5e02\u5834 \u00e9", "\u5e02\u5834 \u00e9"),
        ("one\n\ttwo", "one\n\ttwo"),
        ("\x1b[2J\x9b\x00", "\\u001b[2J\\u009b\\u0000"),
        ("\u2028\u202e\ufeff\ud800", "\\u2028\\u202e\\ufeff\\ud800"),
        ("\U000f0000", "\\U000f0000"),
    ],
)
def test_a_log_shows_everything_and_obeys_nothing(dirty: str, expected: str) -> None:
    assert harmless(dirty) == expected
