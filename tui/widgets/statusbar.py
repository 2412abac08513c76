"""Row 0 and row 1 of every screen: who and what is at stake, where we are, what time it is."""

from engine.model.positions import AccountKind
from tui import format as fmt
from tui.shown.deck import HeaderView, LinkState, MarketView
from tui.widgets.board import Board
from tui.widgets.ink import Line, Span, over, spread, width_of
from tui.widgets.look import Look
from tui.widgets.rail import bar

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

    def show(self, look: Look) -> None:
        """Draw the row for the current width."""
        self.show_lines([status_line(look, self.size.width)])

    def show_waiting(self) -> None:
        """Before the engine answered for the first time."""
        left = (Span(" tradedeck", "-strong"),)
        self.show_lines([spread(left, (Span("◐", "-attention"), Span(" STARTING ")), self.size.width)])


class Navigation(Board):
    """Tabs, what market this is, regime at 80 columns, clocks and session."""

    def show(self, look: Look) -> None:
        """Draw the row for the current width."""
        self.show_lines([navigation_line(look, self.size.width)])


def status_line(look: Look, width: int) -> Line:
    """Groups leave from the right of the left side until the line fits; the engine state never leaves."""
    header = look.view.header
    wide = width >= WIDE - 2
    mode = "-live" if header.kind is AccountKind.LIVE else "-mode"
    right = _engine_state(look)
    groups: list[Line] = [(Span(f" {header.kind.value.upper()} ", mode),), (Span(header.account, "-strong"),)]
    groups += [_equity(look, wide), _day(look, wide), _drawdown(header, wide)]
    if wide:
        groups.append((Span("regime ", "-muted"), Span(_regime(header))))
    joined = _join(groups, wide)
    while len(groups) > 2 and width_of(joined) + 1 + width_of(right) > width:
        groups.pop()
        joined = _join(groups, wide)
    line = spread(joined, right, width)
    return over(line, "-live") if header.kind is AccountKind.LIVE else line


def _join(groups: list[Line], wide: bool) -> Line:
    line: list[Span] = list(groups[0])
    for at, group in enumerate(groups[1:]):
        gap = (1 if at == 0 else 2) if not wide else (1 if at == 0 else 4 if at == 4 else 3)
        line += [Span(" " * gap), *group]
    return tuple(line)


def _equity(look: Look, wide: bool) -> Line:
    header = look.view.header
    label = (Span("equity ", "-muted"),) if wide else ()
    if look.stale:
        return (*label, Span(f"~{fmt.money(header.equity)}", "-stale"))
    return (*label, Span(fmt.money(header.equity), "-strong"))


def _day(look: Look, wide: bool) -> Line:
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


def _drawdown(header: HeaderView, wide: bool) -> Line:
    ratio = header.drawdown_ratio
    ink = "" if ratio is None or ratio < 0.05 else "-attention" if ratio < 0.10 else "-danger"
    label = Span("drawdown " if wide else "dd ", "-muted")
    value = Span(fmt.percent(ratio), ink)
    if not wide or ratio is None:
        return (label, value)
    return (label, value, Span(" "), *bar(GAUGE_WIDTH, ratio / GAUGE_FULL, ink or "-accent"))


def _engine_state(look: Look) -> Line:
    header = look.view.header
    if look.detached:
        return (Span("○ DETACHED ", "-danger"),)
    if look.halted:
        return (Span(" ■ HALTED ", "-alarm"),)
    glyph, ink = _STATE_MARKS.get(header.engine_state, ("?", "-danger"))
    return (Span(glyph, ink), Span(f" {header.engine_state} "))


def _regime(header: HeaderView) -> str:
    return header.regime.replace("_", " ")


def navigation_line(look: Look, width: int) -> Line:
    """`1 Desk` is the only screen there is; the regime, then the market's words leave when it gets narrow."""
    header = look.view.header
    wide = width >= WIDE - 2
    badge: Line = (Span("?", "-tab -danger"),) if header.unknown_orders else ()
    left: Line = (Span(" 1 ", "-mode"), Span(" Desk", "-tab"), *badge, Span(" ", "-tab"))
    clocks: Line = (
        Span(fmt.clock_utc(look.now_us)),
        Span("  "),
        Span(f"{fmt.clock_new_york(look.now_us)} {_session(look)} ", "-muted"),
    )
    regime: Line = () if wide else (Span(f"{_regime(header)}  ", "-muted"),)
    room = width - width_of(left) - width_of(clocks) - 3
    for long in (True, False):
        market = market_words(header.market, long=long, waits=not look.detached)
        if wide:
            market = (*market, Span(f"{'   ' if market else ''}{link_words(header.link)}", "-muted"))
        for extra in (regime, ()):
            if width_of(market) + width_of(extra) <= room:
                return spread((*left, Span("  "), *market), (*extra, *clocks), width)
    return spread(left, clocks, width)


def _session(look: Look) -> str:
    header = look.view.header
    return fmt.session_word(look.now_us, header.session_open_us, header.session_close_us)


def market_words(market: MarketView, *, long: bool, waits: bool = True) -> Line:
    """`replay 390x`, or that a replay waits for the person; nothing for a live market."""
    if market.provenance == "live":
        return ()
    name = Span(market.provenance, "-muted")
    if market.ended:
        return (name, Span("  ■ ended", "-attention"))
    if market.paused and not waits:
        return (name,)
    if market.paused:
        words = "waits for you, " if long else "waits, "
        go_on = (Span("space", "-accent -bold"), Span(" goes on" if long else " go on", "-muted"))
        return (name, Span("  "), Span("◐", "-yours"), Span(f" {words}", "-yours"), *go_on)
    speed = "" if market.speed is None else f" {market.speed:,.0f}x"
    return (name, Span(speed, "-muted"))


def link_words(link: LinkState) -> str:
    """How the console is joined to its engine."""
    return link.value
