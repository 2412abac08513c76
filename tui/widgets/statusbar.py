"""Row 0 and row 1 of every screen: who and what is at stake, where we are, what time it is."""

from typing import TYPE_CHECKING

from tui import format as fmt
from tui.actions import SCREENS
from tui.widgets.board import Board
from tui.widgets.ink import Line, Span, over, spread, width_of
from tui.widgets.rail import bar

if TYPE_CHECKING:
    from tui.options import Opening
    from tui.shown.deck import HeaderView
    from tui.widgets.look import Look

WIDE = 110
GAUGE_WIDTH = 9
GAUGE_FULL = 0.15
"""Drawdown at which the engine stops for good (SPEC 4.8)."""

_STATE_MARKS = {
    "STARTING": ("◐", "-attention"),
    "RUNNING": ("●", "-up"),
    "DEGRADED": ("◐", "-attention"),
    "STOPPED": ("■", "-danger"),
}


class StatusBar(Board):
    """Mode, account, equity, day, drawdown, regime, engine state."""

    def show(self, look: "Look") -> None:
        """Draw the row for the current width."""
        self.show_lines([status_line(look, self.size.width)])

    def show_opening(self, opening: "Opening | None") -> None:
        """Before the engine answered for the first time."""
        self.show_lines([opening_line(opening, self.size.width)])


class Navigation(Board):
    """Tabs, regime at 80 columns, clocks and session."""

    def show(self, look: "Look", tab: str) -> None:
        """Draw the row for the current width; `tab` is the name of the screen in front."""
        self.show_lines([navigation_line(look, self.size.width, tab)])

    def show_opening(self, tab: str) -> None:
        """The tabs alone: the clock is the engine's."""
        self.show_lines([_tabs(None, tab, wide=self.size.width >= WIDE - 2)])


def opening_line(opening: "Opening | None", width: int) -> Line:
    """What is known of the account before its engine answered."""
    left: Line = (Span(" tradedeck", "-strong"),)
    if opening is not None and opening.kind:
        mode = Span(f" {opening.kind.upper()} ", "-live" if opening.kind == "live" else "-mode")
        left = (mode, Span(" "), Span(opening.account, "-strong"))
    return spread(left, (Span("◐", "-attention"), Span(" STARTING ")), width)


def status_line(look: "Look", width: int) -> Line:
    """Groups leave from the right of the left side until the line fits; the engine state never leaves.

    How the console is linked is said where there is room, for which the gauge of the drawdown gives way.
    """
    header = look.view.header
    wide = width >= WIDE - 2
    state = _engine_state(look)
    linked: Line = () if look.detached else (Span(f"{link_words(header)}  ", "-muted"),)
    short: Line = () if look.detached else (Span(f"{header.link.value} ", "-muted"),)
    forms = [((*linked, *state), wide), ((*linked, *state), False), ((*short, *state), False), (state, wide)]
    for right, gauge in forms:
        joined = _join(_groups(look, wide=wide, gauge=gauge), wide)
        if width_of(joined) + 1 + width_of(right) <= width:
            break
    else:
        groups = _groups(look, wide=wide, gauge=wide)
        while len(groups) > 2 and width_of(joined) + 1 + width_of(right) > width:
            groups.pop()
            joined = _join(groups, wide)
    line = spread(joined, right, width)
    return over(line, "-live") if header.is_live else line


def _groups(look: "Look", *, wide: bool, gauge: bool) -> list[Line]:
    """In the order of what matters."""
    header = look.view.header
    mode = "-live" if header.is_live else "-mode"
    found: list[Line] = [(Span(f" {header.kind.value.upper()} ", mode),)]
    found.append((Span(header.account, "-strong"), *_market(look)))
    found += [_equity(look, wide), _day(look, wide), _drawdown(header, wide=wide, gauge=gauge)]
    if wide:
        found.append((Span("regime ", "-muted"), Span(_regime(header))))
    return found


def _join(groups: list[Line], wide: bool) -> Line:
    line: list[Span] = list(groups[0])
    for at, group in enumerate(groups[1:]):
        gap = (1 if at == 0 else 2) if not wide else (1 if at == 0 else 4 if at == 4 else 3)
        line += [Span(" " * gap), *group]
    return tuple(line)


def _equity(look: "Look", wide: bool) -> Line:
    header = look.view.header
    label = (Span("equity ", "-muted"),) if wide else ()
    if look.stale:
        return (*label, Span(f"~{fmt.money(header.equity)}", "-stale"))
    return (*label, Span(fmt.money(header.equity), "-strong"))


