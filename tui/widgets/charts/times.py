"""The texts below a chart: times, and where sessions begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tui.format import US_PER_DAY, US_PER_S
from tui.widgets.charts.graph import Graph, drawn, words
from tui.widgets.ink import Line


@dataclass(frozen=True, slots=True)
class Mark:
    """A text below the plot. `at`: 0.0 is the first value of the chart, 1.0 the last one."""

    at: float
    text: str
    divides: bool = False
    """A new session begins here: a `│` stands before the text."""


def time_row(marks: Sequence[Mark], drawn_width: int, width: int, graph: Graph) -> Line:
    """The texts below a plot whose values take the first `drawn_width` of `width` columns.

    A divider always stands; the text of a divider and the first text come before the last one and those
    between; what has no room shrinks to its first word or leaves.
    """
    chars = [" "] * width
    ordered = [*marks[:1], *(mark for mark in marks[1:] if mark.divides)]
    ordered += [mark for mark in reversed(marks[1:]) if not mark.divides]
    for mark in ordered:
        start = min(max(round(mark.at * (drawn_width - 1)), 0), width - 1)
        if mark.divides:
            chars[start] = words("│", graph)
    for mark in ordered:
        start = min(max(round(mark.at * (drawn_width - 1)), 0), width - 1)
        for text in dict.fromkeys((words(mark.text, graph), words(mark.text, graph).split(" ")[0])):
            at = start + 1 if mark.divides else min(start, width - len(text))
            if _is_free(chars, at, len(text), after_divider=mark.divides):
                chars[at : at + len(text)] = text
                break
    return (drawn("".join(chars), "-muted"),)


def _is_free(chars: list[str], start: int, length: int, *, after_divider: bool) -> bool:
    """Whether a text stands in blank cells, with a blank or a divider around it."""
    if start < 0 or start + length > len(chars):
        return False
    before = chars[max(start - 1, 0) : start]
    after = chars[start + length : start + length + 1]
    near = [*([] if after_divider else before), *(char for char in after if char not in "│|")]
    return all(char == " " for char in (*chars[start : start + length], *near))


def time_marks(start_us: int, end_us: int, *, last: str = "now", count: int = 3) -> tuple[Mark, ...]:
    """`count` evenly spaced UTC times of start..end and `last` at the right end.

    Dates from two days up (`Aug 22`), else the time of day (`15:00Z`).
    """
    span = end_us - start_us
    shape = "%b %d" if span >= 2 * US_PER_DAY else "%H:%MZ"
    times = [start_us + span * at // count for at in range(count)]
    texts = [datetime.fromtimestamp(time / US_PER_S, UTC).strftime(shape) for time in times]
    return (*(Mark(at / count, text) for at, text in enumerate(texts)), Mark(1.0, last))
