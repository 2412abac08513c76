"""One or two rows above the panes when something is not as usual (design 6, exact words)."""

from tui import format as fmt
from tui.views import HeaderView
from tui.widgets.board import Board
from tui.widgets.ink import Line, Span, cut_text, pad
from tui.widgets.look import Look
from tui.widgets.statusbar import WIDE


class Banner(Board):
    """Empty when there is nothing to say; its height is the number of its lines."""

    def show(self, look: Look, width: int) -> int:
        """Draw it and say how many rows it takes."""
        lines = banner_lines(look, width)
        self.show_lines([pad(line, width) for line in lines])
        return len(lines)


def starting_line(brackets: int | None) -> Line:
    """While the engine reads its books."""
    found = "" if brackets is None else f", {brackets} bracket{'' if brackets == 1 else 's'} to reconcile"
    words = f"Reading the journal{found}. Nothing is sent before that is done."
    return (Span("▎", "-attention"), Span(" "), Span("◐ STARTING", "-attention -bold"), Span(f"  {words}"))


def banner_lines(look: Look, width: int) -> list[Line]:
    """The one banner that matters most now."""
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


def _detached(look: Look, *, wide: bool) -> list[Line]:
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


def _halted(header: HeaderView, width: int) -> list[Line]:
    at = fmt.clock_utc(header.engine_since_us)
    now = f"(now: {unknown_words(header.unknown_orders)})" if header.unknown_orders else "(now: clean)"
    now_ink = "-danger" if header.unknown_orders else "-up"
    bar = Span("▎", "-danger")
    if width >= WIDE - 2:
        stops = f".  No new orders. {_kept(header, 'positions keep their stop')}"
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
    said = header.engine_reason.rstrip(".").partition(" (")[0]
    forms = [f". No new orders. {_kept(header, words)}" for words in ("positions keep a stop", "keep a stop")]
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


def _kept(header: HeaderView, words: str) -> str:
    if not header.positions:
        return "No position is open."
    return f"{header.protected} of {header.positions} {words}."


def unknown_words(count: int) -> str:
    """`1 order UNKNOWN`."""
    return f"{count} order{'' if count == 1 else 's'} UNKNOWN"
