"""What is told of closed trades: one of them, those of an instrument, those of a strategy."""

from collections.abc import Sequence

from tui import format as fmt
from tui.shown.portfolio import RoundTripRow
from tui.widgets.figures import rate_words
from tui.widgets.holdings import signed, signed_ratio
from tui.widgets.ink import EMPTY, Line, Span, cut, cut_text, wrap
from tui.widgets.instruments import MEANINGFUL, TradesRow, trades_rows
from tui.widgets.look import Look
from tui.widgets.table import Cell
from tui.widgets.verdicts import head

LEAD = 16
EXITS = {
    "target": "The target was reached.",
    "stop": "The stop was reached.",
    "time": "Its time was over: it was sold after its last session.",
    "news": "News came out: it was sold.",
    "manual": "Sold by hand.",
    "emergency": "Sold by an emergency shutdown.",
    "corporate_action": "A split or a dividend ended it.",
}
"""Why a trade ended."""


def trip_lines(row: RoundTripRow, look: Look, width: int) -> list[Line]:
    """One finished trade, all of it."""
    made = Cell(spans=(_span(signed(row.pnl, look)), Span("  "), _span(signed_ratio(row.return_ratio, look))))
    sessions = "1 session" if row.sessions == 1 else f"{row.sessions} sessions"
    facts = (
        ("bought", f"{fmt.quantity(row.quantity)} at {fmt.average(row.entry_price)}"),
        ("", f"{fmt.date_utc(row.entry_us)} {fmt.clock_utc(row.entry_us)}"),
        ("sold at", fmt.average(row.exit_price)),
        ("", f"{fmt.date_utc(row.exit_us)} {fmt.clock_utc(row.exit_us)}, {sessions}"),
        ("fees", fmt.money(row.fees)),
        ("strategy", row.strategy),
        ("ticket", row.ticket),
    )
    lines: list[Line] = [(Span(EXITS.get(row.exit, row.exit), "-strong"),), EMPTY]
    lines.append((Span("made, after fees".ljust(LEAD + 2), "-muted"), *(made.spans or ())))
    for name, value in facts:
        lines.append(cut((Span(name.ljust(LEAD + 2), "-muted"), Span(value)), width))
    return lines


def trades_lines(symbol: str, look: Look, width: int) -> list[Line]:
    """Closed trades of one instrument, or of all for ""."""
    view = look.view.portfolio
    row = next((row for row in trades_rows(view) if row.symbol == symbol), None)
    if row is None:
        return [(Span("No closed trade of it is kept any more.", "-muted"),)]
    trips = [trip for trip in view.round_trips if symbol in ("", trip.symbol)]
    return [*_figures(row, look, width), EMPTY, *_trips(trips, row.win.n, look, width)]


def strategy_lines(strategy: str, look: Look, width: int) -> list[Line]:
    """Closed trades of one strategy."""
    view = look.view.portfolio
    row = next((row for row in view.strategies if row.strategy == strategy), None)
    if row is None:
        return [(Span("It is not configured any more.", "-muted"),)]
    lines: list[Line] = [
        _fact("stage", Cell(row.stage or "not configured any more")),
        _fact("win rate", Cell(_rate(row.win.wins, row.win.n, rate_words(row.win)))),
        _fact("mean return", signed_ratio(row.average_ratio, look) if row.win.n else Cell("–")),
        _fact("net", signed(row.net, look) if row.win.n else Cell("–")),
    ]
    trips = [trip for trip in view.round_trips if trip.strategy == strategy]
    return [*lines, EMPTY, *_trips(trips, row.win.n, look, width)]


def _figures(row: TradesRow, look: Look, width: int) -> list[Line]:
    few = row.win.n < MEANINGFUL
    why = f"not meaningful: {row.win.n} of {MEANINGFUL} trades"
    factor = "–, no trade lost" if row.profit_factor is None else f"{row.profit_factor:.2f}"
    lines: list[Line] = [
        _fact("net", signed(row.net, look)),
        _fact("win rate", Cell(_rate(row.win.wins, row.win.n, rate_words(row.win)))),
        _fact("profit factor", Cell(why if few else factor, "-muted" if few else "")),
        _fact("mean of a trade", Cell(why, "-muted") if few else signed(row.expectancy, look)),
        _fact("best", signed(row.best, look)),
        _fact("worst", signed(row.worst, look)),
        EMPTY,
    ]
    said = "Profit factor: what was won over what was lost. It and the mean say nothing under 20 trades."
    return [*lines, *((Span(part, "-muted"),) for part in wrap(said, width))]


def _trips(trips: Sequence[RoundTripRow], n: int, look: Look, width: int) -> list[Line]:
    """Newest first; the console is given the newest hundred of all."""
    if not trips:
        return [(Span("No closed trades yet." if n == 0 else "They are older than the last 100.", "-muted"),)]
    note = "newest first" if len(trips) == n else f"newest {len(trips)} of {n}"
    made = fmt.align_points([fmt.signed_money(trip.pnl) for trip in trips])
    wide = max(map(len, made))
    lines: list[Line] = [head("Trades", width, note)]
    for trip, text in zip(trips, made, strict=True):
        day = f"{fmt.date_utc(trip.exit_us)}  "
        names = f"{cut_text(trip.symbol, 12):<12}  {cut_text(trip.strategy, 8):<8}"
        words = f"{names}  {trip.exit.replace('_', ' '):<16}  "
        ink, ratio = signed(trip.pnl, look).ink, fmt.signed_percent(trip.return_ratio)
        line = (Span(day, "-muted"), Span(words), Span(text.rjust(wide), ink), Span(f"  {ratio:>7}", ink))
        lines.append(cut(line, width))
    return lines


def _rate(wins: int, n: int, interval: str) -> str:
    return "–" if n == 0 else f"{wins} of {n} won, {interval}"


def _fact(name: str, value: Cell) -> Line:
    return Span(name.ljust(LEAD + 2), "-muted"), _span(value)


def _span(cell: Cell) -> Span:
    return Span(cell.text, cell.ink)
