"""The small drawings of the console as spans: bracket rail, time bar, gauge."""

from decimal import Decimal

from tui.widgets.ink import Line, Span, spread, width_of

Price = Decimal | float


def rail(
    width: int, stop: Price, target: Price, entry: Price | None, last: Price | None, ink: str = ""
) -> Line:
    """`├───┼━━●────┤`: stop, entry, last, target. Ends clamp; `ink` replaces the colors of a passive row."""
    inner = max(width - 2, 1)
    low, high = float(stop), float(target)
    cells = ["─"] * inner
    entry_at = None if entry is None else _cell(float(entry), low, high, inner)
    last_at = None if last is None else _cell(float(last), low, high, inner)
    if entry_at is not None:
        cells[entry_at] = "┼"
    moving = ""
    if last_at is not None:
        falls = entry is not None and last is not None and float(last) < float(entry)
        moving = ink or ("-down" if falls else "-up")
        if entry_at is not None:
            for at in range(min(entry_at, last_at) + 1, max(entry_at, last_at)):
                cells[at] = "━"
        cells[last_at] = "●"
    spans = [Span("├", "-track")]
    for cell in cells:
        name = {"─": "-track", "┼": "-muted"}.get(cell, moving)
        if spans[-1].ink == name:
            spans[-1] = Span(spans[-1].text + cell, name)
        else:
            spans.append(Span(cell, name))
    if spans[-1].ink == "-track":
        spans[-1] = Span(spans[-1].text + "┤", "-track")
    else:
        spans.append(Span("┤", "-track"))
    return tuple(spans)


def rail_labels(width: int, stop: Line, target: Line, entry: Line, share: float) -> Line:
    """What the ends and the entry of a rail are, below it; the entry's text leaves where it would touch."""
    taken = width_of(entry)
    at = min(max(round(share * (width - 1)) - taken // 2, 0), width - taken)
    room = (width_of(stop) + 2, width - width_of(target) - taken - 2)
    if room[0] > room[1]:
        return spread(stop, target, width)
    at = min(max(at, room[0]), room[1])
    return spread((*stop, Span(" " * (at - width_of(stop))), *entry), target, width)


def _cell(value: float, low: float, high: float, inner: int) -> int:
    if high <= low:
        return 0
    return min(max(round((value - low) / (high - low) * (inner - 1)), 0), inner - 1)


def bar(width: int, share: float, ink: str) -> Line:
    """A thin bar filled to `share` (0..1) in half cells: `━━━╸────`."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    full, half = divmod(halves, 2)
    done = "━" * full + ("╸" if half else "")
    return tuple(span for span in (Span(done, ink), Span("─" * (width - len(done)), "-line")) if span.text)
