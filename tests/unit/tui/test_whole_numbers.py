"""What does not fit leaves whole: a number is never shown without its last digits."""

from collections.abc import Sequence

import pytest

from tui.widgets.ink import Span, cut, cut_text

CASES = [
    ("budget used, next in 22 s", 24, "budget used, next in…"),
    ("sell 78 at 4.31", 12, "sell 78 at…"),
    ("buy 0 / sell 31 %", 16, "buy 0 / sell…"),
    ("head 14:50:02Z", 12, "head…"),
    ("up to 12,500", 10, "up to…"),
    ("SANMERIDIAN12", 12, "SANMERIDIAN…"),
    ("TOKEN1234567", 8, "TOKEN12…"),
    ("1234567", 4, "123…"),
    ("short", 5, "short"),
]


@pytest.mark.parametrize(("text", "width", "kept"), CASES)
def test_a_text_is_cut_before_its_last_number(text: str, width: int, kept: str) -> None:
    assert cut_text(text, width) == kept
    assert words_of(cut((Span(text),), width)) == kept


def test_a_line_of_spans_is_cut_before_the_number_that_does_not_fit() -> None:
    line = (Span("held "), Span("since 1,204,771 s"))
    assert words_of(cut(line, 16)) == "held since…"


def words_of(line: Sequence[Span]) -> str:
    return "".join(span.text for span in line)
