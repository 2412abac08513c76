"""What happened to a bracket and what happens next: facts normal, next steps muted with their time."""

from datetime import UTC, datetime

from tui import format as fmt
from tui.actions import Place
from tui.bracketwords import why_no_cancel, why_no_close, why_no_question
from tui.shown.deck import BracketView
from tui.shown.details import BracketDetail, StoryLine
from tui.widgets.freepane import FreePane
from tui.widgets.ink import EMPTY, Line, Span, wrap
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title

STAMP = 11
"""Cells of a time: `11-05 14:51`, `next 4:34`."""
_GAP = 2


def story_lines(detail: BracketDetail, look: Look, width: int) -> tuple[list[Line], list[Line]]:
    """Facts, oldest first, and next steps, soonest first."""
    facts: list[Line] = []
    steps: list[Line] = []
    timed = 0
    for line in detail.story:
        if line.is_next:
            timed += line.ts is not None
            steps += _told(_due(line, look, is_first=timed == 1), line.words, width, "-muted")
        else:
            facts += _told(_stamp(line.ts, look.now_us), line.words, width, "")
    return facts, steps


def _told(stamp: str, words: str, width: int, ink: str) -> list[Line]:
    parts = wrap(words, max(width - STAMP - _GAP, 20))
    blank = " " * (STAMP + _GAP)
    lead = f"{stamp[:STAMP].ljust(STAMP)}{' ' * _GAP}"
    return [(Span(blank if at else lead, "-muted"), Span(part, ink)) for at, part in enumerate(parts)]


def _stamp(ts: int | None, now_us: int) -> str:
    if ts is None:
        return ""
    if fmt.date_utc(ts) == fmt.date_utc(now_us):
        return fmt.clock_short(ts)
    return f"{datetime.fromtimestamp(ts / fmt.US_PER_S, UTC):%m-%d %H:%M}"


def _due(line: StoryLine, look: Look, *, is_first: bool) -> str:
    if line.ts is None:
        return "then"
    return f"{'next' if is_first else 'in'} {fmt.countdown(line.ts - look.now_us)}"


class StoryPane(FreePane):
    """About the selected bracket; while nobody scrolls in it, now is in sight."""

    place = Place.STORY
    chosen: BracketView | None = None
    """The bracket that the screen has selected."""

    def heading(self, look: Look) -> Title:
        row = self.chosen
        return Title("What happens now", "" if row is None else f"B-{row.number} {row.symbol}")

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        row, detail = self.chosen, look.detail
        if row is None:
            return Emptiness("No bracket is selected", ())
        if not isinstance(detail, BracketDetail) or detail.ticket != row.ticket:
            return [(Span("Reading the journal.", "-muted"),)]
        facts, steps = story_lines(detail, look, width)
        hints = [EMPTY, _can(row)] if _can(row) else []
        lines = [*facts, *steps, *hints]
        if not self.active:
            self._first = max(min(len(facts) - 2, len(lines) - height), 0)
        return lines


def _can(row: BracketView) -> Line:
    """Which keys do something now."""
    found = []
    if not why_no_question(row):
        found.append(("v", "ask the venue now"))
    if not why_no_cancel(row):
        found.append(("x", "cancel the rest of the entry" if row.held > 0 else "cancel the entry"))
    if not why_no_close(row):
        found.append(("X", "close the position"))
    spans = [Span("You can", "-muted")] if found else []
    for key, words in found:
        spans += [Span("  "), Span(key, "-accent -bold"), Span(f" {words}", "-muted")]
    return tuple(spans)