def _day(look: "Look", wide: bool) -> Line:
    header = look.view.header
    label = (Span("day ", "-muted"),) if wide else ()
    pnl = header.day_pnl
    text = fmt.signed_money(pnl)
    if header.day_pnl_ratio is not None:
        text += f" {fmt.signed_percent(header.day_pnl_ratio)}"
    if look.stale:
        return (*label, Span(f"~{text}", "-stale"))
    if pnl is None or text[0] not in "+-":
        return (*label, Span(text, "-muted"))
    up = pnl > 0
    return (*label, Span(f"{'▲' if up else '▼'} {text}", "-up" if up else "-down"))


def _drawdown(header: "HeaderView", *, wide: bool, gauge: bool) -> Line:
    ratio = header.drawdown_ratio
    ink = "" if ratio is None or ratio < 0.05 else "-attention" if ratio < 0.10 else "-danger"
    label = Span("drawdown " if wide else "dd ", "-muted")
    value = Span(fmt.percent(ratio), ink)
    if not gauge or ratio is None:
        return (label, value)
    return (label, value, Span(" "), *bar(GAUGE_WIDTH, ratio / GAUGE_FULL, ink or "-accent"))


def _engine_state(look: "Look") -> Line:
    header = look.view.header
    if look.detached:
        return (Span("○ DETACHED ", "-danger"),)
    if look.halted:
        return (Span(" ■ HALTED ", "-alarm"),)
    glyph, ink = _STATE_MARKS.get(header.engine_state, ("?", "-danger"))
    return (Span(glyph, ink), Span(f" {header.engine_state} "))


def _regime(header: "HeaderView") -> str:
    return "–" if header.regime == "unknown" else header.regime.replace("_", " ")


def navigation_line(look: "Look", width: int, tab: str) -> Line:
    """Tabs, then the regime and the clocks as far as there is room."""
    header = look.view.header
    wide = width >= WIDE - 2
    left = _tabs(look, tab, wide=wide)
    utc: Line = (Span(f"{fmt.clock_utc(look.now_us)} "),)
    clocks: Line = (*utc, Span(f" {fmt.clock_new_york(look.now_us)} {_session(look)} ", "-muted"))
    known = header.regime != "unknown"
    regime: Line = () if wide or not known else (Span(f"{_regime(header)}  ", "-muted"),)
    for right in ((*regime, *clocks), clocks):
        if width_of(left) + width_of(right) < width:
            return spread(left, right, width)
    return spread(left, utc, width)


def _tabs(look: "Look | None", tab: str, *, wide: bool) -> Line:
    """`1 Desk 2 Gems …`; narrow: digits, and the name of the screen in front."""
    line: list[Span] = []
    for key, name, title in SCREENS:
        badge = () if look is None else _badge(look, name, tab)
        if name == tab:
            marked = tuple(Span(span.text, f"-tab {span.ink}") for span in badge)
            line += [
                Span(f" {key} ", "-mode"),
                Span(f" {title}", "-tab"),
                *marked,
                Span(" ", "-tab"),
                Span(" "),
            ]
            continue
        line += [Span(key, "-accent"), *((Span(f" {title}", "-muted"),) if wide else ()), *badge]
        line.append(Span(" " if wide or badge else "  "))
    return tuple(line) if line and line[0].text.startswith(" ") else (Span(" "), *line)


def _badge(look: "Look", name: str, tab: str) -> Line:
    """`4?` an unknown order, `9■` a source down, `1◆` a ticket that waits (design 8)."""
    header = look.view.header
    if name == "orders" and header.unknown_orders:
        return (Span("?", "-danger"),)
    if name == "health" and header.market.sources_ok < header.market.sources_total:
        return (Span("■", "-danger"),)
    if name == "desk" and name != tab and look.view.in_sight:
        return (Span("◆", "-yours"),)
    return ()


def _session(look: "Look") -> str:
    header = look.view.header
    return fmt.session_word(look.now_us, header.session_open_us, header.session_close_us)


def _market(look: "Look") -> Line:
    """`120x`, or that a replay waits for the person or ended; nothing for a live market."""
    market = look.view.header.market
    if market.provenance == "live":
        return ()
    if market.ended:
        return (Span(" ■ ended", "-attention"),)
    if market.paused and not look.detached:
        return (Span(" ◐ waits", "-yours"),)
    if market.paused or market.speed is None:
        return ()
    speed = f" {market.speed:,.0f}x"
    return (Span(" ◐", "-yours"), Span(speed, "-yours")) if market.slow else (Span(speed, "-muted"),)


def link_words(header: "HeaderView") -> str:
    """`in-process`, `attached 3 ms`: how the console is joined to its engine, and how fast it answers."""
    lag = header.link_lag_us
    return header.link.value if lag is None else f"{header.link.value} {max(1, round(lag / 1000)):,} ms"
