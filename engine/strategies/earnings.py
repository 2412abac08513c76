"""When a company tells its results, as far as that can be known (SPEC 3.2.6, 3.9).

The past is told by its 8-K filings with item 2.02. The next one comes about a quarter after the last; a date
that the person wrote down takes the place of that guess.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

RESULTS_ITEM = "2.02"
"""Of form 8-K: results of operations and financial condition."""
PERIOD = timedelta(days=91)
SPREAD = timedelta(days=7)
_REPORT = re.compile(
    r"\b(?:(?:first|second|third|fourth|q[1-4]|quarterly|full[- ]year|annual)\W+(?:\w+\W+){0,3}?"
    r"(?:results?|earnings|revenues?|profits?|loss(?:es)?)|"
    r"(?:reports?|reported|posts?|posted|announces?|announced)\W+(?:\w+\W+){0,4}?(?:results|earnings)|"
    r"earnings\W+(?:beat|miss|surprise|per\W+share|report|release|call)\w*|"
    r"eps\W+of|8-?k\W+(?:\w+\W+){0,3}?2\.02)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class EarningsWindow:
    """Days from `first` to `last` on which results were or may be told; one day where it is known."""

    first: date
    last: date
    words: str
    """Where it comes from: `results of 2026-02-03`, `expected 2026-05-05 +-7 d`."""


@dataclass(frozen=True, slots=True)
class EarningsView:
    """`windows` around which nothing is entered. `unknown`: why the next one is not known; "" when it is."""

    windows: tuple[EarningsWindow, ...]
    unknown: str


def earnings_view(told: Sequence[date], written: Sequence[date], session: date) -> EarningsView:
    """What is known of a company's results on `session`. `told`: days of its 8-K items 2.02 known by then.

    `written`: days that the person wrote down, past or to come; one of them from the session on is the next.
    """
    past = sorted({day for day in (*told, *written) if day <= session})
    windows = [EarningsWindow(past[-1], past[-1], f"results of {past[-1]}")] if past else []
    ahead = sorted(day for day in written if day >= session)
    if ahead:
        windows.append(EarningsWindow(ahead[0], ahead[0], f"results on {ahead[0]}, as written down"))
        return EarningsView(tuple(windows), "")
    if not past:
        return EarningsView((), "no filing of results is known, so neither is the next one")
    due = past[-1] + PERIOD
    if due + SPREAD < session:
        why = f"the last results are of {past[-1]}, the next were due by {due + SPREAD}"
        return EarningsView(tuple(windows), f"{why}: they may come on any day")
    words = f"results expected {due} +-{SPREAD.days} d"
    windows.append(EarningsWindow(due - SPREAD, due + SPREAD, words))
    return EarningsView(tuple(windows), "")


def sessions_away(window: EarningsWindow, session: date, between: Callable[[date, date], int]) -> int:
    """How many sessions lie between a session and the nearest day of a window; 0 inside of it.

    `between` counts the sessions of a span, both days included.
    """
    if window.first <= session <= window.last:
        return 0
    if session < window.first:
        return between(session, window.first) - 1
    return between(window.last, session) - 1


def is_earnings_headline(title: str) -> bool:
    """Whether a cleaned title tells the results of a company."""
    return _REPORT.search(title) is not None
