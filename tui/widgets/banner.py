"""Rows above the panes when something is not as usual (design 6): the state, then what else stops entries."""

from typing import TYPE_CHECKING

from tui import format as fmt
from tui.widgets.board import Board
from tui.widgets.ink import Line, Span, cut_text, pad
from tui.widgets.statusbar import WIDE

if TYPE_CHECKING:
    from tui.shown.deck import HeaderView, Restriction
    from tui.widgets.look import Look

MOST_ROWS = 4
"""The panes need the others; what is left out is counted."""


class Banner(Board):
    """Empty when there is nothing to say; its height is the number of its lines."""

    def show(self, look: "Look", width: int) -> int:
        """Draw it and say how many rows it takes."""
        lines = banner_lines(look, width)
        self.show_lines([pad(line, width) for line in lines])
        return len(lines)


def starting_line(brackets: int | None) -> Line:
    """While the engine reads its books."""
    found = "" if brackets is None else f", {brackets} bracket{'' if brackets == 1 else 's'} to reconcile"
    words = f"Reading the journal{found}. Nothing is sent before that is done."
    return (Span("▎", "-attention"), Span(" "), Span("◐ STARTING", "-attention -bold"), Span(f"  {words}"))


def banner_lines(look: "Look", width: int) -> list[Line]:
    """The state that matters most now, and under it the limits that are in force."""
    lines = _state_lines(look, width)
    if look.detached:
        return lines
    found = look.view.header.restrictions
    room = MOST_ROWS - len(lines)
    lines += [_restriction(each, width) for each in found[:room]]
    if len(found) > room:
        more = f"{len(found) - room + 1} more limits are in force: tradedeck status"
        lines[-1] = _marked("-danger", "■", f" {more}")
    return lines


def _restriction(limit: "Restriction", width: int) -> Line:
    """The command is never cut: the words before it are."""
    ink, glyph = ("-danger", "■") if limit.is_stop else ("-attention", "◐")
    how = "   To end it: " if width >= WIDE - 2 else "  "
    tail = f"{how}{limit.command}" if limit.command else ""
    words = cut_text(limit.text, width - 4 - len(tail))
    ends = (Span(how, "-muted"), Span(limit.command, "-accent")) if limit.command else ()
    return (*_marked(ink, glyph, f" {words}"), *ends)


def _state_lines(look: "Look", width: int) -> list[Line]:
    header = look.view.header
    wide = width >= WIDE - 2
    if look.detached:
        return _detached(look, wide=wide)
    if look.halted:
        return _halted(header, width)
    if header.market.stale:
        return [_stale(header.market.stale, wide=wide)]
    if header.engine_state == "STARTING":
        return [starting_line(len(look.view.brackets))]
    if header.engine_state == "STOPPED":
        return [_marked("-danger", "■ STOPPED", f"  {header.engine_reason or 'The engine has ended.'}")]
    if header.engine_state == "DEGRADED":
        return [_marked("-attention", "◐ DEGRADED", f"  {header.engine_reason}")]
    return []


def _marked(ink: str, name: str, words: str) -> Line:
    return (Span("▎", ink), Span(" "), Span(name, f"{ink} -bold"), Span(words))


def _detached(look: "Look", *, wide: bool) -> list[Line]:
    ago = fmt.elapsed(look.silent_us)
    if wide:
        return [
            _marked("-danger", "○ DETACHED", f"  Console lost the engine {ago} ago, trying again."),
            (
                Span("▎", "-danger"),
                Span("   The engine trades on by its own rules; your keys do nothing now.", "-muted"),
            ),
        ]
    words = f" {ago} ago, trying again. The engine trades on; keys do nothing."
    return [_marked("-danger", "○ DETACHED", words)]


def _stale(what: str, *, wide: bool) -> Line:
    if wide:
        return _marked(
            "-attention",
            "~ STALE",
            f"  {what}.  ~ marks old values. Approving is off until a fresh quote. Venue stops work.",
        )
    return _marked("-attention", "~ STALE", f" {what}. ~ marks old values. Approving is off.")


def _halted(header: "HeaderView", width: int) -> list[Line]:
    at = fmt.clock_utc(header.engine_since_us)
    now = f"(now: {unknown_words(header.unknown_orders)})" if header.unknown_orders else "(now: clean)"
    now_ink = "-danger" if header.unknown_orders else "-up"
    bar = Span("▎", "-danger")
    if width >= WIDE - 2:
        stops = f".  No new orders. {_cancelled(header)}{_kept(header, 'positions keep their stop')}"
        reason = cut_text(header.engine_reason.rstrip("."), width - 22 - len(stops))
        return [
            _marked("-danger", "■ HALTED", f"  {at} {reason}{stops}"),
            (
                bar,
                Span("   To trade again: ", "-muted"),
                Span("R", "-accent -bold"),
                Span(" resume, possible when reconciliation is clean ", "-muted"),
                Span(now, now_ink),
            ),
        ]
    said, _, why = header.engine_reason.rstrip(".").partition(" (")
    if said == "by engine" and why:
        # A person knows why they halted; what the engine stopped by itself needs its reason most.
        said = why.removesuffix(")")
    cancelled = _cancelled(header)
    forms = [
        f". No new orders. {cancelled}{_kept(header, 'positions keep a stop')}",
        f". No new orders. {cancelled}{_kept(header, 'keep a stop')}",
    ]
    if cancelled:
        forms.append(f". {cancelled}{_kept(header, 'keep a stop')}")
    room = width - 21
    stops = next((form for form in forms if len(said) + len(form) <= room), forms[-1])
    reason = cut_text(said, room - len(stops))
    return [
        _marked("-danger", "■ HALTED", f" {at} {reason}{stops}"),
        (
            bar,
            Span(" "),
            Span("R", "-accent -bold"),
            Span(" resume when reconciliation is clean ", "-muted"),
            Span(now, now_ink),
        ),
    ]


def _cancelled(header: "HeaderView") -> str:
    """`1 entry cancelled. `; "" where none was working."""
    ended, working = header.entries_cancelled, header.entries_working
    if not ended and not working:
        return ""
    done = f"{ended} {'entry' if ended == 1 else 'entries'} cancelled"
    return f"{done}, {working} still working. " if working else f"{done}. "


def _kept(header: "HeaderView", words: str) -> str:
    if not header.positions:
        return "No position is open."
    return f"{header.protected} of {header.positions} {words}."


def unknown_words(count: int) -> str:
    """`1 order UNKNOWN`."""
    return f"{count} order{'' if count == 1 else 's'} UNKNOWN"
